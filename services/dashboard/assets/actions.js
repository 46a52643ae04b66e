// What an operator may do from here: halt, reduce, rebalance. Never resume.

import { at, element, fill, setText } from "/assets/dom.js";
import { strictest } from "/assets/top.js";

const ACTIONS = {
  halt: {
    title: "Halt", danger: true,
    text: "No order leaves after this, and open risk stays open. To resume, run `hedgestat resume` on the host: it cannot be done from a browser.",
  },
  reduce: {
    title: "Reduce only", danger: true,
    text: "Only orders that bring vega nearer to 0 leave after this. To end it, run `hedgestat resume` on the host: it cannot be done from a browser.",
  },
  rebalance: { title: "Rebalance now", danger: false, text: "Each book of the scope decides anew, as when a trigger fires." },
};

export class Actions {
  #store;
  #login = null;
  #wanted = null;
  #asked = null;

  constructor(store) {
    this.#store = store;
  }

  start() {
    for (const name of Object.keys(ACTIONS)) {
      at(name).addEventListener("click", () => this.#begin(name));
    }
    for (const button of document.querySelectorAll("dialog [data-close]")) {
      button.addEventListener("click", () => button.closest("dialog").close());
    }
    at("login").addEventListener("click", () => (this.#login === null ? this.#askLogin(null) : this.#logout()));
    at("login-form").addEventListener("submit", (event) => this.#submitLogin(event));
    at("action-form").addEventListener("submit", (event) => this.#submitAction(event));
    at("action-scope").addEventListener("change", () => this.#check());
    at("action-confirmation").addEventListener("input", () => this.#check());
    this.#store.on("health", () => this.#follow());
    this.#recall();
  }

  async #recall() {
    const answer = await called("GET", "/api/v1/login");
    this.#setLogin(answer.ok ? answer.value : null);
  }

  #setLogin(login) {
    this.#login = login;
    setText(at("login"), login === null ? "Log in" : `Log out ${login.operator}`);
  }

  async #logout() {
    await called("POST", "/api/v1/logout", {}, this.#login.csrf_token);
    this.#setLogin(null);
  }

  #askLogin(wanted) {
    this.#wanted = wanted;
    setText(at("login-problem"), "");
    at("login-password").value = "";
    at("login-dialog").showModal();
    at("login-operator").focus();
  }

  async #submitLogin(event) {
    event.preventDefault();
    const request = { operator: at("login-operator").value, password: at("login-password").value };
    const answer = await called("POST", "/api/v1/login", request);
    if (!answer.ok) {
      setText(at("login-problem"), answer.problem);
      return;
    }
    at("login-password").value = "";
    this.#setLogin(answer.value);
    at("login-dialog").close();
    if (this.#wanted !== null) {
      this.#begin(this.#wanted);
    }
  }

  #begin(name) {
    if (this.#login === null) {
      this.#askLogin(name);
      return;
    }
    const { title, text, danger } = ACTIONS[name];
    this.#asked = { name, scope: null };
    setText(at("action-title"), title);
    setText(at("action-text"), text);
    setText(at("action-submit"), title);
    at("action-submit").className = danger ? "danger" : "primary";
    const books = this.#store.state?.books.map((each) => each.book) ?? [];
    fill(at("action-scope"), ...["all", ...books].map((scope) => element("option", { value: scope }, scope === "all" ? "all books" : scope)));
    for (const id of ["action-reason", "action-confirmation"]) {
      at(id).value = "";
    }
    this.#say("", "");
    this.#check();
    at("action-dialog").showModal();
    at("action-scope").focus();
  }

  #check() {
    const scope = at("action-scope").value;
    setText(at("action-word"), scope);
    at("action-submit").disabled = at("action-confirmation").value !== scope;
  }

  #say(problem, result) {
    setText(at("action-problem"), problem);
    setText(at("action-result"), result);
  }

  async #submitAction(event) {
    event.preventDefault();
    const { name } = this.#asked;
    const scope = at("action-scope").value;
    const request = { scope, reason: at("action-reason").value, confirmation: at("action-confirmation").value };
    at("action-submit").disabled = true;
    const answer = await called("POST", `/api/v1/actions/${name}`, request, this.#login.csrf_token);
    if (!answer.ok) {
      this.#say(answer.problem, "");
      this.#check();
      if (answer.status === 401) {
        at("action-dialog").close();
        this.#setLogin(null);
        this.#askLogin(name);
      }
      return;
    }
    this.#asked.scope = scope;
    this.#say("", name === "rebalance" ? "Sent. Orders that it makes appear below." : "Sent. Not in force until the gateway says so: waiting for it…");
    this.#follow();
  }

  // A command is in force when the gateway says so, not when it was sent.
  #follow() {
    const wanted = { halt: "halted", reduce: "reducing" }[this.#asked?.name];
    if (wanted === undefined || this.#asked.scope === null) {
      return;
    }
    const { scope } = this.#asked;
    const told = this.#store.state.health.trading.filter((each) => [scope, "all"].includes(each.scope));
    if (strictest(told) === wanted) {
      this.#say("", `In force: the gateway says ${scope} is ${wanted}.`);
      this.#asked.scope = null;
    }
  }
}

async function called(method, path, body = undefined, token = null) {
  const headers = { Accept: "application/json" };
  if (body !== undefined) {
    headers["Content-Type"] = "application/json";
  }
  if (token !== null) {
    headers["X-CSRF-Token"] = token;
  }
  try {
    const response = await fetch(path, { method, headers, body: body && JSON.stringify(body), credentials: "same-origin" });
    const text = await response.text();
    const value = text === "" ? null : JSON.parse(text);
    const problem = response.ok ? "" : [value?.error, value?.detail].filter(Boolean).join(": ") || `refused (${response.status})`;
    return { ok: response.ok, status: response.status, value, problem };
  } catch {
    return { ok: false, status: 0, value: null, problem: "The monitor does not answer; nothing was done. On the host: hedgestat halt." };
  }
}

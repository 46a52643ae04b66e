// Whether the monitor does its work: what fails, every service, its lag and who holds its lease.

import { at, element, reconcile, setAttribute, setText } from "/assets/dom.js";
import { number, words } from "/assets/format.js";
import { paced } from "/assets/pace.js";

const STATES = { online: "● online", offline: "✕ OFFLINE", unknown: "? unknown" };

export function showHealth(store) {
  store.on("health", paced(() => renderHealth(store), 250));
}

function renderHealth(store) {
  const { checks, services } = store.state.health;
  const wrong = Object.entries(checks).filter(([, text]) => text !== "");
  reconcile(at("checks"), wrong, ([name]) => name, () => element("li"), (node, [name, text]) =>
    setText(node, `⚠ ${words(name)}: ${text}`),
  );
  reconcile(at("services"), services, (each) => each.service, create, update);
}

function create() {
  const part = (name) => element("span", { class: name });
  return element("li", { class: "service" }, part("service-name"), part("service-behind figure"), part("service-state"), part("service-more figure"));
}

function update(node, service) {
  const [name, behind, state, more] = node.children;
  setText(name, service.service);
  const isDone = service.note === "finished";
  setText(state, isDone ? "✓ finished" : STATES[service.state] ?? service.state);
  setText(behind, service.behind === null ? "" : `${number(service.behind)} behind`);
  const lease = service.holder === "" ? "" : `lease ${service.holder} · epoch ${service.epoch}`;
  const told = [lease, isDone ? "" : service.note];
  setText(more, told.filter(Boolean).join(" · "));
  setAttribute(node, "data-state", isDone ? "finished" : service.state);
}

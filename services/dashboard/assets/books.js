// The picker: a line a book, found by typing, chosen by click or keys; up to many of them.

import { at, element, reconcile, setAttribute, setText } from "/assets/dom.js";
import { number, percent } from "/assets/format.js";
import { paced } from "/assets/pace.js";

const STATES = { active: "", reducing: "▼ reducing", halted: "■ HALTED", unknown: "? not heard" };
const REMEMBERED = "book";

export function showBooks(store) {
  const render = paced(() => renderBooks(store), 250);
  store.on("books selection", render);
  at("books-filter").addEventListener("input", render);
  at("books").addEventListener("keydown", (event) => walk(event));
  const choose = () => store.select(decodeURIComponent(location.hash.slice(1)) || store.selected);
  addEventListener("hashchange", () => {
    if (store.state?.books.some((each) => `#${encodeURIComponent(each.book)}` === location.hash)) {
      choose();
    }
  });
  store.selected = decodeURIComponent(location.hash.slice(1)) || sessionStorage.getItem(REMEMBERED);
  store.on("selection", () => store.selected && sessionStorage.setItem(REMEMBERED, store.selected));
}

function renderBooks(store) {
  const all = store.state?.books ?? [];
  const wanted = at("books-filter").value.trim().toLowerCase();
  const shown = all.filter((each) => each.book.toLowerCase().includes(wanted));
  at("books-filter").hidden = all.length < 8;
  setText(at("books-count"), shown.length === all.length ? `${all.length}` : `${shown.length} of ${all.length}`);
  const byName = shown.sort((one, other) => one.book.localeCompare(other.book, "en", { numeric: true }));
  reconcile(at("books"), byName, (each) => each.book, (each) => create(each, store), (node, each) => update(node, each, store));
}

function create(summary, store) {
  const part = (name) => element("span", { class: name });
  const button = element(
    "button",
    { type: "button", class: "book-line" },
    part("book-name"), part("book-marks figure"), part("book-target figure"), part("book-budget figure"), part("book-trading"),
  );
  button.addEventListener("click", () => store.select(summary.book));
  return element("li", {}, button);
}

function update(node, summary, store) {
  const button = node.firstChild;
  const [name, marks, target, budget, trading] = button.children;
  setText(name, summary.book);
  setText(trading, STATES[summary.state] ?? summary.state);
  const gap = `${number(summary.current_vega)} → ${number(summary.target_vega)}`;
  setText(target, summary.target_vega === null ? "no target yet" : gap);
  setText(budget, summary.budget_used === null ? "" : `${percent(summary.budget_used, 0)} spent`);
  const found = marksOf(summary);
  setText(marks, found.map(([icon, count]) => `${icon}${count}`).join(" "));
  const told = found.map(([, count, what]) => `${count} ${what}`).join(", ");
  setAttribute(marks, "title", told || null);
  setAttribute(marks, "aria-label", told || null);
  setAttribute(button, "aria-current", store.selected === summary.book ? "true" : null);
  setAttribute(button, "data-state", summary.state);
  setAttribute(button, "data-firing", summary.firing.length > 0 ? "" : null);
}

/** Signs, how many, and what they mean. */
function marksOf(summary) {
  const all = [
    ["▲", summary.firing.length, "triggers firing"],
    ["◔", summary.pending.length, "triggers pending"],
    ["⇢", summary.orders_waiting, "orders under way"],
    ["⚠", summary.alerts, "alerts"],
  ];
  return all.filter(([, count]) => count > 0);
}

function walk(event) {
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (step !== undefined) {
    const lines = [...at("books").querySelectorAll("button")];
    lines[lines.indexOf(document.activeElement) + step]?.focus();
    event.preventDefault();
  }
}

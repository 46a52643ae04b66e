// Orders from their decision to their end; a line opens to show why it was sent.

import { at, element, fill, reconcile, setAttribute, setText, whenChanged } from "/assets/dom.js";
import { UNKNOWN, dayAndTime, milliseconds, number, plain, signed, spaced, timeOfDay, words } from "/assets/format.js";
import { paced } from "/assets/pace.js";

const SHOWN = 50;
const STAGES = ["decided", "accepted", "working", "filled"];
/** How far along each status is, and whether it ended badly. */
const REACHED = {
  decided: [0, ""], accepted: [1, ""], refused: [1, "bad"], working: [2, ""], partial: [2, ""],
  filled: [3, ""], cancelled: [3, "bad"], rejected: [3, "bad"], expired: [3, "bad"],
};

export function showOrders(store) {
  const open = new Set();
  const render = paced(() => renderOrders(store, open), 250);
  store.on("orders selection", render);
  at("orders-scope").addEventListener("change", render);
  at("orders").addEventListener("click", (event) => {
    const line = event.target.closest("tr.order");
    if (line !== null) {
      toggle(open, line.dataset.order);
      renderOrders(store, open);
      line.nextElementSibling?.scrollIntoView({ block: "nearest" });
    }
  });
}

function toggle(open, order) {
  if (!open.delete(order)) {
    open.add(order);
  }
}

function renderOrders(store, open) {
  const all = store.state?.orders ?? [];
  const own = at("orders-scope").value === "book";
  const shown = all.filter((each) => !own || each.book === store.selected).slice(0, SHOWN);
  setText(at("orders-count"), shown.length < all.length ? `${shown.length} of ${all.length}` : String(all.length));
  setAttribute(at("orders").closest(".scroll"), "data-empty", shown.length === 0 ? "No order was decided yet" : null);
  const lines = shown.flatMap((order) => [
    { key: `line ${order.order_id}`, order },
    ...(open.has(order.order_id) ? [{ key: `why ${order.order_id}`, order }] : []),
  ]);
  const isWhy = (line) => line.key.startsWith("why ");
  reconcile(
    at("orders"), lines, (line) => line.key,
    (line) => (isWhy(line) ? element("tr", { class: "why-line" }, element("td", { colspan: "7" })) : createLine()),
    (node, line) => (isWhy(line) ? updateWhy(node, line.order) : updateLine(node, line.order, open)),
  );
}

function createLine() {
  const cell = (name) => element("td", { class: name });
  const button = element("button", { type: "button", class: "order-button" });
  return element(
    "tr",
    { class: "order" },
    element("td", { class: "figure" }), cell("order-book"), element("td", {}, button), cell("number figure"),
    cell("order-trigger"), element("td", {}, element("span", { class: "stages" })), cell("number figure"),
  );
}

function updateLine(node, order, open) {
  const [when, book, what, limit, trigger, status, filled] = node.children;
  node.dataset.order = order.order_id;
  setAttribute(node, "data-status", order.status);
  setText(when, dayAndTime(milliseconds(order.decided_time)).slice(5));
  setText(book, order.book);
  const isOpen = open.has(order.order_id);
  setAttribute(what.firstChild, "title", order.order_id);
  setText(what.firstChild, `${isOpen ? "▾" : "▸"} ${order.side} ${plain(Math.abs(order.quantity))} ${order.symbol} ${order.leg}`);
  setAttribute(what.firstChild, "aria-expanded", String(isOpen));
  setText(limit, plain(order.limit_price));
  setText(trigger, words(order.trigger));
  whenChanged(status.firstChild, [order.status, order.acknowledgement?.status], () => renderStages(status.firstChild, order));
  const at = order.average_price === null ? "" : ` @ ${plain(order.average_price)}`;
  setText(filled, order.filled === 0 ? UNKNOWN : `${signed(order.filled)}${at}`);
}

function renderStages(node, order) {
  const [reached, ending] = REACHED[order.status] ?? [0, ""];
  const stage = (name, index) => {
    const last = index === reached;
    const state = index > reached ? "ahead" : last && ending ? "bad" : "done";
    const text = last ? order.status : name;
    const icon = { ahead: "○", bad: "✕", done: "●" }[state];
    return element("span", { class: "stage", "data-state": state, "data-last": last ? "" : null },
      icon, element("span", { class: "stage-name" }, ` ${text}`));
  };
  fill(node, ...STAGES.map(stage));
}

function updateWhy(node, order) {
  whenChanged(node, order, () => {
    const path = [
      [order.decided_time, `decision ${order.decision} of ${order.book}: ${order.side} ${plain(Math.abs(order.quantity))} to hold ${plain(order.target_quantity)}, limit ${plain(order.limit_price)}, ${number(order.notional)} ${order.currency}, until ${timeOfDay(milliseconds(order.valid_until))}`],
      [null, acknowledged(order.acknowledgement, order.status)],
      ...order.executions.map((each) => [each.event_time, executed(each)]),
    ];
    const step = ([when, text]) =>
      element("li", {}, element("time", { class: "figure" }, when === null ? "" : timeOfDay(milliseconds(when))), element("span", {}, text));
    fill(
      node.firstChild,
      element("p", { class: "why" }, element("b", {}, "Why: "), spaced(order.why || order.reason)),
      element("ol", { class: "path" }, ...path.map(step)),
      element("p", { class: "caption" }, "The whole chain: ", element("code", {}, `hedgestat why ${order.order_id}`)),
    );
  });
}

function acknowledged(ack, status) {
  if (ack === null) {
    return status === "decided" ? "acknowledgement: not yet" : "acknowledged before this page listened";
  }
  return `acknowledgement: ${ack.status}${ack.reason && `, ${ack.reason}`} (epoch ${ack.epoch})`;
}

const EXECUTIONS = { new: "working at the venue", partial: "partial fill", fill: "filled", cancel: "cancelled", reject: "rejected", expire: "expired" };

function executed(execution) {
  const price = execution.price === null ? "" : ` @ ${plain(execution.price)}`;
  const size = execution.quantity === 0 ? "" : ` ${signed(execution.quantity)}`;
  return `${EXECUTIONS[execution.kind] ?? execution.kind}${size}${price}${execution.reason && `: ${execution.reason}`}`;
}

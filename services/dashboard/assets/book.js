// The chosen book: its hedge against its target, what sized it, and what would move it.

import { figuresText } from "/assets/alerts.js";
import { at, element, fill, reconcile, setAttribute, setProperty, setText, whenChanged } from "/assets/dom.js";
import { UNKNOWN, counted, dayAndTime, milliseconds, number, percent, plain, signed, timeOfDay, words } from "/assets/format.js";
import { paced } from "/assets/pace.js";
import { renderSizing } from "/assets/sizing.js";

const STATES = { active: "● trading", reducing: "▼ reducing only", halted: "■ HALTED", unknown: "? gateway not heard" };
const TRIGGER_STATES = { inactive: "○ inactive", pending: "◔ pending", firing: "▲ FIRING", cooldown: "◌ cooldown" };
const ORDER = ["firing", "pending", "cooldown", "inactive"];
const SHOWN_WHIPSAWS = 3;
const FRESH_MS = 15_000;

/**
 * Which triggers of the chosen book have fired while the page looked on: a decision ends the state
 * of firing in the same instant, and who blinks would miss it.
 */
class Firings {
  #book = null;
  #decision = null;
  #at = new Map();

  take(book) {
    const { target } = book;
    const isSame = this.#book === book.summary.book;
    if (!isSame) {
      this.#at.clear();
    } else if (target !== null && target.decision !== this.#decision) {
      this.#at.set(target.trigger, performance.now());
    }
    this.#book = book.summary.book;
    this.#decision = target?.decision ?? null;
  }

  isFresh(trigger) {
    return performance.now() - (this.#at.get(trigger) ?? -Infinity) < FRESH_MS;
  }
}

export function showBook(store) {
  const firings = new Firings();
  const render = paced(() => renderBook(store, firings));
  store.on("book", () => store.book !== null && firings.take(store.book));
  store.on("book books selection", render);
  setInterval(render, 5000);
}

function renderBook(store, firings) {
  const summary = store.state?.books.find((each) => each.book === store.selected) ?? null;
  setText(at("book-title"), summary === null ? "No book" : `Book ${summary.book}`);
  const state = summary?.state ?? "unknown";
  setText(at("book-state"), STATES[state] ?? state);
  setAttribute(at("book-state"), "data-level", { active: "good", halted: "bad" }[state] ?? "warning");
  setText(at("book-quality"), summary === null ? "" : `signals ${summary.quality}`);
  setAttribute(at("book-quality"), "data-level", summary?.quality === "good" ? "good" : "warning");
  const { book } = store;
  const busy = book === null && summary !== null;
  setAttribute(at("content"), "aria-busy", busy ? "true" : null);
  setText(at("book-verdict"), verdict(book));
  if (book === null) {
    return;
  }
  whenChanged(at("hedge"), [book.target, book.summary], () => renderHedge(book));
  whenChanged(at("sizing"), [book.target, book.summary.binding], () => renderSizing(book));
  renderTriggers(book.triggers, firings);
  whenChanged(at("whipsaws"), [book.whipsaws, book.withheld], () => renderSuppressed(book));
}

function verdict(book) {
  if (book === null) {
    return "";
  }
  const { target, summary } = book;
  if (target === null) {
    return "Nothing was decided yet.";
  }
  const firing = summary.firing.map(words).join(", ");
  const gap = summary.target_vega - summary.current_vega;
  const size = Math.abs(gap) < 0.5 ? "on target" : `${number(Math.abs(gap))} ${gap > 0 ? "under" : "over"} target`;
  const why = `decision ${target.decision} by ${words(target.trigger)}`;
  return [`Hedge ${size}`, why, firing && `firing: ${firing}`].filter(Boolean).join("; ") + ".";
}

function renderHedge({ target, summary }) {
  const [current, wanted] = [summary.current_vega, summary.target_vega];
  const currency = `${summary.currency} a point`;
  fill(
    at("hedge"),
    element(
      "dl",
      { class: "pair" },
      pair("Current", number(current), currency),
      pair("Target", number(wanted), currency),
      pair("To do", current === null || wanted === null ? UNKNOWN : signed(wanted - current), currency),
    ),
    gauge(current, wanted),
    target === null ? null : element("p", { class: "caption" }, decided(target)),
    target === null ? null : legs(target),
  );
}

const pair = (name, value, unit) =>
  element("div", {}, element("dt", {}, name), element("dd", { class: "figure" }, value, element("small", {}, unit)));

const decided = (target) =>
  `Decision ${target.decision} at ${dayAndTime(milliseconds(target.event_time))} UTC by ` +
  `${words(target.trigger)}: ${number(target.multiplier, 3)} × base` +
  (target.at_floor ? ", at the floor" : "") + (target.at_cap ? ", at the cap" : "") + ".";

// From zero: how full the hedge is, and where it should be.
function gauge(current, target) {
  const bar = element("div", { class: "gauge", role: "img", "aria-label": `Current ${number(current)} of target ${number(target)}` });
  const [held, wanted] = [current ?? 0, target ?? 0];
  const low = Math.min(0, held, wanted);
  const span = Math.max(0, held, wanted) - low || 1;
  const share = (value) => ((value - low) / (span * 1.08)) * 100;
  const fillBar = element("span", { class: "gauge-fill" });
  setProperty(fillBar, "--from", `${share(Math.min(0, held))}%`);
  setProperty(fillBar, "--to", `${share(Math.max(0, held))}%`);
  const mark = element("span", { class: "gauge-mark" });
  setProperty(mark, "--at", `${share(wanted)}%`);
  bar.append(fillBar, ...(target === null ? [] : [mark]));
  return bar;
}

function legs(target) {
  const cells = (leg) => [
    element("th", { scope: "row" }, leg.leg, element("small", {}, `${leg.symbol} · ${percent(leg.weight, 0)}`)),
    ...[number(leg.vega), plain(leg.quantity), plain(leg.mark)].map((text) =>
      element("td", { class: "number figure" }, text),
    ),
  ];
  const heads = ["Vega", "Quantity", "Mark"].map((name) => element("th", { scope: "col", class: "number" }, name));
  return element(
    "div",
    { class: "scroll" },
    element(
      "table",
      { class: "legs" },
      element("thead", {}, element("tr", {}, element("th", { scope: "col" }, "Leg"), ...heads)),
      element("tbody", {}, ...target.legs.map((leg) => element("tr", {}, ...cells(leg)))),
    ),
  );
}

function renderTriggers(triggers, firings) {
  const isFresh = (trigger) => trigger.state !== "firing" && firings.isFresh(trigger.trigger);
  const rank = (trigger) => (isFresh(trigger) ? 0 : ORDER.indexOf(trigger.state));
  const sorted = [...triggers].sort((one, other) => rank(one) - rank(other));
  const many = (state) => triggers.filter((each) => each.state === state).length;
  setText(at("triggers-count"), `${many("firing")} firing, ${many("pending")} pending of ${triggers.length}`);
  setAttribute(at("triggers"), "data-empty", triggers.length === 0 ? "No trigger was heard of yet" : null);
  reconcile(at("triggers"), sorted, (each) => each.trigger, createTrigger, (node, each) =>
    updateTrigger(node, each, isFresh(each)),
  );
}

function createTrigger() {
  const part = (name, tag = "span") => element(tag, { class: name });
  return element(
    "li",
    { class: "trigger" },
    part("trigger-name"), part("trigger-state"), part("trigger-progress figure"), part("meter"),
    part("trigger-reason", "p"),
  );
}

function updateTrigger(node, trigger, isFresh) {
  const [name, state, progress, meter, reason] = node.children;
  setText(name, words(trigger.trigger));
  setText(state, isFresh ? "▲ FIRED just now" : TRIGGER_STATES[trigger.state] ?? trigger.state);
  setAttribute(node, "data-state", trigger.state);
  setAttribute(node, "data-fired", isFresh ? "" : null);
  setAttribute(node, "data-trigger", trigger.trigger);
  const persists = ["pending", "firing"].includes(trigger.state);
  setText(progress, persists ? progressText(trigger) : trigger.state === "cooldown" ? sinceText(trigger) : "");
  setProperty(meter, "--done", `${persists ? Math.round(progressOf(trigger) * 100) : 0}%`);
  setText(reason, trigger.reason || judged(trigger));
  setAttribute(reason, "title", judged(trigger) || null);
}

const sinceText = (trigger) => (trigger.since === null ? "" : `since ${timeOfDay(milliseconds(trigger.since))}`);

function judged(trigger) {
  const inputs = figuresText(trigger.inputs);
  return trigger.reference === null ? inputs : `${inputs} against ${plain(trigger.reference)}`;
}

/** How far a trigger's persistence is: `2 of 3 ticks · 9 of 15 min · 1 of 2 sessions`. */
export function progressText(trigger) {
  const parts = [];
  if (trigger.observations_needed > 0) {
    parts.push(`${Math.min(trigger.observations, trigger.observations_needed)} of ${trigger.observations_needed} ticks`);
  }
  if (trigger.hold_s > 0) {
    parts.push(heldText(Math.min(trigger.held_s, trigger.hold_s), trigger.hold_s));
  }
  if (trigger.sessions_needed > 0) {
    parts.push(`${Math.min(trigger.sessions, trigger.sessions_needed)} of ${trigger.sessions_needed} sessions`);
  }
  return parts.join(" · ");
}

function heldText(held, needed) {
  const [scale, unit] = needed >= 2 * 86_400 ? [86_400, "days"] : needed >= 2 * 3600 ? [3600, "h"] : needed >= 120 ? [60, "min"] : [1, "s"];
  const floor = (seconds) => number(Math.floor((seconds / scale) * 10) / 10, Number.isInteger(needed / scale) ? 0 : 1);
  return `${floor(Math.floor(held / scale) * scale)} of ${floor(needed)} ${unit}`;
}

function progressOf(trigger) {
  const shares = [
    [trigger.observations, trigger.observations_needed],
    [trigger.held_s, trigger.hold_s],
    [trigger.sessions, trigger.sessions_needed],
  ];
  return Math.min(1, ...shares.filter(([, needed]) => needed > 0).map(([done, needed]) => done / needed));
}

function renderSuppressed({ whipsaws, withheld }) {
  const lines = [
    ...withheld.slice(0, SHOWN_WHIPSAWS).map((each) => ({
      kind: "withheld",
      when: each.event_time,
      text: `${words(each.control)} held back ${each.leg} of decision ${each.decision}: ${figuresText(each.figures)}`,
    })),
    ...whipsaws.slice(0, SHOWN_WHIPSAWS).map((each) => ({
      kind: "whipsaw",
      when: each.event_time,
      text: `${words(each.trigger)} broke after ${counted(each.observations, "tick")}, at most ${figuresText(each.peak)}`,
    })),
  ];
  const line = (each) =>
    element(
      "li",
      {},
      element("time", { class: "figure", datetime: each.when }, dayAndTime(milliseconds(each.when)).slice(5, 16)),
      element("b", {}, each.kind === "whipsaw" ? "whipsaw" : "withheld"),
      element("span", {}, each.text),
    );
  fill(
    at("whipsaws"),
    element("h4", {}, "Suppressed: nothing was sent"),
    lines.length === 0
      ? element("p", { class: "caption" }, "No whipsaw was suppressed, no order held back.")
      : element("ul", {}, ...lines.map(line)),
  );
}

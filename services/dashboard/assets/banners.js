// What nobody may overlook: a lost connection, a silent feed, trading that is halted.

import { at, element, reconcile, setAttribute, setProperty, setText } from "/assets/dom.js";
import { dayAndTime, duration, milliseconds, timeOfDay } from "/assets/format.js";
import { paced } from "/assets/pace.js";
import { dataTrouble, strictest } from "/assets/top.js";

const SHOWN = 4;

export function showBanners(store) {
  const render = paced(() => renderBanners(store));
  store.on("state market health connection", render);
  setInterval(render, 1000);
  // What else sticks to the top begins below.
  new ResizeObserver(([entry]) => {
    setProperty(document.documentElement, "--top", `${Math.round(entry.target.offsetHeight)}px`);
  }).observe(at("stuck"));
}

function renderBanners(store) {
  const found = [...connection(store), ...replay(store), ...feed(store), ...signals(store), ...trading(store)];
  reconcile(at("banners"), found, (each) => each.key, create, update);
  const loud = found.find((each) => each.title !== undefined);
  document.title = loud === undefined ? "hedgestat" : `${loud.title} · hedgestat`;
}

function create() {
  const parts = [element("strong"), element("span", { class: "banner-text" }), element("code")];
  return element("p", { class: "banner" }, ...parts);
}

function update(node, banner) {
  const [head, text, code] = node.children;
  setAttribute(node, "data-kind", banner.kind);
  setText(head, banner.head);
  setText(text, banner.text);
  setText(code, banner.command ?? "");
  code.hidden = banner.command === undefined;
}

function connection(store) {
  if (store.connection.state !== "lost") {
    return [];
  }
  const last = store.connection.lastEvent;
  const text =
    last === null
      ? "The monitor does not answer. Trying again…"
      : `Last data ${timeOfDay(last)} UTC. What you see is old. Trying again…`;
  return [{ key: "connection", kind: "lost", title: "LOST", head: "✕ Connection lost", text }];
}

// No trouble: said once, calmly, so that nobody waits.
function replay(store) {
  if (store.state?.health.replay_over !== true) {
    return [];
  }
  const last = dayAndTime(milliseconds(store.state.market.event_time));
  const text = `The market’s clock stands at ${last} UTC. Everything is settled, and nothing more will come.`;
  return [{ key: "replay", kind: "over", head: "✓ Replay finished", text }];
}

function feed(store) {
  const trouble = dataTrouble(store);
  if (trouble === "") {
    return [];
  }
  const age = store.dataAge();
  const last = milliseconds(store.state.market.event_time);
  const since =
    age === null
      ? "No print has come yet."
      : `Last print ${duration(age)} ago; the market’s clock stands at ${dayAndTime(last)} UTC.`;
  return [
    { key: "feed", kind: "stale", title: "STALE", head: "⚠ Market data is stale", text: `${trouble}. ${since}` },
  ];
}

function signals(store) {
  const { silent = [], signals: all = {} } = store.state?.market ?? {};
  const bad = Object.values(all).filter((each) => ["stale", "frozen"].includes(each.quality));
  const found = [];
  if (silent.length > 0) {
    const text = `Missed two prints or more: ${silent.join(", ")}.`;
    found.push({ key: "silent", kind: "stale", head: "⚠ Feed silent", text });
  }
  if (bad.length > 0) {
    const names = bad.map((each) => `${each.name} (${each.quality})`).join(", ");
    const text = `No rule acts on ${names}.`;
    found.push({ key: "signals", kind: "stale", title: "STALE", head: "⚠ Stale signals", text });
  }
  return found;
}

function trading(store) {
  const stopped = (store.state?.health.trading ?? []).filter((each) => each.state !== "active");
  const shown = stopped.slice(0, SHOWN).map(stoppedBanner);
  const rest = stopped.slice(SHOWN);
  if (rest.length > 0) {
    const text = `${rest.length} more: ${rest.map((each) => each.scope).join(", ")}.`;
    shown.push({ key: "more", kind: strictest(rest), head: "■ And", text });
  }
  return shown;
}

function stoppedBanner(state) {
  const halted = state.state === "halted";
  const scope = state.scope === "all" ? "all books" : state.scope;
  return {
    key: `trading ${state.scope}`,
    kind: state.state,
    title: halted ? "HALTED" : undefined,
    head: halted ? `■ HALTED: ${scope}` : `▼ Reducing only: ${scope}`,
    text:
      `${state.reason} (${state.authority} ${state.operator}, since ` +
      `${dayAndTime(milliseconds(state.since))} UTC). ` +
      (halted ? "No order leaves and the risk stays open. On the host:" : "Ends on the host:"),
    command: `hedgestat resume ${state.scope} --reason '…' -c …`,
  };
}

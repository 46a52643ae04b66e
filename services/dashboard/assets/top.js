// The bar at the top: whose monitor, what time it is there, and whether all is well.

import { at, setAttribute, setText } from "/assets/dom.js";
import { dayAndTime, duration, milliseconds } from "/assets/format.js";
import { paced } from "/assets/pace.js";

const CONNECTIONS = { connecting: "connecting", live: "● live", lost: "✕ lost" };
const TRADING = { active: "● active", reducing: "▼ reducing only", halted: "■ HALTED" };
const RANKS = ["active", "reducing", "halted"];

/** The strictest trading state that any scope is in, or null. */
export function strictest(trading) {
  const ranks = trading.map((each) => RANKS.indexOf(each.state));
  return ranks.length === 0 ? null : RANKS[Math.max(...ranks)];
}

/** What is wrong with the data of the market: the monitor knows when it should come; or "". */
export const dataTrouble = (store) => store.state?.health.checks.data ?? "";

export function showTop(store) {
  const render = paced(() => renderTop(store));
  store.on("state market health connection", render);
  setInterval(render, 1000);
}

function renderTop(store) {
  const { state, connection } = store;
  setText(at("connection"), CONNECTIONS[connection.state]);
  setAttribute(at("connection"), "data-level", connection.state === "lost" ? "bad" : "good");
  setAttribute(document.body, "data-connection", connection.state);
  if (state === null) {
    return;
  }
  setText(at("environment"), state.environment.toUpperCase());
  setAttribute(at("environment"), "data-environment", state.environment);
  const replay = state.clock === "feed";
  const opens = replay ? null : state.health.opens;
  const over = state.health.replay_over === true;
  const time = over ? "Replay finished at, UTC" : replay ? "Replay time, UTC" : "Market time, UTC";
  setText(at("clock-label"), opens === null ? time : `${time} · closed until ${dayAndTime(milliseconds(opens))}`);
  setAttribute(at("clock-label"), "data-level", opens === null ? null : "warning");
  setText(at("clock"), dayAndTime(milliseconds(state.market.event_time)));
  renderDataAge(store);
  renderHealth(state.health);
  setText(at("version"), `hedgestat ${state.version} · configuration ${state.config_digest.slice(0, 12)}`);
}

function renderDataAge(store) {
  const age = store.dataAge();
  const old = dataTrouble(store) !== "";
  const over = store.state.health.replay_over === true;
  setText(at("data-age"), over ? "all of the replay" : age === null ? "none yet" : `${duration(age)} ago`);
  setAttribute(at("data-age"), "data-level", old ? "bad" : "good");
  setAttribute(document.body, "data-feed", old ? "silent" : "live");
}

function renderHealth(health) {
  const wrong = Object.values(health.checks).filter((text) => text !== "").length;
  setText(at("ready"), health.ready ? "● ready" : `⚠ not ready: ${wrong || "see services"}`);
  setAttribute(at("ready"), "data-level", health.ready ? "good" : "bad");
  const state = strictest(health.trading);
  setText(at("trading"), state === null ? "? not heard" : TRADING[state]);
  const level = { active: "good", reducing: "warning", halted: "bad" }[state] ?? "warning";
  setAttribute(at("trading"), "data-level", level);
}

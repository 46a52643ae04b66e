// The state of the market: a tile for each number that hedges hang on, and a table of all.

import { at, drawing, element, reconcile, setAttribute, setText } from "/assets/dom.js";
import { UNKNOWN, duration, number, percent, plain, words } from "/assets/format.js";
import { paced } from "/assets/pace.js";

const SPARK = { width: 120, height: 26 };

/** Of the market by name; drawdown and hedge correlation are those of the chosen book. */
const TILES = [
  { name: "vix", label: "VIX", unit: "pts", show: (value) => number(value, 2) },
  { name: "vix_smooth", label: "Smoothed", unit: "pts", show: (value) => number(value, 2) },
  { name: "rv", label: "Realized vol", unit: "", show: (value) => percent(value) },
  { name: "term_ratio", label: "Term F1/F3", unit: "", show: (value) => number(value, 3) },
  { name: "correlation", label: "Correlation", unit: "", show: (value) => number(value, 2) },
  { name: "drawdown", label: "Drawdown", unit: "", show: (value) => percent(value), own: true },
  { name: "regime", label: "Regime", unit: "", show: (_, signal) => signal.state || UNKNOWN },
];

const ICONS = { good: "●", warming: "◔", stale: "⚠", frozen: "❄", halted: "■" };

/** A quality in words and with a sign: never by colour alone. */
export function qualityText(signal) {
  const window = signal.quality === "warming" ? ` ${signal.have} of ${signal.need}` : "";
  const name = ["stale", "frozen"].includes(signal.quality)
    ? signal.quality.toUpperCase()
    : signal.quality;
  return `${ICONS[signal.quality] ?? "?"} ${name}${window}`;
}

/** A signal's value in its own unit. */
export function valueText(signal) {
  if (signal.unit === "state") {
    return signal.state || UNKNOWN;
  }
  return signal.unit === "decimal" ? percent(signal.value, 2) : plain(signal.value);
}

export function showMarket(store) {
  const render = paced(() => renderMarket(store));
  store.on("market book selection history", render);
  setInterval(render, 1000);
}

function renderMarket(store) {
  if (store.state === null) {
    return;
  }
  const market = store.state.market.signals;
  const own = store.book?.signals ?? {};
  const of = (tile) => ({ ...tile, signal: (tile.own ? own : market)[tile.name] ?? null });
  reconcile(at("tiles"), TILES.map(of), (tile) => tile.name, createTile, (node, tile) =>
    updateTile(node, tile, store),
  );
  const all = [...Object.values(market), ...Object.values(own).map((each) => ({ ...each, own: true }))];
  const keyOf = (signal) => `${signal.own ? "book" : "market"} ${signal.name}`;
  reconcile(at("signals"), all, keyOf, createRow, (node, signal) => updateRow(node, signal, store));
}

function createTile(tile) {
  return element(
    "article",
    { class: "tile", "aria-label": tile.label, "data-signal": tile.name },
    element("h3", {}, tile.label, element("small", {}, tile.unit)),
    element("p", { class: "value figure" }),
    element(
      "p",
      { class: "meta" },
      element("span", { class: "quality" }),
      element("span", { class: "age figure" }),
    ),
    drawing(
      "svg",
      { class: "spark", viewBox: `0 0 ${SPARK.width} ${SPARK.height}`, preserveAspectRatio: "none", "aria-hidden": "true" },
      drawing("polyline", { points: "", "vector-effect": "non-scaling-stroke" }),
    ),
    element("p", { class: "tile-more figure" }),
  );
}

function updateTile(node, tile, store) {
  const { signal } = tile;
  const [, value, meta, spark, more] = node.children;
  setText(value, signal === null ? UNKNOWN : tile.show(signal.value, signal));
  if (tile.name === "regime") {
    setText(more, inState(store));
  }
  setText(meta.firstChild, signal === null ? "○ not known" : qualityText(signal));
  setText(meta.lastChild, signal?.event_time && signal.quality !== "warming" ? duration(store.age(signal.event_time)) : "");
  setAttribute(node, "data-quality", signal?.quality ?? "none");
  setAttribute(spark.firstChild, "points", signal === null ? "" : sparkPoints(seriesOf(tile, store)));
}

function inState(store) {
  const { regime } = store.state.market;
  return regime?.since ? `for ${duration(store.age(regime.since))}` : "";
}

function seriesOf(tile, store) {
  const { market, book } = store.history;
  return (tile.own ? book : market)?.series[tile.name] ?? [];
}

function sparkPoints(series) {
  if (series.length < 2) {
    return "";
  }
  const values = series.map(([, value]) => value);
  const [low, high] = [Math.min(...values), Math.max(...values)];
  const x = (index) => (index / (series.length - 1)) * SPARK.width; // nights take no width
  const y = (value) => SPARK.height - 2 - ((value - low) / (high - low || 1)) * (SPARK.height - 4);
  return values.map((value, index) => `${x(index).toFixed(1)},${y(value).toFixed(1)}`).join(" ");
}

function createRow() {
  const cell = (kind) => element("td", { class: kind });
  return element(
    "tr",
    {},
    element("th", { scope: "row" }),
    ...["number figure", "", "quality", "number figure", "number figure"].map(cell),
  );
}

function updateRow(node, signal, store) {
  const [name, value, unit, quality, age, window] = node.children;
  setText(name, words(signal.name) + (signal.own ? ` (${store.selected})` : ""));
  setText(value, valueText(signal));
  setText(unit, words(signal.unit));
  setText(quality, qualityText(signal));
  setText(age, signal.event_time ? duration(store.age(signal.event_time)) : UNKNOWN);
  setText(window, signal.need > 1 ? `${number(signal.have)} of ${number(signal.need)}` : "");
  setAttribute(node, "data-quality", signal.quality);
}

// VIX with the levels that set a book's triggers off, and the term structure.

import { chart, closures, colour, levels, line, timeTicks, withoutClosures } from "/assets/charts.js";
import { at, setAttribute, setText } from "/assets/dom.js";
import { milliseconds, minuteOf, number, words } from "/assets/format.js";

const MOST_POINTS = 3000;
const NARROW = 480;
const LIVE = ["vix", "vix_smooth"];

export function showMarketCharts(store, histories) {
  const live = new LivePoints(store);
  const vix = chart(at("vix-chart"), () => vixChart(store, live));
  const curve = chart(at("curve-chart"), () => curveChart(store));
  store.on("market", () => live.take());
  store.on("market history book selection", vix);
  store.on("market", curve);
  store.on("book selection", () => renderBands(store));
  store.on("market", () => renderCurve(store));
  const range = at("range");
  range.value = String(histories.hours);
  range.addEventListener("change", () => histories.setHours(Number(range.value)));
}

/** What has come since the history was fetched. */
class LivePoints {
  #store;
  #points = Object.fromEntries(LIVE.map((name) => [name, []]));

  constructor(store) {
    this.#store = store;
  }

  take() {
    for (const name of LIVE) {
      const signal = this.#store.state.market.signals[name];
      const when = milliseconds(signal?.event_time) / 1000;
      const points = this.#points[name];
      if (signal?.value !== null && when > (points.at(-1)?.[0] ?? 0)) {
        points.push([when, signal.value]);
        points.splice(0, points.length - MOST_POINTS);
      } else if (when < points.at(-1)?.[0]) {
        points.length = 0; // another run of the replay
      }
    }
  }

  /** The history, and what came after it. */
  of(name) {
    const known = this.#store.history.market?.series[name] ?? [];
    const last = known.at(-1)?.[0] ?? 0;
    return [...known, ...this.#points[name].filter(([when]) => when > last)];
  }
}

function vixChart(store, live) {
  if (store.state === null) {
    return null;
  }
  const bands = store.book?.bands ?? null;
  const smooth = live.of("vix_smooth");
  const widest = smooth.length > 1 ? smooth : live.of("vix");
  const none = widest.length < 2;
  setAttribute(at("vix-chart"), "data-empty", none ? "No history of VIX in this range" : null);
  if (none) {
    return null;
  }
  const closed = closures(widest);
  const named = bandLevels(bands, at("vix-chart").clientWidth < NARROW);
  const range = vixRange(live, bands);
  const narrow = at("vix-chart").clientWidth < NARROW;
  const trace = (name, label, paint, width) => ({
    ...line(live.of(name), closures(live.of(name))), type: "scatter", mode: "lines", name: label,
    hovertemplate: "%{y:.2f}", line: { color: colour(paint), width },
  });
  const traces = [trace("vix", "VIX", "faint", 1.5), trace("vix_smooth", "smoothed", "accent", 2.5)];
  return {
    traces: [...traces, ...firings(store, live)],
    layout: {
      ...levels(named, range),
      margin: { r: named.length === 0 ? 14 : narrow ? 80 : 112 },
      xaxis: timeAxis(widest, closed, narrow),
      yaxis: { title: { text: "vol points" }, range },
    },
  };
}

function timeAxis(series, closed, narrow) {
  const axis = { type: "date", title: { text: "UTC" } };
  if (series.length < 2) {
    return axis;
  }
  const [first, last] = [series[0][0], series.at(-1)[0]];
  return {
    ...axis, ...timeTicks(first, last, closed, narrow ? 3 : 7), tickangle: 0,
    range: [first * 1000, last * 1000], rangebreaks: withoutClosures(closed),
  };
}

// Bands and line must be seen together, also while VIX is far from them.
function vixRange(live, bands) {
  const values = LIVE.flatMap((name) => live.of(name)).map(([, value]) => value);
  const shown = [bands?.reference, bands?.lower, bands?.upper, bands?.fast_upper];
  const all = [...values, ...shown.filter((value) => typeof value === "number")];
  if (all.length === 0) {
    return [0, 40];
  }
  const [low, high] = [Math.min(...all), Math.max(...all)];
  const margin = Math.max(0.5, (high - low) * 0.08);
  return [Math.max(0, low - margin), high + margin];
}

function bandLevels(bands, narrow) {
  if (bands === null || bands.reference === null) {
    return [];
  }
  const all = [
    [bands.fast_upper, "fast ▲", "bad"],
    [bands.upper, "trigger ▲", "warning"],
    [bands.reference, narrow ? "last" : "rebalanced", "muted"],
    [bands.lower, "trigger ▼", "warning"],
    [bands.fast_lower, "fast ▼", "bad"],
  ];
  return all
    .filter(([value]) => typeof value === "number" && value > 0)
    .map(([value, name, paint]) => [value, `${narrow ? name.replace("trigger ", "") : name} ${number(value, 1)}`, colour(paint)]);
}

function firings(store, live) {
  const marks = store.history.book?.firings ?? [];
  const smooth = live.of("vix_smooth");
  if (marks.length === 0 || smooth.length === 0) {
    return [];
  }
  const near = (when) => smooth.findLast(([point]) => point <= when)?.[1] ?? smooth[0][1];
  return [
    {
      x: marks.map(([when]) => when * 1000), y: marks.map(([when]) => near(when)),
      text: marks.map(([, name]) => plainText(words(name))),
      type: "scatter", mode: "markers", name: "fired",
      hovertemplate: "%{text}", marker: { symbol: "diamond", size: 10, color: colour("warning") },
    },
  ];
}

/** Text for plotly.js, which would read some tags in it. */
export const plainText = (text) =>
  text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");

function renderBands(store) {
  const bands = store.book?.bands ?? null;
  const known = bands !== null && bands.reference !== null;
  const text = known
    ? `${store.selected}: rebalanced at ${number(bands.reference, 2)}; ` + (bands.lower === null
      ? "no move of VIX is watched"
      : `a move is one below ${number(bands.lower, 2)} or above ${number(bands.upper, 2)}`)
    : `${store.selected ?? "No book"}: no rebalance yet, so no bands`;
  setText(at("bands"), text);
}

function renderCurve(store) {
  const { curve, signals } = store.state.market;
  const state = signals.term_state?.state ?? "";
  setText(at("curve-state"), state);
  setAttribute(at("curve-state"), "data-state", state || null);
  at("curve-state").hidden = state === "";
  const times = curve.map((each) => milliseconds(each.event_time));
  const caption = times.length === 0 ? "" : `Oldest quote ${minuteOf(Math.min(...times))} UTC`;
  setText(at("curve-caption"), caption);
  setAttribute(at("curve-chart"), "data-empty", curve.length === 0 ? "No curve: no VIX future is quoted" : null);
}

function curveChart(store) {
  const curve = store.state?.market.curve ?? [];
  if (curve.length === 0) {
    return null;
  }
  const levels = curve.map((each) => each.level);
  const margin = Math.max(0.5, (Math.max(...levels) - Math.min(...levels)) * 0.25);
  const trace = {
    x: curve.map((each) => each.days), y: levels, text: curve.map((each) => plainText(each.symbol)),
    type: "scatter", mode: "lines+markers+text", name: "", cliponaxis: false,
    texttemplate: "%{y:.1f}", textposition: "top right", textfont: { size: 12 },
    hovertemplate: "%{text}: %{y:.2f}<extra></extra>",
    line: { color: colour("accent"), width: 2.5 }, marker: { size: 8 },
  };
  return {
    traces: [trace],
    layout: {
      showlegend: false,
      xaxis: { title: { text: "days to expiry" }, rangemode: "tozero" },
      yaxis: { title: { text: "vol points" }, range: [Math.max(0, Math.min(...levels) - margin), Math.max(...levels) + margin] },
    },
  };
}

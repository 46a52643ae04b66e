// What the book is exposed to: Greeks by underlying and expiry, and its profit elsewhere.

import { at, element, fill, setProperty, whenChanged } from "/assets/dom.js";
import { number, percent, plain, short, signed, timeOfDay, milliseconds } from "/assets/format.js";
import { paced } from "/assets/pace.js";

const FIGURES = [
  ["dollar_delta", "Dollar delta", "currency"],
  ["dollar_gamma", "Dollar gamma", "per 1%"],
  ["vega", "Vega", "a point"],
  ["theta", "Theta", "a day"],
  ["vanna", "Vanna", "a point"],
  ["volga", "Volga", "a point"],
];
const SHOWN_UNMARKED = 5;

export function showExposure(store) {
  store.on("book selection", paced(() => renderExposure(store), 500));
}

function renderExposure({ book }) {
  if (book !== null) {
    whenChanged(at("greeks"), book.exposure, () => renderGreeks(book.exposure));
    whenChanged(at("scenarios"), [book.scenarios, book.exposure?.stress, book.exposure?.risk_time], () => renderScenarios(book));
  }
}

function renderGreeks(exposure) {
  if (exposure === null) {
    fill(at("greeks"), element("p", { class: "empty" }, "This book has no positions of its own: its Greeks are those of its hedge."));
    return;
  }
  const whole = exposure.marked === exposure.positions;
  const coverage =
    `${number(exposure.marked)} of ${number(exposure.positions)} positions marked (${percent(exposure.coverage)})` +
    (exposure.youngest_time === null ? "" : `, youngest tick ${timeOfDay(milliseconds(exposure.youngest_time))} UTC`) +
    `. Index delta ${plain(exposure.index_delta)}, vega to VIX ${number(exposure.vix_vega)}` +
    (exposure.shortfall === null ? "." : `, expected shortfall ${number(exposure.shortfall)} over ${exposure.shortfall_days} days.`);
  fill(
    at("greeks"),
    element("p", { class: "caption", "data-level": whole ? null : "warning" }, `${whole ? "" : "⚠ "}${coverage}`),
    element("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": "Greeks" }, greeksTable(exposure)),
    exposure.unmarked.length === 0 ? null : unmarked(exposure.unmarked),
  );
}

function greeksTable(exposure) {
  const head = ([, name, unit]) => element("th", { scope: "col", class: "number" }, name, element("small", {}, unit));
  const figure = (figures, name) => element("td", { class: "number figure", "data-sign": figures[name] < 0 ? "loss" : null }, number(figures[name]));
  let last = null;
  const row = (group) => {
    const repeats = group.underlying === last;
    last = group.underlying;
    const level = repeats ? null : element("small", { class: "figure" }, number(group.level, 2));
    const name = element("th", { scope: "row" }, repeats ? "" : group.underlying, level);
    const count = group.marked === group.positions ? number(group.positions) : `⚠ ${number(group.marked)} of ${number(group.positions)}`;
    return element(
      "tr",
      { class: repeats ? null : "first" },
      name,
      element("td", {}, group.bucket),
      element("td", { class: "number figure" }, count),
      ...FIGURES.map(([figureName]) => figure(group.figures, figureName)),
    );
  };
  const groups = [...exposure.groups].sort((one, other) => one.underlying.localeCompare(other.underlying));
  const fixed = ["Underlying", "Expiry"].map((name) => element("th", { scope: "col" }, name));
  return element(
    "table",
    { class: "greeks-table" },
    element("thead", {}, element("tr", {}, ...fixed, element("th", { scope: "col", class: "number" }, "Positions"), ...FIGURES.map(head))),
    element("tbody", {}, ...groups.map(row)),
    element(
      "tfoot",
      {},
      element(
        "tr",
        {},
        element("th", { scope: "row" }, "Total"),
        element("td", {}, ""),
        element("td", { class: "number figure" }, number(exposure.positions)),
        ...FIGURES.map(([name]) => figure(exposure.totals, name)),
      ),
    ),
  );
}

function unmarked(positions) {
  const shown = positions.slice(0, SHOWN_UNMARKED).map((each) => `${each.symbol} (${plain(each.quantity)}): ${each.reason}`);
  const more = positions.length > SHOWN_UNMARKED ? ` and ${positions.length - SHOWN_UNMARKED} more` : "";
  return element("p", { class: "caption", "data-level": "warning" }, `⚠ Not in these figures: ${shown.join("; ")}${more}`);
}

function renderScenarios({ scenarios, exposure }) {
  if (scenarios.length === 0) {
    fill(at("scenarios"), element("p", { class: "empty" }, "No scenario was valued: this book has no positions of its own."));
    return;
  }
  const spots = [...new Set(scenarios.map((each) => each.spot))].sort((one, other) => one - other);
  const points = [...new Set(scenarios.map((each) => each.volatility))].sort((one, other) => other - one);
  const profits = new Map(scenarios.map((each) => [`${each.spot} ${each.volatility}`, each.profit]));
  const widest = Math.max(1, ...scenarios.map((each) => Math.abs(each.profit)));
  const cell = (spot, volatility) => {
    const profit = profits.get(`${spot} ${volatility}`);
    const node = element("td", { class: "number figure heat", "data-sign": profit < 0 ? "loss" : "gain", title: signed(profit) }, short(profit));
    setProperty(node, "--heat", `${Math.round(Math.sqrt(Math.abs(profit ?? 0) / widest) * 72)}%`);
    return node;
  };
  const spotHead = (spot) => element("th", { scope: "col", class: "number figure" }, spot === 0 ? "index 0%" : `${signed(spot * 100)}%`);
  const row = (volatility) =>
    element("tr", {}, element("th", { scope: "row", class: "figure" }, `${volatility === 0 ? "0" : signed(volatility)} pts`), ...spots.map((spot) => cell(spot, volatility)));
  fill(
    at("scenarios"),
    element(
      "div",
      { class: "scroll", tabindex: "0", role: "region", "aria-label": "Scenarios" },
      element(
        "table",
        { class: "heat-table" },
        element("thead", {}, element("tr", {}, element("th", { scope: "col" }, "Vol"), ...spots.map(spotHead))),
        element("tbody", {}, ...points.map(row)),
      ),
    ),
    element("p", { class: "caption" }, "Currency; shades by the square root of the profit: ", element("span", { class: "key loss" }, "loss"), element("span", { class: "key gain" }, "gain")),
    exposure === null || exposure.stress.length === 0 ? null : stress(exposure),
  );
}

function stress(exposure) {
  const named = [...exposure.stress, ...(exposure.worst === null ? [] : [{ ...exposure.worst, name: `worst: ${exposure.worst.name}` }])];
  const item = (each) =>
    element(
      "div",
      {},
      element("dt", {}, each.name, element("small", { class: "figure" }, `${signed(each.spot * 100, 1)}%, ${signed(each.volatility, 1)} pts`)),
      element("dd", { class: "figure", "data-sign": each.profit < 0 ? "loss" : "gain" }, short(each.profit)),
    );
  return element("dl", { class: "stress" }, ...named.map(item));
}

// What the hedge costs and earns: budget, effectiveness, profit explained, and target over time.

import { chart, colour, line } from "/assets/charts.js";
import { at, element, fill, setAttribute, setProperty, setText, whenChanged } from "/assets/dom.js";
import { UNKNOWN, dayAndTime, milliseconds, minuteOf, number, percent, signed, words } from "/assets/format.js";
import { paced } from "/assets/pace.js";

export function showMoney(store) {
  const draw = chart(at("hedge-chart"), () => hedgeChart(store));
  store.on("history selection", draw);
  store.on("history selection", () => renderCaption(store));
  store.on("book selection", paced(() => renderMoney(store), 250));
}

function renderMoney({ book }) {
  if (book !== null) {
    whenChanged(at("budget"), [book.budget, book.summary.currency], () => renderBudget(book));
    whenChanged(at("effectiveness"), book.effectiveness, () => renderEffectiveness(book));
    whenChanged(at("profit"), book.exposure?.profit ?? null, () => renderProfit(book));
  }
}

function renderCaption(store) {
  const view = store.history.book;
  const points = view?.series.target_vega?.length ?? 0;
  const caption = points === 0 ? "" : `${minuteOf(milliseconds(view.since))} to ${minuteOf(milliseconds(view.until))} UTC`;
  setText(at("history-caption"), caption);
  setAttribute(at("hedge-chart"), "data-empty", points === 0 ? "No decision in this range of the history" : null);
}

function hedgeChart(store) {
  const series = store.history.book?.series ?? {};
  if ((series.target_vega ?? []).length === 0) {
    return null;
  }
  const trace = (name, label, paint, dash, width) => ({
    ...line(series[name] ?? []), type: "scatter", mode: "lines", name: label,
    hovertemplate: "%{y:,.0f}", line: { shape: "hv", color: colour(paint), width, dash },
  });
  return {
    traces: [
      trace("current_vega", "current", "accent", "solid", 2.5),
      trace("target_vega", "target", "warning", "dash", 2),
    ],
    layout: {
      xaxis: { type: "date", title: { text: "UTC" } },
      yaxis: { title: { text: "currency a point" }, rangemode: "tozero", zeroline: true, tickformat: ",.0f" },
    },
  };
}

const BUDGET =
  "Used: this calendar year’s carry by model, implied less realized variance and never a gain, and what " +
  "fills cost against their reference prices; better fills give room back. It is no profit and loss: the " +
  "demo’s account tells that.";
const EFFECTIVENESS =
  "Effectiveness: what the hedge gained, by the marks of its legs, for each unit that the book lost, over " +
  "all falls beyond 5% from a peak together. The demo’s account calls it HER, and tells it a fall at a time.";

function renderBudget({ budget, summary }) {
  if (budget === null) {
    fill(at("budget"), element("p", { class: "empty" }, "This book has no annual budget."));
    return;
  }
  const over = budget.used_fraction >= budget.warn_fraction;
  const lasts = budget.days_left !== null && budget.days_left < budget.year_days_left;
  const meter = element("div", { class: "budget-bar", role: "img", "aria-label": `${percent(budget.used_fraction)} of the budget is used`, "data-over": over ? "" : null });
  setProperty(meter, "--used", `${Math.min(100, budget.used_fraction * 100)}%`);
  setProperty(meter, "--warn", `${Math.min(100, budget.warn_fraction * 100)}%`);
  const left =
    budget.days_left === null
      ? "On balance nothing is used this year."
      : `At this year’s rate it lasts ${number(budget.days_left)} days; the year has ${number(budget.year_days_left)} left.`;
  fill(
    at("budget"),
    element(
      "dl",
      { class: "pair" },
      pairOf("Budget used", percent(budget.used_fraction), `of ${number(budget.annual)} ${summary.currency}`),
      pairOf("Days left", number(budget.days_left), "at this rate"),
    ),
    meter,
    element("p", { class: "caption", "data-level": over || lasts ? "warning" : null }, `${over || lasts ? "⚠ " : ""}${left} Warns at ${percent(budget.warn_fraction, 0)}.`),
    element("p", { class: "definition" }, BUDGET),
  );
}

const pairOf = (name, value, unit) =>
  element("div", {}, element("dt", {}, name), element("dd", { class: "figure" }, value, element("small", {}, unit)));

function renderEffectiveness({ effectiveness: found }) {
  const text =
    found.ratio === null
      ? "No ratio yet: it takes a fall of the book."
      : `The hedge gained ${number(found.hedge_profit)} while the book lost ${number(Math.abs(found.book_loss ?? 0))}.`;
  fill(
    at("effectiveness"),
    element(
      "dl",
      { class: "pair" },
      pairOf("Effectiveness", found.ratio === null ? UNKNOWN : number(found.ratio, 2), "gain by loss"),
      pairOf("Correlation", number(found.correlation, 2), "of book and hedge"),
    ),
    element("p", { class: "caption" }, text),
    element("p", { class: "definition" }, EFFECTIVENESS),
  );
}

function renderProfit({ exposure }) {
  const profit = exposure?.profit ?? null;
  if (profit === null) {
    fill(at("profit"), element("p", { class: "empty" }, "No positions are valued, so no profit is explained."));
    return;
  }
  const { session, inception } = profit;
  const names = [...new Set([...Object.keys(session.parts), ...Object.keys(inception.parts)])];
  const rows = names.map((name) => [words(name), session.parts[name], inception.parts[name], ""]);
  rows.push(["unexplained", session.unexplained, inception.unexplained, "odd"]);
  const widest = Math.max(1, ...rows.map(([, value]) => Math.abs(value ?? 0)));
  const heads = ["", "Session", "Inception"].map((name, index) => element("th", { scope: "col", class: index ? "number" : "part-bar" }, name));
  fill(
    at("profit"),
    element("p", { class: "caption" }, `Session since ${dayAndTime(milliseconds(session.since))} UTC; bars are of the session.`),
    element("div", { class: "scroll" }, partsTable(rows, heads, session, inception, widest)),
    profit.waiting === 0 ? null : waiting(profit),
  );
}

function partsTable(rows, heads, session, inception, widest) {
  const least = Math.max(widest, Math.abs(session.total));
  return element(
    "table",
    { class: "parts" },
    element("thead", {}, element("tr", {}, element("th", { scope: "col" }, "Part"), ...heads)),
    element(
      "tbody",
      {},
      ...rows.map(([name, now, all, kind]) => partRow(name, now, all, kind, least)),
      partRow("total", session.total, inception.total, "total", least),
    ),
  );
}

function waiting(profit) {
  const names = profit.suspended.map((each) => each.symbol).join(", ");
  return element("p", { class: "caption", "data-level": "warning" }, `⚠ ${number(profit.waiting)} positions wait for a mark and are in neither: ${names}`);
}

function partRow(name, now, all, kind, widest) {
  const bar = element("span", { class: (now ?? 0) < 0 ? "part loss" : "part gain" });
  setProperty(bar, "--size", `${(Math.abs(now ?? 0) / widest) * 50}%`);
  return element(
    "tr",
    { class: kind || null },
    element("th", { scope: "row" }, name),
    element("td", { class: "part-bar", "aria-hidden": "true" }, element("span", { class: "part-track" }, bar)),
    element("td", { class: "number figure" }, signed(now)),
    element("td", { class: "number figure" }, signed(all)),
  );
}

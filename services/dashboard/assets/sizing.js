// The sizing chain as a waterfall: what each step leaves of the multiplier, and which one binds.

import { figuresText } from "/assets/alerts.js";
import { at, element, fill, setProperty } from "/assets/dom.js";
import { number, percent, spaced, words } from "/assets/format.js";

/** Draw the chain of a book's last decision, or what its strategies saw. */
export function renderSizing({ target, summary }) {
  if (target === null) {
    fill(at("sizing"), element("p", { class: "empty" }, "No decision yet, so nothing was sized."));
    return;
  }
  const strategies = target.strategies ?? [];
  fill(
    at("sizing"),
    target.steps.length === 0 ? null : waterfall(target, summary.binding),
    ...strategies.map(strategyOf),
    target.steps.length + strategies.length === 0 ? element("p", { class: "empty" }, "This decision tells no steps.") : null,
  );
}

function waterfall(target, binding) {
  const multipliers = target.steps.map((step) => step.multiplier);
  const highest = Math.max(1, ...multipliers);
  const scale = Math.ceil(highest * 2) / 2;
  const list = element("ol", { class: "waterfall" });
  let before = 0;
  target.steps.forEach((step, index) => {
    list.append(stepOf(step, index === 0 ? 0 : before, scale, step.name === binding));
    before = step.multiplier;
  });
  list.append(legsOf(target, before, scale));
  const note =
    binding === "" ? "No clamp binds." : `Binding clamp: ${words(binding)}.`;
  return element("div", {}, element("p", { class: "caption binding-note" }, note), list, axis(scale));
}

function stepOf(step, before, scale, isTheClamp) {
  const clamp = isTheClamp ? "◀ the binding clamp" : step.binding ? "◀ binds" : "";
  const line = element(
    "li",
    { class: "step", "data-binding": isTheClamp ? "clamp" : step.binding ? "yes" : "no", "data-step": step.name },
    element("span", { class: "step-name" }, words(step.name)),
    bar(before, step.multiplier, scale),
    element("span", { class: "step-value figure" }, `${number(step.multiplier, 3)}×`),
    element("span", { class: "step-note" }, clamp === "" ? null : element("b", {}, `${clamp} `), spaced(step.note)),
  );
  return line;
}

function legsOf(target, multiplier, scale) {
  const shares = target.legs.map((leg) => `${leg.leg} ${percent(leg.weight, 0)}`).join(", ");
  return element(
    "li",
    { class: "step total", "data-binding": "no" },
    element("span", { class: "step-name" }, "legs"),
    bar(0, multiplier, scale),
    element("span", { class: "step-value figure" }, number(target.target_vega)),
    element("span", { class: "step-note" }, shares || "no leg"),
  );
}

function bar(from, to, scale) {
  const track = element("span", { class: "step-track", "aria-hidden": "true" });
  const piece = element("span", { class: to < from ? "piece cut" : "piece" });
  setProperty(piece, "--from", `${(Math.min(from, to) / scale) * 100}%`);
  setProperty(piece, "--to", `${(Math.max(from, to) / scale) * 100}%`);
  const end = element("span", { class: "piece-end" });
  setProperty(end, "--at", `${(to / scale) * 100}%`);
  track.append(piece, end);
  return track;
}

function axis(scale) {
  const ticks = [0, scale / 2, scale].map((value) => element("span", { class: "figure" }, `${number(value, scale % 1 || scale === 1 ? 2 : 1)}×`));
  return element("div", { class: "step-axis", "aria-hidden": "true" }, ...ticks);
}

function strategyOf(strategy) {
  const band = (each) =>
    element(
      "tr",
      { "data-taken": each.kind === strategy.band ? "yes" : null },
      element("th", { scope: "row" }, words(each.kind) + (each.kind === strategy.band ? " ◀ taken" : "")),
      element("td", { class: "number figure" }, number(each.half_width, 4)),
      element("td", { class: "number figure" }, number(each.hedge, 1)),
      element("td", { class: "number figure" }, number(each.trades)),
      element("td", { class: "number figure" }, number(each.cost)),
    );
  const heads = ["Half width", "Hedge", "Trades", "Cost"].map((name) => element("th", { scope: "col", class: "number" }, name));
  const bands = element(
    "table",
    {},
    element("thead", {}, element("tr", {}, element("th", { scope: "col" }, "Band"), ...heads)),
    element("tbody", {}, ...strategy.bands.map(band)),
  );
  return element(
    "div",
    { class: "strategy" },
    element("h4", {}, words(strategy.strategy)),
    element("p", { class: "caption figure" }, [strategy.note, figuresText(strategy.figures)].filter(Boolean).join(" · ")),
    strategy.bands.length === 0 ? null : element("div", { class: "scroll" }, bands),
  );
}

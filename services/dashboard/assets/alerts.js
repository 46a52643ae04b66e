// Alerts as they were told, newest first, each with its figures and what to do.

import { at, element, reconcile, setAttribute, setText } from "/assets/dom.js";
import { milliseconds, minuteOf, plain, words } from "/assets/format.js";
import { paced } from "/assets/pace.js";

const ICONS = { critical: "■ critical", warning: "⚠ warning", info: "ℹ info" };
const SHOWN = 60;

export function showAlerts(store) {
  store.on("alerts", paced(() => renderAlerts(store), 250));
}

/** Figures by name, as text. */
export const figuresText = (figures) =>
  Object.entries(figures)
    .map(([name, value]) =>
      name.endsWith("_s") ? `${words(name.slice(0, -2))} ${plain(value)} s` : `${words(name)} ${plain(value)}`,
    )
    .join(" · ");

function renderAlerts(store) {
  // The dead man's switch rings all day long: to hear it is no news.
  const alerts = store.state.alerts.filter((each) => each.alert.what !== "monitor_alive");
  setText(at("alerts-count"), String(alerts.length));
  reconcile(at("alerts"), alerts.slice(0, SHOWN), (each) => `${each.number} ${each.alert.event_time}`, create, () => {});
  setAttribute(at("alerts"), "data-empty", alerts.length === 0 ? "None since the monitor started" : null);
}

function create({ alert, runbook_path = "" }) {
  const figures = figuresText(alert.figures);
  return element(
    "li",
    { class: "alert", "data-severity": alert.severity },
    element(
      "p",
      { class: "alert-head" },
      element("b", {}, ICONS[alert.severity] ?? alert.severity),
      element("time", { class: "figure", datetime: alert.event_time }, minuteOf(milliseconds(alert.event_time))),
    ),
    element("p", { class: "alert-what" }, words(alert.what), element("span", {}, ` ${[alert.book, alert.where].filter(Boolean).join(" · ")}`)),
    figures === "" ? null : element("p", { class: "alert-figures figure" }, figures),
    element("p", { class: "alert-runbook" }, alert.runbook),
    runbook_path === "" ? null : element("p", { class: "alert-path" }, "Runbook: ", element("code", {}, runbook_path)),
  );
}

// Charts by plotly.js, which comes as a script beside the modules. At most one drawing a second,
// and none of a chart that nobody sees.

import { paced } from "/assets/pace.js";

const LEAST_MS = 1000;
const OPTIONS = { displayModeBar: false, responsive: true, doubleClick: "reset" };
const LONE_GAP = 12;
const MOST_BREAKS = 40;

let loading = null;

// Asked for by the first chart: figures and states are read before megabytes of script are.
function plotly() {
  loading ??= new Promise((resolve) => {
    const script = document.createElement("script");
    script.src = "/assets/plotly.min.js";
    script.addEventListener("load", () => resolve(window.Plotly));
    script.addEventListener("error", () => {
      loading = null; // the next drawing asks again
    });
    document.head.append(script);
  });
  return loading;
}

/** A colour of the style sheet, by the name of its custom property. */
export const colour = (name) =>
  getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();

/**
 * Make a function that asks for a chart to be drawn.
 *
 * @param {Element} node
 * @param {() => {traces: object[], layout: object} | null} build Null: there is nothing to draw.
 */
export function chart(node, build) {
  let seen = false;
  let drawn = "";
  const draw = paced(async () => {
    if (!seen) {
      return;
    }
    if (build() === null) {
      if (drawn !== "") {
        drawn = "";
        (await plotly()).purge(node);
      }
      return;
    }
    node.toggleAttribute("data-waiting", drawn === "");
    const library = await plotly();
    const built = build();
    if (built === null) {
      return;
    }
    const picture = JSON.stringify(built) + document.documentElement.dataset.theme;
    if (picture !== drawn) {
      drawn = picture;
      node.removeAttribute("data-waiting");
      await library.react(node, built.traces, withStyle(built.layout), OPTIONS);
    }
  }, LEAST_MS);
  new IntersectionObserver(([entry]) => {
    seen = entry.isIntersecting;
    draw();
  }).observe(node);
  addEventListener("themechange", draw);
  return draw;
}

function withStyle(layout) {
  const axis = {
    gridcolor: colour("grid"),
    linecolor: colour("grid"),
    zerolinecolor: colour("muted"),
    tickfont: { size: 12 },
    title: { font: { size: 12, color: colour("muted") }, standoff: 4 },
    automargin: true,
    fixedrange: true,
  };
  return {
    ...layout,
    autosize: true,
    dragmode: false,
    hovermode: "x unified",
    font: { family: colour("font"), size: 13, color: colour("text") },
    paper_bgcolor: "rgba(0,0,0,0)",
    plot_bgcolor: "rgba(0,0,0,0)",
    margin: { l: 40, r: 14, t: 6, b: 30, ...layout.margin },
    legend: { orientation: "h", x: 0, y: 1.02, yanchor: "bottom", font: { size: 12 } },
    hoverlabel: { bgcolor: colour("panel"), font: { color: colour("text") } },
    xaxis: { ...axis, ...layout.xaxis, title: { ...axis.title, ...layout.xaxis.title } },
    yaxis: { ...axis, ...layout.yaxis, title: { ...axis.title, ...layout.yaxis.title } },
  };
}

/**
 * When the market was closed: gaps between points that are many times the usual one; thinned
 * points stand in pairs, so that the lesser half of the gaps says nothing.
 */
export function closures(series) {
  const gaps = series.slice(1).map(([when], index) => when - series[index][0]);
  const usual = [...gaps].sort((one, other) => one - other)[Math.floor(gaps.length * 0.75)] ?? 0;
  const least = Math.max(LONE_GAP * usual, 3600);
  return gaps.flatMap((gap, index) => (gap > least ? [[series[index][0], series[index + 1][0]]] : []));
}

/**
 * Turn points into the coordinates of a line that is broken at the closures: a line over a night
 * would show prices that nobody saw.
 */
export function line(series, closed = []) {
  const starts = new Set(closed.map(([start]) => start));
  const [x, y] = [[], []];
  for (const [when, value] of series) {
    x.push(when * 1000);
    y.push(value);
    if (starts.has(when)) {
      x.push(when * 1000 + 1);
      y.push(null);
    }
  }
  return { x, y };
}

const MINUTE = 60;
const DAY = 86_400;
const STEPS = [1, 5, 15, 30, 60, 120, 240, 480].map((minutes) => minutes * MINUTE)
  .concat([1, 2, 7, 14, 30, 91, 182, 365, 730].map((days) => days * DAY));

/**
 * Round times for the ticks of an axis whose closures take no width; days are named where they
 * begin.
 */
export function timeTicks(first, last, closed, most = 7) {
  const open = last - first - closed.reduce((sum, [start, end]) => sum + end - start, 0);
  const step = STEPS.find((each) => open / each <= most) ?? STEPS.at(-1);
  const isClosed = (when) => closed.some(([start, end]) => when > start && when < end);
  const [tickvals, ticktext] = [[], []];
  let day = "";
  // Closures make the first round time of a session the one that counts.
  for (let when = Math.ceil(first / step) * step; when <= last; when += step) {
    if (!isClosed(when)) {
      const [date, time] = new Date(when * 1000).toISOString().split("T");
      tickvals.push(when * 1000);
      ticktext.push(step >= DAY ? date : time.slice(0, 5) + (date === day ? "" : `<br>${date}`));
      day = date;
    }
  }
  const every = Math.ceil(tickvals.length / most) || 1;
  const kept = (_, index) => index % every === 0;
  return { tickmode: "array", tickvals: tickvals.filter(kept), ticktext: ticktext.filter(kept) };
}

/** Leave closures out of an axis of time: of a night no width is spent. */
export function withoutClosures(closed) {
  const iso = (seconds) => new Date(seconds * 1000).toISOString().slice(0, 19).replace("T", " ");
  return closed.slice(-MOST_BREAKS).map(([start, end]) => ({ bounds: [iso(start + 1), iso(end - 1)] }));
}

/**
 * Dashed levels over the whole width, each with its name in the margin at the right; names are
 * moved apart where they would cover one another.
 *
 * @param {[number, string, string][]} levels Value, name, colour.
 * @param {[number, number]} range Of the axis.
 * @param {number} least Share of the height that a name needs.
 */
export function levels(levels, range, least = 0.085) {
  const apart = (range[1] - range[0]) * least;
  let free = -Infinity;
  const named = [...levels].sort((one, other) => one[0] - other[0]).map(([value, name, stroke]) => {
    const y = Math.max(value, free);
    free = y + apart;
    return {
      xref: "paper", x: 1, xanchor: "left", xshift: 4, y, yanchor: "middle", showarrow: false,
      text: name, font: { size: 12, color: stroke }, align: "left",
    };
  });
  const shapes = levels.map(([value, , stroke]) => ({
    type: "line", xref: "paper", x0: 0, x1: 1, y0: value, y1: value,
    line: { color: stroke, width: 1.5, dash: "dash" },
  }));
  return { shapes, annotations: named };
}

// Charts by plotly.js, which comes as a script beside the modules. At most one drawing a second,
// and none of a chart that nobody sees.

import { paced } from "/assets/pace.js";

const LEAST_MS = 1000;
const OPTIONS = { displayModeBar: false, responsive: true, doubleClick: "reset" };
const LONE_GAP = 20;

const plotly = new Promise((resolve) => {
  if (window.Plotly !== undefined) {
    resolve(window.Plotly);
  } else {
    document.getElementById("plotly").addEventListener("load", () => resolve(window.Plotly));
  }
});

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
    const library = await plotly;
    const built = seen ? build() : null;
    if (built === null) {
      return;
    }
    const picture = JSON.stringify(built) + document.documentElement.dataset.theme;
    if (picture !== drawn) {
      drawn = picture;
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
    margin: { l: 44, r: 12, t: 8, b: 36 },
    legend: { orientation: "h", x: 0, y: 1.02, yanchor: "bottom", font: { size: 12 } },
    hoverlabel: { bgcolor: colour("panel"), font: { color: colour("text") } },
    xaxis: { ...axis, ...layout.xaxis },
    yaxis: { ...axis, ...layout.yaxis },
  };
}

/**
 * Turn points into the coordinates of a line that is broken where the market was closed: a line
 * over a night would show prices that nobody saw.
 */
export function line(series, { broken = true } = {}) {
  const gaps = series.slice(1).map(([when], index) => when - series[index][0]);
  const usual = [...gaps].sort((one, other) => one - other)[Math.floor(gaps.length / 2)] ?? 0;
  const [x, y] = [[], []];
  series.forEach(([when, value], index) => {
    if (broken && index > 0 && gaps[index - 1] > Math.max(LONE_GAP * usual, 1800)) {
      x.push((series[index - 1][0] + 1) * 1000);
      y.push(null);
    }
    x.push(when * 1000);
    y.push(value);
  });
  return { x, y };
}

/** A dashed level over the whole width, with its name at the right. */
export function level(value, name, stroke) {
  return {
    shape: {
      type: "line", xref: "paper", x0: 0, x1: 1, y0: value, y1: value,
      line: { color: stroke, width: 1.5, dash: "dash" },
    },
    annotation: {
      xref: "paper", x: 1, xanchor: "right", y: value, yanchor: "bottom", showarrow: false,
      text: name, font: { size: 12, color: stroke },
    },
  };
}

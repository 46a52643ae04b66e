// How often things are drawn.

/**
 * Make a function that asks for a rendering: many askings are one, at most every so often, and
 * none while nobody looks at the page.
 *
 * @param {() => void} render
 * @param {number} leastMs Between two renderings.
 */
export function paced(render, leastMs = 125) {
  let last = -Infinity;
  let asked = false;
  const run = () => {
    if (document.hidden) {
      document.addEventListener("visibilitychange", run, { once: true });
      return;
    }
    asked = false;
    last = performance.now();
    render();
  };
  return () => {
    if (!asked) {
      asked = true;
      const wait = Math.max(0, last + leastMs - performance.now());
      setTimeout(() => (document.hidden ? run() : requestAnimationFrame(run)), wait);
    }
  };
}

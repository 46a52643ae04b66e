// Makes and changes elements. Text from outside goes in as text and nothing else.

const SVG = "http://www.w3.org/2000/svg";

/** Make an element: attributes by name, children as nodes or text. */
export function element(tag, attributes = {}, ...children) {
  return filled(document.createElement(tag), attributes, children);
}

/** Make an SVG element, likewise. */
export function drawing(tag, attributes = {}, ...children) {
  return filled(document.createElementNS(SVG, tag), attributes, children);
}

function filled(node, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== null && value !== false) {
      node.setAttribute(name, value === true ? "" : value);
    }
  }
  node.append(...children.filter((child) => child !== null && child !== undefined));
  return node;
}

/** Find an element of the page by its id. */
export const at = (id) => document.getElementById(id);

/** Set a text, unless it is there already: no needless layout. */
export function setText(node, text) {
  const only = node.firstChild;
  if (only !== null && only === node.lastChild && only.nodeType === Node.TEXT_NODE) {
    if (only.data !== text) {
      only.data = text;
    }
  } else if (only !== null || text !== "") {
    node.textContent = text;
  }
}

/** Set an attribute, or remove it with null, unless it is so already. */
export function setAttribute(node, name, value) {
  if (value === null) {
    node.removeAttribute(name);
  } else if (node.getAttribute(name) !== String(value)) {
    node.setAttribute(name, value);
  }
}

/** Set a custom property of an element's style, unless it is so already. */
export function setProperty(node, name, value) {
  if (node.style.getPropertyValue(name) !== String(value)) {
    node.style.setProperty(name, value);
  }
}

/** Replace what an element holds. */
export function fill(node, ...children) {
  node.replaceChildren(...children.filter((child) => child !== null && child !== undefined));
}

const kept = new WeakMap();

/**
 * Make an element hold one child an item, in order; children stay for as long as their keys do.
 *
 * @param {Element} container
 * @param {Array} items
 * @param {(item) => string} keyOf
 * @param {(item) => Element} create
 * @param {(node: Element, item, index: number) => void} update
 */
export function reconcile(container, items, keyOf, create, update) {
  const before = kept.get(container) ?? new Map();
  const after = new Map();
  let next = container.firstChild;
  items.forEach((item, index) => {
    const key = keyOf(item);
    if (after.has(key)) {
      return;
    }
    const node = before.get(key) ?? create(item);
    after.set(key, node);
    update(node, item, index);
    if (node === next) {
      next = next.nextSibling;
    } else {
      container.insertBefore(node, next);
    }
  });
  for (const [key, node] of before) {
    if (after.get(key) !== node) {
      node.remove();
    }
  }
  kept.set(container, after);
}

/**
 * Render into an element only when what it shows has changed.
 *
 * @param {Element} node
 * @param {unknown} value What is shown; compared as JSON.
 * @param {() => void} render
 */
export function whenChanged(node, value, render) {
  const json = JSON.stringify(value);
  if (kept.get(node) !== json) {
    kept.set(node, json);
    render();
  }
}

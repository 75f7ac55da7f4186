// @ts-nocheck
// Making elements.

const SVG = "http://www.w3.org/2000/svg";

/**
 * An element with attributes and children. `text` is its content, `on` its listeners by the names of
 * events, `data` its data attributes; true and false set and leave out an attribute.
 * @param {string} tag
 */
export function h(tag, { text, on = {}, data = {}, ...attributes } = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== undefined && value !== null && value !== false) {
      element.setAttribute(name, value === true ? "" : value);
    }
  }
  Object.assign(element.dataset, data);
  for (const [name, listener] of Object.entries(on)) {
    element.addEventListener(name, listener);
  }
  if (text !== undefined) {
    element.textContent = text;
  }
  element.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

/** GUIDs and addresses of IPv6: lines end behind a colon, not inside of a byte. */
export function breakable(text) {
  return text.split(/(?<=[^:]:)/).flatMap((part, index) => (index > 0 ? [document.createElement("wbr"), part] : [part]));
}

/** An element of a drawing. */
export function svg(tag, attributes = {}, ...children) {
  const element = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) {
    element.setAttribute(name, value);
  }
  element.append(...children);
  return element;
}

/** One of the drawings at the start of index.html. */
export function icon(name) {
  return svg("svg", { class: "icon", "aria-hidden": "true" }, svg("use", { href: `#i-${name}` }));
}

/** Changes the text only where it is another one, which costs the browser less. */
export function setText(element, text) {
  if (element.textContent !== text) {
    element.textContent = text;
  }
}

/**
 * Changes an element until it equals `drawing`. Nodes that both have are kept, and with them the
 * focus and the selection. Children are matched by `data-key`, those without one by their position.
 */
export function redraw(element, drawing) {
  for (const { name } of [...element.attributes].filter(({ name }) => !drawing.hasAttribute(name))) {
    element.removeAttribute(name);
  }
  for (const { name, value } of drawing.attributes) {
    if (element.getAttribute(name) !== value) {
      element.setAttribute(name, value);
    }
  }
  const kept = new Map([...element.childNodes].map((child, place) => [keyOf(child, place), child]));
  const children = [...drawing.childNodes].map((child, place) => {
    const key = keyOf(child, place);
    const known = kept.get(key);
    kept.delete(key);
    if (!known) {
      return child;
    }
    if (known instanceof Element) {
      redraw(known, child);
    } else if (known.data !== child.data) {
      known.data = child.data;
    }
    return known;
  });
  const staying = new Set(children);
  [...element.childNodes].filter((child) => !staying.has(child)).forEach((child) => child.remove());
  let next = element.firstChild;
  for (const child of children) {
    if (child === next) {
      next = next.nextSibling;
    } else {
      element.insertBefore(child, next);
    }
  }
}

function keyOf(node, place) {
  return `${node.nodeName} ${node.dataset?.key ?? place}`;
}

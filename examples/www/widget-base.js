// What all widgets have in common: their connection, when they are drawn, how they look.

import { useLanguage } from "./texts.js";
import { Source, commonSource } from "./widget-source.js";

// Widgets speak the language of the page.
useLanguage(document.documentElement.lang);

/** Colours for light and dark pages. A page sets its own: `--vscp-accent: teal`. @type {[string, string, string][]} */
const COLOURS = [
  ["surface", "#fff", "#161d23"],
  ["edge", "#dbe1e8", "#29333c"],
  ["edge-strong", "#76828f", "#74828f"],
  ["text", "#18212b", "#e5eaef"],
  ["soft", "#54606d", "#9eabb8"],
  ["accent", "#0b63c4", "#62b0ff"],
  ["on-accent", "#fff", "#06131f"],
  ["tint", "#e6f0fb", "#14293d"],
  ["track", "#e3e8ee", "#2b353e"],
  ["good", "#157347", "#5fd195"],
  ["lit", "#f2b01e", "#ffc94d"],
  ["warn", "#8a5200", "#f0b658"],
  ["bad", "#b3261e", "#ff9a90"],
];

const variables = (/** @type {(light: string, dark: string) => string} */ choose) =>
  COLOURS.map(([name, light, dark]) => `--${name}: var(--vscp-${name}, ${choose(light, dark)});`).join("\n");

const COMMON = sheet(`
:host {
  ${variables((light) => light)}
  --radius: var(--vscp-radius, 0.75rem);
  display: block;
  box-sizing: border-box;
  min-width: 0;
  margin: var(--vscp-margin, 0.5rem 0);
  color: var(--text);
  font: var(--vscp-font, 0.9375rem/1.4 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", sans-serif);
  font-variant-numeric: tabular-nums;
}
@supports (color: light-dark(#000, #fff)) {
  :host { ${variables((light, dark) => `light-dark(${light}, ${dark})`)} }
}
:host([hidden]) { display: none; }
* { box-sizing: border-box; }
[hidden] { display: none !important; }
.card {
  height: 100%;
  padding: var(--vscp-padding, 0.875rem 1rem);
  border: var(--vscp-border, 1px solid var(--edge));
  border-radius: var(--radius);
  background: var(--surface);
}
:host([plain]) .card { height: auto; padding: 0; border: 0; border-radius: 0; background: none; }
.row { display: flex; align-items: center; gap: 0.75rem; }
.grow { flex: 1; min-width: 0; }
.label { overflow: hidden; color: var(--text); font-weight: 550; text-overflow: ellipsis; }
.soft { color: var(--soft); font-size: 0.8125em; }
p { margin: 0; }
button, input { font: inherit; color: inherit; }
:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; }
@media (prefers-reduced-motion: reduce) { * { transition: none !important; } }
@media (forced-colors: active) { .card { border-color: CanvasText; } }
`);

/**
 * A style sheet of this text: one that the content security policy lets through.
 * @param {string} text
 */
export function sheet(text) {
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(text);
  return sheet;
}

/**
 * An element with attributes and children; names with a dot are classes: `h("p.soft.label", {})`.
 * @template {keyof HTMLElementTagNameMap} Tag
 * @param {Tag | `${Tag}.${string}`} name
 * @param {Record<string, string>} [attributes]
 * @param {(Node | string)[]} children
 * @returns {HTMLElementTagNameMap[Tag]}
 */
export function h(name, attributes = {}, ...children) {
  const [tag, ...classes] = name.split(".");
  const element = document.createElement(/** @type {Tag} */ (tag));
  element.classList.add(...classes);
  Object.entries(attributes).forEach(([key, value]) => element.setAttribute(key, value));
  element.append(...children);
  return element;
}

/**
 * An element of SVG.
 * @param {string} name
 * @param {Record<string, string | number>} [attributes]
 * @param {Node[]} children
 */
export function svg(name, attributes = {}, ...children) {
  const element = document.createElementNS("http://www.w3.org/2000/svg", name);
  Object.entries(attributes).forEach(([key, value]) => element.setAttribute(key, String(value)));
  element.append(...children);
  return element;
}

/** Nobody reads numbers that change faster: a page is drawn again after so long (in ms) at the soonest. */
const DRAWING_INTERVAL = 100;

/** Widgets whose values have changed since the page was drawn last. @type {Set<Widget>} */
const changed = new Set();
let drawnAt = -Infinity;

function drawSoon() {
  const wait = drawnAt + DRAWING_INTERVAL - performance.now();
  if (wait > 0) {
    setTimeout(() => requestAnimationFrame(drawAll), wait);
  } else {
    requestAnimationFrame(drawAll);
  }
}

function drawAll() {
  drawnAt = performance.now();
  const widgets = [...changed];
  changed.clear();
  widgets.forEach((widget) => widget.isConnected && widget.draw());
}

/** A widget. Subclasses build their parts in the constructor and show what there is in `draw`. */
export class Widget extends HTMLElement {
  /** @type {Source | null} */
  #source = null;
  /** @type {(() => void)[]} */
  #endings = [];
  #root;

  /** @param {CSSStyleSheet[]} styles */
  constructor(...styles) {
    super();
    this.#root = this.attachShadow({ mode: "open" });
    this.#root.adoptedStyleSheets = [COMMON, ...styles];
  }

  connectedCallback() {
    const source = this.findSource();
    this.#source = source;
    source.retain();
    this.#endings = [source.on("state", () => this.change()), ...this.listen(source)];
    this.change();
  }

  disconnectedCallback() {
    this.#endings.splice(0).forEach((end) => end());
    this.#source?.release();
    this.#source = null;
  }

  attributeChangedCallback() {
    this.change();
  }

  /** The connection; there is one as long as the widget is on the page. */
  get source() {
    return this.#source ?? commonSource();
  }

  /** What the widget is called: its attribute `label`, or the text in it. */
  get label() {
    return this.getAttribute("label") ?? this.textContent?.trim() ?? "";
  }

  /** What is shown of the widget. @param {Node[]} nodes */
  show(...nodes) {
    this.#root.append(...nodes);
  }

  /** Draws the widget before long. */
  change() {
    if (changed.size === 0) {
      drawSoon();
    }
    changed.add(this);
  }

  /** To be overridden: shows what there is. */
  draw() {}

  /**
   * To be overridden: listens to the connection, and returns what ends that.
   * @param {Source} source
   * @returns {(() => void)[]}
   */
  listen(source) {
    void source;
    return [];
  }

  /** The connection that the attribute `connection` names, else the first one of the page. */
  findSource() {
    const id = this.getAttribute("connection");
    const element = id ? document.getElementById(id) : document.querySelector("vscp-connection");
    const source = element && "source" in element ? element.source : null;
    return source instanceof Source ? source : commonSource();
  }

  /**
   * An attribute that is a number.
   * @template Default
   * @param {string} name
   * @param {Default} missing  what it is where it is not there, or no number
   */
  number(name, missing) {
    const text = this.getAttribute(name)?.trim();
    const value = text ? Number(text) : NaN;
    return Number.isFinite(value) ? value : missing;
  }

  /**
   * Class and type that an attribute names: "20:3".
   * @param {string} name
   * @param {string} missing
   */
  classAndType(name, missing) {
    const [vscpClass = NaN, type = NaN] = (this.getAttribute(name) ?? missing).split(":").map(Number);
    return { class: vscpClass, type };
  }
}

// <vscp-events>: what happens, in words.

import { moment, shortGuid } from "./format.js";
import { readingOf } from "./quantity.js";
import { language, t } from "./texts.js";
import { Widget, h, sheet } from "./widget-base.js";
import { merge } from "./widget-merge.js";
import { WRITING_TIME } from "./widget-source.js";
import { wordsOf } from "./words.js";

/** @typedef {import("./vscp.js").VscpEvent} VscpEvent */

const STYLE = sheet(`
.label { margin-bottom: 0.375rem; }
ol { margin: 0; padding: 0; list-style: none; }
li { display: grid; grid-template-columns: auto minmax(0, 1fr); gap: 0 0.75rem; padding: 0.375rem 0; border-top: 1px solid var(--edge); }
li:first-child { border-top: 0; }
time { color: var(--soft); }
.what { overflow-wrap: anywhere; }
.who { grid-column: 2; }
`);

/**
 * The newest events in words, those of before as far as the server has them.
 *
 * Attributes: `classes` (which, with a type where only that is wanted: "20:3,20:4,30"; without it all
 * but measurements), `limit` (20), `label`, `plain`.
 */
export class VscpEvents extends Widget {
  static observedAttributes = ["classes", "limit", "label"];
  #label = h("p.label", { id: "label" });
  #list = h("ol");
  #empty = h("p.soft");
  /** The newest first. @type {{ time: number, event: VscpEvent }[]} */
  #events = [];
  #isLoaded = false;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;

  constructor() {
    super(STYLE);
    // Who wants to hear each event asks the screen reader for it.
    const log = h("div", { role: "log", "aria-live": "off", "aria-labelledby": "label" }, this.#list, this.#empty);
    this.show(h("div.card", {}, this.#label, log));
  }

  /**
   * @override
   * @param {import("./widget-source.js").Source} source
   */
  listen(source) {
    const load = () => {
      if (source.state === "open" && !this.#isLoaded) {
        this.#isLoaded = true;
        this.#load();
        this.#timer = setTimeout(() => this.#load(), WRITING_TIME);
      } else if (source.state === "waiting") {
        this.#isLoaded = false; // what happens until it is connected again is not to be missed
      }
    };
    load();
    return [
      () => clearTimeout(this.#timer),
      source.on("state", load),
      source.on("event", (event) => this.#isShown(event) && this.#add([{ time: Date.now(), event }])),
    ];
  }

  /** @override */
  draw() {
    this.#label.textContent = this.label || t("widget.events");
    this.#empty.textContent = t("widget.noEvents");
    this.#empty.hidden = this.#events.length > 0;
    this.#list.hidden = this.#events.length === 0;
    this.#list.replaceChildren(...this.#events.map((entry) => this.#row(entry)));
  }

  get #limit() {
    return Math.max(1, Math.min(1000, this.number("limit", 20)));
  }

  /** Classes with the type that is wanted of them, if only one is. */
  get #classes() {
    const parts = (this.getAttribute("classes") ?? "").split(",").filter((part) => part.trim());
    return parts.map((part) => part.split(":").map(Number)).map(([vscpClass = NaN, type]) => ({ class: vscpClass, ...(type !== undefined && { type }) }));
  }

  /** @param {VscpEvent} event */
  #isShown(event) {
    const classes = this.#classes;
    return classes.length > 0 ? classes.some((one) => one.class === event.class && (one.type ?? event.type) === event.type) : event.measurement === null;
  }

  async #load() {
    const limit = this.#limit;
    const queries = this.#classes.length > 0 ? this.#classes.map((wanted) => ({ ...wanted, limit })) : [{ limit }];
    const since = Date.now();
    const answers = await Promise.all(queries.map((query) => this.source.events(query).catch(() => [])));
    this.#events = merge(this.#events, answers, since);
    this.#add([]);
  }

  /** @param {{ time: number, event: VscpEvent }[]} entries */
  #add(entries) {
    this.#events.unshift(...entries);
    this.#events.length = Math.min(this.#events.length, this.#limit);
    this.change();
  }

  /** @param {{ time: number, event: VscpEvent }} entry */
  #row({ time, event }) {
    const nodeName = (/** @type {string} */ guid) => this.#nameOf(guid);
    const { title, value, detail, raw } = wordsOf(event, { language: language(), nodeName, reading: readingOf });
    const what = [value ? `${title} ${value}` : title, raw ? "" : detail].filter(Boolean).join(", ");
    return h(
      "li",
      {},
      h("time", { datetime: new Date(time).toISOString() }, moment(time)),
      h("span.what", {}, what),
      h("span.who.soft", {}, this.#nameOf(event.guid)),
    );
  }

  /**
   * Who has sent it; "" for this page, which has no GUID of its own.
   * @param {string} guid
   */
  #nameOf(guid) {
    for (const sensor of this.source.sensors.values()) {
      if (sensor.guid === guid && sensor.node) {
        return sensor.node;
      }
    }
    const short = shortGuid(guid);
    return short === "-" ? "" : short;
  }
}

// <vscp-lamp>, <vscp-switch>, <vscp-button> and <vscp-slider>: what is on, and what turns it on.

import { reasonOf } from "./errors.js";
import { t } from "./texts.js";
import { parseGuid } from "./vscp.js";
import { Widget, h, sheet, svg } from "./widget-base.js";

const CONTROL = 30;
const TURN_ON = 5;
const TURN_OFF = 6;
const DIM_LAMPS = 20;
const INFORMATION = 20;
const LEVEL_CHANGED = 40;
/** Sets a value in a zone, as a measurement with zone tells it. */
const SET_VALUE_ZONE = 85;
const ALL_ZONES = 255;

/** So long (in ms) a switch waits until what it switches says that it did. */
const ANSWER_TIMEOUT = 4000;
/** An answer that takes less (in ms) is not spoken of. */
const QUICK = 500;
/** So long (in ms) a button waits for the second press where it asks. */
const CONFIRM_TIMEOUT = 5000;
/** So long (in ms) after it was moved a slider stays where it was put: the answers to all steps come meanwhile. */
const SETTLING_TIME = 1500;
/** While a slider is moved it sends at most this often (in ms). */
const SLIDER_INTERVAL = 200;

/** A widget for a zone: what information events of this zone say is its state. */
class ZoneWidget extends Widget {
  static observedAttributes = ["zone", "subzone", "guid", "label", "on", "off", "icon", "min", "max", "step", "unit", "disabled"];

  get zone() {
    return this.number("zone", 0);
  }

  get subzone() {
    return this.number("subzone", 0);
  }

  /**
   * @override
   * @param {import("./widget-source.js").Source} source
   */
  listen(source) {
    const classes = new Set([INFORMATION, this.classAndType("on", "20:3").class, this.classAndType("off", "20:4").class]);
    classes.forEach((vscpClass) => source.watch(vscpClass));
    return [source.on("event", (event) => classes.has(event.class) && this.change())];
  }

  /** True for on, false for off, null if nobody has said so yet. */
  get isOn() {
    const on = this.classAndType("on", `${INFORMATION}:3`);
    const off = this.classAndType("off", `${INFORMATION}:4`);
    const event = this.source.newest({ ...on, ...this.place }, { ...off, ...this.place });
    return event ? event.class === on.class && event.type === on.type : null;
  }

  /** Whose events count. */
  get place() {
    const guid = parseGuid(this.getAttribute("guid") ?? "") ?? undefined;
    return { zone: this.zone, subzone: this.subzone, guid };
  }

  /** @param {string} text */
  fail(text) {
    this.dispatchEvent(new CustomEvent("vscp-error", { bubbles: true, composed: true, detail: text }));
  }
}

/** @type {Record<string, string[]>} */
const ICONS = {
  bulb: ["M9 18h6M10 21h4", "M12 3a6 6 0 0 0-3.6 10.8c.5.4.6 1 .6 1.7h6c0-.7.1-1.3.6-1.7A6 6 0 0 0 12 3Z"],
  door: ["M5 21h14M15.5 12v.01", "M7 21V4a1 1 0 0 1 1-1h8a1 1 0 0 1 1 1v17"],
  motion: ["M9 20l2-5 2.5 2 .5 4M8 12l2.5-4 3.5 1 2 3h2", "M13 5.5a1.5 1.5 0 1 0 0-.01Z"],
  heat: ["M8 20c-2-3 2-5 0-8s1-5 0-8M13 20c-2-3 2-5 0-8s1-5 0-8M18 20c-2-3 2-5 0-8s1-5 0-8", ""],
  dot: ["", "M12 6a6 6 0 1 0 .01 0Z"],
};

const LAMP_STYLE = sheet(`
.icon { display: grid; flex: none; place-items: center; width: 2.5rem; height: 2.5rem; border-radius: 50%; background: var(--track); }
.icon svg { width: 1.5rem; height: 1.5rem; fill: none; stroke: var(--soft); stroke-width: 1.6; stroke-linecap: round; stroke-linejoin: round; }
.on .icon { background: color-mix(in srgb, var(--lit) 26%, transparent); }
.on .icon svg { stroke: var(--text); }
.on .icon .fill { fill: var(--lit); }
:host([icon="door"]) .on .icon .fill, :host([icon="motion"]) .on .icon .fill, :host([icon="heat"]) .on .icon .fill { fill: none; }
`);

/**
 * Whether something is on: a lamp, a door, motion. It is on or off by the newest of two information
 * events of its zone.
 *
 * Attributes: `zone`, `subzone` (0), `guid` (whose events count), `on` and `off` (class and type of the
 * events, 20:3 and 20:4), `icon` (bulb, door, motion, heat, dot), `label`, `plain`.
 */
export class VscpLamp extends ZoneWidget {
  #label = h("p.label");
  #state = h("p.soft");
  #icon = svg("svg", { viewBox: "0 0 24 24", "aria-hidden": "true" });
  #card;

  constructor() {
    super(LAMP_STYLE);
    const text = h("div.grow", {}, this.#label, this.#state);
    this.#card = h("div.card.row", {}, h("span.icon", {}, this.#icon), text);
    this.show(this.#card);
  }

  /** @override */
  draw() {
    const { isOn } = this;
    const icon = this.getAttribute("icon") ?? "bulb";
    const [lines = "", shape = ""] = ICONS[icon] ?? ICONS.dot ?? [];
    this.#icon.replaceChildren(svg("path", { class: "fill", d: shape }), svg("path", { d: lines }));
    this.#label.textContent = this.label;
    const words = { door: [t("widget.open"), t("widget.closedDoor")], motion: [t("widget.motion"), t("widget.still")] }[icon] ?? [t("widget.on"), t("widget.off")];
    this.#state.textContent = (isOn === null ? t("widget.unknown") : words[isOn ? 0 : 1]) ?? "";
    this.#card.classList.toggle("on", isOn === true);
  }
}

const SWITCH_STYLE = sheet(`
button { width: 100%; text-align: start; cursor: pointer; }
:host([plain]) button { color: inherit; }
button:disabled { opacity: 0.6; cursor: default; }
.track { flex: none; width: 2.875rem; height: 1.75rem; padding: 0.1875rem; border: 1px solid var(--edge-strong); border-radius: 1rem; background: var(--track); transition: background 0.15s; }
.knob { display: block; width: 1.25rem; height: 1.25rem; border-radius: 50%; background: var(--edge-strong); transition: transform 0.15s, background 0.15s; }
[aria-checked="true"] .track { border-color: var(--accent); background: var(--accent); }
[aria-checked="true"] .knob { background: var(--on-accent); transform: translateX(1.125rem); }
[aria-busy="true"] .track { opacity: 0.55; }
.label { display: block; white-space: nowrap; }
.soft { flex: none; }
.bad { color: var(--bad); }
@media (forced-colors: active) { .knob { background: ButtonText; } [aria-checked="true"] .track { background: Highlight; } }
`);

/**
 * Turns something on and off, and shows if it is. It sends Turn on and Turn off (class 30) to its
 * zone, and is on when the information event "On" of the zone says so: not before.
 *
 * Attributes: those of `<vscp-lamp>` but `icon`; `index` (the first data byte, 0), `optimistic` (for
 * what never answers: it is on when the event is sent), `disabled`.
 */
export class VscpSwitch extends ZoneWidget {
  #label = h("span.label", { id: "label" });
  #note = h("span.soft", { role: "status" });
  #button;
  /** What it shall become, until the answer is there. @type {boolean | null} */
  #wanted = null;
  #askedAt = 0;
  #isAlone = false;
  /** @type {boolean | null} */
  #assumed = null;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;

  constructor() {
    super(SWITCH_STYLE);
    const track = h("span.track", { "aria-hidden": "true" }, h("span.knob"));
    const text = h("span.grow", {}, this.#label);
    this.#button = h("button.card.row", { type: "button", role: "switch", "aria-labelledby": "label" }, text, this.#note, track);
    this.show(this.#button);
    this.#button.addEventListener("click", () => this.#toggle());
  }

  /** @override */
  get isOn() {
    return this.#assumed ?? super.isOn;
  }

  /** @override */
  draw() {
    const { isOn, source } = this;
    if (this.#wanted !== null && isOn === this.#wanted) {
      this.#settle(false);
    }
    this.#label.textContent = this.label;
    this.#button.setAttribute("aria-checked", String(this.#wanted ?? isOn ?? false));
    this.#button.setAttribute("aria-busy", String(this.#wanted !== null));
    this.#button.disabled = this.hasAttribute("disabled") || source.state !== "open";
    this.#note.classList.toggle("bad", this.#isAlone);
    const state = isOn === null ? t("widget.unknown") : "";
    const isSlow = this.#wanted !== null && Date.now() - this.#askedAt >= QUICK;
    this.#note.textContent = isSlow ? t("widget.switching") : this.#isAlone ? t("widget.noAnswer") : state;
  }

  async #toggle() {
    const wanted = !(this.#wanted ?? this.isOn ?? false);
    this.#isAlone = false;
    const data = [this.number("index", 0), this.zone, this.subzone];
    try {
      if (this.hasAttribute("optimistic")) {
        this.#assumed = wanted;
      } else {
        this.#wanted = wanted;
        this.#askedAt = Date.now();
        setTimeout(() => this.change(), QUICK);
        clearTimeout(this.#timer);
        this.#timer = setTimeout(() => this.#settle(true), ANSWER_TIMEOUT);
      }
      this.change();
      await this.source.send({ class: CONTROL, type: wanted ? TURN_ON : TURN_OFF, data });
    } catch (error) {
      this.#assumed = null;
      this.#settle(true);
      this.fail(String(error));
    }
  }

  /** @param {boolean} isAlone  true if there was no answer */
  #settle(isAlone) {
    clearTimeout(this.#timer);
    this.#wanted = null;
    this.#isAlone = isAlone;
    this.change();
  }
}

const BUTTON_STYLE = sheet(`
:host { display: inline-block; }
button {
  width: 100%;
  min-height: 2.75rem;
  padding: 0.5rem 1rem;
  border: 1px solid var(--edge-strong);
  border-radius: var(--radius);
  background: var(--surface);
  font-weight: 550;
  cursor: pointer;
}
button:hover:enabled { border-color: var(--accent); background: var(--tint); }
button:active:enabled { transform: translateY(1px); }
button:disabled { opacity: 0.6; cursor: default; }
.asks { border-color: var(--warn); color: var(--warn); }
.failed { border-color: var(--bad); color: var(--bad); }
.note { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
`);

/**
 * Sends an event. It asks for a second press with the attribute `confirm`, and where the event is for
 * all zones.
 *
 * Attributes: `event` (class and type, 30:5), `data` (bytes: "0,1,2"; without it `index`, `zone` and
 * `subzone`), `priority` (3), `guid` (the sender), `confirm` (what it asks), `label`, `disabled`.
 */
export class VscpButton extends ZoneWidget {
  #button = h("button", { type: "button" });
  #note = h("span.note", { role: "status" });
  /** @type {"" | "asks" | "failed"} */
  #state = "";
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;

  constructor() {
    super(BUTTON_STYLE);
    this.show(this.#button, this.#note);
    this.#button.addEventListener("click", () => this.#press());
  }

  /** @override */
  draw() {
        const question = this.getAttribute("confirm") || (this.#isForAll ? t("widget.allZones") : t("widget.again"));
    this.#button.textContent = this.#state === "asks" ? question : this.label;
    this.#button.className = this.#state;
    this.#button.disabled = this.hasAttribute("disabled") || this.source.state !== "open";
  }

  get #data() {
    const text = this.getAttribute("data");
    return text === null ? [this.number("index", 0), this.zone, this.subzone] : text.split(",").filter((part) => part.trim()).map(Number);
  }

  get #isForAll() {
    return this.classAndType("event", "30:5").class === CONTROL && this.#data[1] === ALL_ZONES;
  }

  async #press() {
    const asks = this.#state !== "asks" && (this.hasAttribute("confirm") || this.#isForAll);
    this.#become(asks ? "asks" : "", CONFIRM_TIMEOUT);
    if (asks) {
      return;
    }
    const guid = this.getAttribute("guid");
    const event = { ...this.classAndType("event", "30:5"), data: this.#data, priority: this.number("priority", 3) };
    try {
      await this.source.send(guid ? { ...event, guid } : event);
      this.#note.textContent = `${this.label}: ${t("widget.sent")}`;
    } catch (error) {
      this.#note.textContent = reasonOf(error);
      this.#become("failed", CONFIRM_TIMEOUT);
      this.fail(String(error));
    }
  }

  /**
   * @param {"" | "asks" | "failed"} state
   * @param {number} time  how long, in ms
   */
  #become(state, time) {
    clearTimeout(this.#timer);
    this.#state = state;
    if (state) {
      this.#timer = setTimeout(() => this.#become("", 0), time);
    }
    this.change();
  }
}

const SLIDER_STYLE = sheet(`
.row { justify-content: space-between; gap: 0.5rem; }
output { flex: none; font-weight: 600; }
input { display: block; width: 100%; height: 1.75rem; margin: 0.25rem 0 0; accent-color: var(--accent); cursor: pointer; }
input:disabled { cursor: default; }
`);

/**
 * Sets a level or a value. It sends Dim lamps (class 30) with a level to its zone, and follows the
 * information event "Level changed"; with `quantity` it sets a value of this quantity in the zone
 * (class 85), and follows what is measured and set there.
 *
 * Attributes: `zone`, `subzone` (0), `min`, `max`, `step` (0, 100, 1), `quantity` (a type of class 10:
 * 6 is a temperature), `unit` (the unit's code with `quantity`, 0), `index` (of the sensor, with
 * `quantity`), `event` (class and type in place of 30:20), `symbol` (behind the number), `label`,
 * `plain`, `disabled`.
 */
export class VscpSlider extends ZoneWidget {
  #label = h("label.label", { for: "input" });
  #output = h("output", { for: "input" });
  #input = h("input", { id: "input", type: "range" });
  /** What it was moved to, until it is sent. @type {number | null} */
  #next = null;
  #isMoved = false;
  #movedAt = -Infinity;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;

  constructor() {
    super(SLIDER_STYLE);
    this.show(h("div.card", {}, h("div.row", {}, this.#label, this.#output), this.#input));
    this.#input.addEventListener("input", () => {
      this.#isMoved = true;
      this.#movedAt = performance.now();
      this.#next = this.#input.valueAsNumber;
      this.#timer ??= setTimeout(() => this.#send(), SLIDER_INTERVAL);
      this.change();
    });
    this.#input.addEventListener("change", () => {
      this.#isMoved = false;
      setTimeout(() => this.change(), SETTLING_TIME);
      this.#send();
    });
  }

  /**
   * @override
   * @param {import("./widget-source.js").Source} source
   */
  listen(source) {
    return [...super.listen(source), source.on("value", () => this.change()), source.on("sensors", () => this.change())];
  }

  /** @override */
  draw() {
    for (const [name, missing] of /** @type {[string, string][]} */ ([["min", "0"], ["max", "100"], ["step", "1"]])) {
      this.#input.setAttribute(name, this.getAttribute(name) ?? missing);
    }
    const isOwn = this.#isMoved || performance.now() - this.#movedAt < SETTLING_TIME;
    const value = isOwn ? this.#input.valueAsNumber : this.#value;
    const shown = value ?? this.number("min", 0);
    if (!isOwn && shown !== this.#input.valueAsNumber) {
      this.#input.value = String(shown);
    }
    const decimals = (this.getAttribute("step") ?? "").split(".")[1]?.length ?? 0;
    const symbol = this.getAttribute("symbol") ?? (this.#quantity === null ? "%" : "");
    const text = value === undefined ? "–" : `${value.toFixed(decimals)} ${symbol}`.trim();
    this.#label.textContent = this.label;
    this.#output.textContent = text;
    this.#input.setAttribute("aria-valuetext", text);
    this.#input.disabled = this.hasAttribute("disabled") || this.source.state !== "open";
  }

  get #quantity() {
    return this.number("quantity", null);
  }

  /** What it is set to, as far as somebody has said so. */
  get #value() {
    const quantity = this.#quantity;
    if (quantity === null) {
      const changed = this.source.newest({ class: INFORMATION, type: LEVEL_CHANGED, ...this.place });
      return changed?.data[0];
    }
    const index = this.number("index", 0);
    const { zone, subzone, guid } = this.place;
    let newest;
    for (const sensor of this.source.sensors.values()) {
      const fits =
        sensor.type === quantity && sensor.sensor === index && sensor.zone === zone && sensor.subzone === subzone;
      if (fits && (guid === undefined || sensor.guid === guid) && sensor.time > (newest?.time ?? 0)) {
        newest = sensor;
      }
    }
    return newest?.value;
  }

  async #send() {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const value = this.#next;
    this.#next = null;
    if (value === null) {
      return;
    }
    try {
      await this.source.send(this.#eventFor(value));
    } catch (error) {
      this.fail(String(error));
    }
    this.change();
  }

  /** @param {number} value */
  #eventFor(value) {
    const quantity = this.#quantity;
    if (quantity === null) {
      return { ...this.classAndType("event", `${CONTROL}:${DIM_LAMPS}`), data: [Math.round(value), this.zone, this.subzone] };
    }
    const number = new DataView(new ArrayBuffer(4));
    number.setFloat32(0, value);
    const coding = (5 << 5) | (this.number("unit", 0) << 3);
    return {
      class: SET_VALUE_ZONE,
      type: quantity,
      data: [this.number("index", 0), this.zone, this.subzone, coding, ...new Uint8Array(number.buffer)],
    };
  }
}

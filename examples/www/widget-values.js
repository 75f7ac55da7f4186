// <vscp-value> and <vscp-gauge>: what a sensor measures, as a number and on a scale.

import { localNumber, moment } from "./format.js";
import { presentation, quantityName } from "./quantity.js";
import { t } from "./texts.js";
import { Widget, h, sheet, svg } from "./widget-base.js";

/** @typedef {import("./widget-source.js").Sensor} Sensor */

/** A value is old after so many of the sensor's own intervals, and not before so long (in ms). */
const INTERVALS = 3;
const SHORTEST = 60_000;

/** A widget that shows the sensor which its attribute `sensor` names. */
export class SensorWidget extends Widget {
  static observedAttributes = ["sensor", "label", "decimals", "unit", "min", "max", "low", "high", "range", "points"];
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;

  /** @returns {Sensor | undefined} */
  get sensor() {
    return this.source.find(this.getAttribute("sensor") ?? "");
  }

  /**
   * @override
   * @param {import("./widget-source.js").Source} source
   */
  listen(source) {
    return [
      source.on("sensors", () => this.change()),
      source.on("value", (sensor) => sensor === this.sensor && this.change()),
      () => clearTimeout(this.#timer),
    ];
  }

  /** What the widget is called: what the page says, else the sensor's name. */
  get heading() {
    const { sensor } = this;
    const name = sensor && (sensor.name ?? this.nameOf(sensor));
    return this.label || name || this.getAttribute("sensor") || "";
  }

  /**
   * The name of a sensor that has none of its own.
   * @param {Sensor} sensor
   */
  nameOf({ room, node, type }) {
    return [room ?? node, quantityName(type)].filter(Boolean).join(" ");
  }

  /**
   * The value as people read it: in the unit that they use, with so many decimals as are worth it.
   * @param {Sensor} sensor
   */
  format(sensor) {
    const usual = presentation(sensor.type, sensor.unit);
    const decimals = this.number("decimals", sensor.decimals ?? usual.decimals ?? sensor.sent);
    const value = usual.of(sensor.value);
    return { value, decimals, text: localNumber(value, decimals), unit: this.getAttribute("unit") ?? usual.unit };
  }

  /**
   * Returns true if the sensor should have said something by now; else draws again when it should.
   * @param {Sensor} sensor
   */
  isOld(sensor) {
    const left = sensor.time + Math.max(SHORTEST, INTERVALS * 1000 * (sensor.interval ?? 0)) - Date.now();
    clearTimeout(this.#timer);
    if (left > 0) {
      this.#timer = setTimeout(() => this.change(), Math.min(left + 50, 2 ** 31 - 1));
    }
    return left <= 0;
  }
}

const VALUE_STYLE = sheet(`
.number { font-size: 1.75em; font-weight: 600; letter-spacing: -0.02em; line-height: 1.2; white-space: nowrap; }
.unit { margin-left: 0.25em; color: var(--soft); font-size: 0.5625em; font-weight: 500; letter-spacing: 0; }
.old .number { color: var(--soft); }
:host([inline]) { display: inline; margin: 0; }
:host([inline]) .card { display: inline; height: auto; padding: 0; border: 0; background: none; }
:host([inline]) .label, :host([inline]) .note { display: none; }
:host([inline]) .number { display: inline; font: inherit; letter-spacing: 0; }
:host([inline]) .unit { font: inherit; color: inherit; }
`);

/**
 * The value of a sensor, with its name and unit.
 *
 * Attributes: `sensor` (an id of /api/sensors or the start of one, or a name), `label`, `decimals`,
 * `unit`, `plain` (without a card), `inline` (number and unit, to stand in a sentence).
 */
export class VscpValue extends SensorWidget {
  #label = h("p.label");
  #number = document.createTextNode("");
  #unit = h("span.unit");
  #note = h("p.soft.note");
  #card;

  constructor() {
    super(VALUE_STYLE);
    this.#card = h("div.card", {}, this.#label, h("p.number", {}, this.#number, this.#unit), this.#note);
    this.show(this.#card);
  }

  /** @override */
  draw() {
    const { sensor, source } = this;
    this.#label.textContent = this.heading;
    const { text, unit } = sensor ? this.format(sensor) : { text: "–", unit: "" };
    this.#number.data = text;
    this.#unit.textContent = unit;
    const isOld = sensor !== undefined && this.isOld(sensor);
    this.#card.classList.toggle("old", isOld);
    const missing = source.state === "open" ? t("widget.noSensor") : t("widget.noValue");
    this.#note.textContent = isOld ? `${t("widget.since")} ${moment(sensor.time)}` : sensor ? "" : missing;
    this.#note.hidden = this.#note.textContent === "";
  }
}

const GAUGE_STYLE = sheet(`
.card { display: grid; justify-items: center; text-align: center; }
.label { max-width: 100%; white-space: nowrap; }
svg { display: block; width: 100%; max-width: 11rem; overflow: visible; }
path { fill: none; stroke-width: 9; stroke-linecap: round; }
.track { stroke: var(--track); }
.value { stroke: var(--accent); transition: stroke-dashoffset 0.4s; }
.off .value { stroke: var(--warn); }
.old .value { stroke: var(--soft); }
text { fill: var(--text); font-size: 21px; font-weight: 600; letter-spacing: -0.02em; text-anchor: middle; }
text.unit { fill: var(--soft); font-size: 11px; font-weight: 500; letter-spacing: 0; }
text.end { fill: var(--soft); font-size: 9px; font-weight: 400; letter-spacing: 0; }
@media (forced-colors: active) { .track { stroke: GrayText; } .value { stroke: Highlight; } text { fill: CanvasText !important; } }
`);

/** The arc: 240 degrees of a circle, open below. */
const RADIUS = 50;
const ANGLE = (240 / 360) * 2 * Math.PI;
const LENGTH = RADIUS * ANGLE;

/**
 * The value of a sensor on a scale.
 *
 * Attributes: those of `<vscp-value>`; `min` and `max` (0 and 100), `low` and `high`: below and above
 * these values the scale has the colour of a warning.
 */
export class VscpGauge extends SensorWidget {
  #label = h("p.label");
  #value = svg("path", { class: "value", d: arc(), "stroke-dasharray": LENGTH });
  #number = svg("text", { x: 60, y: 66 });
  #unit = svg("text", { x: 60, y: 82, class: "unit" });
  #min = svg("text", { x: 16, y: 104, class: "end" });
  #max = svg("text", { x: 104, y: 104, class: "end" });
  #meter;

  constructor() {
    super(GAUGE_STYLE);
    const track = svg("path", { class: "track", d: arc() });
    const picture = svg(
      "svg",
      { viewBox: "0 0 120 106", "aria-hidden": "true" },
      ...[track, this.#value, this.#number, this.#unit, this.#min, this.#max],
    );
    this.#meter = h("div.card", { role: "meter" }, this.#label, picture);
    this.show(this.#meter);
  }

  /** @override */
  draw() {
    const { sensor } = this;
    const [min, max] = [this.number("min", 0), this.number("max", 100)];
    const { value, text, unit } = sensor ? this.format(sensor) : { value: min, text: "–", unit: "" };
    const part = max > min ? Math.min(1, Math.max(0, (value - min) / (max - min))) : 0;
    this.#label.textContent = this.heading;
    this.#number.textContent = text;
    this.#unit.textContent = unit;
    this.#min.textContent = String(min);
    this.#max.textContent = String(max);
    this.#value.setAttribute("stroke-dashoffset", String(LENGTH * (1 - part)));
    this.#value.toggleAttribute("hidden", !sensor);
    const isOff = value < this.number("low", -Infinity) || value > this.number("high", Infinity);
    this.#meter.classList.toggle("off", sensor !== undefined && isOff);
    this.#meter.classList.toggle("old", sensor !== undefined && this.isOld(sensor));
    for (const [name, content] of Object.entries({
      "aria-label": this.heading,
      "aria-valuemin": String(min),
      "aria-valuemax": String(max),
      "aria-valuenow": String(Math.min(max, Math.max(min, value))),
      "aria-valuetext": sensor ? `${text} ${unit}`.trim() : t("widget.noValue"),
    })) {
      this.#meter.setAttribute(name, content);
    }
  }
}

function arc() {
  const at = (/** @type {number} */ angle) => {
    const [x, y] = [60 + RADIUS * Math.sin(angle), 60 - RADIUS * Math.cos(angle)];
    return `${x.toFixed(2)} ${y.toFixed(2)}`;
  };
  return `M${at(-ANGLE / 2)}A${RADIUS} ${RADIUS} 0 1 1 ${at(ANGLE / 2)}`;
}

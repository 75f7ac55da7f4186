// <vscp-chart>: what one or two sensors have measured.

import { presentation } from "./quantity.js";
import { t } from "./texts.js";
import { h, sheet } from "./widget-base.js";
import { WRITING_TIME } from "./widget-source.js";
import { SensorWidget } from "./widget-values.js";

/** @typedef {import("./widget-source.js").Sensor} Sensor */
/** @typedef {import("./chart.js").Chart} Chart */
/** Time in ms since 1970, lowest, mean and highest value. @typedef {[number, number, number, number]} Point */

/** In ms. @type {Record<string, number>} */
const UNITS = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000, w: 7 * 86_400_000 };
const HOUR = 3_600_000;
/** Into so many steps the time is divided. */
const STEPS = 300;

/** Loaded for the first chart: pages without one do without the library for charts. */
const drawing = {
  /** @type {typeof import("./chart.js").Chart | null} */
  Chart: null,
  /** @type {Promise<void> | null} */
  isLoaded: null,
  load() {
    this.isLoaded ??= import("./chart.js").then(({ Chart }) => void (this.Chart = Chart));
    return this.isLoaded;
  },
};

const STYLE = sheet(`
.label { margin-bottom: 0.25rem; }
.plot { --chart-1: var(--accent); --chart-2: var(--vscp-accent-2, light-dark(#b3521b, #f0a060)); min-height: 15rem; }
`);

/**
 * What a sensor has measured: mean, lowest and highest value of each step of time, and what comes. With
 * `other` a second sensor is drawn beside it.
 *
 * Attributes: `sensor`, `other`, `range` (5m, 1h, 1d, 1w, or any other number of s, m, h, d, w; 1h),
 * `height` (in pixels), `label`, `decimals`, `plain`. Without a login by name and password, or without
 * a history on the server, it begins empty.
 */
export class VscpChart extends SensorWidget {
  /** @override */
  static observedAttributes = ["sensor", "other", "range", "label", "decimals"];
  #label = h("p.label");
  #empty = h("p.soft");
  #plot = h("div.plot");
  /** @type {Chart | null} */
  #chart = null;
  /** By the id of the sensor. @type {Map<string, { points: Point[], counts: number[] }>} */
  #past = new Map();
  /** What is loaded: sensors and range. */
  #loaded = "";
  #isStyled = false;
  /** @type {ReturnType<typeof setInterval> | undefined} */
  #clock;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;

  constructor() {
    super(STYLE);
    // The style sheet of the chart is a file: that of the panel.
    const link = h("link", { rel: "stylesheet", href: new URL("./chart.css", import.meta.url).href });
    link.addEventListener("load", () => {
      this.#isStyled = true;
      this.change();
    });
    this.show(link, h("div.card", {}, this.#label, this.#plot, this.#empty));
  }

  /** @override */
  connectedCallback() {
    super.connectedCallback();
    drawing.load().then(() => this.change());
  }

  /** @override */
  disconnectedCallback() {
    super.disconnectedCallback();
    clearInterval(this.#clock);
    clearTimeout(this.#timer);
    this.#loaded = "";
    this.#chart?.destroy();
    this.#chart = null;
  }

  /**
   * @override
   * @param {import("./widget-source.js").Source} source
   */
  listen(source) {
    this.#clock = setInterval(() => this.change(), Math.max(1000, this.#range / 500));
    return [
      source.on("state", () => source.state !== "open" && (this.#loaded = "")),
      source.on("sensors", () => this.change()),
      source.on("value", (sensor) => this.#add(sensor)),
    ];
  }

  /** @override */
  draw() {
    const sensors = this.#sensors;
    const [sensor] = sensors;
    this.#label.textContent = this.heading;
    this.#load(sensors);
    const points = sensors.reduce((sum, { id }) => sum + (this.#past.get(id)?.points.length ?? 0), 0);
    this.#empty.hidden = points > 0;
    this.#empty.textContent = sensor ? t("widget.noHistory") : t("widget.noSensor");
    this.#plot.hidden = points === 0;
    const { Chart } = drawing;
    if (points === 0 || !this.#isStyled || !Chart) {
      return;
    }
    this.#chart ??= new Chart(this.#plot, { label: this.heading, height: this.number("height", undefined) });
    const to = Date.now();
    this.#chart.draw(sensors.map((sensor) => this.#series(sensor)), [to - this.#range, to]);
  }

  /** @returns {Sensor[]} */
  get #sensors() {
    const other = this.getAttribute("other");
    const sensors = [this.sensor, other ? this.source.find(other) : undefined];
    return sensors.filter((sensor) => sensor !== undefined);
  }

  /** How much time is shown, in ms. */
  get #range() {
    const [, count = "", unit = ""] = /^\s*(\d+)\s*([smhdw])\s*$/.exec(this.getAttribute("range") ?? "") ?? [];
    return Number(count) * (UNITS[unit] ?? 0) || HOUR;
  }

  /** @param {Sensor} sensor */
  #series(sensor) {
    const { of, span } = presentation(sensor.type, sensor.unit);
    const { decimals, unit } = this.format(sensor);
    const { points = [] } = this.#past.get(sensor.id) ?? {};
    const shown = points.map(([time, ...values]) => /** @type {Point} */ ([time, ...values.map(of)]));
    const name = sensor.name ?? this.nameOf(sensor);
    return { name, unit, span, points: shown, ...(decimals === undefined ? {} : { decimals }) };
  }

  /**
   * Reads from the server what was, for each choice of sensors and range.
   * @param {Sensor[]} sensors
   */
  async #load(sensors) {
    const wanted = JSON.stringify([this.#range, sensors.map(({ id }) => id)]);
    if (this.source.state !== "open" || sensors.length === 0 || wanted === this.#loaded) {
      return;
    }
    this.#loaded = wanted;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#read(sensors, wanted), WRITING_TIME);
    await this.#read(sensors, wanted);
  }

  /**
   * @param {Sensor[]} sensors
   * @param {string} wanted  what is to be shown: another choice makes the answer useless
   */
  async #read(sensors, wanted) {
    const to = Date.now();
    const range = { from: to - this.#range, to, points: STEPS };
    const answers = await Promise.all(sensors.map(({ id }) => this.source.history(id, range)));
    if (wanted !== this.#loaded) {
      return;
    }
    sensors.forEach(({ id }, index) => {
      const points = answers[index]?.points ?? [];
      const last = points.at(-1)?.[0] ?? 0;
      const since = this.#past.get(id);
      const isNew = (/** @type {number} */ place) => (since?.points[place]?.[0] ?? 0) > last;
      this.#past.set(id, {
        points: [
          ...points.map(([time, min, mean, max]) => /** @type {Point} */ ([time, min, mean, max])),
          ...(since?.points.filter((_, place) => isNew(place)) ?? []),
        ],
        counts: [...points.map(([, , , , count]) => count), ...(since?.counts.filter((_, place) => isNew(place)) ?? [])],
      });
    });
    this.change();
  }

  /**
   * Adds a value that has come to the step that it is in.
   * @param {Sensor} sensor
   */
  #add(sensor) {
    if (!this.#sensors.includes(sensor)) {
      return;
    }
    const past = this.#past.get(sensor.id) ?? { points: [], counts: [] };
    this.#past.set(sensor.id, past);
    const { points, counts } = past;
    const { time, value } = sensor;
    const step = this.#range / STEPS;
    const newest = points.at(-1);
    if (newest && Math.floor(newest[0] / step) === Math.floor(time / step)) {
      const count = counts.at(-1) ?? 1;
      const mean = (newest[2] * count + value) / (count + 1);
      points[points.length - 1] = [newest[0], Math.min(newest[1], value), mean, Math.max(newest[3], value)];
      counts[counts.length - 1] = count + 1;
    } else {
      points.push([time, value, value, value]);
      counts.push(1);
      this.change();
    }
    while ((points[0]?.[0] ?? Infinity) < time - this.#range) {
      points.shift();
      counts.shift();
    }
  }
}

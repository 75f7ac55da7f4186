// The page of a sensor: its chart over a time that can be chosen, beside another sensor if wanted.

import { read } from "./api.js";
import { breakable, h, icon, setText } from "./dom.js";
import { ago, duration, fromText, shortGuid } from "./format.js";
import { quantityIcon } from "./quantity.js";
import { keepInAddress, routeTo } from "./route.js";
import { t } from "./texts.js";

/** The ranges in ms. */
const RANGES = { live: 120_000, "5m": 300_000, "1h": 3_600_000, "1d": 86_400_000, "1w": 604_800_000 };
/** A point for so many pixels of the chart, at least and at most so many. */
const POINT_WIDTH = 3;
const FEWEST = 90;
const MOST = 400;
/**
 * The past is read again after range / PART ms, but not sooner than after SOONEST ms and not later
 * than after LATEST ms, because the page itself keeps the values of about an hour only.
 */
const PART = 60;
const SOONEST = 10_000;
const LATEST = 1_800_000;
/** How often, in ms, the chart is drawn again. */
const REDRAW = 250;

export class SensorPage {
  #element;
  #home;
  #options;
  #hasPast = false;
  #parts = null;
  #chart = null;
  #id = "";
  #range = "1h";
  #with = "";
  /** What the server has answered, by the ids of sensors: `{ points, step, readAt }`. */
  #past = new Map();
  #generation = 0;
  #drawn = -Infinity;
  #dirty = false;

  /**
   * @param {HTMLElement} element
   * @param {import("./home.js").Home} home
   * @param {object} options
   * @param {(sensor: object) => void} options.rename
   * @param {() => boolean} options.canRename
   * @param {() => void} options.changed  something is to be drawn
   */
  constructor(element, home, options) {
    this.#element = element;
    this.#home = home;
    this.#options = options;
  }

  set hasPast(available) {
    this.#hasPast = available;
  }

  /** Shows a sensor. @param {import("./route.js").Route} route */
  async show({ part, values }) {
    const isOther = part !== this.#id || !this.#parts;
    this.#id = part;
    this.#range = values.range in RANGES ? values.range : "1h";
    this.#with = values.with ?? "";
    if (isOther) {
      this.#build();
    }
    this.#describe();
    this.#readPast();
    const generation = ++this.#generation;
    const { Chart } = await import("./chart.js");
    if (generation === this.#generation && this.#parts && !this.#chart) {
      this.#chart = new Chart(this.#parts.plot, { label: t("chart.label", { name: this.#sensor?.title ?? this.#id }) });
    }
    this.update();
  }

  hide() {
    this.#generation += 1;
    this.#chart?.destroy();
    this.#chart = null;
    this.#parts = null;
    this.#past.clear();
  }

  /** There are new values or names. */
  update() {
    this.#dirty = true;
    this.#options.changed();
  }

  refresh() {
    if (this.#parts) {
      this.#describe();
      this.update();
    }
  }

  render(now) {
    if (!this.#dirty || !this.#chart) {
      return false;
    }
    if (now - this.#drawn < REDRAW) {
      return true;
    }
    this.#drawn = now;
    this.#dirty = false;
    const to = Date.now();
    const from = to - RANGES[this.#range];
    const sensors = [this.#sensor, this.#home.sensors.get(this.#with)].filter(Boolean);
    this.#chart.draw(sensors.map((sensor) => this.#series(sensor, from, sensors)), [from, to]);
    this.#describeValue();
    return false;
  }

  tick() {
    if (this.#parts) {
      this.#readPast();
      this.update();
    }
  }

  get #sensor() {
    return this.#home.sensors.get(this.#id);
  }

  #build() {
    this.#chart?.destroy();
    this.#chart = null;
    const ranges = Object.keys(RANGES).map((range) =>
      h("button", { type: "button", data: { range }, text: t(`chart.range.${range}`), on: { click: () => this.#choose({ range }) } }),
    );
    const parts = {
      kind: h("span", { class: "kind" }),
      title: h("h2", { tabindex: "-1" }),
      origin: h("p", { class: "hint" }),
      pencil: h("button", { type: "button", class: "pencil", on: { click: () => this.#sensor && this.#options.rename(this.#sensor) } }, icon("pencil")),
      number: h("span", { class: "number" }),
      unit: h("span", { class: "unit" }),
      age: h("p", { class: "hint" }),
      ranges: h("div", { class: "segments", role: "group", "aria-label": t("chart.range") }, ranges),
      compare: h("select", { on: { change: ({ target }) => this.#choose({ with: target.value }) } }),
      plot: h("div"),
      message: h("p", { class: "hint" }),
      facts: h("dl", { class: "facts" }),
    };
    this.#parts = parts;
    const back = h("a", { class: "back", href: "#/home" }, icon("back"), h("span", { text: t("nav.home") }));
    this.#element.replaceChildren(
      back,
      h(
        "div",
        { class: "sensor-head" },
        parts.kind,
        h("div", { class: "sensor-names" }, h("div", { class: "with-pencil" }, parts.title, parts.pencil), parts.origin),
        h("div", { class: "sensor-now" }, h("p", { class: "reading" }, parts.number, " ", parts.unit), parts.age),
      ),
      h(
        "div",
        { class: "card chart-card" },
        h("div", { class: "chart-tools" }, parts.ranges, h("label", { class: "compare" }, h("span", { text: t("chart.compare") }), parts.compare)),
        parts.plot,
        parts.message,
      ),
      parts.facts,
    );
  }

  #describe() {
    const parts = this.#parts;
    const sensor = this.#sensor;
    setText(parts.title, sensor?.title ?? t("sensor.unknown"));
    document.title = `${parts.title.textContent} · VSCP`;
    setText(parts.origin, sensor ? [sensor.room, sensor.origin()].filter(Boolean).join(" · ") : this.#id);
    parts.kind.replaceChildren(icon(quantityIcon(sensor?.type)));
    parts.pencil.hidden = !sensor || !this.#options.canRename();
    parts.pencil.setAttribute("aria-label", t("name.change", { name: sensor?.title ?? "" }));
    this.#press();
    // A list that is open must not change.
    if (document.activeElement !== parts.compare) {
      parts.compare.replaceChildren(new Option(t("chart.compare.none"), ""), ...this.#others());
      parts.compare.value = this.#with;
    }
    setText(parts.message, this.#hasPast ? "" : t("chart.no-history"));
    this.#describeFacts(sensor);
    this.#describeValue();
  }

  #describeFacts(sensor) {
    const node = sensor && h("a", { href: routeTo("nodes", sensor.guid), text: sensor.nodeTitle });
    const facts = sensor
      ? [
          [t("sensor.node"), node],
          ["GUID", h("span", { class: "code" }, breakable(shortGuid(sensor.guid)))],
          [t("sensor.interval"), sensor.interval === null ? "–" : duration(sensor.interval)],
          [t("nodes.from"), fromText(sensor.from)],
        ]
      : [];
    this.#parts.facts.replaceChildren(...facts.map(([name, value]) => h("div", {}, h("dt", { text: name }), h("dd", {}, value))));
  }

  #describeValue() {
    const { number, unit, age } = this.#parts;
    const sensor = this.#sensor;
    setText(number, sensor ? sensor.format(sensor.value) : "–");
    setText(unit, sensor?.shown.unit ?? "");
    setText(age, sensor ? ago(sensor.time) : "");
    this.#element.classList.toggle("old", sensor?.isStale() ?? true);
  }

  #others() {
    return this.#home
      .groups("room")
      .map(({ title, sensors }) => {
        const group = h("optgroup", { label: title });
        const others = sensors.filter(({ id }) => id !== this.#id);
        group.append(...others.map((sensor) => new Option(`${sensor.title} · ${sensor.nodeTitle}`, sensor.id)));
        return others.length > 0 ? group : null;
      })
      .filter(Boolean);
  }

  #press() {
    for (const button of this.#parts.ranges.children) {
      button.setAttribute("aria-pressed", button.dataset.range === this.#range);
    }
  }

  #choose(change) {
    keepInAddress(change);
    this.#range = change.range ?? this.#range;
    this.#with = change.with ?? this.#with;
    this.#press();
    this.#past.clear();
    this.#readPast();
    this.update();
  }

  /** What the server knows of the range, and behind it what has come since. */
  #series(sensor, from, sensors) {
    const { points: past = [], step = 0 } = this.#past.get(sensor.id) ?? {};
    const end = past.length > 0 ? past.at(-1)[0] + Math.max(step, 1) : 0;
    const known = [...past, ...inSteps(sensor.history.pointsFrom(Math.max(from, end)), step)];
    // A step stands at its begin with its mean: behind it comes what the sensor says now.
    const { value, time } = sensor;
    const newest = time > (known.at(-1)?.[0] ?? 0) ? [[time, value, value, value]] : [];
    const { of, unit, span, decimals } = sensor.shown;
    const isUnclear = sensors.some((other) => other !== sensor && other.title === sensor.title);
    return {
      name: isUnclear ? `${sensor.title} · ${sensor.nodeTitle}` : sensor.title,
      unit,
      span,
      decimals: sensor.decimals ?? decimals ?? sensor.sentDecimals,
      points: [...known, ...newest].filter(([time]) => time >= from).map(([time, ...values]) => [time, ...values.slice(0, 3).map(of)]),
    };
  }

  /** Reads the past of the sensors where what is known of it is too old. */
  #readPast() {
    const ids = [this.#id, this.#with].filter(Boolean);
    const length = RANGES[this.#range];
    for (const id of this.#hasPast ? ids : []) {
      const past = this.#past.get(id);
      if (!past || Date.now() - past.readAt > Math.min(Math.max(SOONEST, length / PART), LATEST)) {
        this.#past.set(id, { ...past, readAt: Date.now() });
        this.#readOne(id, length, this.#range);
      }
    }
  }

  async #readOne(id, length, range) {
    try {
      const wanted = Math.round(this.#parts.plot.clientWidth / POINT_WIDTH);
      const { points, step } = await read("history", { sensor: id, from: Date.now() - length, points: Math.min(Math.max(wanted, FEWEST), MOST) });
      if (range === this.#range && this.#parts) {
        this.#past.set(id, { points, step, readAt: Date.now() });
        this.update();
      }
    } catch (error) {
      if (this.#parts && error.status !== 404) {
        setText(this.#parts.message, t("chart.failed", { reason: error.message }));
      }
    }
  }
}

/** Sums points up in steps of so many ms, as the server does. */
function inSteps(points, step) {
  const steps = new Map();
  for (const point of points) {
    const begin = step > 0 ? Math.floor(point[0] / step) * step : point[0];
    steps.set(begin, [...(steps.get(begin) ?? []), point]);
  }
  return [...steps].map(([begin, group]) => [
    begin,
    Math.min(...group.map(([, min]) => min)),
    group.reduce((sum, [, , mean]) => sum + mean, 0) / group.length,
    Math.max(...group.map(([, , , max]) => max)),
  ]);
}

// @ts-nocheck
// A chart of one or two sensors over time: mean and band, with a read-out by pointer, touch and keyboard.

import { h } from "./dom.js";
import { localNumber, moment } from "./format.js";
import { language } from "./texts.js";
import UPlot from "./uplot.js";

const HEIGHT = 320;
const SMALL_HEIGHT = 240;
const SMALL = 480;
/** Half of the longest label of a time, in pixels: the last one may stand at the end of its axis. */
const HALF_LABEL = 28;
/** So many times the usual distance between points is a gap in the line. */
const GAP = 4;

/** Of uPlot.join. */
const EXPAND_NULLS = 2;

/** The colours, as CSS that may be set from outside. */
const COLORS = {
  lines: ["var(--chart-1, #0b63c4)", "var(--chart-2, #b3521b)"],
  bands: [
    "color-mix(in srgb, var(--chart-1, #0b63c4) 16%, transparent)",
    "color-mix(in srgb, var(--chart-2, #b3521b) 16%, transparent)",
  ],
  grid: "var(--edge, #dbe1e8)",
  text: "var(--soft, #54606d)",
};

/**
 * A line of a chart.
 * @typedef {object} Series
 * @property {string} name
 * @property {string} unit
 * @property {number} [decimals]  of the values in the read-out
 * @property {number} [span]      the least height of the scale, so that noise is no cliff
 * @property {Point[]} points     in the order of their times
 */

/**
 * Time in ms since 1970, lowest, mean and highest value.
 * @typedef {[number, number, number, number]} Point
 */

export class Chart {
  #element;
  #options;
  #plot = null;
  #series = [];
  #range = [0, 1];
  #shape = "";
  /** True if a finger has pointed last. */
  #isTouched = false;
  #colors;
  #probe = h("i", { hidden: true });
  #box = h("div", { class: "chart-box" });
  #read = h("div", { class: "chart-read" });
  #endings = [];

  /**
   * Fills `element` with a chart.
   * @param {HTMLElement} element
   * @param {object} [options]
   * @param {string} [options.label]  what the chart shows, for people who do not see it
   * @param {number} [options.height]  of the drawing in pixels
   */
  constructor(element, options = {}) {
    this.#element = element;
    this.#options = options;
    element.classList.add("chart");
    element.replaceChildren(this.#read, this.#box, this.#probe);
    Object.entries({ role: "slider", tabindex: "0", "aria-label": options.label ?? "", "aria-valuemin": "0" }).forEach(
      ([name, value]) => this.#box.setAttribute(name, value),
    );
    this.#readColors();
    const resized = new ResizeObserver(() => this.#fit());
    resized.observe(element);
    const dark = matchMedia("(prefers-color-scheme: dark)");
    const recolor = () => {
      this.#readColors();
      this.#plot?.redraw(false);
      this.#showRead();
    };
    dark.addEventListener("change", recolor);
    const themed = new MutationObserver(recolor);
    themed.observe(document.documentElement, { attributeFilter: ["data-theme", "class", "style"] });
    this.#box.addEventListener("keydown", (event) => this.#key(event));
    this.#box.addEventListener("blur", () => this.#mark(null));
    this.#endings = [() => resized.disconnect(), () => dark.removeEventListener("change", recolor), () => themed.disconnect()];
  }

  /**
   * Draws series over a time.
   * @param {Series[]} series  one or two
   * @param {[number, number]} range  from and to in ms since 1970
   */
  draw(series, range) {
    this.#series = series;
    this.#range = range.map((time) => time / 1000);
    const shape = JSON.stringify([language(), series.map(({ unit }) => unit)]);
    if (shape !== this.#shape) {
      this.#plot?.destroy();
      this.#plot = null;
      this.#shape = shape;
    }
    const data = this.#data();
    this.#box.setAttribute("aria-valuemax", Math.max(0, data[0].length - 1));
    if (this.#plot) {
      this.#plot.setData(data);
    } else {
      this.#plot = new UPlot(this.#plotOptions(), data, this.#box);
      this.#listen();
    }
    this.#showRead();
  }

  destroy() {
    this.#endings.forEach((end) => end());
    this.#plot?.destroy();
    this.#element.replaceChildren();
  }

  /** Times, and for each series mean, highest and lowest; null is a gap. */
  #data() {
    const tables = this.#series.map(({ points }) => {
      const times = [];
      const columns = [[], [], []];
      const gap = GAP * usualDistance(points);
      points.forEach(([time, min, mean, max], index) => {
        const before = points[index - 1]?.[0];
        if (before !== undefined && time - before > gap) {
          times.push((before + time) / 2000);
          columns.forEach((column) => column.push(null));
        }
        times.push(time / 1000);
        [mean, max, min].forEach((value, place) => columns[place].push(value));
      });
      return [times, ...columns];
    });
    // A gap of one is not closed by times of the other.
    const nulls = tables.map((table) => table.map(() => EXPAND_NULLS));
    return tables.length > 1 ? UPlot.join(tables, nulls) : (tables[0] ?? [[]]);
  }

  #plotOptions() {
    const series = [{}];
    const bands = [];
    this.#series.forEach((_, index) => {
      const scale = this.#scaleOf(index);
      const edge = { scale, width: 0, points: { show: false } };
      bands.push({ series: [series.length + 1, series.length + 2], fill: () => this.#colors.bands[index] });
      series.push({ scale, width: 2, stroke: () => this.#colors.lines[index], points: { show: isAlone, size: 5 } }, edge, edge);
    });
    const axis = { stroke: () => this.#colors.text, font: "12px system-ui, sans-serif", ticks: { show: false } };
    const grid = { stroke: () => this.#colors.grid, width: 1 };
    const yAxis = (scale, index) => ({
      ...axis,
      scale,
      size: (plot, values) => 14 + 7 * Math.max(4, ...(values ?? []).map(({ length }) => length)),
      space: 40,
      values: (plot, splits, number, space, step) => splits.map((value) => tick(value, step, this.#series[index].unit)),
    });
    const axes = [{ ...axis, grid, size: 32, space: 80, values: (plot, splits, number, space, step) => times(splits, step) }];
    axes.push({ ...yAxis("y", 0), grid });
    const scales = { x: { time: true, range: () => this.#range }, y: { range: (plot, min, max) => this.#height("y", min, max) } };
    if (this.#series.some((_, index) => this.#scaleOf(index) === "y2")) {
      axes.push({ ...yAxis("y2", 1), side: 1, grid: { show: false } });
      scales.y2 = { range: (plot, min, max) => this.#height("y2", min, max) };
    }
    return {
      ...this.#size(),
      padding: [12, scales.y2 ? 8 : HALF_LABEL, 0, 0],
      legend: { show: false },
      cursor: {
        y: false,
        drag: { x: false, y: false, setScale: false },
        move: (plot, left, top) => [snap(plot, left), top],
        // A finger that is lifted leaves the marker where it was.
        bind: { mouseleave: (plot, target, leave) => (event) => (this.#isTouched ? null : leave(event)) },
        points: { size: 9, show: (plot, index) => isMean(index) && marker() },
      },
      scales,
      axes,
      series,
      bands,
      hooks: { setCursor: [() => this.#showRead()] },
    };
  }

  /** Series with the same unit share a scale. */
  #scaleOf(index) {
    return this.#series[index].unit === this.#series[0].unit ? "y" : "y2";
  }

  #height(scale, min, max) {
    const spans = this.#series.map(({ span = 0 }, index) => (this.#scaleOf(index) === scale ? span : 0));
    return heightOf(min, max, Math.max(...spans));
  }

  #size() {
    const width = Math.max(240, Math.floor(this.#element.clientWidth));
    return { width, height: this.#options.height ?? (width < SMALL ? SMALL_HEIGHT : HEIGHT) };
  }

  #fit() {
    if (this.#plot && this.#element.clientWidth > 0) {
      this.#plot.setSize(this.#size());
    }
  }

  #readColors() {
    this.#probe.hidden = false;
    const resolve = (color) => {
      this.#probe.style.color = color;
      return getComputedStyle(this.#probe).color;
    };
    const { lines, bands, grid, text } = COLORS;
    this.#colors = { lines: lines.map(resolve), bands: bands.map(resolve), grid: resolve(grid), text: resolve(text) };
    this.#probe.hidden = true;
  }

  /** The finger moves the marker sideways; up and down it moves the page. */
  #listen() {
    const { over } = this.#plot;
    over.style.touchAction = "pan-y";
    const point = (event) => {
      this.#isTouched = event.pointerType !== "mouse";
      if (this.#isTouched) {
        const { left, top } = over.getBoundingClientRect();
        this.#plot.setCursor({ left: event.clientX - left, top: event.clientY - top });
      }
    };
    over.addEventListener("pointerdown", point);
    over.addEventListener("pointermove", point);
  }

  #key(event) {
    const count = this.#plot?.data[0].length ?? 0;
    const now = this.#plot?.cursor.idx ?? count;
    const page = Math.max(1, Math.round(count / 10));
    const places = { ArrowLeft: now - 1, ArrowRight: now + 1, ArrowDown: now - 1, ArrowUp: now + 1, PageDown: now - page, PageUp: now + page, Home: 0, End: count - 1 };
    if (event.key === "Escape") {
      this.#mark(null);
    } else if (event.key in places && count > 0) {
      event.preventDefault();
      this.#mark(Math.min(Math.max(places[event.key], 0), count - 1));
    }
  }

  /** Puts the marker to the point with a number; null takes it away. */
  #mark(index) {
    if (!this.#plot) {
      return;
    }
    const left = index === null ? -10 : this.#plot.valToPos(this.#plot.data[0][index], "x");
    this.#plot.setCursor({ left, top: index === null ? -10 : 1 });
  }

  /** What stands above the chart: the values at the marker, without one the newest. */
  #showRead() {
    const data = this.#plot?.data ?? [[]];
    const marked = this.#plot?.cursor.idx ?? null;
    const parts = this.#series.map((series, index) => {
      const columns = data.slice(1 + 3 * index, 4 + 3 * index);
      const place = marked === null ? lastWith(columns[0] ?? []) : nearest(columns[0] ?? [], marked);
      const [mean, max, min] = columns.map((column) => column[place]);
      return { series, index, place, mean, min, max };
    });
    const place = marked ?? Math.max(-1, ...parts.map((part) => part.place ?? -1));
    const time = data[0][place] === undefined ? "" : moment(data[0][place] * 1000);
    this.#read.replaceChildren(
      ...parts.map(({ series, index, mean, min, max }) => {
        const number = (value) => localNumber(value, series.decimals);
        const spread = mean !== undefined && number(min) !== number(max) ? `${number(min)} – ${number(max)}` : "";
        const swatch = h("span", { class: "swatch" });
        swatch.style.background = this.#colors.lines[index];
        return h(
          "p",
          { class: "chart-value" },
          swatch,
          h("span", { text: series.name }),
          h("strong", { text: mean === undefined || mean === null ? "–" : `${number(mean)}\u202f${series.unit}` }),
          h("small", { text: spread }),
        );
      }),
      h("time", { class: marked === null ? "" : "marked", text: time }),
    );
    this.#box.setAttribute("aria-valuenow", Math.max(0, place));
    this.#box.setAttribute("aria-valuetext", this.#read.innerText.replaceAll("\n", " ") || "–");
  }
}

/** A scale that holds the values, at least `span` high, with some room, and not below zero without need. */
export function heightOf(min, max, span) {
  if (min === null || max === null || min === undefined || max === undefined) {
    return [0, Math.max(1, span)];
  }
  const height = Math.max(max - min, span, Math.abs(max) * 1e-6) || 1;
  const middle = (min + max) / 2;
  const low = middle - height * 0.58;
  return min >= 0 && low < 0 ? [0, Math.max(max + height * 0.08, height)] : [low, middle + height * 0.58];
}

/** With as many decimals as the steps of the scale have. */
function tick(value, step, unit) {
  let decimals = 0;
  while (decimals < 9 && Math.abs(step * 10 ** decimals - Math.round(step * 10 ** decimals)) > 1e-6) {
    decimals += 1;
  }
  return `${localNumber(value, decimals)}\u202f${unit}`.trim();
}

const timeFormats = new Map();

/** Labels of a time axis: the day where that is what changes. */
function times(splits, step) {
  const format = (options) => {
    const key = language() + JSON.stringify(options);
    if (!timeFormats.has(key)) {
      timeFormats.set(key, new Intl.DateTimeFormat(language() === "en" ? "en-GB" : language(), options));
    }
    return timeFormats.get(key);
  };
  const time = { hour: "2-digit", minute: "2-digit", ...(step < 60 && { second: "2-digit" }) };
  const day = { day: "numeric", month: "short" };
  return splits.map((value) => {
    const date = new Date(value * 1000);
    const isMidnight = date.getHours() === 0 && date.getMinutes() === 0 && date.getSeconds() === 0;
    return format(step >= 86_400 || (isMidnight && step >= 60) ? day : time).format(date);
  });
}

/** The median distance between points in ms. */
function usualDistance(points) {
  const distances = points.slice(1).map(([time], index) => time - points[index][0]);
  return distances.sort((a, b) => a - b)[distances.length >> 1] || Infinity;
}

/** A point is drawn as a dot where there is no line to it. */
function isAlone(plot, index) {
  return plot.data[index].filter((value) => value !== null && value !== undefined).length < 2;
}

/** Of mean, highest and lowest the mean has the marker. */
function isMean(index) {
  return index % 3 === 1;
}

/** The marker stands at a point, not between two. */
function snap(plot, left) {
  const time = left < 0 ? undefined : plot.data[0][plot.posToIdx(left)];
  return time === undefined ? left : Math.max(0, plot.valToPos(time, "x"));
}

function marker() {
  const element = document.createElement("div");
  element.classList.add("chart-marker");
  return element;
}

function lastWith(column) {
  const index = column.findLastIndex((value) => value !== null && value !== undefined);
  return index < 0 ? undefined : index;
}

/** The place of the value that is nearest to a place: two sensors seldom speak at the same time. */
function nearest(column, place) {
  const has = (index) => column[index] !== null && column[index] !== undefined;
  for (let distance = 0; distance < column.length; distance += 1) {
    const found = [place - distance, place + distance].find(has);
    if (found !== undefined) {
      return found;
    }
  }
  return undefined;
}

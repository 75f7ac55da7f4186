// The past of a sensor, and its drawing.

const CAPACITY = 240;
/** How long a step of the history is in ms: at first, and at most (which holds an hour). */
const FINEST = 250;
const COARSEST = 16_000;

const WIDTH = 300;
const HEIGHT = 100;
/** Room above and below the line, in units of the drawing. */
const MARGIN = 8;

/**
 * What was measured, in at most 240 steps of `{ time, last, min, max }`. When they are full, two
 * become one; when they hold an hour, the oldest goes.
 */
export class History {
  steps = [];
  #width = FINEST;

  push(time, value) {
    this.#add({ time, last: value, min: value, max: value });
    if (this.steps.length <= CAPACITY) {
      return;
    }
    if (this.#width >= COARSEST) {
      this.steps.shift();
      return;
    }
    this.#width *= 2;
    const steps = this.steps;
    this.steps = [];
    steps.forEach((step) => this.#add(step));
  }

  get min() {
    return this.steps.reduce((min, step) => Math.min(min, step.min), Infinity);
  }

  get max() {
    return this.steps.reduce((max, step) => Math.max(max, step.max), -Infinity);
  }

  #add(step) {
    const newest = this.steps.at(-1);
    if (newest && Math.floor(newest.time / this.#width) === Math.floor(step.time / this.#width)) {
      newest.time = step.time;
      newest.last = step.last;
      newest.min = Math.min(newest.min, step.min);
      newest.max = Math.max(newest.max, step.max);
    } else {
      this.steps.push(step);
    }
  }
}

/** Draws a history into the `.plot` element of a card. */
export class Chart {
  #steps = [];
  #parts;
  #x = () => 0;
  #describe;

  /** @param {(step: object) => string} describe what is shown for the place under the pointer */
  constructor(plot, describe) {
    this.#parts = Object.fromEntries(
      [...plot.querySelectorAll("path, .label")].map((part) => [[...part.classList].at(-1), part]),
    );
    this.#describe = describe;
    plot.addEventListener("pointermove", (event) => this.#point(event.offsetX / plot.clientWidth));
    plot.addEventListener("pointerleave", () => this.#point(null));
  }

  draw(history) {
    this.#steps = history.steps;
    const { min, max } = history;
    const first = this.#steps[0].time;
    const span = this.#steps.at(-1).time - first;
    const x = (step) => (span > 0 ? ((step.time - first) / span) * WIDTH : WIDTH);
    const y = (value) => (max > min ? HEIGHT - MARGIN - ((value - min) / (max - min)) * (HEIGHT - 2 * MARGIN) : HEIGHT / 2);
    const at = (step, value) => `${x(step).toFixed(1)},${y(value).toFixed(1)}`;
    const line = this.#steps.map((step) => at(step, step.last));
    const top = this.#steps.map((step) => at(step, step.max));
    const bottom = this.#steps.map((step) => at(step, step.min)).reverse();
    this.#parts.line.setAttribute("d", `M${line.join("L")}`);
    this.#parts.band.setAttribute("d", `M${top.join("L")}L${bottom.join("L")}Z`);
    this.#parts.dot.setAttribute("d", `M${line.at(-1)}h0`);
    this.#x = x;
  }

  /** Shows the measurement at a part of the width; null: none. */
  #point(part) {
    const distance = (step) => Math.abs(this.#x(step) - part * WIDTH);
    const step = part === null ? null : this.#steps.reduce((best, step) => (distance(step) < distance(best) ? step : best));
    this.#parts.at.textContent = step ? this.#describe(step) : "";
    this.#parts.cursor.setAttribute("d", step ? `M${this.#x(step).toFixed(1)},0v${HEIGHT}` : "");
  }
}

// The past of a sensor, as far as this page knows it.

const CAPACITY = 240;
/** How long a step of the history is in ms: at first, and at most (which holds an hour). */
const FINEST = 250;
const COARSEST = 16_000;

/**
 * What was measured, in at most 240 steps of `{ time, last, min, max }`. When they are full, two
 * become one; when they hold an hour, the oldest goes.
 */
export class History {
  steps = [];
  #width = FINEST;

  push(time, value) {
    this.#add({ time, last: value, min: value, max: value });
    this.#shrink();
  }

  /**
   * Puts what the server knows in front of what has come since.
   * @param {[number, number, number, number][]} points  time in ms, lowest, mean, highest
   */
  seed(points) {
    const first = this.steps[0]?.time ?? Infinity;
    const older = points.map(([time, min, last, max]) => ({ time, last, min, max }));
    const newer = this.steps;
    this.steps = [];
    for (const step of [...older.filter(({ time }) => time < first), ...newer]) {
      this.#add(step);
      this.#shrink();
    }
  }

  get min() {
    return this.steps.reduce((min, step) => Math.min(min, step.min), Infinity);
  }

  get max() {
    return this.steps.reduce((max, step) => Math.max(max, step.max), -Infinity);
  }

  /** The steps as points of a chart from a moment on: time, lowest, last, highest. */
  pointsFrom(time) {
    return this.steps.filter((step) => step.time >= time).map((step) => [step.time, step.min, step.last, step.max]);
  }

  #shrink() {
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

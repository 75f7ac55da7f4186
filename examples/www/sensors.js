// A card for each sensor.

import { Chart, History } from "./chart.js";
import { clock, duration, formatNumber, shortGuid } from "./format.js";
import { quantityOf, typeName } from "./names.js";

/** Anybody may send measurements with any GUID: so many cards there are at most. */
const MOST = 60;
/** How often, in ms, a card is drawn again. */
const REDRAW = 250;

export class Sensors {
  #list;
  #template;
  #count;
  #empty;
  #cards = new Map();
  #ignored = new Set();

  constructor({ list, template, count, empty }) {
    this.#list = list;
    this.#template = template;
    this.#count = count;
    this.#empty = empty;
  }

  /** Takes a measurement of an event; it is drawn with the next frame. */
  update(event, measurement, time) {
    const quantity = quantityOf(event.class, event.type);
    const what = quantity < 0 ? `${event.class}:${event.type}` : quantity;
    const key = [event.guid, what, measurement.sensor, measurement.zone].join(" ");
    let card = this.#cards.get(key);
    if (!card) {
      if (this.#cards.size >= MOST) {
        if (this.#ignored.size < 1000) {
          this.#ignored.add(key);
          this.#showCount();
        }
        return;
      }
      card = new Card(this.#template, event, measurement);
      this.#insert(key, card);
    }
    card.update(measurement, time);
  }

  /** Draws what has changed. Returns whether something is left for a later frame. */
  render(now) {
    let left = false;
    for (const card of this.#cards.values()) {
      left = card.render(now) || left;
    }
    return left;
  }

  /** Says how old the measurements are. */
  tick() {
    const now = Date.now();
    this.#cards.forEach((card) => card.age(now));
  }

  clear() {
    this.#cards.clear();
    this.#ignored.clear();
    this.#list.replaceChildren();
    this.#showCount();
  }

  /** The cards are in the order of their keys, so that each has its place. */
  #insert(key, card) {
    this.#cards.set(key, card);
    const next = [...this.#cards.keys()].sort().find((other) => other > key);
    this.#list.insertBefore(card.element, next ? this.#cards.get(next).element : null);
    this.#showCount();
  }

  #showCount() {
    const more = this.#ignored.size > 0 ? `, and ${this.#ignored.size} more that have no card` : "";
    this.#count.textContent = this.#cards.size > 0 ? `${this.#cards.size}${more}` : "";
    this.#empty.hidden = this.#cards.size > 0;
  }
}

class Card {
  #parts;
  #history = new History();
  #chart;
  #measurement;
  #time = 0;
  #drawn = -Infinity;
  #dirty = false;

  constructor(template, event, measurement) {
    this.element = template.content.firstElementChild.cloneNode(true);
    const part = (selector) => this.element.querySelector(selector);
    this.#parts = {
      button: part("button"),
      number: part(".number"),
      unit: part(".unit"),
      range: part(".range"),
      high: part(".high"),
      low: part(".low"),
      from: part(".from"),
      to: part(".to"),
    };
    this.#measurement = measurement;
    this.#parts.button.textContent = typeName(event.class, event.type);
    part(".tail").textContent = `…${event.guid.slice(-8)}`;
    part(".whole").textContent = shortGuid(event.guid);
    part(".which").textContent = `sensor ${measurement.sensor}${measurement.zone && `, zone ${measurement.zone}`}`;
    this.#chart = new Chart(part(".plot"), (step) => `${this.#format(step.last)} · ${clock(step.time)}`);
    this.#parts.button.addEventListener("click", () => {
      const open = this.element.classList.toggle("open");
      this.#parts.button.setAttribute("aria-expanded", open);
    });
  }

  update(measurement, time) {
    this.#measurement = measurement;
    this.#time = time;
    this.#history.push(time, measurement.value);
    this.#dirty = true;
  }

  render(now) {
    if (!this.#dirty || now - this.#drawn < REDRAW) {
      return this.#dirty;
    }
    this.#drawn = now;
    this.#dirty = false;
    const { number, unit, high, low, from, to } = this.#parts;
    const { steps, min, max } = this.#history;
    number.textContent = this.#measurement.text;
    unit.textContent = this.#measurement.unit;
    high.textContent = this.#format(max);
    low.textContent = this.#format(min);
    from.textContent = clock(steps[0].time);
    to.textContent = clock(this.#time);
    this.#chart.draw(this.#history);
    this.age(Date.now());
    return false;
  }

  age(now) {
    const { steps, min, max } = this.#history;
    const seconds = Math.round((now - this.#time) / 1000);
    const old = seconds >= 10;
    this.element.classList.toggle("old", old);
    const range = [...new Set([min, max].map((value) => this.#format(value)))].join(" – ");
    const text = old ? `${duration(seconds)} ago` : `${range} · ${duration((this.#time - steps[0].time) / 1000)}`;
    if (this.#parts.range.textContent !== text) {
      this.#parts.range.textContent = text;
    }
  }

  /** With as many decimals as the newest value. */
  #format(value) {
    return formatNumber(value, this.#measurement.decimals);
  }
}

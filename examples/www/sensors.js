// Home: a card for each sensor, in groups by room or node.

import { read } from "./api.js";
import { h, icon, setText } from "./dom.js";
import { ago } from "./format.js";
import { quantityIcon } from "./quantity.js";
import { routeTo } from "./route.js";
import { sparkPaths } from "./spark.js";
import { t } from "./texts.js";

/** How often, in ms, the cards are drawn again: all in one frame, which is one layout of the page. */
const REDRAW = 250;
/** The past on a card, in ms, and in how many steps it comes. */
const PAST = 3_600_000;
const STEPS = 90;
/** The least width of a card in rem: on the desk and on the phone. */
const WIDTH = 14;
const SMALL_WIDTH = 9.5;
const SMALL_PAGE = 40;
const GAP = 0.75;
/** So many cards ask the server at once for their past. */
const ASKERS = 3;

export class Sensors {
  #parts;
  #home;
  #options;
  #cards = new Map();
  #by = "room";
  #search = "";
  #arrangement = "";
  #dirty = true;
  #nextDraw = 0;
  #past = new PastReader();
  #seen = new IntersectionObserver((entries) => this.#see(entries), { rootMargin: "200px" });

  /**
   * @param {object} parts    elements: list, template, count, empty
   * @param {import("./home.js").Home} home
   * @param {object} options
   * @param {(sensor: object) => void} options.rename  is called for the pencil of a card
   */
  constructor(parts, home, options) {
    this.#parts = parts;
    this.#home = home;
    this.#options = options;
    new ResizeObserver(() => this.#fit()).observe(parts.list);
  }

  /** True if the pencils are there. */
  set canRename(allowed) {
    this.#parts.list.classList.toggle("can-rename", allowed);
  }

  /** True if the server has a history for this page. */
  set hasPast(available) {
    this.#past.enabled = available;
  }

  /** How the cards are grouped, and which of them are shown. */
  arrange({ by = this.#by, search = this.#search }) {
    this.#by = by;
    this.#search = search;
    this.#dirty = true;
  }

  /** The sensors, or what they are called, have changed: the cards may belong elsewhere. */
  refresh() {
    this.#dirty = true;
    this.#cards.forEach((card) => card.rename());
  }

  /** A sensor has a new value, which is drawn with the next frame. */
  update(sensor) {
    const card = this.#cards.get(sensor.id);
    if (card) {
      card.dirty = true;
    } else if (!sensor.hidden) {
      this.#dirty = true;
    }
  }

  /** Draws what has changed. Returns whether something is left for a later frame. */
  render(now) {
    if (this.#dirty) {
      this.#dirty = false;
      this.#nextDraw = now;
      this.#layOut();
    }
    if (now < this.#nextDraw) {
      return true;
    }
    this.#nextDraw = now + REDRAW;
    this.#cards.forEach((card) => card.render());
    return false;
  }

  /** Says how old the values are. */
  tick() {
    const now = Date.now();
    this.#cards.forEach((card) => card.age(now));
  }

  clear() {
    this.#seen.disconnect();
    this.#cards.clear();
    this.#past.clear();
    this.#arrangement = "";
    this.#parts.list.replaceChildren();
    this.#dirty = true;
  }

  /** As many columns as there is room for; those that there were while the view is hidden. */
  #fit() {
    if (this.#parts.list.clientWidth === 0) {
      return;
    }
    const rem = parseFloat(getComputedStyle(document.documentElement).fontSize);
    const width = this.#parts.list.clientWidth / rem;
    const least = innerWidth / rem <= SMALL_PAGE ? SMALL_WIDTH : WIDTH;
    this.#parts.list.style.setProperty("--columns", Math.max(1, Math.floor((width + GAP) / (least + GAP))));
  }

  /** Puts the cards into their groups, where that has changed. */
  #layOut() {
    const groups = this.#home.groups(this.#by, this.#search);
    const arrangement = JSON.stringify(groups.map(({ title, sensors }) => [title, sensors.map(({ id }) => id)]));
    if (arrangement !== this.#arrangement) {
      this.#arrangement = arrangement;
      const focused = document.activeElement;
      this.#parts.list.replaceChildren(...groups.map((group) => this.#group(group)));
      // Moving an element takes the focus away from it.
      if (focused?.isConnected && this.#parts.list.contains(focused)) {
        focused.focus({ preventScroll: true });
      }
    }
    this.#showCount(groups);
  }

  #group({ key, title, isRoom, sensors }) {
    const heading = isRoom
      ? h("h3", { class: "group-title", text: title })
      : h("h3", { class: "group-title" }, h("a", { href: routeTo("nodes", key.slice("node ".length)), text: title }));
    const cards = sensors.map((sensor) => this.#card(sensor, isRoom).element);
    const element = h("section", { class: "group" }, heading, h("ul", { class: "cards" }, cards));
    // Small rooms stand side by side.
    element.style.setProperty("--cards", cards.length);
    return element;
  }

  #card(sensor, withNode) {
    let card = this.#cards.get(sensor.id);
    if (!card) {
      card = new Card(this.#parts.template, sensor, () => this.#options.rename(sensor));
      this.#cards.set(sensor.id, card);
      this.#seen.observe(card.element);
    }
    card.withNode = withNode;
    card.rename();
    return card;
  }

  /** Only cards on the screen are drawn, and ask for their past. */
  #see(entries) {
    for (const { target, isIntersecting } of entries) {
      const card = this.#cards.get(target.dataset.id);
      if (card) {
        card.visible = isIntersecting;
        if (isIntersecting && !card.asked) {
          card.asked = this.#past.enabled;
          this.#past.ask(card.sensor, () => (card.dirty = true));
        }
      }
    }
    this.#options.changed();
  }

  #showCount(groups) {
    const { count, empty } = this.#parts;
    const shown = groups.reduce((sum, { sensors }) => sum + sensors.length, 0);
    const ignored = this.#home.ignored.size;
    const texts = [shown > 0 && t("home.count", { count: shown }), ignored > 0 && t("home.ignored", { count: ignored })];
    setText(count, texts.filter(Boolean).join(", "));
    empty.hidden = shown > 0;
    setText(empty, this.#search && this.#home.sensors.size > 0 ? t("home.none") : t("home.empty"));
  }
}

class Card {
  dirty = true;
  visible = false;
  asked = false;
  withNode = true;
  #parts;

  constructor(template, sensor, rename) {
    this.sensor = sensor;
    this.element = template.content.firstElementChild.cloneNode(true);
    this.element.dataset.id = sensor.id;
    const part = (selector) => this.element.querySelector(selector);
    this.#parts = {
      link: part("a"),
      origin: part(".origin"),
      number: part(".number"),
      unit: part(".unit"),
      range: part(".range"),
      line: part(".line"),
      band: part(".band"),
      pencil: part(".pencil"),
    };
    part(".kind").replaceChildren(icon(quantityIcon(sensor.type)));
    this.#parts.link.href = routeTo("sensor", sensor.id);
    this.#parts.pencil.addEventListener("click", rename);
    this.rename();
  }

  /** Shows what the sensor is called by now. */
  rename() {
    const { link, origin, pencil } = this.#parts;
    setText(link, this.sensor.title);
    setText(origin, this.sensor.origin({ withNode: this.withNode }));
    pencil.setAttribute("aria-label", t("name.change", { name: this.sensor.title }));
    pencil.title = t("name.change.short");
    // Also where it is not seen: the card has its height, and the value is found.
    this.#write();
    this.dirty = true;
  }

  /** Draws it if it has changed and can be seen. */
  render() {
    if (!this.dirty || !this.visible) {
      return;
    }
    this.dirty = false;
    const { line, band } = this.#parts;
    const { sensor } = this;
    const { steps } = sensor.history;
    // The span is in the shown unit.
    const factor = Math.abs(sensor.shown.of(1) - sensor.shown.of(0)) || 1;
    const paths = sparkPaths(steps, sensor.shown.span / factor);
    line.setAttribute("d", paths.line);
    band.setAttribute("d", paths.band);
    this.#write();
  }

  age(now) {
    if (this.visible) {
      this.#writeAge(now);
    }
  }

  #write() {
    const { number, unit } = this.#parts;
    setText(number, this.sensor.format(this.sensor.value));
    setText(unit, this.sensor.shown.unit);
    this.#writeAge(Date.now());
  }

  #writeAge(now) {
    const { sensor } = this;
    const stale = sensor.isStale(now);
    this.element.classList.toggle("old", stale);
    const { min, max } = sensor.history;
    const isRange = !stale && min < max && sensor.format(min) !== sensor.format(max);
    setText(this.#parts.range, isRange ? `${sensor.format(min)} – ${sensor.format(max)}` : ago(sensor.time, now));
  }
}

/** Reads the past of sensors, of few at a time. */
class PastReader {
  enabled = false;
  #waiting = [];
  #busy = 0;

  ask(sensor, done) {
    if (this.enabled) {
      this.#waiting.push([sensor, done]);
      this.#next();
    }
  }

  clear() {
    this.#waiting = [];
  }

  async #next() {
    if (this.#busy >= ASKERS || this.#waiting.length === 0) {
      return;
    }
    this.#busy += 1;
    const [sensor, done] = this.#waiting.shift();
    try {
      const { points } = await read("history", { sensor: sensor.id, from: Date.now() - PAST, points: STEPS });
      sensor.history.seed(points);
      done();
    } catch {
      // The card shows what comes from now on.
    } finally {
      this.#busy -= 1;
      this.#next();
    }
  }
}

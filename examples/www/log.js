// The list of events: the newest ones are kept, those that match a filter are shown.

import { csvOf } from "./csv.js";
import { hex } from "./fields.js";
import { shortGuid } from "./format.js";
import { classFamily, classToken } from "./names.js";
import { readingOf } from "./quantity.js";
import { matches, termsOf } from "./search.js";
import { language, t } from "./texts.js";
import { dateTime, rowTime } from "./when.js";
import { classWord, wordsOf } from "./words.js";

/** So many events are kept: a minute of 500 a second. */
const KEPT = 32_768;
/** While rows move there are as many as can be seen, and a few: each costs the browser. */
const ROW_HEIGHT = 29;
const SPARE_ROWS = 8;
/** Whoever reads on gets older ones, so many at a time and so many at most. */
const MORE_ROWS = 200;
const MOST_ROWS = 2000;
/** Between two updates of the rows, in ms: the longer where more come than anybody can read. */
const REDRAW = 80;
const REDRAW_MANY = 300;
const MANY = 16;

/**
 * One line of the list.
 * @typedef {object} Entry
 * @property {import("./vscp.js").VscpEvent} event
 * @property {import("./measurement.js").Measurement|null} measurement
 * @property {number} time     when it came, in ms since 1970
 * @property {boolean} sent    from this panel
 * @property {number} [number] its place among all that have come
 */

/** A ring of entries with numbers that go up by one. */
class Ring {
  #entries = [];
  next = 0;
  first = 0;

  push(entry) {
    entry.number = this.next;
    this.#entries[this.next % KEPT] = entry;
    this.next += 1;
    this.first = Math.max(this.first, this.next - KEPT);
  }

  get(number) {
    return this.#entries[number % KEPT];
  }

  clear() {
    this.first = this.next;
    this.#entries = [];
  }

  copy() {
    const copy = new Ring();
    Object.assign(copy, { next: this.next, first: this.first });
    copy.#entries = [...this.#entries];
    return copy;
  }
}

export class EventLog {
  #parts;
  #nodeName;
  #ring = new Ring();
  /** What is shown while the list is paused. */
  #frozen = null;
  #terms = [];
  /** All entries before this number are in the rows, where they match. */
  #shownTo = 0;
  /** Show the list from its start with the next frame. */
  #anew = false;
  #nextDraw = 0;
  /** How many rows there are while they move. */
  #movingRows = SPARE_ROWS;
  /** True if the oldest match has a row. */
  #isWhole = false;
  #perSecond = 0;
  #atLastTick = 0;
  /** Goes up when the words of all entries have changed. */
  #edition = 0;
  /** Which entry each row shows. */
  #entryOf = new WeakMap();
  /** The row's button that the tab key goes to. */
  #tabStop = null;
  /** The row that is being pressed: rows do not move under a finger. */
  #pressed = null;

  /**
   * @param {object} parts elements: rows, template, scroller, newer, count, empty
   * @param {object} [options]
   * @param {(entry: Entry, byKeyboard: boolean) => void} [options.onOpen]  a row was chosen
   * @param {(guid: string) => string} [options.nodeName]  "" where a node has no name
   */
  constructor(parts, { onOpen = () => {}, nodeName = () => "" } = {}) {
    this.#parts = parts;
    this.#nodeName = nodeName;
    parts.newer.addEventListener("click", () => this.release());
    this.#listenToRows(onOpen);
    new ResizeObserver(([{ contentRect }]) => this.#fit(contentRect.height)).observe(parts.scroller);
    this.tick();
  }

  /** @param {Entry} entry */
  push(entry) {
    this.#ring.push(entry);
  }

  get paused() {
    return this.#frozen !== null;
  }

  set paused(paused) {
    this.#frozen = paused ? this.#ring.copy() : null;
    this.#showCount();
  }

  /** Shows only what matches: see {@link termsOf}. */
  set filter(text) {
    this.#terms = termsOf(text);
    this.#startAnew();
  }

  /** Forgets what has come until now. A list that is paused stays so. */
  clear() {
    this.#ring.clear();
    if (this.paused) {
      this.#frozen = this.#ring.copy();
    }
    this.#startAnew();
  }

  /** Goes back to the newest ones, and follows them. */
  release() {
    this.#parts.scroller.scrollTop = 0;
    this.#parts.scroller.focus({ preventScroll: true });
  }

  /** Writes all rows again: a language or a name has changed. */
  refresh() {
    this.#edition += 1;
    this.#startAnew();
    this.#showCount();
  }

  /** The next older (-1) or newer (1) entry that matches the filter, or null. */
  neighbour({ number }, step) {
    const ring = this.#shown;
    const start = step > 0 ? Math.max(number + step, ring.first) : number + step;
    for (let next = start; next >= ring.first && next < ring.next; next += step) {
      if (this.#matches(ring.get(next))) {
        return ring.get(next);
      }
    }
    return null;
  }

  /** Updates the rows. Returns whether something is left for a later frame. */
  render(now) {
    const ring = this.#shown;
    const { newer } = this.#parts;
    const held = !this.#anew && this.#isHeld();
    const behind = ring.next - this.#shownTo;
    newer.hidden = !held || behind === 0;
    if (held) {
      newer.textContent = t("events.newer", { count: behind });
      this.#fillDown(ring);
      return false;
    }
    if (!this.#anew && behind === 0) {
      return false;
    }
    if (!this.#anew && now < this.#nextDraw) {
      return true;
    }
    this.#nextDraw = now + (behind < MANY ? REDRAW : REDRAW_MANY);
    const from = this.#anew ? ring.first : Math.max(this.#shownTo, ring.first);
    if (this.#anew) {
      this.#parts.rows.replaceChildren();
    }
    this.#addRows(ring, from);
    this.#shownTo = ring.next;
    this.#anew = false;
    this.#isWhole = false;
    this.#moveTabStop(this.#parts.rows.querySelector("button"));
    this.#showCount();
    return false;
  }

  /** Counts; to be called once a second. */
  tick() {
    this.#perSecond = this.#ring.next - this.#atLastTick;
    this.#atLastTick = this.#ring.next;
    this.#showCount();
  }

  /** What is kept and matches the filter, oldest first, as CSV. */
  toCsv() {
    return csvOf(this.#matching(), { language: language(), nodeName: this.#nodeName });
  }

  get #shown() {
    return this.#frozen ?? this.#ring;
  }

  *#matching() {
    const ring = this.#shown;
    for (let number = ring.first; number < ring.next; number += 1) {
      if (this.#matches(ring.get(number))) {
        yield ring.get(number);
      }
    }
  }

  #matches(entry) {
    const options = { language: language(), nodeName: this.#nodeName, reading: readingOf, sentWords: `sent ${t("events.sent")}`, edition: this.#edition };
    return this.#terms.length === 0 || matches(entry, this.#terms, options);
  }

  /** Rows that somebody reads further down, goes through with the keyboard or presses stay where they are. */
  #isHeld() {
    const { scroller, rows } = this.#parts;
    return scroller.scrollTop > 8 || this.#pressed !== null || rows.contains(document.activeElement);
  }

  #listenToRows(onOpen) {
    const { rows } = this.#parts;
    rows.addEventListener("pointerdown", ({ target }) => (this.#pressed = target.closest("tr")));
    for (const name of ["pointerup", "pointercancel"]) {
      // After the click that follows it.
      addEventListener(name, () => setTimeout(() => (this.#pressed = null)));
    }
    rows.addEventListener("click", ({ target, detail }) => {
      const row = target.closest("tr");
      // Whoever has marked text wants to copy it.
      if (row && (detail === 0 || String(getSelection()) === "")) {
        onOpen(this.#entryOf.get(row), detail === 0);
      }
    });
    rows.addEventListener("keydown", (event) => {
      const row = event.target.closest("tr");
      const to = {
        ArrowDown: row.nextElementSibling,
        ArrowUp: row.previousElementSibling,
        Home: rows.firstElementChild,
        End: rows.lastElementChild,
      }[event.key];
      if (to) {
        event.preventDefault();
        const button = to.querySelector("button");
        this.#moveTabStop(button);
        button.focus();
      }
    });
  }

  /** Of all rows the tab key stops at one. */
  #moveTabStop(button) {
    if (this.#tabStop !== button) {
      this.#tabStop?.setAttribute("tabindex", "-1");
      button?.setAttribute("tabindex", "0");
      this.#tabStop = button;
    }
  }

  /** The newest matches among the entries from number `from` on go on top, in rows used again. */
  #addRows(ring, from) {
    const { rows } = this.#parts;
    const now = Date.now();
    const most = this.#movingRows;
    for (const entry of this.#newest(ring, from, ring.next, most).reverse()) {
      const row = rows.childElementCount >= most ? rows.lastElementChild : this.#makeRow();
      this.#fillRow(row, entry, now);
      rows.prepend(row);
    }
    while (rows.childElementCount > most) {
      rows.lastElementChild.remove();
    }
  }

  /** Older rows below those that are there, for somebody who reads on. */
  #fillDown(ring) {
    const { rows, scroller } = this.#parts;
    const count = rows.childElementCount;
    const isNearEnd = scroller.scrollTop + 3 * scroller.clientHeight > scroller.scrollHeight;
    if (this.#isWhole || count === 0 || count >= MOST_ROWS || !isNearEnd) {
      return;
    }
    this.#isWhole = this.#append(ring, MORE_ROWS) < MORE_ROWS;
  }

  /** As many rows as a list of this height shows. */
  #fit(height) {
    this.#movingRows = Math.ceil(height / ROW_HEIGHT) + SPARE_ROWS;
    const count = this.#parts.rows.childElementCount;
    if (count > 0 && count < this.#movingRows) {
      this.#append(this.#shown, this.#movingRows - count);
    }
  }

  /** Puts up to `most` older rows below the others. Returns how many there were. */
  #append(ring, most) {
    const { rows } = this.#parts;
    const { number } = this.#entryOf.get(rows.lastElementChild);
    const now = Date.now();
    const older = this.#newest(ring, ring.first, number, most).map((entry) => {
      const row = this.#makeRow();
      this.#fillRow(row, entry, now);
      return row;
    });
    rows.append(...older);
    return older.length;
  }

  /** The newest entries that match with numbers from `from` to below `to`, newest first, at most `most`. */
  #newest(ring, from, to, most) {
    const found = [];
    for (let number = to - 1; number >= from && found.length < most; number -= 1) {
      const entry = ring.get(number);
      if (this.#matches(entry)) {
        found.push(entry);
      }
    }
    return found;
  }

  #makeRow() {
    return this.#parts.template.content.firstElementChild.cloneNode(true);
  }

  #fillRow(row, entry, now) {
    const { event, time, sent } = entry;
    const [when, vscpClass, what, value, guid, priority] = row.children;
    const words = wordsOf(event, { language: language(), reading: readingOf, nodeName: (guid) => this.#nodeName(guid) || t("events.unnamed", { tail: guid.slice(-5) }) });
    const badge = vscpClass.firstElementChild;
    this.#entryOf.set(row, entry);
    row.classList.toggle("sent", sent);
    when.textContent = rowTime(time, now, language());
    when.title = dateTime(time);
    badge.textContent = classWord(event.class, language());
    badge.dataset.family = classFamily(event.class);
    badge.title = `${event.class} ${classToken(event.class)}`;
    what.firstElementChild.textContent = words.title;
    value.classList.toggle("raw", words.raw);
    value.textContent = [words.value, words.detail].filter(Boolean).join(" · ");
    value.title = t("events.bytes", { count: event.data.length, hex: hex(event.data) });
    const name = sent ? t("events.sent") : this.#nodeName(event.guid);
    guid.classList.toggle("named", Boolean(name));
    guid.firstElementChild.textContent = name || shortGuid(event.guid);
    guid.title = event.guid;
    priority.textContent = (event.head >> 5) & 7;
  }

  #startAnew() {
    this.#anew = true;
    this.#parts.scroller.scrollTop = 0;
  }

  #showCount() {
    const ring = this.#shown;
    const kept = ring.next - ring.first;
    const since = this.#ring.next - ring.next;
    const { count, empty, rows } = this.#parts;
    count.textContent = this.paused
      ? t("events.paused", { kept, since })
      : t("events.kept", { kept, rate: this.#perSecond });
    empty.hidden = rows.childElementCount > 0;
    empty.textContent = this.#emptyText(kept, since);
  }

  /** Why the list has no rows. */
  #emptyText(kept, since) {
    if (kept > 0) {
      return t("events.noMatch");
    }
    return this.paused ? t("events.pausedEmpty", { count: since }) : t("events.waiting");
  }
}

// The list of events: the newest ones are kept, those that match a filter are shown.

import { clock, shortGuid } from "./format.js";
import { classFamily, classToken, className, typeName } from "./names.js";

/** So many events are kept, and so many rows shown. */
const KEPT = 5000;
const ROWS = 200;
/** Between two updates of the rows, in ms: the longer where all of them are new each time. */
const REDRAW = 80;
const REDRAW_ALL = 300;

/**
 * One line of the list.
 * @typedef {object} Entry
 * @property {import("./vscp.js").VscpEvent} event
 * @property {import("./measurement.js").Measurement|null} measurement
 * @property {number} time     when it came, in ms since 1970
 * @property {boolean} sent    from this panel
 */

/** A ring of entries with numbers that go up by one. */
class Ring {
  #entries = [];
  next = 0;
  first = 0;

  push(entry) {
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
  #ring = new Ring();
  /** What is shown while the list is paused. */
  #frozen = null;
  #terms = [];
  /** All entries before this number are in the rows, where they match. */
  #shownTo = 0;
  /** Show the list from its start with the next frame. */
  #anew = false;
  #nextDraw = 0;
  #perSecond = 0;
  #atLastTick = 0;

  /** @param {object} parts elements: rows, template, scroller, newer, count, empty */
  constructor(parts) {
    this.#parts = parts;
    parts.newer.addEventListener("click", () => {
      parts.scroller.scrollTop = 0;
      parts.scroller.focus();
    });
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
  }

  /**
   * Shows only entries with all words of `text` somewhere, and none of those with a `-` in
   * front. `class:10` and `type:6` stand for exactly that class and type.
   */
  set filter(text) {
    this.#terms = termsOf(text);
    this.#startAnew();
  }

  clear() {
    this.#ring.clear();
    this.#frozen?.clear();
    this.#startAnew();
  }

  /** Updates the rows. Returns whether something is left for a later frame. */
  render(now) {
    const ring = this.#frozen ?? this.#ring;
    const { scroller, newer } = this.#parts;
    // Rows that somebody reads further down stay where they are.
    const held = !this.#anew && scroller.scrollTop > 8;
    const behind = ring.next - this.#shownTo;
    newer.hidden = !held || behind === 0;
    if (held) {
      newer.textContent = `${behind} newer ↑`;
      return false;
    }
    if (!this.#anew && behind === 0) {
      return false;
    }
    if (!this.#anew && now < this.#nextDraw) {
      return true;
    }
    this.#nextDraw = now + (behind < ROWS / 2 ? REDRAW : REDRAW_ALL);
    const from = this.#anew ? ring.first : Math.max(this.#shownTo, ring.first);
    if (this.#anew) {
      this.#parts.rows.replaceChildren();
    }
    this.#addRows(ring, from);
    this.#shownTo = ring.next;
    this.#anew = false;
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
    const ring = this.#frozen ?? this.#ring;
    const lines = [CSV_HEAD];
    for (let number = ring.first; number < ring.next; number += 1) {
      const entry = ring.get(number);
      if (matches(entry, this.#terms)) {
        lines.push(csvLine(entry));
      }
    }
    return `${lines.join("\r\n")}\r\n`;
  }

  /** The newest matches among the entries from number `from` on go on top, in rows used again. */
  #addRows(ring, from) {
    const { rows, template } = this.#parts;
    const fresh = [];
    for (let number = ring.next - 1; number >= from && fresh.length < ROWS; number -= 1) {
      const entry = ring.get(number);
      if (matches(entry, this.#terms)) {
        fresh.push(entry);
      }
    }
    for (const entry of fresh.reverse()) {
      const full = rows.childElementCount >= ROWS;
      const row = full ? rows.lastElementChild : template.content.firstElementChild.cloneNode(true);
      fillRow(row, entry);
      rows.prepend(row);
    }
  }

  #startAnew() {
    this.#anew = true;
    this.#parts.scroller.scrollTop = 0;
  }

  #showCount() {
    const ring = this.#frozen ?? this.#ring;
    const kept = ring.next - ring.first;
    const { count, empty, rows } = this.#parts;
    const rate = this.paused ? "paused" : `${this.#perSecond.toLocaleString()} a second`;
    count.textContent = `${kept.toLocaleString()} kept · ${rate}`;
    empty.hidden = rows.childElementCount > 0;
    empty.textContent = kept > 0 ? "No event matches the filter." : "Waiting for events …";
  }
}

function fillRow(row, { event, measurement, time, sent }) {
  const [when, vscpClass, type, value, guid, priority] = row.children;
  const badge = vscpClass.firstElementChild;
  row.classList.toggle("sent", sent);
  when.textContent = clock(time);
  when.title = `${event.datetime || "no date"}, time stamp ${event.timestamp}`;
  badge.textContent = className(event.class);
  badge.dataset.family = classFamily(event.class);
  badge.title = `${event.class} ${classToken(event.class)}`;
  type.textContent = typeName(event.class, event.type);
  type.title = `Type ${event.type}`;
  value.classList.toggle("measured", measurement !== null);
  value.textContent = measurement ? reading(measurement) : hex(event.data);
  value.title = `${event.data.length} bytes: ${hex(event.data)}`;
  guid.firstElementChild.textContent = sent ? "this panel" : shortGuid(event.guid);
  guid.title = event.guid;
  priority.textContent = (event.head >> 5) & 7;
}

function reading({ text, unit, sensor, zone }) {
  return `${text}\u2009${unit} · ${zone && `zone ${zone}, `}sensor ${sensor}`;
}

function hex(data) {
  return Array.from(data, (byte) => byte.toString(16).toUpperCase().padStart(2, "0")).join(" ");
}

/** What the filter looks at; made when it is needed for the first time. */
function searchText(entry) {
  const { event, measurement } = entry;
  entry.searchText ??= [
    className(event.class),
    classToken(event.class),
    typeName(event.class, event.type),
    ` class:${event.class} type:${event.type} `,
    event.guid,
    shortGuid(event.guid),
    measurement ? reading(measurement) : hex(event.data),
    entry.sent ? "sent this panel" : "",
  ]
    .join("\n")
    .toLowerCase();
  return entry.searchText;
}

function termsOf(text) {
  return text
    .toLowerCase()
    .split(/\s+/)
    .map((word) => ({ not: word.startsWith("-"), word: word.replace(/^-/, "") }))
    .filter(({ word }) => word)
    .map(({ not, word }) => ({ not, word: /^(class|type):\d+$/.test(word) ? ` ${word} ` : word }));
}

function matches(entry, terms) {
  return terms.every(({ not, word }) => searchText(entry).includes(word) !== not);
}

const CSV_HEAD =
  "received,sent,class,class name,type,type name,priority,guid,data,value,unit,sensor,zone,datetime,timestamp,obid,head";

function csvLine({ event, measurement, time, sent }) {
  return [
    new Date(time).toISOString(),
    sent ? 1 : 0,
    event.class,
    className(event.class),
    event.type,
    typeName(event.class, event.type),
    (event.head >> 5) & 7,
    event.guid,
    hex(event.data),
    measurement?.text ?? "",
    measurement?.unit ?? "",
    measurement?.sensor ?? "",
    measurement?.zone ?? "",
    event.datetime,
    event.timestamp,
    event.obid,
    event.head,
  ]
    .map((field) => (/[",\n]/.test(field) ? `"${String(field).replaceAll('"', '""')}"` : field))
    .join(",");
}

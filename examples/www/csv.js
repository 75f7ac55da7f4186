// Events as CSV that opens right in a spreadsheet.

import { hex } from "./fields.js";
import { dateTime } from "./when.js";
import { zoneOf, wordsOf } from "./words.js";

/** Tells spreadsheets that it is UTF-8. */
const MARK = "\ufeff";

const COLUMNS = {
  received: ({ time }) => ({ time }),
  event: (entry, words) => words.title,
  value: ({ measurement }) => measurement?.value ?? "",
  unit: ({ measurement }) => measurement?.unit ?? "",
  details: (entry, words) => words.detail,
  sensor: ({ measurement }) => measurement?.sensor ?? "",
  zone: (entry, words, zones) => zones.zone,
  subzone: (entry, words, zones) => zones.subzone,
  node: ({ event }, words, zones, name) => name(event.guid),
  guid: ({ event }) => event.guid,
  class: ({ event }) => event.class,
  type: ({ event }) => event.type,
  priority: ({ event }) => (event.head >> 5) & 7,
  // With 0x: "05" would become 5, and "1E5" a number.
  data: ({ event }) => hex(event.data).replace(/\w+/g, "0x$&"),
  date: ({ event }) => event.datetime,
  timestamp: ({ event }) => event.timestamp,
  connection: ({ event }) => event.obid,
  head: ({ event }) => event.head,
  sent: ({ sent }) => (sent ? 1 : 0),
};

/**
 * @param {Iterable<import("./log.js").Entry>} entries
 * @param {object} [options]
 * @param {string} [options.locale]    its decimal sign decides on the separators, as in spreadsheets
 * @param {string} [options.language]  of the words
 * @param {(guid: string) => string} [options.nodeName]
 */
export function csvOf(entries, { locale, language, nodeName = () => "" } = {}) {
  const comma = (1.5).toLocaleString(locale).includes(",");
  const lines = [Object.keys(COLUMNS)];
  for (const entry of entries) {
    const words = wordsOf(entry.event, { language, nodeName });
    const zones = zoneOf(entry.event);
    lines.push(Object.values(COLUMNS).map((column) => column(entry, words, zones, nodeName)));
  }
  const separator = comma ? ";" : ",";
  return `${MARK}${lines.map((line) => line.map((cell) => cellOf(cell, comma)).join(separator)).join("\r\n")}\r\n`;
}

function cellOf(cell, comma) {
  const decimal = (text) => (comma ? text.replace(".", ",") : text);
  if (typeof cell === "number") {
    return decimal(String(cell));
  }
  if (typeof cell === "object") {
    return decimal(dateTime(cell.time));
  }
  // Others write names and texts: none of them may become a formula.
  const text = /^[=+\-@\t\r]/.test(cell) ? `'${cell}` : cell;
  return /[",;\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

// The filter of the event list.

import { hex } from "./fields.js";
import { shortGuid } from "./format.js";
import { className, classToken, typeName } from "./names.js";
import { parseGuid } from "./vscp.js";
import { classWord, zoneOf, sentenceOf } from "./words.js";

/** What `key:value` stands for exactly. */
const EXACT = {
  class: ({ event }) => event.class,
  type: ({ event }) => event.type,
  zone: ({ event }) => zoneOf(event).zone,
  priority: ({ event }) => (event.head >> 5) & 7,
  guid: ({ event }) => parseGuid(event.guid) ?? event.guid,
};

/**
 * The terms of a filter: all words must be somewhere in an event, none of those with a `-` in front.
 * `class:10`, `type:6`, `zone:3`, `priority:0` and `guid:…` stand for exactly that.
 */
export function termsOf(text) {
  return plain(text)
    .split(/\s+/)
    .map((word) => ({ not: word.startsWith("-"), word: word.replace(/^-/, "") }))
    .filter(({ word }) => word)
    .map(({ not, word }) => ({ not, holds: testOf(word) }));
}

/**
 * @param {import("./log.js").Entry} entry
 * @param {object} options  those of wordsOf; `sentWords`, for what was sent from here; `edition`, which
 *     is another one when the words of entries have changed
 */
export function matches(entry, terms, options) {
  return terms.every(({ not, holds }) => holds(entry, options) !== not);
}

function testOf(word) {
  const [, key, value] = /^(\w+):(.+)$/.exec(word) ?? [];
  if (!Object.hasOwn(EXACT, key ?? "")) {
    return (entry, options) => searchText(entry, options).includes(word);
  }
  const wanted = key === "guid" ? (parseGuid(value) ?? value) : value;
  return (entry) => String(EXACT[key](entry)) === wanted;
}

/** What the filter looks at; made when it is needed for the first time. */
function searchText(entry, options) {
  if (entry.searchText === undefined || entry.searchEdition !== options.edition) {
    entry.searchEdition = options.edition;
    entry.searchText = plain(textOf(entry, options));
  }
  return entry.searchText;
}

function textOf({ event, sent }, options) {
  const { class: vscpClass, type, guid, data } = event;
  return [
    sentenceOf(event, options),
    classWord(vscpClass, options.language),
    className(vscpClass),
    classToken(vscpClass),
    typeName(vscpClass, type),
    guid,
    shortGuid(guid),
    options.nodeName(guid) || "",
    hex(data),
    sent ? options.sentWords : "",
  ].join("\n");
}

/** Small letters without accents, so that "slapp" finds "Släpp". */
function plain(text) {
  return text.toLowerCase().normalize("NFD").replace(/\p{M}/gu, "");
}

// @ts-nocheck
// What an event means, in words. Nothing here knows of a page: widgets and scripts may use it.

import { hex, labelOf, readFields } from "./fields.js";
import { shortGuid } from "./format.js";
import { measurementOf } from "./measurement.js";
import { baseClass, quantityOf } from "./names.js";
import { CLASS_WORDS, PHRASES, VALUES } from "./phrases.js";

/**
 * @typedef {object} Words
 * @property {string} title    what has happened: "Turn on", "Motion detected", "Temperature"
 * @property {string} value    what was measured, with its unit; "" where nothing was
 * @property {string} detail   everything else: "zone 1, subzone 2"
 * @property {boolean} raw     whether `detail` is only the bytes
 */

/**
 * @typedef {object} Options
 * @property {string} [language]                        "en" (default) or "sv"
 * @property {(guid: string) => string} [nodeName]      names nodes; else they have their short GUID
 * @property {(measurement: import("./measurement.js").Measurement) => string} [reading]  the value with its
 *     unit; else as they were sent
 */

/** Classes whose events make things act where their zone says. */
const ACTING = new Set([1, 30, 40, 85, 86, 87, 88, 89, 102, 120]);

/** First and last of the measurement classes of a form, and what their data holds. */
const MEASUREMENT_LAYOUTS = [
  [10, 15, "coding=coding value=hex"],
  [60, 64, "value=double"],
  [65, 69, "i z s coding=coding value=hex"],
  [70, 74, "value=single"],
  [85, 89, "i z s coding=coding value=hex"],
  [1040, 1040, "i z s unit=1 value=text"],
  [1060, 1060, "i z s unit=1 value=double"],
];

/**
 * The words for an event (as vscp.js gives it).
 * @param {Options} [options]
 * @returns {Words}
 */
export function wordsOf(event, options = {}) {
  const measurement = measurementOf(event);
  return measurement ? wordsOfMeasurement(event, measurement, options) : wordsOfFields(event, options);
}

/** The same in one line: "Turn on, zone 1, subzone 2", "Temperature 21.5 °C, sensor 0". */
export function sentenceOf(event, options) {
  const { title, value, detail } = wordsOf(event, options);
  return [[title, value].filter(Boolean).join(" "), detail].filter(Boolean).join(", ");
}

/**
 * All fields of the data, for those who want to know: `bytes` are their places, "3" or "4–7".
 * @returns {{ bytes: string, label: string, text: string }[]}
 */
export function fieldsOf(event, { language = "en" } = {}) {
  const { data, offset } = payloadOf(event);
  const place = (start, size) => (size > 1 ? `${start + offset}–${start + offset + size - 1}` : String(start + offset));
  const { fields, rest } = readFields(layoutOf(event), data, language);
  const list = fields.map(({ label, text, value, start, size }) => ({ bytes: place(start, size), label, text: text || String(value) }));
  if (offset > 0) {
    list.unshift({ bytes: "0–15", label: labelOf("interface", language), text: shortGuid(hex(event.data.subarray(0, 16)).replaceAll(" ", ":")) });
  }
  if (rest.length > 0) {
    list.push({ bytes: place(data.length - rest.length, rest.length), label: labelOf("data", language), text: hex(rest) });
  }
  return list;
}

/** Zone and subzone of an event; "" where it has none. */
export function zoneOf(event) {
  const [zone, subzone] = measurementOf(event)?.zone.split("/").filter(Boolean) ?? [];
  if (zone !== undefined) {
    return { zone: Number(zone), subzone: Number(subzone) };
  }
  const { fields } = readFields(layoutOf(event), payloadOf(event).data, "en");
  const valueOf = (wanted) => fields.find(({ name }) => name === wanted)?.value ?? "";
  return { zone: valueOf("zone"), subzone: valueOf("subzone") };
}

/** The short name of a class. */
export function classWord(vscpClass, language = "en") {
  const words = CLASS_WORDS[baseClass(vscpClass)];
  return words ? inLanguage(words.split("|"), language) : `${language === "sv" ? "Klass" : "Class"} ${vscpClass}`;
}

/** The name of a type, where there is no event yet: "Turn on", "Alarm sound on/off". */
export function typeWord(vscpClass, type, language = "en") {
  const title = titleOf(vscpClass, type, language);
  return title.replace("{on}", `${say("on", language)}/${say("off", language)}`).replace(/( of| från)? \{\w+\}/, "");
}

/** The name of a quantity: a type of class 10. "" where it has none. */
export function quantityWord(quantity, language = "en") {
  return inLanguage(phrasesOf(10).get(quantity % 256 === 0 ? 0 : quantity) ?? ["", ""], language);
}

/** True if an event makes things act in all zones: its zone is 255, or it has none although it should. */
export function reachesAllZones(event) {
  if (!ACTING.has(baseClass(event.class))) {
    return false;
  }
  const layout = layoutOf(event);
  const hasZone = /(^|[ ~])z( |$)/.test(layout);
  const { data } = payloadOf(event);
  const zone = readFields(layout, data, "en").fields.find(({ name }) => name === "zone");
  return hasZone && (zone?.value ?? 255) === 255;
}

function wordsOfMeasurement(event, measurement, { language = "en", reading }) {
  const { text, unit, sensor, zone } = measurement;
  const [zoneNumber, subzone] = zone.split("/").map(Number);
  // Where a form has zones but a sensor has none they are 0.
  const parts = zoneNumber || subzone ? zonesInWords(zoneNumber, subzone, language) : [];
  return {
    title: titleOf(event.class, event.type, language),
    value: reading?.(measurement) ?? [language === "sv" ? text.replace(".", ",") : text, unit].filter(Boolean).join("\u202f"),
    detail: [...parts, `${say("sensor", language)} ${sensor}`].join(", "),
    raw: false,
  };
}

function wordsOfFields(event, { language = "en", nodeName }) {
  const { data } = payloadOf(event);
  // What is no number is shown as it came.
  const layout = quantityOf(event.class, event.type) >= 0 ? "data=hex" : layoutOf(event);
  const { fields, rest } = readFields(layout, data, language);
  const node = fields.find(({ name, size }) => name === "node" && size === 16)?.text ?? shortGuid(event.guid);
  const title = titleOf(event.class, typeToTell(event, data), language);
  const filled = title.replace(/\{(\w+)\}/g, (_, name) =>
    name === "node" ? nodeName?.(event.guid) || `${labelOf("node", language)} ${node}` : (fields.find((field) => field.name === name)?.text ?? ""),
  );
  const shown = fields.filter(({ name, minor, text }) => !minor && text && !title.includes(`{${name}}`));
  const parts = shown.flatMap((field) => partsOf(field, fields, language));
  if (rest.length > 0) {
    parts.push(hex(rest));
  }
  const raw = data.length > 0 && (rest.length === data.length || (shown.length > 0 && shown.every(({ name }) => name === "data")));
  return { title: filled.trim(), value: "", detail: parts.join(", "), raw };
}

/** "An alarm with the code 0 is a reset", says the specification. */
function typeToTell({ class: vscpClass, type }, data) {
  return baseClass(vscpClass) === 1 && type === 2 && data[0] === 0 ? 13 : type;
}

/** A field in words; zone and subzone are told together. */
function partsOf(field, fields, language) {
  if (field.name === "subzone" && fields.some(({ name, size }) => name === "zone" && size === field.size)) {
    return [];
  }
  if (field.name === "zone") {
    const all = 256 ** field.size - 1;
    const subzone = fields.find(({ name }) => name === "subzone")?.value ?? all;
    return zonesInWords(field.value, subzone, language, all);
  }
  return [field.bare ? field.text : `${field.label} ${field.text}`];
}

function zonesInWords(zone, subzone, language, all = 255) {
  const parts = [zone === all ? say("allZones", language) : `${labelOf("zone", language)} ${zone}`];
  if (subzone !== all) {
    parts.push(`${labelOf("subzone", language)} ${subzone}`);
  }
  return parts;
}

/** The title of a type, with its fields in braces. */
function titleOf(vscpClass, type, language) {
  const quantity = quantityOf(vscpClass, type);
  if (quantity >= 0) {
    const name = quantityWord(quantity, language) || numbered(type, language);
    const base = baseClass(vscpClass);
    return base >= 85 && base <= 89 ? `${say("setTo", language)} ${name.charAt(0).toLowerCase()}${name.slice(1)}` : name;
  }
  const phrase = phrasesOf(baseClass(vscpClass)).get(type);
  return phrase ? inLanguage(phrase, language) : numbered(type, language);
}

function numbered(type, language) {
  return `${language === "sv" ? "Typ" : "Type"} ${type}`;
}

function layoutOf({ class: vscpClass, type, data }) {
  const base = baseClass(vscpClass);
  if (base !== vscpClass && data.length < 16) {
    return "data=hex";
  }
  const measurement = MEASUREMENT_LAYOUTS.find(([first, last]) => base >= first && base <= last);
  if (measurement) {
    return measurement[2];
  }
  const phrases = phrasesOf(base);
  return phrases.get(type)?.[2] || phrases.get("*")?.[2] || "data=hex";
}

/** The data without the interface that classes 512 to 1023 have in front of it. */
function payloadOf({ class: vscpClass, data }) {
  const offset = baseClass(vscpClass) === vscpClass || data.length < 16 ? 0 : 16;
  return { data: data.subarray(offset), offset };
}

/** Class to its phrases, `[English, Swedish, layout]` by type; read when they are needed first. */
const phrases = new Map();

function phrasesOf(base) {
  // The forecast has the types of the weather.
  const vscpClass = base === 95 ? 90 : base;
  if (!phrases.has(vscpClass)) {
    const lines = (PHRASES[vscpClass] ?? "").split("\n").filter(Boolean);
    const entries = lines.map((line) => line.split("|")).map(([type, ...phrase]) => [type === "*" ? type : Number(type), phrase]);
    phrases.set(vscpClass, new Map(entries));
  }
  return phrases.get(vscpClass);
}

function inLanguage([english, swedish], language) {
  return language === "sv" ? swedish : english;
}

function say(key, language) {
  return inLanguage(VALUES[key], language);
}

// @ts-nocheck
// The data bytes of an event as named fields, each in words.

import { shortGuid } from "./format.js";
import { CHOICES, LABELS, VALUES } from "./phrases.js";

/**
 * @typedef {object} Field
 * @property {string} name     as the layout has it
 * @property {string} label    its name in the language
 * @property {string} text     its value in words; "" where it says nothing
 * @property {number} value    the first byte, or the number
 * @property {number} start    the first byte of it
 * @property {number} size     how many bytes
 * @property {boolean} bare    whether the value needs no label
 * @property {boolean} minor   true if only the list of all fields shows it, not the sentence
 */

/** What the short names in a layout stand for. */
const SHORT = { i: "index=index", u: "user=user", "-": "reserved=1", z: "zone=zone", s: "subzone=subzone" };

/** How long a time unit is called, by its code in a pulse's control byte. */
const TIME_UNITS = ["µs", "ms", "s", "min", "h", "d"];

/**
 * Forms with their number of bytes (`rest`: all that are left) and what makes a text of them.
 * `bare`: the text needs no label.
 */
const FORMS = {
  index: { size: 1, text: ([value], say) => (value === 255 ? say("all") : String(value)), hidden: ([value]) => value === 0 },
  user: { size: 1, text: ([value]) => String(value), hidden: ([value]) => value === 0 },
  zone: { size: 1, text: ([value], say) => (value === 255 ? say("allZones") : String(value)) },
  subzone: { size: 1, text: ([value], say) => (value === 255 ? say("allSubzones") : String(value)) },
  hex: { rest: true, bare: true, text: hex },
  text: { rest: true, bare: true, text: quoted },
  int: { rest: true, text: (bytes) => String(number(bytes, bytes[0] & 0x80 ? -1 : 0)) },
  uint: { rest: true, text: (bytes) => String(number(bytes)) },
  onOff: { size: 1, bare: true, text: ([value], say) => say(value === 0 ? "off" : "on") },
  status: { size: 1, bare: true, text: ([value], say) => ["", say("activated"), say("inactivated")][value] ?? String(value) },
  identity: {
    size: 1,
    bare: true,
    text: ([value], say) => `${say(value & 1 ? "authenticated" : "notAuthenticated")}, ${say(value & 2 ? "authorized" : "notAuthorized")}`,
  },
  percent: { size: 1, text: ([value]) => `${value}\u00a0%` },
  dim: { size: 1, bare: true, text: ([value], say) => ({ 254: say("stepDown"), 255: say("stepUp") })[value] ?? `${say("to")} ${value}\u00a0%` },
  step: { size: 1, text: step },
  key: { size: 1, text: ([value]) => keyName(value) },
  guid: { size: 16, text: (bytes) => shortGuid(hex(bytes).replaceAll(" ", ":")) },
  ip: { size: 4, text: (bytes) => bytes.join(".") },
  degrees: { size: 4, text: (bytes) => `${Number(view(bytes).getFloat32(0).toFixed(5))}°` },
  milliseconds: { size: 2, text: (bytes) => `${number(bytes)}\u00a0ms` },
  color: { size: 3, bare: true, text: (bytes) => `#${hex(bytes).replaceAll(" ", "")}` },
  unix: { size: 4, bare: true, text: (bytes) => utc(number(bytes) * 1000) },
  date: { size: 4, bare: true, text: ([century, year, month, day]) => `${two(century)}${two(year)}-${two(month)}-${two(day)}` },
  dayTime: { size: 5, bare: true, text: ([hour, minute, second, high, low]) => `${two(hour)}:${two(minute)}:${two(second)}.${String(high * 256 + low).padStart(3, "0")} UTC` },
  dateTime: { size: 5, bare: true, text: packedTime },
  pulse: { size: 5, bare: true, text: ([control, ...time]) => `${number(time)}\u00a0${timeUnit(control)}` },
  pulseWidth: {
    size: 5,
    bare: true,
    text: ([control, ...time], say) =>
      `${number(time.slice(0, 2))}\u00a0${timeUnit(control)} ${say("on")}, ${number(time.slice(2))}\u00a0${timeUnit(control)} ${say("off")}`,
  },
  coding: {
    size: 1,
    bare: true,
    text: ([value], say, choose) => `${choose("coding", value >> 5)}, ${say("unit")} ${(value >> 3) & 3}, ${say("sensor")} ${value & 7}`,
  },
  single: { size: 4, text: (bytes) => String(Number(view(bytes).getFloat32(0).toPrecision(7))) },
  double: { size: 8, text: (bytes) => String(view(bytes).getFloat64(0)) },
  token1: { size: 1, bare: true, text: ([value], say, choose) => `${choose("tokenEvent", value & 3)}, ${choose("tokenKind", value >> 2)}` },
  bytes7: { size: 7, text: hex },
  bytes8: { size: 8, text: hex },
  bytes4: { size: 4, text: hex },
  bytes16: { size: 16, text: hex },
};

/**
 * The fields of `data` as `layout` has them (see PHRASES), and the bytes that it does not explain.
 * @returns {{ fields: Field[], rest: Uint8Array }}
 */
export function readFields(layout, data, language) {
  const say = (key) => VALUES[key][language === "sv" ? 1 : 0];
  const fields = [];
  let start = 0;
  for (const { name, form, minor } of chooseLayout(layout, data.length)) {
    const { size = data.length - start, text, bare = false, hidden } = formOf(form);
    if (start >= data.length || start + size > data.length) {
      break;
    }
    const bytes = data.subarray(start, start + size);
    const words = text(bytes, say, (choice, code) => choiceOf(choice, code, language));
    fields.push({
      name,
      label: labelOf(name, language),
      text: words,
      value: number(bytes),
      start,
      size,
      bare,
      minor: minor || name === "reserved" || (hidden?.(bytes) ?? false),
    });
    start += size;
  }
  return { fields, rest: data.subarray(start) };
}

/** The name of a field in the language. */
export function labelOf(name, language) {
  return (language === "sv" && LABELS[name]) || name.replaceAll("_", " ").replace(/^user$/, "user byte");
}

/** Bytes as pairs of hex digits with spaces. */
export function hex(data) {
  return Array.from(data, (byte) => byte.toString(16).toUpperCase().padStart(2, "0")).join(" ");
}

/** Layout to its alternatives, read once. */
const layouts = new Map();

/** The alternative that is as long as the data; else the first one. */
function chooseLayout(layout, length) {
  if (!layouts.has(layout)) {
    layouts.set(layout, layout.split("/").map((alternative) => alternative.split(" ").filter(Boolean).map(parseField)));
  }
  const alternatives = layouts.get(layout);
  const fits = (fields) => fields.reduce((sum, { form }) => sum + (formOf(form).size ?? 0), 0) === length;
  return alternatives.length === 1 ? alternatives[0] : (alternatives.find(fits) ?? alternatives[0]);
}

function parseField(word) {
  const minor = word.startsWith("~");
  const plain = minor ? word.slice(1) : word;
  const [name, form] = (SHORT[plain] ?? plain).split("=");
  return { name, form, minor };
}

/** A form of FORMS, a choice, or a number of so many bytes. */
function formOf(form) {
  if (CHOICES[form]) {
    FORMS[form] ??= { size: 1, bare: true, text: ([value], say, choose) => choose(form, value) };
  }
  FORMS[form] ??= { size: Number(form), text: (bytes) => String(number(bytes)) };
  return FORMS[form];
}

function choiceOf(choice, code, language) {
  const found = new RegExp(`(?:^| )${code}=([^ /]+)(?:/([^ ]+))?`).exec(CHOICES[choice]);
  const words = found && ((language === "sv" && found[2]) || found[1]);
  return words ? words.replaceAll("_", " ") : String(code);
}

/** Big endian; `start` is -1 for a negative number. */
function number(bytes, start = 0) {
  return bytes.reduce((value, byte) => value * 256 + byte, start);
}

/** Text in quotation marks, without what cannot be seen. */
function quoted(bytes, say) {
  const text = new TextDecoder().decode(Uint8Array.from(bytes)).replace(/[\u0000-\u001f\u007f]+/g, " ").trim();
  return text && `${say("quote")}${text}”`;
}

/** Up to 127 it is the value, then so many steps down, from 160 on up. */
function step([value], say) {
  if (value < 128) {
    return String(value);
  }
  if (value < 160) {
    return `${value - 128} ${say("down")}`;
  }
  return value < 192 ? `${value - 160} ${say("up")}` : String(value);
}

function keyName(value) {
  const names = { 10: "10+", 20: "OK", 21: "←", 22: "→", 23: "↑", 24: "↓", 25: "☰", 26: "⏎" };
  const isLetter = (value >= 65 && value <= 90) || (value >= 97 && value <= 122);
  return names[value] ?? (isLetter ? String.fromCharCode(value) : String(value));
}

/** Year, month, day, hour, minute, second in bits 37-26, 25-22, 21-17, 16-12, 11-6, 5-0. */
function packedTime(bytes) {
  const bits = number(bytes);
  const part = (low, width) => Math.floor(bits / 2 ** low) % 2 ** width;
  return `${part(26, 12)}-${two(part(22, 4))}-${two(part(17, 5))} ${two(part(12, 5))}:${two(part(6, 6))}:${two(part(0, 6))} UTC`;
}

function timeUnit(control) {
  return TIME_UNITS[control & 15] ?? "?";
}

function utc(time) {
  return `${new Date(time).toISOString().slice(0, 19).replace("T", " ")} UTC`;
}

function two(value) {
  return String(value).padStart(2, "0");
}

function view(bytes) {
  return new DataView(Uint8Array.from(bytes).buffer);
}

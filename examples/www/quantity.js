// What a measurement means to people: the word for its quantity, the unit that they use, how many
// decimals are worth showing.

import { localNumber } from "./format.js";
import { typeName, unitName } from "./names.js";
import { language } from "./texts.js";
import { quantityWord } from "./words.js";

/**
 * By the type of class 10: the icon, the decimals, the least height of a chart (`span`, in the
 * shown unit, so that noise is no cliff), and other words that people search for.
 * @type {Record<string, { icon: string, decimals?: number, span?: number, words?: string }>}
 */
const QUANTITIES = {
  0: { icon: "gauge" },
  1: { icon: "gauge", decimals: 0, span: 4, words: "counter räknare" },
  2: { icon: "ruler", decimals: 2, span: 0.1, words: "length längd level nivå" },
  3: { icon: "gauge", decimals: 2, span: 0.1, words: "mass massa" },
  4: { icon: "clock", decimals: 0, span: 4, words: "duration" },
  5: { icon: "bolt", decimals: 2, span: 0.2, words: "ampere electric el" },
  6: { icon: "temperature", decimals: 1, span: 1, words: "temp heat warm cold värme kyla grader" },
  8: { icon: "sun", decimals: 0, span: 10, words: "light ljus" },
  9: { icon: "gauge", decimals: 2, span: 0.1, words: "hertz" },
  10: { icon: "gauge", decimals: 0, span: 10, words: "radon strålning radiation" },
  11: { icon: "gauge", decimals: 1, span: 1 },
  12: { icon: "gauge", decimals: 1, span: 2, words: "barometer lufttryck air weather väder" },
  13: { icon: "meter", decimals: 2, span: 0.1, words: "electricity consumption meter el elmätare förbrukning" },
  14: { icon: "bolt", decimals: 0, span: 20, words: "watt electricity consumption el förbrukning" },
  16: { icon: "bolt", decimals: 1, span: 2, words: "volt potential battery batteri electric el" },
  18: { icon: "gauge", decimals: 1, span: 1, words: "ohm" },
  24: { icon: "sun", decimals: 0, span: 10, words: "light ljus lumen" },
  25: { icon: "sun", decimals: 0, span: 20, words: "illuminance brightness lux belysning dagsljus" },
  28: { icon: "drop", decimals: 3, span: 0.01, words: "water vatten litre liter" },
  30: { icon: "wind", decimals: 0, span: 20, words: "angle vinkel wind vind" },
  32: { icon: "wind", decimals: 1, span: 2, words: "wind vind" },
  33: { icon: "gauge", decimals: 2, span: 0.5, words: "vibration" },
  35: { icon: "drop", decimals: 0, span: 5, words: "moisture damp hygrometer luftfuktighet fukt rh" },
  36: { icon: "drop", decimals: 1, span: 1, words: "water vatten" },
  45: { icon: "wind", decimals: 0, span: 50, words: "co2 carbon dioxide koldioxid concentration halt gas luft" },
  46: { icon: "wind", decimals: 6, words: "particles partiklar dust damm" },
  49: { icon: "temperature", decimals: 1, span: 1, words: "temperature temp" },
  50: { icon: "gauge", decimals: 0, span: 5, words: "battery batteri tank" },
  51: { icon: "ruler", decimals: 1, span: 2, words: "height" },
  52: { icon: "ruler", decimals: 1 },
  58: { icon: "sound", decimals: 3, words: "noise buller" },
  60: { icon: "sound", decimals: 0, span: 10, words: "noise buller decibel" },
  63: { icon: "bolt", decimals: 2, span: 0.2, words: "cos phi" },
  64: { icon: "bolt", decimals: 0, span: 20 },
  65: { icon: "meter", decimals: 2, span: 0.1 },
};

/**
 * By "type/unit": the unit that people use, where it is another one; value × factor + offset.
 * @type {Record<string, { unit: string, factor?: number, offset?: number, decimals?: number, span?: number }>}
 */
const USUAL = {
  "4/2": { unit: "" },
  "4/3": { unit: "" },
  "6/0": { unit: "°C", offset: -273.15 },
  "49/0": { unit: "°C", offset: -273.15 },
  "12/0": { unit: "hPa", factor: 1 / 100 },
  "12/1": { unit: "bar", decimals: 2, span: 0.1 },
  "12/2": { unit: "psi", span: 1 },
  "13/0": { unit: "kWh", factor: 1 / 3.6e6 },
  "13/2": { unit: "kWh", factor: 1 / 1000 },
  "14/1": { unit: "W", factor: 735.49875 },
  "14/2": { unit: "W", factor: 745.69987 },
  "28/1": { unit: "l", decimals: 1, span: 1 },
  "28/2": { unit: "ml", decimals: 0, span: 10 },
  "28/3": { unit: "l", factor: 1 / 10, decimals: 1, span: 1 },
  "28/4": { unit: "l", factor: 1 / 100, decimals: 1, span: 1 },
  "30/0": { unit: "°", factor: 180 / Math.PI },
  "31/0": { unit: "°", decimals: 5 },
  "31/1": { unit: "°", decimals: 5 },
  "36/0": { unit: "l/min", factor: 60_000 },
  "38/0": { unit: "dpt" },
  "41/0": { unit: "Pa·s/m³" },
  "43/0": { unit: "lm·s" },
  "44/0": { unit: "cd/m²" },
  "45/0": { unit: "mol/m³", decimals: 2 },
  "45/2": { unit: "%", decimals: 1, span: 1 },
  "46/0": { unit: "µg/m³", factor: 1e9, decimals: 0, span: 10 },
  "50/0": { unit: "" },
  "51/1": { unit: "ft" },
  "51/2": { unit: "in" },
  "52/0": { unit: "m²" },
  "52/1": { unit: "a" },
  "52/3": { unit: "km²" },
  "53/0": { unit: "W/sr" },
  "54/0": { unit: "W/(sr·m²)" },
  "55/0": { unit: "W/m²" },
  "58/0": { unit: "Pa" },
  "60/0": { unit: "dB" },
  "62/1": { unit: "R" },
  "63/0": { unit: "" },
  "64/0": { unit: "var" },
  "65/0": { unit: "kvarh" },
};

/**
 * The word for a quantity in the language of the page.
 * @param {number} type
 */
export function quantityName(type) {
  return quantityWord(type, language()) || typeName(1040, type);
}

/**
 * The name of its icon.
 * @param {number} type
 */
export function quantityIcon(type) {
  return QUANTITIES[type]?.icon ?? "gauge";
}

/**
 * All words by which people search for it, in all languages.
 * @param {number} type
 */
export function quantityWords(type) {
  const names = ["en", "sv"].map((one) => quantityWord(type, one)).join(" ");
  return `${names} ${QUANTITIES[type]?.words ?? ""} ${typeName(1040, type)}`;
}

/**
 * How values of a quantity are shown.
 * @param {number} type  of class 10 (0 to 255), of class 11 (256 to 511), ...
 * @param {number} unit  its code
 * @returns {{ unit: string, decimals: number|undefined, span: number, of: (value: number) => number }}
 *   `decimals` is undefined where nothing says how many; `of` converts into the shown unit
 */
export function presentation(type, unit) {
  const usual = USUAL[`${type}/${unit}`];
  const { factor = 1, offset = 0 } = usual ?? {};
  const { decimals, span = 0 } = { ...QUANTITIES[type], ...usual };
  return { unit: usual?.unit ?? unitName(type, unit), decimals, span, of: (value) => value * factor + offset };
}

/**
 * A value with its unit, as people read it.
 * @param {import("./measurement.js").Measurement} measurement
 */
export function readingOf({ value, quantity, unitCode, decimals: sent }) {
  const { of, unit, decimals } = presentation(quantity, unitCode);
  return `${localNumber(of(value), decimals ?? sent)}\u202f${unit}`.trim();
}

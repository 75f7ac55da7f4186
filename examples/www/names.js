// Classes, types and units in words.

import { CLASSES, TYPES, UNITS } from "./tables.js";

/** The first of five classes each that number their types as classes 10 to 14 do. */
const MEASUREMENT_CLASSES = [10, 60, 65, 70, 85];

/** @type {[string, RegExp][]} */
const FAMILIES = [
  ["alarm", /ALARM|ERROR|AOL/],
  ["security", /SECURITY/],
  ["measurement", /MEASURE|DATA|WEATHER|GNSS/],
  ["control", /CONTROL|SETVALUE|DISPLAY|MULTIMEDIA|IR$/],
  ["information", /INFORMATION|PHONE|TEXT2SPEECH/],
];

/**
 * The level I class (0 to 511) that is sent as a level II class (512 to 1023); else the same.
 * @param {number} vscpClass
 */
export function baseClass(vscpClass) {
  return vscpClass >= 512 && vscpClass < 1024 ? vscpClass - 512 : vscpClass;
}

/** @param {number} vscpClass */
export function className(vscpClass) {
  return CLASSES[vscpClass]?.split("|")[1] ?? `Class ${vscpClass}`;
}

/** @param {number} vscpClass */
export function classToken(vscpClass) {
  return CLASSES[vscpClass]?.split("|")[0] ?? "";
}

/**
 * Which classes belong together: they have the same colour.
 * @param {number} vscpClass
 */
export function classFamily(vscpClass) {
  return FAMILIES.find(([, tokens]) => tokens.test(classToken(vscpClass)))?.[0] ?? "other";
}

/**
 * @param {number} vscpClass
 * @param {number} type
 */
export function typeName(vscpClass, type) {
  const quantity = quantityOf(vscpClass, type);
  const name = quantity < 0 ? typesOf(vscpClass)[type] : TYPES[10 + (quantity >> 8)]?.split("|")[quantity & 255];
  return name || `Type ${type}`;
}

/**
 * The names of a class's types 0, 1, ...; "" where there is none.
 * @param {number} vscpClass
 */
export function typesOf(vscpClass) {
  const quantity = quantityOf(vscpClass, 0);
  const list = quantity < 0 ? TYPES[baseClass(vscpClass)] : TYPES[10 + (quantity >> 8)];
  return list?.split("|") ?? [];
}

/**
 * What an event of a measurement class measures: a type of class 10 (0 to 255), 11 (256 to 511)
 * and so on. -1 for other classes.
 * @param {number} vscpClass
 * @param {number} type
 */
export function quantityOf(vscpClass, type) {
  if (vscpClass === 1040 || vscpClass === 1060) {
    return type;
  }
  const base = baseClass(vscpClass);
  const first = MEASUREMENT_CLASSES.find((first) => base >= first && base < first + 5);
  return first ? type + 256 * (base - first) : -1;
}

/**
 * The unit of a quantity; "" where it has none.
 * @param {number} quantity
 * @param {number} code
 */
export function unitName(quantity, code) {
  return UNITS[quantity]?.split("|")[code] ?? "";
}

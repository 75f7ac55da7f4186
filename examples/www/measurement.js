// What an event measures: number, unit, sensor.

import { formatNumber } from "./format.js";
import { baseClass, quantityOf, unitName } from "./names.js";

/**
 * @typedef {object} Measurement
 * @property {number} value
 * @property {number} [decimals]  how many it was sent with, where that can be said
 * @property {string} text    the value with so many decimals
 * @property {string} unit    "" where it has none
 * @property {number} sensor
 * @property {string} zone    "zone/subzone", or "" where it has none
 */

/** First class, last class, and what reads the data: a number with its unit, sensor, zone. */
const CLASSES = [
  [10, 15, coded],
  [60, 64, (data) => data.length === 8 && { number: float(data) }],
  [65, 69, zoned],
  [70, 74, (data) => data.length === 4 && { number: float(data) }],
  [85, 89, zoned],
  [1040, 1040, (data) => level2(data, text)],
  [1060, 1060, (data) => data.length === 12 && level2(data, float)],
];

/** By bits 7-5 of the coding byte; bits 4-3 are the unit, 2-0 the sensor. */
const FORMATS = [unsigned, unsigned, text, signed, normalized, float, float];

/**
 * The measurement of an event (as vscp.js gives it).
 * @returns {Measurement|null} null where it is none, or no number
 */
export function measurementOf(event) {
  const base = baseClass(event.class);
  const read = CLASSES.find(([first, last]) => base >= first && base <= last)?.[2];
  const { number, unit = 0, sensor = 0, zone = "" } =
    read?.(base === event.class ? event.data : event.data.subarray(16)) || {};
  if (!number || !Number.isFinite(number.value)) {
    return null;
  }
  return {
    value: number.value,
    decimals: number.decimals,
    text: formatNumber(number.value, number.decimals),
    unit: unitName(quantityOf(event.class, event.type), unit),
    sensor,
    zone,
  };
}

function coded(data) {
  const number = data.length > 1 && FORMATS[data[0] >> 5]?.(data.subarray(1));
  return { number, unit: (data[0] >> 3) & 3, sensor: data[0] & 7 };
}

function zoned(data) {
  return data.length > 4 && { ...coded(data.subarray(3)), sensor: data[0], zone: `${data[1]}/${data[2]}` };
}

function level2(data, format) {
  return { number: format(data.subarray(4)), sensor: data[0], zone: `${data[1]}/${data[2]}`, unit: data[3] };
}

function unsigned(bytes) {
  return { value: bytes.reduce((value, byte) => value * 256 + byte, 0), decimals: 0 };
}

/** Begins with the sign: seven bytes as an unsigned number would be rounded. */
function signed(bytes) {
  const start = bytes[0] & 0x80 ? -1 : 0;
  return { value: bytes.reduce((value, byte) => value * 256 + byte, start), decimals: 0 };
}

/** A power of ten to multiply with, or (bit 7) to divide by, and an integer. */
function normalized(bytes) {
  if (bytes.length < 2) {
    return null;
  }
  const exponent = bytes[0] & 0x7f;
  const { value } = signed(bytes.subarray(1));
  return bytes[0] & 0x80
    ? { value: value / 10 ** exponent, decimals: exponent }
    : { value: value * 10 ** exponent, decimals: 0 };
}

function text(bytes) {
  const digits = String.fromCharCode(...bytes).replace(/\0+$/, "").trim();
  const value = digits === "" ? NaN : Number(digits);
  return { value, decimals: /^[+-]?\d*\.?\d*$/.test(digits) ? (digits.split(".")[1] ?? "").length : undefined };
}

function float(bytes) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  switch (bytes.length) {
    case 4:
      return { value: view.getFloat32(0) };
    case 8:
      return { value: view.getFloat64(0) };
    default:
      return null;
  }
}

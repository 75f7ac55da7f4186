// What an event measures: number, unit, sensor.

import { formatNumber } from "./number.js";
import { baseClass, quantityOf, unitName } from "./names.js";

/**
 * @typedef {object} Measurement
 * @property {number} value
 * @property {number} [decimals]  how many it was sent with, where that can be said
 * @property {string} text    the value with so many decimals
 * @property {string} unit    "" where it has none
 * @property {number} sensor
 * @property {string} zone    "zone/subzone", or "" where it has none
 * @property {number} quantity  a type of class 10 (0 to 255), of class 11 (256 to 511), ...
 * @property {number} unitCode  the code that `unit` stands for
 */

/** @typedef {{ value: number, decimals?: number }} Decoded */

/**
 * First class, last class, and what reads the data: a number with its unit, sensor, zone.
 * @type {[number, number, (data: Uint8Array) => ReturnType<typeof reading>][]}
 */
const CLASSES = [
  [10, 15, coded],
  [60, 64, (data) => reading(data.length === 8 ? float(data) : null)],
  [65, 69, zoned],
  [70, 74, (data) => reading(data.length === 4 ? float(data) : null)],
  [85, 89, zoned],
  [1040, 1040, (data) => level2(data, text)],
  [1060, 1060, (data) => level2(data, (bytes) => (bytes.length === 8 ? float(bytes) : null))],
];

/**
 * By bits 7-5 of the coding byte; bits 4-3 are the unit, 2-0 the sensor.
 * @type {((bytes: Uint8Array) => Decoded | null)[]}
 */
const FORMATS = [unsigned, unsigned, text, signed, normalized, float, float];

/**
 * The measurement of an event (as vscp.js gives it).
 * @param {{ class: number, type: number, data: Uint8Array }} event
 * @returns {Measurement|null} null where it is none, or no number
 */
export function measurementOf(event) {
  const base = baseClass(event.class);
  const read = CLASSES.find(([first, last]) => base >= first && base <= last)?.[2];
  const found = read?.(base === event.class ? event.data : event.data.subarray(16));
  if (!found?.number || !Number.isFinite(found.number.value)) {
    return null;
  }
  const { number, unit, sensor, zone } = found;
  const quantity = quantityOf(event.class, event.type);
  return {
    value: number.value,
    decimals: number.decimals,
    text: formatNumber(number.value, number.decimals),
    unit: unitName(quantity, unit),
    sensor,
    zone,
    quantity: quantity < 0 ? event.type : quantity,
    unitCode: unit,
  };
}

/**
 * The id that the server has for the sensor of a measurement: GUID/SENSOR/TYPE/UNIT[/ZONE/SUBZONE].
 * @param {string} guid
 * @param {Pick<Measurement, "sensor" | "quantity" | "unitCode" | "zone">} measurement
 */
export function sensorId(guid, { sensor, quantity, unitCode, zone }) {
  const id = `${guid}/${sensor}/${quantity}/${unitCode}`;
  return zone && zone !== "0/0" ? `${id}/${zone}` : id;
}

/** @param {Decoded | null} number */
function reading(number, unit = 0, sensor = 0, zone = "") {
  return { number, unit, sensor, zone };
}

/** @param {Uint8Array} data */
function coded(data) {
  const [coding = 0] = data;
  const number = data.length > 1 ? FORMATS[coding >> 5]?.(data.subarray(1)) : null;
  return reading(number ?? null, (coding >> 3) & 3, coding & 7);
}

/** @param {Uint8Array} data */
function zoned(data) {
  const { number, unit } = coded(data.subarray(3));
  return reading(number, unit, data[0], `${data[1]}/${data[2]}`);
}

/**
 * @param {Uint8Array} data
 * @param {(bytes: Uint8Array) => Decoded | null} format
 */
function level2(data, format) {
  return reading(format(data.subarray(4)), data[3], data[0], `${data[1]}/${data[2]}`);
}

/** @param {Uint8Array} bytes */
function unsigned(bytes) {
  return { value: bytes.reduce((value, byte) => value * 256 + byte, 0), decimals: 0 };
}

/**
 * Begins with the sign: seven bytes as an unsigned number would be rounded.
 * @param {Uint8Array} bytes
 */
function signed(bytes) {
  const start = bytes[0] & 0x80 ? -1 : 0;
  return { value: bytes.reduce((value, byte) => value * 256 + byte, start), decimals: 0 };
}

/**
 * A power of ten to multiply with, or (bit 7) to divide by, and an integer.
 * @param {Uint8Array} bytes
 */
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

/** @param {Uint8Array} bytes */
function text(bytes) {
  const digits = String.fromCharCode(...bytes).replace(/\0+$/, "").trim();
  const value = digits === "" ? NaN : Number(digits);
  return { value, decimals: /^[+-]?\d*\.?\d*$/.test(digits) ? (digits.split(".")[1] ?? "").length : undefined };
}

/** @param {Uint8Array} bytes */
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

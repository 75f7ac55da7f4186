// The parts of the panel that need no browser.

import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { gzipSync } from "node:zlib";

import { cbc } from "../../examples/www/aes.js";
import { History } from "../../examples/www/history.js";
import { formatNumber, shortGuid } from "../../examples/www/format.js";
import { measurementOf } from "../../examples/www/measurement.js";
import { classFamily, className, typeName, typesOf } from "../../examples/www/names.js";
import { parseGuid } from "../../examples/www/vscp.js";
import { WEB_ROOT } from "./driver.mjs";

const bytes = (hex) => Uint8Array.from(hex.match(/../g) ?? [], (pair) => parseInt(pair, 16));

/** "16.4375 °C, sensor 0" */
function measured(vscpClass, type, hex) {
  const measurement = measurementOf({ class: vscpClass, type, data: bytes(hex.replaceAll(" ", "")) });
  return measurement && `${measurement.text} ${measurement.unit}, ${measurement.zone && `zone ${measurement.zone}, `}sensor ${measurement.sensor}`;
}

test("measurements of all forms are read", () => {
  for (const [vscpClass, type, hex, expected] of [
    [10, 6, "A8 41 83 80 00", "16.4375 °C, sensor 0"],
    [10, 6, "88 85 8D", "-0.00115 °C, sensor 0"],
    [10, 6, "88 81 01 07", "26.3 °C, sensor 0"],
    [10, 6, "8B 81 01 07", "26.3 °C, sensor 3"],
    [10, 6, "88 02 0B", "1100 °C, sensor 0"],
    [10, 6, "60 FF", "-1 K, sensor 0"],
    [10, 6, "60 7F FF FF", "8388607 K, sensor 0"],
    [10, 6, "60 80 00 00", "-8388608 K, sensor 0"],
    [10, 6, "60 FF FF FF FF FF FF FF", "-1 K, sensor 0"],
    [10, 6, "60 FF FF FF FF FF FF E6", "-26 K, sensor 0"],
    [10, 6, "40 2D 31 2E 35", "-1.5 K, sensor 0"],
    [10, 6, "48 32 31 00", "21 °C, sensor 0"],
    [10, 6, "20 FF", "255 K, sensor 0"],
    [10, 35, "00 05", "5 %, sensor 0"],
    [10, 14, "C0 40 93 4A 45 6D 5C FA AD", "1234.57 W, sensor 0"],
    [15, 2, "61 01 00", "256 , sensor 1"],
    [11, 6, "60 01", "1 , sensor 0"],
    [522, 6, `${"00".repeat(16)} 88 81 01 07`, "26.3 °C, sensor 0"],
    [60, 16, "40 6C C0 00 00 00 00 00", "230 V, sensor 0"],
    [65, 6, "03 01 02 88 81 01 07", "26.3 °C, zone 1/2, sensor 3"],
    [70, 12, "47 C5 E6 80", "101325 Pa, sensor 0"],
    [85, 6, "03 01 02 88 81 01 07", "26.3 °C, zone 1/2, sensor 3"],
    [1040, 6, "05 01 02 01 32 31 2E 35 30", "21.50 °C, zone 1/2, sensor 5"],
    [1060, 6, "05 01 02 01 40 35 80 00 00 00 00 00", "21.5 °C, zone 1/2, sensor 5"],
  ]) {
    assert.equal(measured(vscpClass, type, hex), expected, `${vscpClass}:${type} ${hex}`);
  }
});

test("what is no measurement, or is cut off, has no value", () => {
  for (const [vscpClass, hex] of [
    [20, "88 81 01 07"],
    [10, ""],
    [10, "88"],
    [10, "88 81"],
    [10, "A8 41 83 80"],
    [10, "E8 01"],
    [10, "A8 7F C0 00 00"],
    [10, "40 61 62"],
    [10, "40 20"],
    [522, "88 81 01 07"],
    [60, "40 6C"],
    [65, "03 01 02 88"],
    [65, ""],
    [70, "47"],
    [1040, "05 01 02 01"],
    [1040, "05 01 02 01 61"],
    [1060, "05 01 02 01 40 35 80 00"],
    [1060, ""],
  ]) {
    assert.equal(measured(vscpClass, 6, hex), null, `${vscpClass} ${hex}`);
  }
});

test("numbers keep to a readable length", () => {
  for (const [value, decimals, expected] of [
    [0, undefined, "0"],
    [21.456789, undefined, "21.4568"],
    [1234.56789, undefined, "1234.57"],
    [101325, undefined, "101325"],
    [0.1 + 0.2, undefined, "0.3"],
    [21.5, 2, "21.50"],
    [1e30, 0, "1.000e+30"],
    [-1e-20, 20, "-1.000e-20"],
  ]) {
    assert.equal(formatNumber(value, decimals), expected);
  }
});

test("classes and types have names, also those that no list has", () => {
  assert.equal(className(10), "Measurement");
  assert.equal(className(9999), "Class 9999");
  assert.equal(typeName(30, 5), "Turn on");
  assert.equal(typeName(10, 6), "Temperature");
  assert.equal(typeName(1060, 6), "Temperature");
  assert.equal(typeName(65, 6), "Temperature");
  assert.equal(typeName(542, 6), "Turn off");
  assert.equal(typeName(10, 250), "Type 250");
  assert.equal(typeName(9999, 1), "Type 1");
  assert.equal(typesOf(1040)[35], "Damp/moist (Hygrometer reading)");
  assert.deepEqual(typesOf(9999), []);
  assert.deepEqual([1, 2, 10, 30, 20, 0].map(classFamily), ["alarm", "security", "measurement", "control", "information", "other"]);
});

test("a short GUID is the same GUID", () => {
  for (const [short, guid] of [
    ["-", parseGuid("-")],
    ["::FE:00:01", parseGuid("::FE:00:01")],
    ["-:01", parseGuid("-:01")],
    ["01:02:03:04:05:06:07:08:09:0A:0B:0C:0D:0E:0F:10", "01:02:03:04:05:06:07:08:09:0A:0B:0C:0D:0E:0F:10"],
    ["::FF", parseGuid("::FF")],
  ]) {
    assert.equal(shortGuid(guid), short);
    assert.equal(parseGuid(short), guid);
  }
});

test("a history stays small, ends with the newest value and keeps the extremes", () => {
  const history = new History();
  for (let index = 0; index < 100_000; index += 1) {
    history.push(index * 10, index === 50_000 ? 1000 : index % 7);
    assert.ok(history.steps.length <= 240);
  }
  assert.ok(history.steps.length > 60);
  assert.equal(history.steps.at(-1).last, 99_999 % 7);
  assert.equal(history.min, 0);
  assert.equal(history.max, 1000);
  assert.ok(history.steps.every((step, index, steps) => index === 0 || step.time > steps[index - 1].time));
});

test("a history of more than an hour forgets what is older", () => {
  const history = new History();
  for (let second = 0; second < 3 * 3600; second += 1) {
    history.push(second * 1000, second);
  }
  const span = history.steps.at(-1).time - history.steps[0].time;
  assert.ok(span > 3_600_000 && span < 4_000_000, `${span} ms`);
});

test("the AES beside the panel gives what the vectors and WebCrypto say", async () => {
  const lines = readFileSync(new URL("../vectors/login.tsv", import.meta.url), "utf8").split("\n");
  const vectors = lines.filter((line) => line && !line.startsWith("#")).map((line) => line.split("\t"));
  assert.ok(vectors.length > 0);
  for (const [key, iv, crypto, user, password] of vectors) {
    // The padding is the client's choice: without it, all blocks but the last are the same.
    const plain = new TextEncoder().encode(`${user}:${password}`);
    const mine = cbc(bytes(key), bytes(iv)).encrypt(plain);
    const whole = plain.length - (plain.length % 16);
    assert.deepEqual(mine.subarray(0, whole), bytes(crypto).subarray(0, whole));
    const aes = await globalThis.crypto.subtle.importKey("raw", bytes(key), "AES-CBC", false, ["encrypt"]);
    const theirs = await globalThis.crypto.subtle.encrypt({ name: "AES-CBC", iv: bytes(iv) }, aes, plain);
    assert.deepEqual(mine, new Uint8Array(theirs));
  }
});

test("the panel weighs less than 150 KiB as it is sent, and loads nothing from elsewhere", () => {
  const files = readdirSync(WEB_ROOT).map((name) => join(WEB_ROOT, name));
  const sizeOf = (files) => files.reduce((sum, file) => sum + gzipSync(readFileSync(file)).length, 0);
  // The panel does not load them: they are for pages of others.
  const [widgets, panel] = [true, false].map((isWidget) => files.filter((file) => /\/(vscp-)?widget[^/]*$/.test(file) === isWidget));
  assert.ok(sizeOf(panel) < 150 * 1024, `${sizeOf(panel)} bytes`);
  assert.ok(widgets.length > 5 && sizeOf(widgets) < 30 * 1024, `${sizeOf(widgets)} bytes`);
  for (const file of files.filter((name) => /\.(html|css|js)$/.test(name))) {
    const text = readFileSync(file, "utf8").replaceAll("http://www.w3.org/2000/svg", "");
    assert.doesNotMatch(text, /(?:src|href|from|import|url)\s*[=(]?\s*["'(]?\s*(?:https?:)?\/\//, file);
  }
});

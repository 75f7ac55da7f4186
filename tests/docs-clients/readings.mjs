// Reads the measurements of a file, `class,type data = value`, as the panel does.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";

import { measurementOf } from "../../examples/www/measurement.js";

for (const line of readFileSync(process.argv[2], "utf8").trim().split("\n")) {
  const [, vscpClass, type, hex, expected] = /^(\d+),(\d+) ([0-9A-F ]+) = (.*)$/.exec(line);
  const data = Uint8Array.from(hex.split(" "), (pair) => parseInt(pair, 16));
  const { value, unit, sensor, zone } = measurementOf({ class: Number(vscpClass), type: Number(type), data });
  const where = zone ? `, zone ${zone}` : "";
  assert.equal(`${value} ${unit}, sensor ${sensor}${where}`, expected, line);
}

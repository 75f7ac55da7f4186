// Writes examples/www/tables.js and clients/python/src/vscp_client/_tables.py from the lists beside
// this file: `node data/tables.mjs`. With --check it writes nothing and fails where they are not up to
// date.

import { readFileSync, writeFileSync } from "node:fs";

const rows = (name) =>
  readFileSync(new URL(name, import.meta.url), "utf8")
    .split("\n")
    .filter((line) => line && !line.startsWith("#"))
    .map((line) => line.split("\t"));

/** The unit's symbol; else what its name has in brackets; else the name. */
function symbolOf(name, symbol) {
  return symbol || /^[^()=]+\(\s*([^()=]+?)\s*\)$/.exec(name)?.[1] || name.trim();
}

/** "TurnOn" is "Turn on". */
function inWords(name) {
  return name
    .replace(/\.$/, "")
    .replaceAll("|", "/")
    .replace(/(?<=[a-z])[A-Z](?=[a-z])/g, (letter) => ` ${letter.toLowerCase()}`);
}

/** `[["10", ["a", "b", undefined, "d"]]]`: the place in the list is the number. */
function lists(entries) {
  const byKey = new Map();
  for (const [key, index, name] of entries) {
    const list = byKey.get(key) ?? [];
    list[Number(index)] = name;
    byKey.set(key, list);
  }
  return [...byKey];
}

const classes = rows("classes.tsv");
const types = lists(rows("types.tsv").map(([number, type, , name]) => [number, type, inWords(name)]));
const units = lists(rows("units.tsv").map(([type, , code, name, symbol]) => [type, code, symbolOf(name, symbol)]));

const inScript = (lists) =>
  lists.map(([key, list]) => `  ${key}: ${JSON.stringify(Array.from(list, (name) => name ?? "").join("|"))},`).join("\n");

const script = `// Made by data/tables.mjs: not to be edited.

/**
 * Class to "token|name".
 * @type {Record<number, string>}
 */
export const CLASSES = {
${classes.map(([number, token, name]) => `  ${number}: ${JSON.stringify(`${token}|${name}`)},`).join("\n")}
};

/**
 * Class to the names of its types 0, 1, ..., with | between.
 * @type {Record<number, string>}
 */
export const TYPES = {
${inScript(types)}
};

/**
 * Type of a measurement to its units 0, 1, ..., with | between.
 * @type {Record<number, string>}
 */
export const UNITS = {
${inScript(units)}
};
`;

const inPython = (lists) =>
  lists
    .map(([key, list]) => {
      const names = Object.entries(list).filter(([, name]) => name);
      return `    ${key}: {\n${names.map(([index, name]) => `        ${index}: ${JSON.stringify(name)},\n`).join("")}    },`;
    })
    .join("\n");

const python = `"""Made by data/tables.mjs: not to be edited."""

from __future__ import annotations

#: The names of the classes.
CLASSES: dict[int, str] = {
${classes.map(([number, , name]) => `    ${number}: ${JSON.stringify(name)},`).join("\n")}
}

#: The names of the types of each class.
TYPES: dict[int, dict[int, str]] = {
${inPython(types)}
}

#: The symbols or names of the units of each type of a measurement.
UNITS: dict[int, dict[int, str]] = {
${inPython(units)}
}
`;

for (const [path, text] of [
  ["examples/www/tables.js", script],
  ["clients/python/src/vscp_client/_tables.py", python],
]) {
  const target = new URL(`../${path}`, import.meta.url);
  if (!process.argv.includes("--check")) {
    writeFileSync(target, text);
  } else if (readFileSync(target, "utf8") !== text) {
    console.error(`${path} is not up to date: node data/tables.mjs`);
    process.exitCode = 1;
  }
}

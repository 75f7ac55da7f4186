// Writes examples/www/tables.js from the lists beside this file: `node data/tables.mjs`.
// With --check it writes nothing and fails where the file is not up to date.

import { readFileSync, writeFileSync } from "node:fs";

const target = new URL("../examples/www/tables.js", import.meta.url);

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

/** `{"10": "a|b||d"}`: the place in the list is the number. */
function lists(entries) {
  const byKey = new Map();
  for (const [key, index, name] of entries) {
    const list = byKey.get(key) ?? [];
    list[Number(index)] = name;
    byKey.set(key, list);
  }
  return [...byKey].map(([key, list]) => `  ${key}: ${JSON.stringify(Array.from(list, (name) => name ?? "").join("|"))},`);
}

const classes = rows("classes.tsv").map(
  ([number, token, name]) => `  ${number}: ${JSON.stringify(`${token}|${name}`)},`,
);
const types = lists(rows("types.tsv").map(([number, type, , name]) => [number, type, inWords(name)]));
const units = lists(rows("units.tsv").map(([type, , code, name, symbol]) => [type, code, symbolOf(name, symbol)]));

const text = `// Made by data/tables.mjs: not to be edited.

/** Class to "token|name". */
export const CLASSES = {
${classes.join("\n")}
};

/** Class to the names of its types 0, 1, ..., with | between. */
export const TYPES = {
${types.join("\n")}
};

/** Type of a measurement to its units 0, 1, ..., with | between. */
export const UNITS = {
${units.join("\n")}
};
`;

if (!process.argv.includes("--check")) {
  writeFileSync(target, text);
} else if (readFileSync(target, "utf8") !== text) {
  console.error("examples/www/tables.js is not up to date: node data/tables.mjs");
  process.exit(1);
}

// The words of the panel: in both languages, and there where a page uses them.

import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";

import { MESSAGES, reasonOf } from "../../examples/www/errors.js";
import { TEXTS, setLanguage, t } from "../../examples/www/texts.js";
import { WEB_ROOT } from "./driver.mjs";

const files = readdirSync(WEB_ROOT).filter((name) => /\.(js|html)$/.test(name) && name !== "texts.js");
const sources = files.map((name) => [name, readFileSync(join(WEB_ROOT, name), "utf8")]);
const found = (pattern) => sources.flatMap(([name, text]) => [...text.matchAll(pattern)].map(([, key]) => [name, key]));

/** Keys in full, and the starts of those that are put together. */
const used = [...Object.values(MESSAGES).map((key) => ["errors.js", key]), ...found(/\bt\(\s*"([^"]+)"/g), ...found(/\bdata-text(?:-[a-z]+)?="([^"]+)"/g)];
const starts = found(/\bt\(\s*`([^`$]+)\$\{/g);

test("each text is there in all languages, with the same values", () => {
  const values = (text) => [...new Set(text.match(/\{\w+\}/g))].sort();
  for (const [key, { en, sv, ...rest }] of Object.entries(TEXTS)) {
    assert.ok(en && sv, `${key} needs en and sv`);
    assert.deepEqual(Object.keys(rest), [], key);
    assert.deepEqual(values(sv), values(en), key);
    assert.equal(sv.split("|").length, en.split("|").length, `${key}: one and many`);
  }
});

test("each key that a page uses has a text", () => {
  assert.ok(used.length > 0 || starts.length > 0);
  for (const [file, key] of used) {
    assert.ok(key in TEXTS, `${file} uses ${key}`);
  }
  for (const [file, start] of starts) {
    assert.ok(Object.keys(TEXTS).some((key) => key.startsWith(start)), `${file} uses ${start}...`);
  }
});

test("each text is used", () => {
  const text = sources.map(([, source]) => source).join("\n");
  for (const key of Object.keys(TEXTS)) {
    const isUsed = text.includes(`"${key}"`) || starts.some(([, start]) => key.startsWith(start));
    assert.ok(isUsed, `nothing uses ${key}`);
  }
});

test("what the client and the server refuse is told in both languages", () => {
  const source = (path) => readFileSync(join(WEB_ROOT, path), "utf8");
  const said = [...source("vscp.js").matchAll(/VscpError\(0, "([^"]+)"\)|"(The (?:connection|server) [^"]+)"/g)].map(([, own, lost]) => own ?? lost);
  const answers = [...source("../../src/ws/session/mod.rs").matchAll(/Self::(\w+) => "([^"]+)"/g)];
  // The panel sends nothing of an unknown type.
  const refused = answers.filter(([, name]) => name !== "UnknownType").map(([, , text]) => text);
  assert.ok(said.length > 4 && refused.length > 5, `${said} ${refused}`);
  for (const message of [...said, ...refused]) {
    assert.ok(MESSAGES[message] in TEXTS, message);
  }
  const reasons = [...source("../../src/ws/connection/mod.rs").matchAll(/Close\(\w+, "([^"]+)"/g)];
  assert.ok(reasons.length > 5);
  for (const [, reason] of reasons) {
    assert.ok(`error.why.${reason}` in TEXTS, reason);
  }
  setLanguage("sv");
  assert.equal(reasonOf(new Error("Not allowed to send event.")), "Får inte skicka händelsen.");
  assert.equal(reasonOf(new Error("The server has closed the connection: going away.")), "Servern har stängt förbindelsen: den stoppas.");
  assert.equal(reasonOf(new Error("Something else.")), "Something else.");
  setLanguage("en");
});

test("values and numbers stand where the text says", () => {
  TEXTS["test.many"] = { en: "1 sensor of {room}|{count} sensors of {room}", sv: "1 givare i {room}|{count} givare i {room}" };
  setLanguage("sv");
  assert.equal(t("test.many", { count: 2500, room: "Hallen" }), "2\u00a0500 givare i Hallen");
  setLanguage("en");
  assert.equal(t("test.many", { count: 1, room: "Hall" }), "1 sensor of Hall");
  assert.equal(t("test.many", { count: 2500, room: "Hall" }), "2,500 sensors of Hall");
  assert.equal(t("test.missing"), "test.missing");
  delete TEXTS["test.many"];
});

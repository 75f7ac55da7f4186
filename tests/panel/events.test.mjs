// The parts of the event list that need no browser: filter, CSV, forms to copy, times, what is remembered.

import assert from "node:assert/strict";
import { test } from "node:test";

import { curlOf, jsonOf, ws1Line } from "../../examples/www/copy.js";
import { csvOf } from "../../examples/www/csv.js";
import { measurementOf } from "../../examples/www/measurement.js";
import { recall, recentOf, store } from "../../examples/www/recent.js";
import { matches, termsOf } from "../../examples/www/search.js";
import { dateTime, rowTime } from "../../examples/www/when.js";
import { merge } from "../../examples/www/widget-merge.js";
import { parseEvent } from "../../examples/www/vscp.js";

const GUID = "FF:FF:FF:FF:FF:FF:FF:FE:02:00:00:00:00:01:00:07";

function entry(vscpClass, type, data, more = {}) {
  const event = { head: 96, class: vscpClass, type, obid: 3, datetime: "2026-11-29T10:00:00Z", timestamp: 1234, guid: GUID, data: Uint8Array.from(data) };
  return { event, measurement: measurementOf(event), time: new Date(2026, 10, 29, 12, 5, 9, 7).getTime(), sent: false, ...more };
}

test("a filter finds words, and exactly what is named", () => {
  const one = entry(30, 5, [0, 1, 2]);
  const options = { language: "sv", nodeName: () => "Köket", sentWords: "sent", edition: 0 };
  for (const [text, expected] of [
    ["", true],
    ["slå på", true],
    ["sla delzon", true],
    ["kok", true],
    ["turn", true],
    ["CONTROL", true],
    ["-styrning", false],
    ["class:30 type:5 zone:1 priority:3", true],
    ["class:3", false],
    ["type:55", false],
    ["zone:2", false],
    ["-zone:2", true],
    [`guid:${GUID}`, true],
    ["guid:::fe:02:00:00:00:00:01:00:07", true],
    ["guid:::fe:02:00:00:00:00:01:00:08", false],
    ["01 02", true],
    ["sent", false],
    ["nothing", false],
  ]) {
    assert.equal(matches(one, termsOf(text), options), expected, text);
  }
  assert.ok(matches(entry(30, 5, [], { sent: true }), termsOf("sent"), options));
  // Words are looked up once; with another edition they are looked up again.
  assert.ok(!matches(one, termsOf("hall"), { ...options, nodeName: () => "Hall" }));
  assert.ok(matches(one, termsOf("hall"), { ...options, nodeName: () => "Hall", edition: 1 }));
});

test("CSV has a mark for UTF-8, the separators of the country, and nothing that a spreadsheet reckons with", () => {
  const list = [entry(10, 6, [0x88, 0x81, 1, 7]), entry(509, 1, [0, 4, 0, ...Buffer.from('a;b,"c"')]), entry(65, 6, [3, 1, 2, 0x88, 0x81, 255, 7], { sent: true })];
  const csv = (locale) => csvOf(list, { locale, nodeName: () => "=1+1" }).split("\r\n").map((line) => line.split(locale === "en" ? "," : ";"));
  const [english, swedish] = [csv("en"), csv("sv")];
  assert.equal(english[0][0], "\ufeffreceived");
  assert.deepEqual(english[1], ["2026-11-29 12:05:09.007", "Temperature", "26.3", "°C", "sensor 0", "0", "", "", "'=1+1", GUID, "10", "6", "3", "0x88 0x81 0x01 0x07", "2026-11-29T10:00:00Z", "1234", "3", "96", "0"]);
  assert.deepEqual(swedish[1].slice(0, 4), ["2026-11-29 12:05:09,007", "Temperature", "26,3", "°C"]);
  assert.ok(csvOf(list, { locale: "en" }).includes('"warning, “a;b,""c""”"'));
  assert.deepEqual(swedish[3].slice(2, 8), ["-24,9", "°C", '"zone 1, subzone 2, sensor 3"', "3", "1", "2"]);
  assert.equal(swedish[3].at(-1), "1");
  assert.deepEqual(english.at(-1), [""]);
  assert.equal(csvOf([]).split("\r\n").length, 2);
});

test("an event is copied so that it can be sent", () => {
  const { event } = entry(30, 5, [0, 1, 255]);
  assert.equal(ws1Line(event), `E;96,30,5,,,,${GUID},0x00,0x01,0xFF`);
  assert.deepEqual([...parseEvent(ws1Line(event).slice(2)).data], [0, 1, 255]);
  assert.equal(ws1Line({ ...event, data: [] }), `E;96,30,5,,,,${GUID}`);
  assert.deepEqual(JSON.parse(jsonOf(event)), { ...event, data: [0, 1, 255] });
  assert.deepEqual(JSON.parse(jsonOf({ ...event, data: new Uint8Array() })).data, []);
  const curl = curlOf(event, { origin: "https://house:8884", user: "o'neil" });
  assert.ok(curl.includes(`-H 'vscpuser: o'\\''neil' -H "vscpsecret: $password" -d op=sendevent`), curl);
  assert.ok(curl.endsWith(`'vscpevent=96,30,5,,,,${GUID},0x00,0x01,0xFF' 'https://house:8884/vscp/rest'`), curl);
});

test("a row has milliseconds today, and the date on other days", () => {
  const time = new Date(2026, 10, 29, 12, 5, 9, 7).getTime();
  assert.equal(rowTime(time, time + 60_000, "en-GB"), "12:05:09.007");
  assert.equal(rowTime(time, time + 86_400_000, "en-GB"), "29 Nov 12:05:09");
  assert.equal(rowTime(time, time + 86_400_000, "sv"), "29 nov. 12:05:09");
  assert.equal(dateTime(time), "2026-11-29 12:05:09.007");
});

test("the last events are remembered once each, and what is no event is not", () => {
  let recent = [];
  for (const type of [5, 6, 5, 29, 24, 3, 4, 7]) {
    recent = recentOf(recent, { class: 30, type, data: Uint8Array.of(0, 1, 2) });
  }
  assert.deepEqual(recent.map(({ type }) => type), [7, 4, 3, 24, 29, 5]);
  assert.deepEqual(recent[0], { class: 30, type: 7, priority: 3, guid: "-", data: [0, 1, 2] });

  const stored = new Map();
  globalThis.localStorage = { getItem: (key) => stored.get(key) ?? null, setItem: (key, text) => stored.set(key, text) };
  try {
    assert.deepEqual(recall().recent, []);
    store({ zone: "3" });
    store({ recent });
    assert.deepEqual(recall(), { zone: "3", recent });
    for (const text of ["", "null", "[]", '{"recent":7}', '{"zone":"x","recent":[null,{},{"class":30},{"class":30,"type":5,"priority":9,"guid":"-","data":[]},{"class":30,"type":5,"priority":3,"guid":"-","data":[256]}]}']) {
      stored.set("vscp-sent", text);
      assert.deepEqual(recall().recent ?? [], [], text);
      assert.equal(recall().zone, undefined);
    }
  } finally {
    delete globalThis.localStorage;
  }
});

test("a list and what the server remembers become one, the newest first", () => {
  /** "30@7" is an event of class 30 whose time stamp is 7; the clock here is `ahead` of the server's. */
  const list = (text, ahead = 0) =>
    text.split(" ").filter(Boolean).map((one) => {
      const [vscpClass, timestamp] = one.split("@").map(Number);
      return { time: timestamp + ahead, event: { class: vscpClass, type: 1, guid: GUID, timestamp } };
    });
  for (const [what, shown, answers, since, expected] of [
    ["at first all comes from the server", "", ["30@3 30@1", "20@2"], 4, "30@3 20@2 30@1"],
    ["what came meanwhile is newer", "30@5", ["30@3 30@1"], 4, "30@5 30@3 30@1"],
    ["what is not written yet is newer", "30@9 30@8 30@3", ["30@8 30@3"], 10, "30@9 30@8 30@3"],
    ["what the answer's limit leaves out is older", "30@9 30@8 20@2 20@1", ["30@9 30@8", "20@6 20@5"], 10, "30@9 30@8 20@6 20@5 20@2 20@1"],
    ["of one class it is older, of another newer", "20@9 30@8 30@1", ["30@8 30@7", "20@6"], 10, "20@9 30@8 30@7 20@6 30@1"],
    ["what was before a pause is older", "30@2 30@1", ["30@9 30@8"], 10, "30@9 30@8 30@2 30@1"],
    ["without an answer all stays", "30@2 30@1", [""], 10, "30@2 30@1"],
  ]) {
    for (const ahead of [0, -1.5]) {
      const merged = merge(list(shown), answers.map((answer) => list(answer, ahead)), since);
      assert.equal(merged.map(({ event }) => `${event.class}@${event.timestamp}`).join(" "), expected, `${what}, ${ahead}`);
    }
  }
});

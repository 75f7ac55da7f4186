// Events in words: what each class and type says, in both languages.

import assert from "node:assert/strict";
import { test } from "node:test";

import { readFields } from "../../examples/www/fields.js";
import { typesOf } from "../../examples/www/names.js";
import { CHOICES, CLASS_WORDS, LABELS, PHRASES, VALUES } from "../../examples/www/phrases.js";
import { CLASSES } from "../../examples/www/tables.js";
import { classWord, fieldsOf, quantityWord, reachesAllZones, sentenceOf, typeWord, wordsOf } from "../../examples/www/words.js";

const GUID = "FF:FF:FF:FF:FF:FF:FF:FE:02:00:00:00:00:01:00:07";
const INTERFACE = "00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 2A ";

function event(vscpClass, type, hex) {
  const data = Uint8Array.from(hex.match(/[\dA-F]{2}/g) ?? [], (pair) => parseInt(pair, 16));
  return { head: 96, class: vscpClass, type, guid: GUID, data };
}

/** Level II classes that carry a level I class have its types. */
const lines = Object.entries(PHRASES).flatMap(([vscpClass, text]) =>
  text.split("\n").filter(Boolean).map((line) => [Number(vscpClass), ...line.split("|")]),
);

test("events of all kinds are told in words", () => {
  for (const [vscpClass, type, hex, english, swedish] of [
    [30, 5, "00 01 02", "Turn on, zone 1, subzone 2", "Slå på, zon 1, delzon 2"],
    [30, 5, "07 01 02", "Turn on, index 7, zone 1, subzone 2", "Slå på, index 7, zon 1, delzon 2"],
    [30, 6, "00 03 FF", "Turn off, zone 3", "Slå av, zon 3"],
    [30, 6, "00 FF FF", "Turn off, all zones", "Slå av, alla zoner"],
    [30, 6, "00 FF 04", "Turn off, all zones, subzone 4", "Slå av, alla zoner, delzon 4"],
    [30, 6, "", "Turn off", "Slå av"],
    [30, 17, "FF 01 FF", "Turn all devices off, index all, zone 1", "Slå av alla enheter, index alla, zon 1"],
    [30, 20, "32 01 02", "Dim to 50\u00a0%, zone 1, subzone 2", "Dimma till 50\u00a0%, zon 1, delzon 2"],
    [30, 20, "FE 01 02", "Dim one step down, zone 1, subzone 2", "Dimma ett steg ner, zon 1, delzon 2"],
    [30, 30, "00 01 02 02 00 00 01 2C", "Pulse on, zone 1, subzone 2, 300\u00a0s", "Puls på, zon 1, delzon 2, 300\u00a0s"],
    [30, 33, "00 01 02 FF 38", "Change level, zone 1, subzone 2, level -200", "Ändra nivå, zon 1, delzon 2, nivå -200"],
    [30, 44, "00 01 FF 01 00 64 01 F4", "Set pulse width, repeat 0, zone 1, 100\u00a0ms on, 500\u00a0ms off", "Sätt pulsbredd, upprepning 0, zon 1, 100\u00a0ms på, 500\u00a0ms av"],
    [542, 5, `${INTERFACE}00 01 02`, "Turn on, zone 1, subzone 2", "Slå på, zon 1, delzon 2"],
    [542, 5, "00 01", "Turn on, 00 01", "Slå på, 00 01"],
    [2, 1, "00 03", "Motion detected, zone 3", "Rörelse upptäckt, zon 3"],
    [2, 1, "00 03 FF 02", "Motion detected, zone 3, deactivated", "Rörelse upptäckt, zon 3, avaktiverad"],
    [2, 9, "00 01 FF", "Door open, zone 1", "Dörr öppen, zon 1"],
    [2, 25, "01 01 02", "Identity check, authenticated, not authorized, zone 1, subzone 2", "Identitetskontroll, identifierad, obehörig, zon 1, delzon 2"],
    [1, 2, "04 02 FF", "Alarm, code 4, zone 2", "Larm, kod 4, zon 2"],
    [1, 2, "00 02 FF", "Alarm reset, code 0, zone 2", "Larm återställt, kod 0, zon 2"],
    [1, 3, "01 02 FF", "Alarm sound on, zone 2", "Larmljud på, zon 2"],
    [1, 5, "00 02 FF", "Power off, zone 2", "Ström av, zon 2"],
    [90, 39, "00 02 FF", "Fire, zone 2", "Brand, zon 2"],
    [95, 35, "", "Storm", "Storm"],
    [20, 9, "00 00 00", "Heartbeat of node ::FE:02:00:00:00:00:01:00:07", "Livstecken från nod ::FE:02:00:00:00:00:01:00:07"],
    [20, 1, "01 01 02 00 05", "Button, pressed, zone 1, subzone 2, button 5", "Knapp, tryckt, zon 1, delzon 2, knapp 5"],
    [20, 3, "00 01 04 EE", "On, zone 1, subzone 4, EE", "På, zon 1, delzon 4, EE"],
    [20, 72, "00 01 FF 14 1A 0B 1D", "Date, zone 1, 2026-11-29", "Datum, zon 1, 2026-11-29"],
    [20, 73, "00 01 FF 0C 05 09 00 07", "Time, zone 1, 12:05:09.007 UTC", "Tid, zon 1, 12:05:09.007 UTC"],
    [20, 74, "00 01 FF 06", "Weekday, zone 1, Sunday", "Veckodag, zon 1, söndag"],
    // 2026-11-29 12:05:09, packed into 38 bits
    [20, 77, "00 01 FF 1F AA FA C1 49", "Date and time, zone 1, 2026-11-29 12:05:09 UTC", "Datum och tid, zon 1, 2026-11-29 12:05:09 UTC"],
    [0, 1, "12 65 00 00 00", "Heartbeat of the segment controller, 2023-09-12 06:06:56 UTC", "Livstecken från segmentkontrollern, 2023-09-12 06:06:56 UTC"],
    [0, 9, "05 0A", "Read register, node 5, register 10", "Läs register, nod 5, register 10"],
    [0, 9, "01 05 0A", "Read register, node 261, register 10", "Läs register, nod 261, register 10"],
    [0, 9, `${INTERFACE}0A`, "Read register, node -:2A, register 10", "Läs register, nod -:2A, register 10"],
    [40, 1, "02 01 FF", "Playback, play, zone 1", "Uppspelning, spela, zon 1"],
    [40, 40, "14 01 02", "TiVo function, red key, zone 1, subzone 2", "TiVo-funktion, röd knapp, zon 1, delzon 2"],
    [40, 52, "03 01 FF", "Ask for media information, tracks, zone 1", "Fråga efter medieinformation, spår, zon 1"],
    [40, 60, "06 01 FF", "Media information, genre, zone 1", "Medieinformation, genre, zon 1"],
    [40, 11, "A2 01 FF", "Volume, level 2 up, zone 1", "Volym, nivå 2 upp, zon 1"],
    [100, 1, "01 00 03 34 34 2D 31", "Incoming call, call 1, part 0, “44-1”", "Inkommande samtal, samtal 1, del 0, ”44-1”"],
    [102, 49, "00 01 FF FF 88 00", "Set color, zone 1, #FF8800", "Sätt färg, zon 1, #FF8800"],
    [206, 1, "42 6D 50 00 41 90 00 00", "Position, latitude 59.32813°, longitude 18°", "Position, latitud 59.32813°, longitud 18°"],
    [506, 4, "00 01 FF", "Battery low, zone 1", "Lågt batteri, zon 1"],
    [508, 9, "00 01 FF", "Queue is full, zone 1", "Kön är full, zon 1"],
    [509, 1, "01 03 00 41 42", "Log message, error, “AB”", "Loggmeddelande, fel, ”AB”"],
    [1026, 2, "41 42 43 00 00", "Heartbeat of node ::FE:02:00:00:00:00:01:00:07, “ABC”", "Livstecken från nod ::FE:02:00:00:00:00:01:00:07, ”ABC”"],
    [1027, 1, "00 01 FF FF 32 00 00 00 00 48 65 6A", "Say, zone 1, volume 50\u00a0%, “Hej”", "Säg, zon 1, volym 50\u00a0%, ”Hej”"],
    [1028, 1, `${INTERFACE}20 7B 7D`, "Object command, node -:2A, “{}”", "Objektkommando, nod -:2A, ”{}”"],
    [10, 6, "88 81 01 07", "Temperature 26.3\u202f°C, sensor 0", "Temperatur 26,3\u202f°C, givare 0"],
    [10, 35, "02 05", "Humidity 5\u202f%, sensor 2", "Fuktighet 5\u202f%, givare 2"],
    [10, 6, "88", "Temperature, 88", "Temperatur, 88"],
    [65, 6, "03 01 02 88 81 01 07", "Temperature 26.3\u202f°C, zone 1, subzone 2, sensor 3", "Temperatur 26,3\u202f°C, zon 1, delzon 2, givare 3"],
    [85, 6, "03 01 FF 88 81 01 07", "Set temperature 26.3\u202f°C, zone 1, sensor 3", "Ställ in temperatur 26,3\u202f°C, zon 1, givare 3"],
    [1040, 6, "05 01 02 01 32 31 2E 35 30", "Temperature 21.50\u202f°C, zone 1, subzone 2, sensor 5", "Temperatur 21,50\u202f°C, zon 1, delzon 2, givare 5"],
    [1060, 6, "05 00 00 01 40 35 80 00 00 00 00 00", "Temperature 21.5\u202f°C, sensor 5", "Temperatur 21,5\u202f°C, givare 5"],
    [15, 2, "61 01 00", "Analog input 256, sensor 1", "Analog ingång 256, givare 1"],
    [30, 99, "01", "Type 99, index 1", "Typ 99, index 1"],
    [9999, 3, "01 02", "Type 3, 01 02", "Typ 3, 01 02"],
  ]) {
    const name = `${vscpClass}:${type} ${hex}`;
    assert.equal(sentenceOf(event(vscpClass, type, hex)), english, name);
    assert.equal(sentenceOf(event(vscpClass, type, hex), { language: "sv" }), swedish, name);
  }
});

test("a node has the name that it is given", () => {
  const nodeName = (guid) => (guid === GUID ? "Kitchen" : "");
  assert.equal(sentenceOf(event(20, 9, ""), { nodeName }), "Heartbeat of Kitchen");
  assert.equal(sentenceOf({ ...event(20, 9, ""), guid: GUID.replace("07", "08") }, { nodeName }), "Heartbeat of node ::FE:02:00:00:00:00:01:00:08");
});

test("bytes that nothing explains are told to be raw", () => {
  assert.equal(wordsOf(event(30, 5, "00 01 02")).raw, false);
  assert.equal(wordsOf(event(511, 0, "00 01 02")).raw, true);
  assert.equal(wordsOf(event(10, 6, "88")).raw, true);
  assert.equal(wordsOf(event(20, 9, "00")).raw, false);
  assert.equal(wordsOf(event(511, 0, "")).raw, false);
});

test("text from the net cannot bring control characters into a line", () => {
  assert.equal(sentenceOf(event(509, 1, "01 07 00 41 0A 42 1B 5B FF")), "Log message, debug, “A B [\ufffd”");
});

test("each field has its bytes, in full", () => {
  const told = (...args) => fieldsOf(event(...args)).map(({ bytes, label, text }) => `${bytes} ${label} ${text}`);
  assert.deepEqual(told(30, 30, "00 01 02 02 00 00 00 05"), ["0 index 0", "1 zone 1", "2 subzone 2", "3–7 pulse 5\u00a0s"]);
  assert.deepEqual(told(542, 5, `${INTERFACE}00 FF FF 09 0A`), [
    "0–15 interface -:2A",
    "16 index 0",
    "17 zone all zones",
    "18 subzone all subzones",
    "19–20 data 09 0A",
  ]);
  assert.deepEqual(told(20, 9, "05 01 02"), ["0 index 5", "1 zone 1", "2 subzone 2"]);
  assert.deepEqual(told(10, 6, "88 81 01 07"), ["0 coding scaled integer, unit 1, sensor 0", "1–3 value 81 01 07"]);
  assert.deepEqual(told(65, 6, "03 01 02 88 81 01 07"), ["0 index 3", "1 zone 1", "2 subzone 2", "3 coding scaled integer, unit 1, sensor 0", "4–6 value 81 01 07"]);
  assert.deepEqual(told(1060, 6, "05 01 02 01 40 35 80 00 00 00 00 00"), ["0 index 5", "1 zone 1", "2 subzone 2", "3 unit 1", "4–11 value 21.5"]);
  assert.deepEqual(told(70, 12, "47 C5 E6 80"), ["0–3 value 101325"]);
  assert.deepEqual(told(9999, 0, ""), []);
  assert.deepEqual(fieldsOf(event(2, 1, "07 01"), { language: "sv" }).map(({ label }) => label), ["egen byte", "zon"]);
});

test("an event that makes things act in all zones is known", () => {
  for (const [vscpClass, type, hex, expected] of [
    [30, 5, "00 FF FF", true],
    [30, 5, "00 FF 01", true],
    [30, 5, "", true],
    [30, 5, "00", true],
    [30, 5, "00 01 FF", false],
    [30, 25, "00 FF", false],
    [30, 99, "00 FF FF", true],
    [542, 5, `${INTERFACE}00 FF FF`, true],
    [542, 5, `${INTERFACE}00 01 FF`, false],
    [1, 6, "01 FF FF", true],
    [85, 6, "00 FF FF 88 81 01 07", true],
    [85, 6, "00 01 FF 88 81 01 07", false],
    [40, 1, "02 FF FF", true],
    [20, 3, "00 FF FF", false],
    [10, 6, "88 81 01 07", false],
  ]) {
    assert.equal(reachesAllZones(event(vscpClass, type, hex)), expected, `${vscpClass}:${type} ${hex}`);
  }
});

test("all types of the lists, and all quantities, have words of their own", () => {
  for (const vscpClass of Object.keys(CLASSES).map(Number)) {
    for (const [type, name] of typesOf(vscpClass).entries()) {
      if (name && !/^Reserved/.test(name)) {
        for (const language of ["en", "sv"]) {
          const words = typeWord(vscpClass, type, language);
          assert.doesNotMatch(words, /^(Type|Typ) \d|\{|undefined|^$/, `${vscpClass}:${type} ${name}`);
        }
      }
    }
    assert.notEqual(classWord(vscpClass), `Class ${vscpClass}`);
  }
  assert.equal(classWord(542, "sv"), "Styrning");
  assert.equal(classWord(9999), "Class 9999");
  assert.equal(quantityWord(35), "Humidity");
  assert.equal(typeWord(1, 3), "Alarm sound on/off");
  assert.equal(typeWord(20, 9), "Heartbeat");
});

test("each phrase is whole: two languages, fields that there are", () => {
  const names = new Set();
  for (const [vscpClass, type, english, swedish, layout, ...more] of lines) {
    const where = `${vscpClass}:${type}`;
    assert.deepEqual(more, [], where);
    assert.ok(type === "*" ? layout : english && swedish, `${where} needs two languages`);
    const inherited = lines.find(([other, star]) => other === vscpClass && star === "*")?.[4];
    for (const alternative of (layout || inherited || "").split("/")) {
      // Data that is long enough for all fields with a fixed size.
      const { fields } = readFields(alternative, new Uint8Array(200), "en");
      assert.equal(fields.length, alternative.split(" ").filter(Boolean).length, `${where} has a form that there is not: ${alternative}`);
      fields.forEach(({ name }) => names.add(name));
    }
    const wanted = (text) => [...text.matchAll(/\{(\w+)\}/g)].map(([, name]) => name);
    assert.deepEqual(wanted(swedish), wanted(english), where);
    for (const name of wanted(english).filter((name) => name !== "node")) {
      assert.match(layout || inherited, new RegExp(`(^| )${name}=`), where);
    }
  }
  names.add("sensor").add("unit").add("interface").add("data");
  for (const name of names) {
    assert.ok(name in LABELS, `the field ${name} has no Swedish name`);
  }
  for (const words of Object.values(CLASS_WORDS)) {
    assert.equal(words.split("|").length, 2, words);
  }
  for (const [key, words] of Object.entries(VALUES)) {
    assert.equal(words.filter(Boolean).length, 2, key);
  }
  for (const [choice, text] of Object.entries(CHOICES)) {
    assert.match(text, /^(\d+=[^ /]+(\/[^ /]+)?( |$))+$/, choice);
  }
});

test("no data, however long, breaks the words", () => {
  for (const [vscpClass, type] of lines) {
    for (let length = 0; length <= 40; length += 1) {
      const bytes = Uint8Array.from({ length }, (_, index) => (index * 83 + length * 29) % 256);
      for (const all of type === "*" ? [200] : [Number(type)]) {
        const told = { ...event(vscpClass, all, ""), data: bytes };
        assert.doesNotMatch(`${sentenceOf(told)} ${JSON.stringify(fieldsOf(told))}`, /undefined|NaN|\{\w+\}/, `${vscpClass}:${type}, ${length} bytes`);
      }
    }
  }
});

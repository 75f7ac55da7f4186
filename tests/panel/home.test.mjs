// What the panel makes of sensors: words, units, groups, silence, lines, addresses.

import assert from "node:assert/strict";
import { before, test } from "node:test";

import { heightOf } from "../../examples/www/chart.js";
import { learnTime, parseAnswer, serverTime } from "../../examples/www/clock.js";
import { ago, duration, localNumber } from "../../examples/www/format.js";
import { History } from "../../examples/www/history.js";
import { Home } from "../../examples/www/home.js";
import { measurementOf, sensorId } from "../../examples/www/measurement.js";
import { rateOf } from "../../examples/www/nodes.js";
import { presentation, quantityName, readingOf } from "../../examples/www/quantity.js";
import { parseRoute, routeTo } from "../../examples/www/route.js";
import { sparkPaths } from "../../examples/www/spark.js";
import { UNITS } from "../../examples/www/tables.js";
import { setLanguage } from "../../examples/www/texts.js";
import { wordsOf } from "../../examples/www/words.js";

const GUID = "FF:FF:FF:FF:FF:FF:FF:FE:02:00:00:00:00:01:00:07";
const NOW = Date.UTC(2026, 0, 31, 12);

before(() => setLanguage("en"));

/** A sensor as /api/sensors tells it. */
function known(parts = {}) {
  const { guid = GUID, sensor = 0, type = 6, unit = 1 } = parts;
  return {
    id: `${guid}/${sensor}/${type}/${unit}`,
    guid,
    sensor,
    type,
    unit,
    zone: 0,
    subzone: 0,
    value: 21.55,
    time: NOW,
    interval: null,
    from: "can0",
    name: null,
    node: null,
    room: null,
    decimals: null,
    hidden: false,
    ...parts,
  };
}

function measure(home, value, time, guid = GUID) {
  const event = { class: 1040, type: 6, guid, data: Uint8Array.from([0, 0, 0, 1, ...Buffer.from(value)]) };
  return home.take(event, measurementOf(event), time);
}

test("a sensor has its number where another one of its node is called the same, and nowhere else", () => {
  const home = new Home();
  home.load([known(), known({ sensor: 1, name: "Wanted" }), known({ sensor: 2, type: 35, unit: 0 })]);
  const origins = () => [...home.sensors.values()].map((sensor) => sensor.origin());
  assert.deepEqual(origins(), ["Node 00:07", "Temperature · Node 00:07", "Node 00:07"]);
  home.load([known({ sensor: 3 })]);
  assert.deepEqual(origins(), ["Node 00:07 · sensor 0", "Temperature · Node 00:07", "Node 00:07", "Node 00:07 · sensor 3"]);
  home.load([known({ sensor: 3, name: "Floor" })]);
  assert.equal(origins()[0], "Node 00:07");
});

test("rates have tenths where they say something", () => {
  assert.deepEqual([0, 0.2, 5, 9.96, 10.4, 270.1].map((perMinute) => rateOf({ perMinute })), ["0", "0.2", "5.0", "10.0", "10", "270"]);
});

test("the id of a sensor is that of the server", () => {
  for (const [event, expected] of [
    [{ class: 10, type: 6, data: [0x8b, 0x81, 1, 7] }, "/3/6/1"],
    [{ class: 11, type: 6, data: [0x60, 1] }, "/0/262/0"],
    [{ class: 65, type: 6, data: [3, 1, 2, 0x88, 0x81, 1, 7] }, "/3/6/1/1/2"],
    [{ class: 1040, type: 35, data: [1, 0, 0, 0, 0x35] }, "/1/35/0"],
    [{ class: 522, type: 6, data: [...Array(16).fill(0), 0x88, 0x81, 1, 7] }, "/0/6/1"],
    [{ class: 15, type: 2, data: [0x61, 1, 0] }, "/1/2/0"],
  ]) {
    const measurement = measurementOf({ ...event, data: Uint8Array.from(event.data) });
    assert.equal(sensorId(GUID, measurement), GUID + expected);
  }
});

test("values are shown in the units that people use", () => {
  for (const [type, unit, value, expected] of [
    [6, 0, 294.15, "21.0 °C"],
    [6, 1, 21.46, "21.5 °C"],
    [12, 0, 101325, "1013.3 hPa"],
    [13, 0, 3.6e6, "1.00 kWh"],
    [13, 2, 1500, "1.50 kWh"],
    [14, 0, 411.6, "412 W"],
    [35, 0, 45.4, "45 %"],
    [36, 0, 0.0001, "6.0 l/min"],
    [30, 0, Math.PI, "180 °"],
    [46, 0, 12e-9, "12 µg/m³"],
    [16, 0, 231.54, "231.5 V"],
  ]) {
    const { of, decimals, unit: symbol } = presentation(type, unit);
    assert.equal(`${localNumber(of(value), decimals)} ${symbol}`, expected, `${type}/${unit}`);
  }
});

test("no unit is shown as a sentence", () => {
  for (const [type, list] of Object.entries(UNITS)) {
    list.split("|").forEach((name, unit) => {
      const shown = presentation(Number(type), unit).unit;
      assert.ok(shown.length <= 17 && !/[ ()]/.test(shown.replace("(sr·m²)", "")), `${type}/${unit}: ${name} is shown as ${shown}`);
    });
  }
});

test("quantities have words in both languages", () => {
  assert.equal(quantityName(35), "Humidity");
  setLanguage("sv");
  assert.equal(quantityName(35), "Fuktighet");
  assert.equal(localNumber(1234.5, 1), "1234,5");
  assert.equal(localNumber(12345.6, 1), "12\u00a0345,6");
  setLanguage("en");
  assert.equal(quantityName(250), "Type 250");
  assert.equal(localNumber(-0.04, 1), "0.0");
});

test("a home is filled by the server and goes on with events", () => {
  const home = new Home();
  home.load([known({ name: "Window", room: "Hall", decimals: 2 })]);
  const sensor = measure(home, "22.125", NOW + 1000);
  assert.equal(home.sensors.size, 1);
  assert.equal(sensor.reading(), "22.13\u202f°C");
  assert.equal(sensor.origin(), "Temperature · Node 00:07");
  home.load([known({ name: "Door", value: 5 })]);
  assert.equal(sensor.value, 22.125, "an older value does not come back");
  assert.equal(sensor.title, "Door");
});

test("a sensor is silent after three of its own intervals", () => {
  for (const [interval, quiet, stale] of [
    [null, 3_500_000, false],
    [null, 3_700_000, true],
    [600, 1_790_000, false],
    [600, 1_810_000, true],
    [0.1, 9_000, false],
    [0.1, 11_000, true],
  ]) {
    const home = new Home();
    home.load([known({ interval })]);
    const [sensor] = home.sensors.values();
    assert.equal(sensor.isStale(NOW + quiet), stale, `${interval} s, silent for ${quiet} ms`);
  }
});

test("without a server the pace of a sensor is learnt", () => {
  const home = new Home();
  for (let minute = 0; minute < 5; minute += 1) {
    measure(home, "21", NOW + minute * 60_000);
  }
  const [sensor] = home.sensors.values();
  assert.equal(sensor.interval, 60);
  assert.ok(!sensor.isStale(sensor.time + 170_000) && sensor.isStale(sensor.time + 190_000));
});

test("sensors are in groups by room or node, and found by the words of people", () => {
  const home = new Home();
  const other = GUID.replace(/07$/, "08");
  home.load([
    known({ room: "Kök", node: "Stove guard" }),
    known({ type: 35, unit: 0, room: "Kök", node: "Stove guard" }),
    known({ guid: other, sensor: 1 }),
    known({ guid: other, sensor: 2 }),
    known({ guid: other, sensor: 3, hidden: true }),
  ]);
  const shape = (by, search) => home.groups(by, search).map(({ title, sensors }) => [title, sensors.length]);
  assert.deepEqual(shape("room"), [["Kök", 2], ["Node 00:08", 2]]);
  assert.deepEqual(shape("node"), [["Node 00:08", 2], ["Stove guard", 2]]);
  assert.deepEqual(shape("room", "kok fukt"), [["Kök", 1]]);
  assert.deepEqual(shape("room", "grader"), [["Kök", 1], ["Node 00:08", 2]]);
  assert.deepEqual(shape("room", "nothing"), []);
  const [first] = home.groups("room").at(-1).sensors;
  assert.equal(first.origin({ withNode: false }), "sensor 1", "the number tells alike sensors apart");
});

test("a flood of senders has a limit", () => {
  const home = new Home();
  for (let node = 0; node < 4000; node += 1) {
    measure(home, "1", NOW, `${GUID.slice(0, -5)}${(node >> 8).toString(16).padStart(2, "0")}:${(node & 255).toString(16).padStart(2, "0")}`);
  }
  assert.equal(home.sensors.size, 2000);
  assert.equal(home.ignored.size, 1000);
});

test("the past of the server stands in front of what has come since", () => {
  const history = new History();
  history.push(NOW, 5);
  history.seed([[NOW - 60_000, 1, 2, 3], [NOW - 30_000, 2, 3, 4], [NOW + 10, 9, 9, 9]]);
  assert.deepEqual(history.steps.map(({ time, min, last, max }) => [time - NOW, min, last, max]), [[-60_000, 1, 2, 3], [-30_000, 2, 3, 4], [0, 5, 5, 5]]);
  assert.deepEqual(history.pointsFrom(NOW - 30_000), [[NOW - 30_000, 2, 3, 4], [NOW, 5, 5, 5]]);
});

test("noise is no cliff", () => {
  const steps = [0, 1, 2].map((index) => ({ time: index, last: 21 + index * 0.03, min: 21 + index * 0.03, max: 21 + index * 0.03 }));
  const heights = [...sparkPaths(steps, 1).line.matchAll(/,([\d.]+)/g)].map(([, y]) => Number(y));
  assert.ok(Math.max(...heights) - Math.min(...heights) < 10, heights.join());
  assert.equal(sparkPaths(steps.slice(0, 1)).line, "");
});

test("the scale of a chart has room, and is as high as its span at least", () => {
  for (const [min, max, span, low, high] of [
    [21.0, 21.06, 1, 20.45, 21.61],
    [10, 20, 1, 9.2, 20.8],
    [0, 10, 1, 0, 10.8],
    [-5, 5, 1, -5.8, 5.8],
    [0, 0, 20, 0, 20],
    [null, null, 5, 0, 5],
  ]) {
    const found = heightOf(min, max, span).map((value) => Number(value.toFixed(2)));
    assert.deepEqual(found, [low, high], `${min} to ${max}`);
  }
});

test("an address leads to the same view", () => {
  for (const [view, part, values] of [
    ["home", "", {}],
    ["events", "", { q: "class:30 -heartbeat & more" }],
    ["sensor", `${GUID}/0/6/1`, { range: "1h", with: `${GUID}/1/35/0` }],
    ["nodes", "a b?c#d%/é", { as: "map" }],
  ]) {
    assert.deepEqual(parseRoute(routeTo(view, part, values)), { view, part, values });
  }
  assert.deepEqual(parseRoute(""), { view: "home", part: "", values: {} });
  assert.equal(parseRoute("#/nodes/%zz").part, "%zz");
  assert.equal(routeTo("home", "", { q: "", by: undefined }), "#/home");
});

test("times are told in words", () => {
  for (const [seconds, expected] of [[0.2, "1 s"], [99, "99 s"], [120, "2 min"], [7200, "2 h"], [259_200, "3 days"]]) {
    assert.equal(duration(seconds), expected);
  }
  assert.equal(ago(NOW, NOW + 500), "now");
  assert.equal(ago(NOW, NOW + 90_000), "90 s ago");
});

test("times are by the clock of this device, however that differs from the server's", () => {
  const now = Date.parse("2026-11-29T12:00:00Z");
  const learn = (serverTime) => learnTime(new Response("", { headers: { date: new Date(serverTime).toUTCString() } }), now);
  for (const [behind, expected] of [
    [0, 0],
    [1000, 0],
    [600_000, 600_500],
    [601_000, 600_500],
    [-600_000, -599_500],
    [0, 0],
  ]) {
    learn(now + behind);
    const answer = { sensors: [{ time: now, interval: 5 }], nodes: [{ last: { time: now } }], step: 1, points: [[now, 1, 2, 3]], uptime: 7 };
    const ours = now - expected;
    const parsed = parseAnswer(JSON.stringify(answer));
    assert.equal(parsed.sensors[0].time, ours);
    assert.equal(parsed.nodes[0].last.time, ours);
    assert.deepEqual(parsed.points, [[ours, 1, 2, 3]]);
    assert.deepEqual([parsed.step, parsed.uptime, parsed.sensors[0].interval], [1, 7, 5]);
    assert.equal(serverTime(ours), now);
  }
});

test("events tell a value as people read it", () => {
  const event = (type, unit, text) => ({ class: 1040, type, guid: GUID, data: Uint8Array.from([0, 0, 0, unit, ...new TextEncoder().encode(text)]) });
  for (const [type, unit, text, expected] of [
    [12, 0, "101658", "1016.6\u202fhPa"],
    [6, 1, "20.91", "20.9\u202f°C"],
    [6, 0, "294.15", "21.0\u202f°C"],
    [27, 0, "1.25", "1.25\u202f"],
  ]) {
    const { value, title } = wordsOf(event(type, unit, text), { reading: readingOf });
    assert.ok(value.startsWith(expected), `${title} ${value}`);
  }
  assert.equal(wordsOf(event(12, 0, "101658")).value, "101658\u202fPa", "as it was sent where nobody says how");
});

// 500 events a second. LOAD_SECONDS=60 measures for a minute; what it has measured is printed.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";

import { until } from "../panel/driver.mjs";
import { goTo, logIn, setUp } from "./browser.mjs";
import { House, guidOf } from "./house.mjs";

const SECONDS = Number(process.env.LOAD_SECONDS ?? 10);
const RATE = 500;
/** The panel keeps so many events: what it exports must be looked at before they are gone. */
const KEPT = 32_768;
const BURST_MS = 20;
const SENSORS = 40;

const { start, openPanel } = setUp();
let house;

test(`no row is lost at ${RATE} events a second, and memory stays flat`, async (context) => {
  house = await start(new House());
  const page = await openPanel(house.driver, { view: "events" });
  await logIn(page, { protocol: null });
  await page.locator("#board:not([hidden])").waitFor();
  const session = await page.context().newCDPSession(page);
  await session.send("Performance.enable");

  const sent = sendAll();
  const seen = new Set();
  // Home is drawn for the first half, the events for the second one.
  await goTo(page, "home");
  await sleep(2000);
  const before = await measure(session);
  const apart = await look(page, session, seen, sent, SECONDS / 2);
  const middle = await measure(session);
  await goTo(page, "events");
  const apartToo = await look(page, session, seen, sent, SECONDS);
  const last = await measure(session);
  await sent.done;
  await until(async () => {
    await takeExport(page, seen);
    return seen.size === sent.count;
  }, `all of ${sent.count} events are there`);

  const share = (from, to, exports) => (100 * (to.busy - from.busy - exports)) / (to.time - from.time);
  context.diagnostic(
    `${sent.count} events, ${seen.size} rows; main thread ${share(before, middle, apart).toFixed(1)} % in Home, ` +
      `${share(middle, last, apartToo).toFixed(1)} % in Events; heap ${[before, middle, last].map(({ heap }) => heap.toFixed(1)).join(", ")} MB`,
  );
  assert.equal(seen.size, sent.count);
  // The list of kept events fills up at first: a minute of them is about 20 MB.
  assert.ok(last.heap < before.heap + 25, `${before.heap} MB, then ${last.heap} MB`);
  assert.deepEqual(page.problems, []);
});

/** Sends numbered events, one of two of them a measurement; `count` goes up as the server takes them. */
function sendAll() {
  const state = { count: 0, start: Date.now() };
  const run = async () => {
    let number = 0;
    while (Date.now() - state.start < (SECONDS + 2) * 1000) {
      const due = Math.floor(((Date.now() - state.start) / 1000) * RATE);
      const batch = [];
      for (; number < due; number += 1) {
        batch.push(house.send(eventOf(number)));
      }
      await Promise.all(batch);
      state.count = number;
      await sleep(BURST_MS);
    }
  };
  state.done = run();
  return state;
}

/** The number is in the data of an event; the value of a measurement has it, too. */
function eventOf(number) {
  const bytes = [number >> 16, (number >> 8) & 255, number & 255];
  const guid = guidOf(32 + (number % SENSORS));
  return number % 2 === 0
    ? { class: 10, type: 6, guid, data: [0x88, 0x80, ...bytes] }
    : { class: 20, type: 3, guid, data: [0, 0, ...bytes] };
}

/**
 * Looks at what the panel keeps, more often than it is replaced, until some seconds after the start.
 * Resolves to the time that the main thread has worked for that, which nobody has who does not export.
 */
async function look(page, session, seen, sent, seconds) {
  const step = (KEPT / RATE / 2) * 1000;
  let exports = 0;
  for (let end = sent.start + (seconds + 2) * 1000; Date.now() < end; ) {
    await sleep(Math.min(step, Math.max(0, end - Date.now())));
    const before = await busyOf(session);
    await takeExport(page, seen);
    exports += (await busyOf(session)) - before;
  }
  return exports;
}

/** Notes the numbers of all events in the CSV file, and that they are in order. */
async function takeExport(page, seen) {
  const downloading = page.waitForEvent("download");
  await page.evaluate(() => document.getElementById("export").click());
  const text = readFileSync(await (await downloading).path(), "utf8");
  const numbers = [...text.matchAll(/(?:0x88 0x80|0x00 0x00)((?: 0x[\dA-F]{2}){3})\b/g)].map(([, hex]) => parseInt(hex.replaceAll(" 0x", ""), 16));
  assert.ok(numbers.every((number, index) => index === 0 || number === numbers[index - 1] + 1), "no number is missing");
  numbers.forEach((number) => seen.add(number));
}

/** What the main thread has worked, in seconds, and the heap in MB after a collection of garbage. */
async function measure(session) {
  await session.send("HeapProfiler.collectGarbage");
  const heap = (await metric(session, "JSHeapUsedSize")) / 1e6;
  return { busy: await busyOf(session), time: performance.now() / 1000, heap };
}

/** Time of the processor, not of the clock as TaskDuration: others may be at work on this machine. */
const busyOf = (session) => metric(session, "ThreadTime");

async function metric(session, name) {
  const { metrics } = await session.send("Performance.getMetrics");
  return metrics.find((one) => one.name === name).value;
}

// Makes the pictures of the panel in docs/images anew, in four minutes, for the charts show what has come since:
// node --experimental-websocket tests/browser/picture.mjs [NAME...]

import { mkdirSync, writeFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";

import { until } from "../panel/driver.mjs";
import { PHONE, goTo, launch, logIn, openPanel } from "./browser.mjs";
import { House, guidOf } from "./house.mjs";

const FOLDER = fileURLToPath(new URL("../../docs/images/", import.meta.url));
const MEASURED = Number(process.env.PICTURE_SECONDS ?? 240) * 1000;
const WANTED = process.argv.slice(2);
const DESK = { viewport: { width: 1366, height: 768 } };
const CHART = `sensor/${guidOf(1)}/0/6/1?range=5m&with=${encodeURIComponent(`${guidOf(1)}/1/35/0`)}`;

/** What happens while a picture is made, beside the measurements. */
const EVENTS = [
  { class: 20, type: 3, guid: guidOf(2) },
  { class: 30, type: 5, guid: guidOf(5) },
  { class: 1, type: 2, priority: 0, guid: guidOf(3) },
];

const house = await new House().start();
const browser = await launch();
try {
  house.live(1000);
  await sleep(MEASURED);
  for (const [name, view, options] of [
    ["panel", "home", DESK],
    ["panel-chart", CHART, DESK],
    ["panel-events", "events", DESK],
    ["panel-nodes", "nodes?as=map", { ...DESK, colorScheme: "dark" }],
    ["panel-system", "system", { ...DESK, colorScheme: "dark" }],
    ["panel-phone", "home", PHONE],
    ["panel-phone-chart", CHART, { ...PHONE, colorScheme: "dark" }],
  ]) {
    if (WANTED.length === 0 || WANTED.includes(name)) {
      await take(name, view, options);
    }
  }
} finally {
  await browser.close();
  await house.dispose();
}

async function take(name, view, options) {
  const page = await openPanel(browser, house.driver, { view, ...options });
  await logIn(page, { protocol: null });
  const shown = page.locator("#board > .view:visible").first();
  await until(async () => (await shown.innerText()).length > 100, `${view} is filled`);
  // The past of the cards and of the chart comes from the server.
  await sleep(1500);
  for (const event of EVENTS) {
    await house.send({ ...event, data: [1, 3, 1] });
  }
  await sleep(500);
  mkdirSync(FOLDER, { recursive: true });
  // Playwright itself writes PNG, which is twice as large.
  const session = await page.context().newCDPSession(page);
  const { data } = await session.send("Page.captureScreenshot", { format: "webp", quality: 85 });
  writeFileSync(`${FOLDER}${name}.webp`, data, "base64");
  await page.context().close();
}

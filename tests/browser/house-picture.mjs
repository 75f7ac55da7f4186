// Makes docs/images/house.webp anew, in two minutes: node --experimental-websocket tests/browser/house-picture.mjs

import { cpSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";

import { Driver } from "../panel/driver.mjs";
import { launch } from "./browser.mjs";
import { House } from "./hmi-house.mjs";

const path = (name) => fileURLToPath(new URL(`../../${name}`, import.meta.url));

const folder = mkdtempSync(join(tmpdir(), "hmi-"));
cpSync(path("examples/hmi"), folder, { recursive: true });
const config = { "panel-login": "tls", "web-root": folder, names: path("examples/demo-names.json") };
const driver = await new Driver({ config }).start();
const house = new House({ url: driver.url, user: "admin", password: "secret" });
const browser = await launch();
try {
  await house.start(500);
  const page = await browser.newPage({ viewport: { width: 1280, height: 1000 } });
  await page.goto(`http://localhost:${driver.port}/`);
  await page.getByLabel("User").fill("admin");
  await page.getByLabel("Password").fill("secret");
  await page.getByRole("button", { name: "Log in" }).click();
  await page.locator("vscp-chart").evaluate((chart) => chart.setAttribute("range", "2m"));
  await sleep(120_000);
  await page.getByRole("switch", { name: "Reading lamp" }).click();
  await page.getByRole("switch", { name: "Reading lamp", checked: true }).and(page.locator('[aria-busy="false"]')).waitFor();
  await sleep(500); // it moves
  // Playwright itself writes PNG, which is twice as large.
  const session = await page.context().newCDPSession(page);
  const { data } = await session.send("Page.captureScreenshot", { format: "webp", quality: 85 });
  writeFileSync(path("docs/images/house.webp"), data, "base64");
} finally {
  await browser.close();
  house.stop();
  await driver.dispose();
  rmSync(folder, { recursive: true });
}

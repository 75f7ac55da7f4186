// Chromium with the panel in it.

import assert from "node:assert/strict";
import { mkdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { after, afterEach, before } from "node:test";
import { fileURLToPath } from "node:url";

import { chromium } from "playwright-core";

const SCREENSHOTS = fileURLToPath(new URL("../../target/screenshots", import.meta.url));

const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

/** A phone, for the options of a page. */
export const PHONE = { viewport: { width: 375, height: 812 }, deviceScaleFactor: 2, hasTouch: true, isMobile: true };

/** A name that leads to this machine and is, other than localhost, no secure context. */
export const HOME = "panel.home.test";

export function launch() {
  return chromium.launch({
    executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
    args: [
      "--no-sandbox",
      "--disable-gpu",
      "--disable-quic",
      "--no-first-run",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
      `--host-resolver-rules=MAP ${HOME} 127.0.0.1`,
    ],
  });
}

/**
 * Gives the tests of a file a browser, and ends what each of them has started.
 * @returns an object: `endings` are called after a test, the last one first; `start` starts a driver or
 *   a house, `newPage` opens an empty page and `openPanel` one at the panel, all until the test ends
 */
export function setUp() {
  const endings = [];
  let browser;
  before(async () => {
    browser = await launch();
  });
  afterEach(async () => {
    for (const end of endings.splice(0).reverse()) {
      await end();
    }
  });
  after(() => browser?.close());

  const start = (server) => {
    endings.push(() => server.dispose());
    return server.start();
  };
  const keepOpen = (page) => {
    endings.push(() => page.context().close());
    return page;
  };
  return {
    endings,
    start,
    newPage: async (options) => keepOpen(await newPage(browser, options)),
    openPanel: async (driver, options) => keepOpen(await openPanel(browser, driver, options)),
  };
}

/** An empty page. `problems` gathers what a person would see in the console. */
async function newPage(browser, options) {
  const context = await browser.newContext({ viewport: { width: 1366, height: 900 }, ...options });
  const page = await context.newPage();
  page.setDefaultTimeout(20_000);
  page.problems = [];
  page.on("pageerror", (error) => page.problems.push(String(error)));
  page.on("console", (message) => message.type() !== "log" && page.problems.push(message.text()));
  return page;
}

/**
 * A page at the panel of `driver`.
 * @param {object} [options] of the browser's context; `host` is the name in the address, `view` what
 *   is shown after the login
 */
export async function openPanel(browser, driver, { host = "localhost", view = "home", ...options } = {}) {
  const page = await newPage(browser, { ignoreHTTPSErrors: driver.tls, ...options });
  await page.goto(`${driver.tls ? "https" : "http"}://${host}:${driver.port}/#/${view}`);
  // The page asks how to log in first.
  await page.locator("#login:not([hidden]), #board:not([hidden])").first().waitFor();
  return page;
}

/** Logs in; with `protocol` null by name and password alone. */
export async function logIn(page, { user = "admin", password = "secret", protocol = "ws2" } = {}) {
  // In any language.
  await page.locator("#user").fill(user);
  await page.locator("#password").fill(password);
  if (protocol) {
    await page.getByRole("radio", { name: protocol }).check();
  }
  await page.locator("#login [type=submit]").click();
}

/** Shows another view, as a link inside of the panel does. */
export async function goTo(page, view) {
  await page.evaluate((hash) => (location.hash = hash), `#/${view}`);
  await page.locator(`#board[data-view="${view.split(/[/?]/)[0]}"]`).waitFor();
}

/** axe-core finds nothing to complain about (WCAG 2.2 A and AA, contrast included). */
export async function checkAccess(page, name) {
  await keepScreenshot(page, name, { fullPage: true });
  await page.evaluate(AXE);
  const violations = await page.evaluate(async () => {
    const { violations } = await window.axe.run(document, {
      runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
    });
    return violations.flatMap(({ id, nodes }) => nodes.map((node) => `${id}: ${node.html.slice(0, 150)} ${node.failureSummary}`));
  });
  assert.deepEqual(violations, [], name);
}

/** Nothing is wider than the screen. The inner width of a phone grows with what is, and tells nothing. */
export async function checkWidth(page, what = page.url()) {
  const { width } = page.viewportSize();
  const found = await page.evaluate((width) => {
    // What scrolls by itself may have parts that are out of sight.
    const isInside = (element) => element && (getComputedStyle(element).overflowX !== "visible" || isInside(element.parentElement));
    const isWide = (element) => element.getBoundingClientRect().right > width + 1 && !isInside(element.parentElement);
    const names = [...document.body.querySelectorAll("*")].filter(isWide).map((element) => element.outerHTML.slice(0, 80));
    return document.documentElement.scrollWidth > width ? [`${document.documentElement.scrollWidth} pixels`, ...names.slice(0, 5)] : [];
  }, width);
  assert.deepEqual(found, [], `${what} fits into ${width} pixels`);
}

/** Keeps what the page looks like in target/screenshots. */
export async function keepScreenshot(page, name, options) {
  mkdirSync(SCREENSHOTS, { recursive: true });
  await page.screenshot({ path: join(SCREENSHOTS, `${name}.png`), ...options });
}

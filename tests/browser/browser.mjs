// Chromium with the panel in it.

import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import { chromium } from "playwright-core";

const SCREENSHOTS = fileURLToPath(new URL("../../target/screenshots", import.meta.url));

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
 * A page at the panel of `driver`. `problems` gathers what a person would see in the console.
 * @param {object} [options] of the browser's context; `host` is the name in the address
 */
export async function openPanel(browser, driver, { host = "localhost", ...options } = {}) {
  const context = await browser.newContext({
    viewport: { width: 1366, height: 900 },
    ignoreHTTPSErrors: driver.tls,
    ...options,
  });
  const page = await context.newPage();
  page.setDefaultTimeout(20_000);
  page.problems = [];
  page.on("pageerror", (error) => page.problems.push(String(error)));
  page.on("console", (message) => message.type() !== "log" && page.problems.push(message.text()));
  await page.goto(`${driver.tls ? "https" : "http"}://${host}:${driver.port}/`);
  return page;
}

export async function logIn(page, { user = "admin", password = "secret", protocol = "ws2" } = {}) {
  await page.getByLabel("User").fill(user);
  await page.getByLabel("Password").fill(password);
  await page.getByRole("radio", { name: protocol }).check();
  await page.getByRole("button", { name: "Log in" }).click();
}

/** Keeps what the page looks like in target/screenshots. */
export async function keepScreenshot(page, name, options) {
  mkdirSync(SCREENSHOTS, { recursive: true });
  await page.screenshot({ path: join(SCREENSHOTS, `${name}.png`), ...options });
}

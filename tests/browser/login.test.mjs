// Logging in with name and password alone, in a real browser and with the real driver.

import assert from "node:assert/strict";
import { test } from "node:test";

import { Driver, until } from "../panel/driver.mjs";
import { HOME, keepScreenshot, logIn, setUp } from "./browser.mjs";

/** The login without a protocol to choose. */
const BY_COOKIE = { protocol: null };

const { start, openPanel } = setUp();

const startDriver = ({ config, ...options } = {}) => start(new Driver({ config: { "panel-login": "tls", ...config }, ...options }));

const open = (driver, options) => openPanel(driver, { view: "events", ...options });

/** The whole text: "Not connected" has "connected" in it. */
const state = (page, text) => page.locator("#state").filter({ hasText: new RegExp(`^${text}$`) }).waitFor();
const firstRow = (page) => page.locator("#rows tr").first().waitFor();
const loginButton = (page) => page.getByRole("button", { name: "Log in" });

/** Problems but those that the browser itself tells of refused requests. */
const problems = (page) => page.problems.filter((problem) => !/^(Failed to load resource|WebSocket connection to)/.test(problem));

for (const tls of [false, true]) {
  test(`name and password are enough ${tls ? "over TLS" : "on this machine"}, and a reload stays logged in`, async () => {
    const driver = await startDriver({ simulate: 20, tls, config: { "web-root": undefined } });
    const page = await open(driver);
    for (const hidden of ["#protocols", "#advanced", "#key", "#insecure"]) {
      assert.ok(await page.locator(hidden).isHidden(), hidden);
    }
    await keepScreenshot(page, `login-by-cookie-${tls ? "tls" : "plain"}`);
    await logIn(page, BY_COOKIE);
    await state(page, "Connected");
    await firstRow(page);
    assert.match(await page.locator("#account").innerText(), /^admin · localhost:\d+$/);

    await page.reload();
    await state(page, "Connected");
    await firstRow(page);
    assert.ok(await page.locator("#login").isHidden());
    const [cookie] = await page.context().cookies();
    assert.equal(cookie.name, "vscplogin");
    assert.deepEqual([cookie.httpOnly, cookie.secure, cookie.sameSite, cookie.expires], [true, tls, "Strict", -1]);
    const stored = await page.evaluate(() => JSON.stringify([{ ...localStorage }, { ...sessionStorage }, document.cookie]));
    assert.ok(!stored.includes("secret") && !stored.includes(cookie.value), stored);

    await page.getByLabel("Zone", { exact: true }).fill("3");
    await page.getByRole("button", { name: "Turn on" }).click();
    await driver.read("30", "5");
    assert.deepEqual(problems(page), []);
  });
}

test("a log out ends the login in all tabs, and a reload does not bring it back", async () => {
  const driver = await startDriver({ simulate: 20 });
  const page = await open(driver);
  await logIn(page, BY_COOKIE);
  await state(page, "Connected");
  const other = await page.context().newPage();
  await other.goto(page.url());
  await state(other, "Connected");
  await page.getByRole("button", { name: "Log out" }).click();
  await state(page, "Not connected");
  await state(other, "Not connected");
  // The connections may end before the answer that takes the cookie away.
  await until(async () => (await page.context().cookies()).length === 0, "the cookie is gone");
  for (const tab of [page, other]) {
    await tab.reload();
    await loginButton(tab).waitFor();
    await state(tab, "Not connected");
  }
  assert.deepEqual(problems(page), []);
});

test("a wrong password is said, and the right one works after it", async () => {
  const driver = await startDriver({ simulate: 10 });
  const page = await open(driver);
  await logIn(page, { ...BY_COOKIE, password: "wrong" });
  await page.getByRole("alert").filter({ hasText: "User or password are wrong" }).waitFor();
  await logIn(page, BY_COOKIE);
  await state(page, "Connected");
  await firstRow(page);
  assert.deepEqual(problems(page), []);
});

test("after a restart of the driver the panel is back by itself", async () => {
  const driver = await startDriver({ simulate: 20 });
  const page = await open(driver);
  await logIn(page, BY_COOKIE);
  await state(page, "Connected");
  await driver.stop();
  await state(page, "Connection lost");
  await driver.start();
  await state(page, "Connected");
  assert.deepEqual(problems(page), []);
});

test("a user who is taken away comes back to the login", async () => {
  const driver = await startDriver();
  const page = await open(driver);
  await logIn(page, BY_COOKIE);
  await state(page, "Connected");
  await driver.stop();
  driver.config = { ...driver.config, users: [] };
  await driver.start();
  await loginButton(page).waitFor();
  await page.getByRole("alert").filter({ hasText: "User or password are wrong" }).waitFor();
});

test("on plain http from elsewhere the key is asked for, or it is said that the password can be read", async () => {
  const driver = await startDriver({ config: { "host-names": HOME } });
  const page = await open(driver, { host: HOME });
  assert.ok(await page.locator("#advanced").isVisible());
  await logIn(page);
  await state(page, "Connected");

  await driver.stop();
  driver.config = { ...driver.config, "panel-login": "any" };
  await driver.start();
  const insecure = await open(driver, { host: HOME });
  assert.ok(await insecure.locator("#advanced").isHidden());
  await insecure.getByText("who can read the network can read the password").waitFor();
  await keepScreenshot(insecure, "login-insecure");
  await logIn(insecure, BY_COOKIE);
  await state(insecure, "Connected");
  await insecure.reload();
  await state(insecure, "Connected");
  assert.deepEqual(problems(insecure), []);
});

test("a page of another origin gets nothing by the cookie", async () => {
  const driver = await startDriver({ simulate: 20, config: { "host-names": HOME } });
  const page = await open(driver);
  await logIn(page, BY_COOKIE);
  await state(page, "Connected");
  // Another port of the same host: browsers send it the cookie.
  const evil = await startDriver({ config: { "panel-login": "off" } });
  const other = await page.context().newPage();
  await other.goto(`http://localhost:${evil.port}/`);
  const answers = await other.evaluate(async (port) => {
    const url = `http://localhost:${port}/api`;
    const outcome = (promise) => promise.then((response) => response.status, () => "refused");
    const options = { credentials: "include" };
    const socket = new WebSocket(`ws://localhost:${port}/ws2`);
    const replies = [];
    await new Promise((resolve) => {
      socket.onmessage = ({ data }) => {
        replies.push(JSON.parse(data).type);
        if (replies.length === 1) {
          socket.send(JSON.stringify({ type: "CMD", command: "OPEN" }));
        } else {
          resolve();
        }
      };
      socket.onclose = resolve;
    });
    return {
      read: await outcome(fetch(`${url}/login`, options)),
      login: await outcome(fetch(`${url}/login`, { ...options, method: "POST", body: "{}" })),
      logout: await outcome(fetch(`${url}/logout`, { ...options, method: "POST", mode: "no-cors" })),
      replies,
    };
  }, driver.port);
  assert.equal(answers.read, "refused");
  assert.equal(answers.login, "refused");
  assert.deepEqual(answers.replies, ["+", "-"], "the websocket is not logged in");
  await page.reload();
  await state(page, "Connected");
  await until(async () => (await page.context().cookies()).length === 1, "the login is still there");
});

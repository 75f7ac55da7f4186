// The widgets in a real browser, with the real driver: their page of samples, and the house of examples/hmi.

import assert from "node:assert/strict";
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

import { VscpClient } from "../../examples/www/vscp.js";
import { Driver, until } from "../panel/driver.mjs";
import { HOME, checkWidth, keepScreenshot, setUp } from "./browser.mjs";
import { House } from "./hmi-house.mjs";

const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const HMI = fileURLToPath(new URL("../../examples/hmi", import.meta.url));
const NAMES = fileURLToPath(new URL("../../examples/demo-names.json", import.meta.url));
const PHONE = { viewport: { width: 390, height: 844 }, deviceScaleFactor: 2, hasTouch: true, isMobile: true };
const PICTURE = { fullPage: true };
/** Without names; the node of a test. */
const GUID = "FF:FF:FF:FF:FF:FF:FF:FE:02:00:00:00:00:01:00:07";

const { endings, start, newPage } = setUp();

async function startDriver({ config, ...options } = {}) {
  // Without a folder: what is looked at are the files in the library.
  return start(new Driver({ config: { "panel-login": "tls", "web-root": undefined, ...config }, ...options }));
}

/** A driver whose web-root is the house, which lives. */
async function startHouse() {
  const folder = mkdtempSync(join(tmpdir(), "hmi-"));
  endings.push(() => rmSync(folder, { recursive: true }));
  cpSync(HMI, folder, { recursive: true });
  const driver = await startDriver({ config: { "web-root": folder, names: NAMES } });
  const house = new House({ url: driver.url, user: "admin", password: "secret" });
  endings.push(() => house.stop());
  await house.start(0);
  await house.step();
  return { driver, house, folder };
}

async function open(driver, path, { host = "localhost", ...options } = {}) {
  const page = await newPage({ viewport: { width: 1280, height: 900 }, ...options });
  await page.goto(`http://${host}:${driver.port}${path}`);
  return page;
}

async function logIn(page, password = "secret") {
  await page.getByLabel("User").fill("admin");
  await page.getByLabel("Password").fill(password);
  await page.getByRole("button", { name: "Log in" }).click();
}

async function openLoggedIn(driver, path, options) {
  const page = await open(driver, path, options);
  await logIn(page);
  await connected(page);
  return page;
}

const connected = (page) => page.getByRole("status").filter({ hasText: "Connected" }).waitFor();

async function otherClient(driver) {
  const client = new VscpClient({ url: driver.url, user: "admin", password: "secret" });
  client.events = [];
  client.on("event", (event) => client.events.push(`${event.class}:${event.type} ${event.data}`));
  endings.push(() => client.close());
  await client.connect();
  return client;
}

/** axe finds nothing. */
async function checkAccess(page, what) {
  // A colour that still changes has not the contrast that it will have.
  await page.evaluate(() => Promise.all(document.getAnimations().map(({ finished }) => finished.catch(() => {}))));
  await page.evaluate(AXE);
  // Without copies of the style sheets of widgets: the content security policy would stop them.
  const options = { resultTypes: ["violations", "passes"], preload: false };
  const { violations, passes } = await page.evaluate((options) => globalThis.axe.run(document, options), options);
  const found = violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(" ")}`);
  assert.deepEqual(found, [], what);
  assert.ok(passes.length > 10, `${what}: axe has looked at ${passes.length} rules`);
}

for (const [device, options] of Object.entries({ desktop: {}, phone: PHONE })) {
  for (const colorScheme of ["light", "dark"]) {
    test(`${device}, ${colorScheme}: the house shows its rooms, and can be read by everybody`, async () => {
      const { driver, house } = await startHouse();
      const page = await openLoggedIn(driver, "/", { ...options, colorScheme });
      const room = page.locator("section").filter({ hasText: "Living room" }).first();
      await room.getByRole("meter", { name: "Temperature" }).and(page.locator('[aria-valuetext^="20.6"], [aria-valuetext^="20.7"]')).waitFor();
      await room.getByRole("switch", { name: "Ceiling light", checked: true }).waitFor();
      await room.getByRole("slider", { name: "Brightness" }).and(page.locator('[aria-valuetext="70 %"]')).waitFor();
      await room.getByRole("slider", { name: "Heating to" }).and(page.locator('[aria-valuetext="21.0 °C"]')).waitFor();
      await page.getByText(/8412\.3\d\s*kWh/).waitFor();
      await house.step();
      await page.locator("vscp-chart .u-over").waitFor();
      await checkAccess(page, "house");
      await checkWidth(page);
      await keepScreenshot(page, `hmi-${device}-${colorScheme}`, PICTURE);
      assert.deepEqual(page.problems, []);
    });
  }
}

test("the house of the demo is the house of the page", async () => {
  const { guid, ...config } = JSON.parse(readFileSync(`${HMI}.json`, "utf8"));
  assert.equal(fileURLToPath(new URL(`../../${config.names}`, import.meta.url)), NAMES);
  // Fast enough that all sensors are known when the page asks for their names.
  const driver = await startDriver({ simulate: 200, config: { guid, "web-root": HMI, names: NAMES } });
  const page = await openLoggedIn(driver, "/");
  const meters = page.getByRole("meter", { name: "Temperature" });
  await until(async () => {
    const values = await meters.evaluateAll((all) => all.map((meter) => meter.getAttribute("aria-valuetext")));
    return values.length === 3 && values.every((value) => /^\d\d\.\d °C$/.test(value));
  }, "three rooms have temperatures");
  const lamp = page.getByRole("switch", { name: "Bedside lamp" });
  for (const state of ["true", "false"]) {
    await until(async () => {
      if ((await lamp.getAttribute("aria-busy")) === "false" && (await lamp.getAttribute("aria-checked")) !== state) {
        await lamp.click();
      }
      return (await lamp.getAttribute("aria-busy")) === "false" && (await lamp.getAttribute("aria-checked")) === state;
    }, `the lamp is ${state}`);
  }
  assert.ok(await page.getByText("No answer").isHidden());
  const heating = page.getByRole("slider", { name: "Heating to" }).first();
  await heating.fill("24");
  await heating.and(page.locator('[aria-valuetext="24.0 °C"]')).waitFor();
  await page.getByText(/kWh/).first().waitFor();
  assert.deepEqual(page.problems, []);
});

test("a switch follows what it switches, and says if nothing answers", async () => {
  const { driver, house } = await startHouse();
  const page = await openLoggedIn(driver, "/");
  const lamp = page.getByRole("switch", { name: "Reading lamp" });
  await lamp.and(page.locator('[aria-checked="false"]')).waitFor();
  // By keyboard as well.
  await lamp.focus();
  await page.keyboard.press("Space");
  await until(() => house.lights.get("1,2") === true, "the lamp is on");
  await lamp.and(page.locator('[aria-checked="true"][aria-busy="false"]')).waitFor();
  await lamp.click();
  await lamp.and(page.locator('[aria-checked="false"][aria-busy="false"]')).waitFor();
  assert.equal(house.lights.get("1,2"), false);

  // Somebody else switches it.
  const other = await otherClient(driver);
  await other.send({ class: 30, type: 5, data: [0, 1, 2] });
  await lamp.and(page.locator('[aria-checked="true"]')).waitFor();

  house.stop();
  await lamp.click();
  await lamp.and(page.locator('[aria-busy="true"]')).waitFor();
  await page.getByText("No answer").waitFor();
  await lamp.and(page.locator('[aria-checked="true"][aria-busy="false"]')).waitFor();
  assert.deepEqual(page.problems, []);
});

test("sliders set levels and temperatures, and the state is there again after a reload", async () => {
  const { driver, house } = await startHouse();
  const page = await openLoggedIn(driver, "/");
  const room = page.locator("section").filter({ hasText: "Living room" }).first();
  const brightness = room.getByRole("slider", { name: "Brightness" });
  await brightness.and(page.locator('[aria-valuetext="70 %"]')).waitFor();
  await brightness.focus();
  await page.keyboard.press("Home");
  await page.keyboard.press("ArrowRight");
  await until(() => house.levels.get("1,1") === 1, "the light is dimmed");
  const heating = room.getByRole("slider", { name: "Heating to" });
  await heating.fill("23.5");
  await until(() => house.rooms.get(1).wanted === 23.5, "it is heated to 23.5");

  await page.reload();
  await connected(page);
  await brightness.and(page.locator('[aria-valuetext="1 %"]')).waitFor();
  await heating.and(page.locator('[aria-valuetext="23.5 °C"]')).waitFor();
  assert.deepEqual(page.problems, []);
});

test("a button for all zones asks first, others send at once", async () => {
  const { driver } = await startHouse();
  const other = await otherClient(driver);
  const page = await openLoggedIn(driver, "/");
  await page.getByRole("button", { name: "All lights off" }).click();
  const question = page.getByRole("button", { name: "Lights off everywhere?" });
  await question.waitFor();
  assert.ok(!other.events.includes("30:6 0,255,255"), "it was sent without a second press");
  await question.click();
  await until(() => other.events.includes("30:6 0,255,255"), "it is sent");
  await page.getByRole("button", { name: "All lights off" }).waitFor();
  assert.deepEqual(page.problems, []);
});

test("what happens is told in words, also what was before the page was open", async () => {
  const { driver, house } = await startHouse();
  const page = await openLoggedIn(driver, "/");
  const log = page.getByRole("log");
  await log.getByText("On, zone 1, subzone 9", { exact: true }).waitFor();
  const other = await otherClient(driver);
  await other.send({ class: 30, type: 5, data: [0, 3, 1] });
  await log.getByText("Turn on, zone 3, subzone 1", { exact: true }).waitFor();
  await log.getByText("On, zone 3, subzone 1", { exact: true }).waitFor();
  await log.getByText("Radiator").first().waitFor();
  assert.ok(house.lights.get("3,1"));
  const rows = await log.locator("li").count();
  assert.ok(rows <= 8, `${rows} rows`);
});

test("the page of ten lines works, and speaks the language of the page", async () => {
  const { driver, folder } = await startHouse();
  const lines = readFileSync(join(HMI, "ten-lines.html"), "utf8").trim().split("\n");
  assert.equal(lines.length, 10);
  const shown = (path, start, end) => readFileSync(new URL(`../../${path}`, import.meta.url), "utf8").split(start)[1].split(end)[0];
  assert.deepEqual(shown("docs/widgets.md", "```html\n", "```").trim().split("\n"), lines);
  const sample = shown("examples/www/widgets.html", "<pre tabindex=\"0\" aria-label=\"HTML of a whole page\"><code>", "</code>");
  assert.deepEqual(sample.replaceAll("&lt;", "<").replaceAll("&gt;", ">").split("\n"), lines);
  const page = await openLoggedIn(driver, "/ten-lines.html");
  await page.getByText("Kitchen Temperature").first().waitFor();
  await page.getByText("21.9").first().waitFor();
  // The server writes down what has happened a moment later.
  await page.getByRole("switch", { name: "Ceiling light", checked: true }).waitFor();
  await page.locator("vscp-chart .u-over").waitFor();
  await page.getByRole("log").getByText("On, zone 1, subzone 1", { exact: true }).waitFor();
  await keepScreenshot(page, "hmi-ten-lines", PICTURE);
  await page.evaluate(() => {
    const element = document.createElement("vscp-value");
    element.setAttribute("sensor", "nowhere");
    document.body.append(element);
  });
  await page.getByText("No such sensor").waitFor();
  // What Chromium asks for by itself.
  assert.deepEqual(page.problems.filter((problem) => !problem.includes("404")), []);

  writeFileSync(join(folder, "tio-rader.html"), lines.join("\n").replace('lang="en"', 'lang="sv"'));
  await page.goto(page.url().replace("ten-lines", "tio-rader"));
  await page.getByRole("status").filter({ hasText: "Ansluten" }).waitFor();
  await page.getByText("Kitchen Temperatur", { exact: true }).first().waitFor();
  await page.getByText("21,9").first().waitFor();
});

for (const [device, options] of Object.entries({ desktop: {}, phone: PHONE })) {
  test(`${device}: the page of samples shows a sensor of the server, and can be read by everybody`, async () => {
    const { guid } = JSON.parse(readFileSync(`${HMI}.json`, "utf8"));
    const driver = await startDriver({ simulate: 20, config: { guid, names: NAMES } });
    const page = await openLoggedIn(driver, "/widgets.html", options);
    await page.getByRole("combobox").locator("option", { hasText: "Temperature" }).first().waitFor({ state: "attached" });
    const offered = await page.getByRole("combobox").locator("option").allInnerTexts();
    assert.equal(new Set(offered).size, offered.length, `each sensor is another one: ${offered}`);
    await page.locator("div.sample vscp-value").getByText("°C").waitFor();
    await page.getByRole("button", { name: "Say that the lamp is on" }).click();
    await page.locator("vscp-lamp").filter({ hasText: "Lamp" }).getByText("On", { exact: true }).waitFor();
    await page.locator("vscp-chart .u-over").waitFor();
    await checkAccess(page, "samples");
    await checkWidth(page);
    await keepScreenshot(page, `widgets-${device}`, PICTURE);
    assert.deepEqual(page.problems, []);
  });
}

test("a wrong password is said; after a restart of the driver all is back by itself", async () => {
  const { driver, house } = await startHouse();
  const page = await open(driver, "/");
  await logIn(page, "wrong");
  await page.getByRole("alert").filter({ hasText: "wrong" }).waitFor();
  assert.ok(await page.getByLabel("Password").evaluate((input) => input.getRootNode().activeElement === input));
  await logIn(page);
  await connected(page);
  await driver.stop();
  await page.getByRole("status").filter({ hasText: "Connection lost" }).waitFor();
  assert.ok(await page.getByRole("switch", { name: "Ceiling light" }).isDisabled());
  await driver.start();
  await connected(page);
  await until(async () => house.step().then(() => true, () => false), "the house is back");
  // As long as its state is unknown a press turns it on. The server writes down what has happened a moment later.
  await page.getByRole("switch", { name: "Ceiling light", checked: true }).click();
  await until(() => house.lights.get("1,1") === false, "the light is off");
  await page.getByRole("button", { name: "Log out" }).click();
  await page.getByLabel("User").waitFor();
});

test("without TLS from elsewhere the key is asked for, and values come without the API", async () => {
  const driver = await startDriver({ simulate: 20, config: { "host-names": HOME } });
  const page = await open(driver, "/widgets.html", { host: HOME });
  await page.getByLabel("Key").fill("2DBB079A38985AF00EBEEFE22F9FFA0E");
  await logIn(page);
  await connected(page);
  await page.locator("div.sample vscp-value").getByText("°C").waitFor();
  assert.deepEqual(page.problems.filter((problem) => !problem.includes("Failed to load resource")), []);
});

test("a page can log in by attributes, and a silent sensor gets old", async () => {
  const { driver } = await startHouse();
  const page = await open(driver, "/ten-lines.html");
  const other = await otherClient(driver);
  // Without the API: the login is AUTH, and what is known is what has come.
  await page.route("**/api/**", (route) => route.abort());
  await page.clock.install();
  await page.evaluate((guid) => {
    document.body.innerHTML = `<vscp-connection user="admin" password="secret"></vscp-connection><vscp-value sensor="${guid}/0/6"></vscp-value>`;
  }, GUID);
  await page.clock.runFor(100);
  await connected(page);
  await other.send({ class: 10, type: 6, guid: GUID, data: [0x88, 0x81, 0x01, 0x07] });
  await until(async () => {
    await page.clock.runFor(100);
    return /26\.3\s*°C/.test(await page.locator("vscp-value").evaluate((value) => value.shadowRoot.textContent));
  }, "the value comes");
  const note = page.locator("vscp-value .note");
  assert.ok(await note.isHidden());
  await page.clock.runFor(90_000);
  await note.filter({ hasText: "since" }).waitFor();
});

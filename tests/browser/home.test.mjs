// Home, charts, nodes, system and settings in a real browser, with the real driver.

import assert from "node:assert/strict";
import { test } from "node:test";

import { until } from "../panel/driver.mjs";
import { PHONE, checkAccess, checkWidth, goTo, keepScreenshot, logIn, setUp } from "./browser.mjs";
import { House, guidOf } from "./house.mjs";

const TEMPERATURE = `${guidOf(1)}/0/6/1`;
const HUMIDITY = `${guidOf(1)}/1/35/0`;

const { start, openPanel } = setUp();

const startHouse = (options) => start(new House(options));

/** The panel with an administrator who is logged in; he has given no protocol and no key. */
async function open(house, options) {
  const page = await openPanel(house.driver, options);
  await logIn(page, { protocol: null });
  await page.locator("#board:not([hidden])").waitFor();
  return page;
}

const card = (page, text) => page.locator(".sensor").filter({ hasText: text });
const titles = (page, selector) => page.locator(selector).allInnerTexts();

/** Waits until the server knows all sensors of the house. */
async function known(page) {
  await until(async () => (await page.evaluate(() => fetch("/api/sensors").then((answer) => answer.json()))).sensors.length === 14, "all sensors are known");
}

test("Home is filled at once from what the server knows, in words, units and decimals of people", async () => {
  const house = await startHouse();
  await house.measure();
  const page = await open(house);
  await known(page);
  await page.reload();
  await until(async () => (await page.locator(".sensor").count()) === 14, "each sensor has a card");
  assert.deepEqual(await titles(page, "#groups h3"), ["Bedroom", "Cellar", "Kitchen", "Living room", "Outdoors"]);
  await card(page, "Stove guard").first().waitFor();
  for (const [text, reading] of [
    ["Pressure", /^\d{3,4}\.\d hPa$/],
    ["Energy", /^8412\.\d\d kWh$/],
    ["Humidity", /^\d\d %$/],
    ["Air quality", /^\d{3} ppm$/],
    ["Voltage", /^2\d\d\.\d V$/],
  ]) {
    const one = card(page, text).first();
    await one.scrollIntoViewIfNeeded();
    await until(async () => reading.test((await one.locator(".reading").innerText()).trim()), `${text} reads ${reading}`);
  }
  assert.equal(await page.locator(".sensor.old").count(), 0, "a value of a sensor with an unknown pace is not old");
  assert.deepEqual(page.problems, []);
});

test("the search finds the words that people use, and stands in the address", async () => {
  const house = await startHouse();
  await house.measure();
  const page = await open(house);
  await known(page);
  const search = page.getByLabel("Search sensors");
  for (const [text, count] of [
    ["kitchen", 3],
    ["moisture", 2],
    ["lufttryck", 1],
    ["temp bed", 1],
    ["kWh", 1],
    ["co2", 1],
    ["nothing", 0],
  ]) {
    await search.fill(text);
    await until(async () => (await page.locator(".sensor").count()) === count, `${text} finds ${count}`);
  }
  await page.getByText("No sensor matches the search.").waitFor();
  await search.fill("temp");
  await page.getByRole("button", { name: "Nodes", exact: true }).click();
  await page.getByRole("heading", { name: "Weather station" }).waitFor();
  const address = page.url();
  assert.match(address, /#\/home\?q=temp&by=node$/);

  const other = await page.context().newPage();
  await other.goto(address);
  await until(async () => (await other.locator(".sensor").count()) === 4, "the address shows the same");
  assert.deepEqual(page.problems, []);
});

test("a pencil renames a sensor for all pages, with the keyboard too", async () => {
  const house = await startHouse();
  await house.measure();
  const page = await open(house);
  const other = await page.context().newPage();
  await other.goto(page.url());
  await card(other, "Air quality").waitFor();

  await page.getByRole("button", { name: "Rename Air quality" }).focus();
  await page.keyboard.press("Enter");
  await page.getByRole("dialog").waitFor();
  await checkAccess(page, "rename");
  await page.keyboard.type("Fresh air");
  await page.keyboard.press("Tab");
  await page.keyboard.type("Office");
  await page.keyboard.press("Enter");
  await page.getByRole("dialog").waitFor({ state: "detached" });
  for (const one of [page, other]) {
    await card(one, "Fresh air").waitFor();
    await one.getByRole("heading", { name: "Office" }).waitFor();
  }

  await goTo(page, `nodes/${guidOf(3)}`);
  await page.getByRole("button", { name: "Rename Ceiling sensor" }).click();
  await page.getByLabel("Name", { exact: true }).fill("Lamp");
  await page.getByRole("button", { name: "Save" }).click();
  await page.getByRole("heading", { name: "Lamp" }).waitFor();
  assert.deepEqual(page.problems, []);
});

test("who may not change names sees no pencil, and no system page", async () => {
  const house = await startHouse();
  await house.measure();
  const page = await openPanel(house.driver);
  await logIn(page, { user: "guest", protocol: null });
  await card(page, "Air quality").waitFor();
  assert.ok(await page.locator(".pencil").first().isHidden());
  assert.ok(await page.getByRole("link", { name: "System" }).isHidden());
});

test("a sensor is silent after three of its own intervals, not before", async () => {
  const house = await startHouse();
  const page = await open(house);
  await page.clock.install();
  // The server's clock does not go on with that of the page.
  await page.route("**/api/**", (route) => route.abort());
  await house.measure();
  await card(page, "Air quality").waitFor();
  await page.clock.fastForward(60_000);
  await house.measure();
  const now = card(page, "Air quality").locator(".range");
  await until(async () => /–/.test(await now.innerText()) || /now/.test(await now.innerText()), "the second value is there");
  await page.clock.fastForward(100_000);
  assert.equal(await page.locator(".sensor.old").count(), 0, "not yet");
  await page.clock.fastForward(100_000);
  await until(async () => (await page.locator(".sensor.old").count()) > 0, "they are silent");
  assert.match(await now.innerText(), /^3 min ago$/);
});

test("a chart tells its values by pointer and keyboard, and two sensors stand beside each other", async () => {
  const house = await startHouse();
  house.live(200);
  const page = await open(house);
  await known(page);
  await card(page, "Temperature").filter({ hasText: "Window sensor" }).getByRole("link").click();
  await page.getByRole("heading", { name: "Temperature" }).waitFor();
  await page.getByRole("button", { name: "Live" }).click();
  const chart = page.getByRole("slider");
  await chart.waitFor();
  await until(async () => /^Temperature 2\d\.\d.°C/.test(await chart.getAttribute("aria-valuetext")), "the newest value is told");
  await until(async () => Number(await chart.getAttribute("aria-valuemax")) > 10, "the chart has points");
  await keepScreenshot(page, "chart-live");

  const plot = page.locator(".u-over");
  const box = await plot.boundingBox();
  await page.mouse.move(box.x + box.width - 40, box.y + 80);
  await page.locator(".chart-read time.marked").waitFor();
  await page.mouse.move(0, 0);

  await chart.focus();
  await page.keyboard.press("Home");
  const first = await page.locator(".chart-read time.marked").innerText();
  for (let count = 0; count < 4; count += 1) {
    await page.keyboard.press("ArrowRight");
  }
  assert.notEqual(await page.locator(".chart-read time").innerText(), first);
  await page.keyboard.press("Escape");
  assert.equal(await page.locator(".chart-read time.marked").count(), 0);

  await page.getByLabel("Compare with").selectOption(HUMIDITY);
  await until(async () => (await page.locator(".chart-value").count()) === 2, "two sensors are shown");
  await page.locator(".chart-value strong").filter({ hasText: /^4\d.%$/ }).waitFor();
  await page.getByRole("button", { name: "5 min" }).click();
  assert.match(page.url(), /range=5m/);
  await page.reload();
  await until(async () => (await page.locator(".chart-value").count()) === 2, "the address keeps both");
  assert.equal(await page.getByRole("button", { name: "5 min" }).getAttribute("aria-pressed"), "true");
  await checkAccess(page, "desktop-chart");
  assert.deepEqual(page.problems, []);
});

test("on a phone a finger reads the chart", async () => {
  const house = await startHouse();
  house.live(200);
  const page = await open(house, { ...PHONE, view: `sensor/${TEMPERATURE}?range=live` });
  const chart = page.getByRole("slider");
  await until(async () => Number(await chart.getAttribute("aria-valuemax").catch(() => 0)) > 5, "the chart has points");
  const box = await page.locator(".u-over").boundingBox();
  await page.touchscreen.tap(box.x + box.width - 20, box.y + 60);
  await page.locator(".chart-read time.marked").waitFor();
  await checkWidth(page);
  await checkAccess(page, "phone-chart");
  assert.deepEqual(page.problems, []);
});

test("the nodes are there as a table, a map, and a page each", async () => {
  const house = await startHouse();
  await house.measure();
  await house.heartbeats();
  await house.send({ class: 1, type: 2, priority: 0, guid: guidOf(3), data: [1, 1, 2] });
  const page = await open(house, { view: "nodes" });
  const row = page.getByRole("row").filter({ hasText: "Ceiling sensor" });
  await row.filter({ hasText: /Ceiling sensor\s*Bedroom · ::FE:02/ }).waitFor();
  assert.match(await row.innerText(), /\b1\b/, "one alarm");
  assert.equal(await page.locator("#tabs [aria-current]").innerText(), "Nodes");
  await page.getByLabel("Search nodes").fill("kitchen");
  await until(async () => (await page.getByRole("row").count()) === 2, "one is left");
  await page.getByLabel("Search nodes").fill("");
  await page.getByRole("button", { name: "Map" }).click();
  await page.getByText("This driver").waitFor();
  assert.match(page.url(), /#\/nodes\?as=map$/);
  await checkAccess(page, "desktop-map");
  await page.getByRole("link", { name: /^Ceiling sensor/ }).click();
  await page.getByRole("heading", { name: "Ceiling sensor" }).waitFor();
  await page.locator(".event-list").getByText(/^Alarm/).first().waitFor();
  await page.locator(".event-list").getByText("Heartbeat of Ceiling sensor").waitFor();
  await page.getByRole("link", { name: "Light" }).click();
  await page.getByRole("heading", { name: "Light" }).waitFor();
  await page.goBack();
  await page.getByRole("heading", { name: "Ceiling sensor" }).waitFor();
  assert.deepEqual(page.problems, []);
});

test("what is pressed or marked among the nodes stays while their times go on", async () => {
  const house = await startHouse();
  await house.heartbeats();
  const page = await open(house, { view: "nodes" });
  const row = page.getByRole("row").filter({ hasText: "Ceiling sensor" });
  const seen = row.locator(".seen");
  const timeGoesOn = async (text) => until(async () => (await seen.innerText()) !== text, "the time has changed");
  await row.locator("small").evaluate((element) => getSelection().selectAllChildren(element));
  const marked = await page.evaluate(() => String(getSelection()));
  assert.match(marked, /::FE:02/);
  await timeGoesOn(await seen.innerText());
  assert.equal(await page.evaluate(() => String(getSelection())), marked);
  const before = await seen.innerText();
  await row.getByRole("link").hover();
  await page.mouse.down();
  await timeGoesOn(before);
  await page.mouse.up();
  await page.getByRole("heading", { name: "Ceiling sensor" }).waitFor();
  assert.deepEqual(page.problems, []);
});

test("what a node says fits on a phone, whatever its length", async () => {
  const house = await startHouse();
  const text = new TextEncoder().encode("long".repeat(40));
  await house.send({ class: 1024, type: 32, guid: guidOf(3), data: [...new Uint8Array(16), ...text] });
  const page = await open(house, { ...PHONE, view: `nodes/${guidOf(3)}` });
  await page.locator(".event-list").getByText(/longlonglong/).waitFor();
  await checkWidth(page);
  assert.deepEqual(page.problems, []);
});

test("each view is accessible on the desk and on the phone, in light and dark and in Swedish", async () => {
  const house = await startHouse();
  house.live(300);
  await house.send({ class: 1, type: 2, priority: 0, guid: guidOf(3), data: [1, 1, 2] });
  for (const [name, options] of [
    ["desktop-light", {}],
    ["phone-dark", { ...PHONE, colorScheme: "dark", locale: "sv-SE" }],
  ]) {
    const page = await openPanel(house.driver, options);
    await checkAccess(page, `${name}-login`);
    await page.locator("#user").fill("admin");
    await page.locator("#password").fill("secret");
    await page.keyboard.press("Enter");
    await page.locator(".sensor").nth(13).waitFor();
    for (const view of ["home", "nodes", `nodes/${guidOf(3)}`, "nodes?as=map", "system", "settings"]) {
      await goTo(page, view);
      const heading = page.locator("h2:visible").first();
      await heading.waitFor();
      await until(async () => (await page.locator("#board > .view:visible").innerText()).length > 60, `${view} is filled`);
      await checkAccess(page, `${name}-${view.replace(/[/?].*/, view.includes("?") ? "-map" : view.includes("/") ? "-page" : "")}`);
      await checkWidth(page, view);
    }
    assert.equal(await page.evaluate(() => document.documentElement.lang), name === "phone-dark" ? "sv" : "en");
    assert.deepEqual(page.problems, []);
  }
});

test("each view fits into the screens of phones and tablets, in the longer language", async () => {
  const house = await startHouse();
  await house.measure();
  await house.heartbeats();
  const page = await open(house, { ...PHONE, locale: "sv-SE" });
  await page.locator(".sensor").nth(13).waitFor();
  /** Texts that have more lines than they need: words and bytes of GUIDs that are cut in two. */
  const cut = (selector) =>
    page.locator(selector).evaluateAll((elements) => {
      const range = document.createRange();
      const texts = elements.flatMap((element) => [...element.childNodes].filter(({ nodeType }) => nodeType === Node.TEXT_NODE));
      const words = texts.flatMap((text) => [...text.data.matchAll(/[^\s·:]+/g)].map(({ index, 0: word }) => [text, index, word]));
      const isCut = ([text, index, word]) => {
        range.setStart(text, index);
        range.setEnd(text, index + word.length);
        return new Set([...range.getClientRects()].map(({ top }) => Math.round(top))).size > 1;
      };
      return words.filter(isCut).map(([, , word]) => word);
    });
  for (const width of [320, 360, 414, 768, 1024]) {
    await page.setViewportSize({ width, height: 800 });
    for (const view of ["home", `sensor/${TEMPERATURE}`, "events", "send", "nodes", `nodes/${guidOf(3)}`, "nodes?as=map", "system", "settings"]) {
      await goTo(page, view);
      await checkWidth(page, view);
    }
    await goTo(page, "home");
    assert.deepEqual(await cut(".sensor h4 a, .segments button"), [], `titles at ${width}`);
    await goTo(page, "nodes");
    await page.locator(".nodes-table").getByText("Ceiling sensor").waitFor();
    assert.deepEqual(await cut(".guid, .nodes-table a, .nodes-table small"), [], `nodes at ${width}`);
    await goTo(page, "system");
    await page.getByText("127.0.0.1").first().waitFor();
    assert.deepEqual(await cut(".plain-table td"), [], `clients at ${width}`);
    // A finger finds the tab that it wants: their names do not touch.
    const gaps = await page.locator("#tabs a span:visible").evaluateAll((names) => {
      const boxes = names.map((name) => name.getBoundingClientRect());
      return boxes.slice(1).map(({ left }, index) => left - boxes[index].right);
    });
    assert.ok(gaps.length >= 4 && gaps.every((gap) => gap >= 8), `${gaps} pixels between the tabs at ${width}`);
  }
  assert.deepEqual(page.problems, []);
});

test("cards have their height and their value before they are seen", async () => {
  const house = await startHouse();
  await house.measure();
  const page = await open(house, PHONE);
  await page.locator(".sensor").nth(13).waitFor();
  const cards = await page.locator(".sensor").evaluateAll((all) => all.map((card) => [card.clientHeight, card.querySelector(".number").textContent]));
  assert.equal(new Set(cards.map(([height]) => height)).size, 1, `heights ${cards.map(([height]) => height)}`);
  assert.ok(cards.every(([, number]) => number !== ""), "each has its value");
});

test("the way back leads to the card that was opened, where it was on the screen", async () => {
  const house = await startHouse();
  await house.measure();
  const page = await open(house, { viewport: { width: 400, height: 600 } });
  await page.locator(".sensor").nth(13).waitFor();
  const link = page.locator(".sensor a").last();
  await link.focus();
  const before = await page.evaluate(() => scrollY);
  assert.ok(before > 300, `the page is scrolled by ${before}`);
  await page.keyboard.press("Enter");
  await page.getByRole("slider").waitFor();
  assert.equal(await page.title(), `${await link.textContent()} · VSCP`);
  assert.equal(await page.evaluate(() => scrollY), 0);
  await page.goBack();
  await page.locator('#board[data-view="home"]').waitFor();
  await until(async () => (await page.evaluate(() => scrollY)) === before, "the page is where it was");
  assert.ok(await link.evaluate((element) => element === document.activeElement), "the card has the focus");
  // A link leads to the start of its view.
  await page.getByRole("link", { name: "Nodes" }).click();
  await page.locator('#board[data-view="nodes"]').waitFor();
  assert.equal(await page.evaluate(() => scrollY), 0);
  assert.deepEqual(page.problems, []);
});

test("warnings, buses and long addresses fit on the system page of a phone", async () => {
  const house = await startHouse();
  const page = await openPanel(house.driver, { ...PHONE, view: "system" });
  // What a test cannot have at will: CAN buses that are down, and what the log says of them.
  await page.route("**/api/system", (route) =>
    route.fulfill({
      json: {
        version: "1.0.0",
        uptime: 500_000,
        clients: [{ id: 1, protocol: "ws1", address: "fe80::1ff:fe23:4567:890a:1234:5678", user: null }],
        buses: [{ bus: 0, interface: "can0", up: true }, { bus: 1, interface: "can1", up: false }],
        queues: { hub: 0, host: 12 },
        counters: { events: { received: 123_456 } },
        warnings: Array.from({ length: 40 }, (_, index) => ({ time: index, level: index % 2 ? "warning" : "error", message: `can1 is down, ${index}` })),
      },
    }),
  );
  await logIn(page, { protocol: null });
  await page.getByText("can1 is down, 39").waitFor();
  await page.getByText("Counters").click();
  await page.getByText("123,456").waitFor();
  await checkAccess(page, "phone-system-full");
  await checkWidth(page);
  const box = page.getByRole("region", { name: "Warnings" });
  await box.evaluate((element) => element.scrollTo(0, 200));
  const shown = await page.locator(".warn").first().elementHandle();
  await until(() => shown.evaluate((element) => !element.isConnected), "the page is read again");
  assert.equal(await box.evaluate((element) => element.scrollTop), 200);
  await page.getByText("123,456").waitFor();
  assert.deepEqual(page.problems, []);
});

test("colours and language are chosen by hand and remembered, and the page does not stay scrolled", async () => {
  const house = await startHouse();
  await house.measure();
  const page = await open(house, { viewport: { width: 900, height: 320 } });
  await page.locator(".sensor").nth(13).waitFor();
  await page.evaluate(() => scrollTo(0, 400));
  await page.getByRole("link", { name: "Settings" }).click();
  await page.getByRole("heading", { name: "Settings" }).waitFor();
  assert.equal(await page.evaluate(() => scrollY), 0);
  const background = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
  const before = await background();
  await page.getByRole("radio", { name: "Dark" }).check();
  assert.notEqual(await background(), before);
  await page.getByRole("radio", { name: "English" }).focus();
  await page.keyboard.press("ArrowRight");
  await page.getByRole("heading", { name: "Inställningar" }).waitFor();
  assert.equal(await page.evaluate(() => document.activeElement.value), "sv", "the focus stays");
  await page.reload();
  await page.getByRole("heading", { name: "Inställningar" }).waitFor();
  assert.notEqual(await background(), before);
  await page.getByRole("link", { name: "Hem" }).click();
  await card(page, "Luftkvalitet").waitFor();
  assert.deepEqual(page.problems, []);
});

test("the panel can be installed, and tells of alarms where the user allows it", async () => {
  const house = await startHouse();
  const page = await openPanel(house.driver, { view: "settings", permissions: ["notifications"] });
  await logIn(page, { protocol: null });
  const session = await page.context().newCDPSession(page);
  const { errors } = await session.send("Page.getAppManifest");
  assert.deepEqual(errors, []);
  const { installabilityErrors } = await session.send("Page.getInstallabilityErrors");
  assert.deepEqual(installabilityErrors.filter(({ errorId }) => errorId !== "in-incognito"), []);

  await page.getByLabel("Tell me of alarms").check();
  await until(() => page.evaluate(async () => Boolean((await navigator.serviceWorker.getRegistration())?.active)), "the worker runs");
  // The page hears of it by this promise.
  await page.evaluate(() => navigator.serviceWorker.ready.then(() => null));
  // A page in the background does not show what comes.
  await page.evaluate(() => Object.defineProperty(document, "visibilityState", { get: () => "hidden" }));
  await house.send({ class: 1, type: 2, priority: 0, guid: guidOf(3), data: [1, 1, 2] });
  const told = () => page.evaluate(async () => (await (await navigator.serviceWorker.getRegistration()).getNotifications()).map(({ title, body }) => ({ title, body })));
  await until(async () => (await told()).length > 0, "the alarm is told");
  const [{ title, body }] = await told();
  assert.match(title, /^Alarm, .*zone 1/);
  // It has a name, and no sensor.
  assert.equal(body, "From Ceiling sensor");
  assert.deepEqual(page.problems, []);
});

test("the login puts the focus on the field that is wrong, and keeps the key if that is wanted", async () => {
  const house = await startHouse({ config: { "panel-login": "off" } });
  const page = await openPanel(house.driver);
  await logIn(page, { password: "wrong" });
  await page.getByRole("alert").filter({ hasText: "or the key is not that of the server" }).waitFor();
  const focused = () => page.evaluate(() => document.activeElement.id);
  assert.equal(await focused(), "password");
  assert.equal(await page.locator("#password").getAttribute("aria-invalid"), "true");
  await page.getByLabel("Remember the key on this device").check();
  await logIn(page);
  await page.locator("#board:not([hidden])").waitFor();
  await page.reload();
  await page.locator("#login:not([hidden])").waitFor();
  assert.ok(await page.locator("#key").isHidden(), "the key is known");
  assert.equal(await focused(), "password");
  await page.getByRole("button", { name: "Open on the phone" }).click();
  await page.getByRole("img", { name: "QR code of the address" }).waitFor();
  await checkAccess(page, "phone-code");
  assert.deepEqual(page.problems, []);
});

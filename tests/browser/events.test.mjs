// The list of events, the drawer for one of them, and sending, as people click and type.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, before, test } from "node:test";

import { VscpClient, parseEvent } from "../../examples/www/vscp.js";
import { Driver, until } from "../panel/driver.mjs";
import { HOME, PHONE, checkAccess, checkWidth, goTo, logIn, setUp } from "./browser.mjs";
import { House, guidOf } from "./house.mjs";

const GUID = "FF:FF:FF:FF:FF:FF:FF:FE:02:00:00:00:00:01:00:07";
const OTHER = "FF:FF:FF:FF:FF:FF:FF:FE:02:00:00:00:00:01:00:08";

const { endings, start, openPanel } = setUp();

/** One for all tests that need nothing special. */
let driver;
let sender;

before(async () => {
  driver = await new Driver({ config: { "host-names": HOME } }).start();
  sender = new VscpClient({ url: driver.url, user: "admin", password: "secret" });
  await sender.connect();
});
after(async () => {
  sender?.close();
  await driver?.dispose();
});

/** The panel, with a user who is logged in, at a view. */
async function openView(view, { from = driver, ...options } = {}) {
  const page = await openPanel(from, { ...options, view });
  await logIn(page);
  await page.locator("#board").waitFor();
  return page;
}

const rows = (page) => page.locator("#rows tr");
const row = (page, text) => rows(page).filter({ hasText: text }).first();
const drawer = (page) => page.locator("#drawer");
const drawerPart = (page, part) => page.locator(`#drawer [data-part="${part}"]`);

async function rowCount(page, count) {
  await until(async () => (await rows(page).count()) === count, `${count} rows are shown`);
}

/** All about the event of a row. */
async function openDrawer(page, text) {
  await row(page, text).click();
  await drawer(page).waitFor();
}

async function sendSome(...events) {
  for (const [vscpClass, type, data, more = {}] of events) {
    await sender.send({ class: vscpClass, type, guid: GUID, data, ...more });
  }
}

test("events are told in words, with the time to the millisecond and badges that are not cut", async () => {
  const page = await openView("events");
  await sendSome([30, 5, [0, 1, 2]], [2, 9, [0, 3, 255]], [20, 9, [0, 0, 0]], [10, 35, [2, 45]], [1060, 6, [5, 1, 2, 1, 0x40, 0x35, 0x80, 0, 0, 0, 0, 0]], [511, 0, [1, 2]], [1026, 2, [65]]);
  await rowCount(page, 7);
  const told = async (text) => (await row(page, text).innerText()).split(/\s*[\t\n]\s*/).filter(Boolean);
  const [time, ...turnOn] = await told("Turn on");
  assert.match(time, /^\d\d:\d\d:\d\d\.\d{3}$/);
  assert.deepEqual(turnOn, ["Control", "Turn on", "zone 1, subzone 2", "::FE:02:00:00:00:00:01:00:07", "3"]);
  assert.deepEqual((await told("Door")).slice(1, 4), ["Security", "Door open", "zone 3"]);
  assert.deepEqual((await told("Humidity")).slice(1, 4), ["Measurement", "Humidity", "45\u202f% · sensor 2"]);
  assert.deepEqual((await told("Temperature")).slice(1, 4), ["Measurement", "Temperature", "21.5\u202f°C · zone 1, subzone 2, sensor 5"]);
  assert.deepEqual((await told("Local event")).slice(1, 4), ["Local", "Local event", "01 02"]);
  assert.match((await told("Heartbeat"))[2], /^Heartbeat of node …00:07$/);
  for (const width of [1366, 1024, 768, 375]) {
    await page.setViewportSize({ width, height: 900 });
    const cut = await page.evaluate(() => [...document.querySelectorAll("#rows .badge")].filter((badge) => badge.scrollWidth > badge.clientWidth).map((badge) => badge.textContent));
    assert.deepEqual(cut, [], `${width} pixels`);
    assert.ok(await page.evaluate(() => document.getElementById("scroller").scrollWidth <= document.getElementById("scroller").clientWidth), `the list fits into ${width} pixels`);
  }
  assert.deepEqual(page.problems, []);
});

test("a row opens all about its event: fields, bytes, older and newer ones", async () => {
  const page = await openView("events");
  await sendSome([30, 30, [0, 1, 255, 2, 0, 0, 0, 5], { priority: 1 }], [20, 3, [0, 1, 4]], [509, 1, [1, 4, 0, ...Buffer.from("pump <b>slow</b>")]]);
  await rowCount(page, 3);
  await openDrawer(page, "Pulse on");
  assert.equal(await drawerPart(page, "title").innerText(), "Pulse on");
  assert.equal(await drawerPart(page, "detail").innerText(), "zone 1, 5\u00a0s");
  const fields = await drawerPart(page, "fields").innerText();
  for (const text of [/Class\s+30 · CLASS1\.CONTROL/, /Type\s+30 · Pulse on/, new RegExp(`GUID\\s+${GUID}`), /Priority\s+1 · high/, /Received\s+\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3}/, /Sender's date\s+\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC/, /Time stamp\s+[\d,]+ µs/, /Head\s+0x0020/]) {
    assert.match(fields, text);
  }
  const bytes = await drawerPart(page, "bytes").locator("tbody tr").allInnerTexts();
  assert.deepEqual(bytes.map((text) => text.split(/\s*\t\s*/)), [["0", "index", "0"], ["1", "zone", "1"], ["2", "subzone", "all subzones"], ["3–7", "pulse", "5\u00a0s"]]);
  assert.equal(await drawerPart(page, "dump").innerText(), "00 01 FF 02 00 00 00 05  ········");

  assert.ok(await page.getByRole("button", { name: "Older" }).isDisabled());
  await page.getByRole("button", { name: "Newer" }).click();
  assert.equal(await drawerPart(page, "title").innerText(), "On");
  await page.getByRole("button", { name: "Newer" }).click();
  assert.equal(await drawerPart(page, "detail").innerText(), "warning, “pump <b>slow</b>”");
  assert.ok(await page.getByRole("button", { name: "Newer" }).isDisabled());
  await sendSome([20, 4, [0, 1, 4]]);
  // It waits until there is a newer one.
  await page.getByRole("button", { name: "Newer" }).click();
  assert.equal(await drawerPart(page, "title").innerText(), "Off");
  await page.getByRole("button", { name: "Older" }).click();
  await page.getByRole("button", { name: "Older" }).click();
  assert.equal(await drawerPart(page, "title").innerText(), "On");
  await page.keyboard.press("Escape");
  await drawer(page).waitFor({ state: "hidden" });
  assert.deepEqual(page.problems, []);
});

test("nodes have the names that people have given them, at once and when they change", async () => {
  const house = await start(new House());
  const page = await openPanel(house.driver, { view: "events" });
  await logIn(page, { protocol: null });
  await page.locator("#board").waitFor();
  await house.heartbeats();
  await row(page, "Heartbeat of Stove guard").waitFor();
  assert.match(await row(page, "Heartbeat of Stove guard").innerText(), /Information\s+Heartbeat of Stove guard\s+Stove guard/);
  await page.getByLabel("Filter", { exact: true }).fill("stove");
  await rowCount(page, 1);
  await page.getByLabel("Filter", { exact: true }).fill("");
  await openDrawer(page, "Stove guard");
  assert.match(await drawerPart(page, "fields").innerText(), new RegExp(`Node\\s+Stove guard\\s+GUID\\s+${guidOf(2)}`));
  await page.keyboard.press("Escape");
  await page.evaluate(async (guid) => (await import("/api.js")).changeName(guid, { name: "Oven" }), guidOf(2));
  await row(page, "Heartbeat of Oven").waitFor();
  await page.getByLabel("Filter", { exact: true }).fill("oven");
  await rowCount(page, 1);
  assert.deepEqual(page.problems, []);
});

test("an event is copied as a ws1 line, as JSON and for curl, and each of them sends it", async () => {
  for (const options of [{ permissions: ["clipboard-read", "clipboard-write"] }, { host: HOME }]) {
    const page = await openView("events", options);
    await sendSome([30, 5, [0, 1, 255], { priority: 2 }]);
    await openDrawer(page, "Turn on");
    const copied = async (name) => {
      // Pages without TLS may not read the clipboard: what is copied is caught on its way.
      await page.evaluate(() => document.addEventListener("copy", () => (window.copied = document.activeElement.value), { once: true }));
      await drawerPart(page, "message").evaluate((message) => (message.textContent = ""));
      await drawer(page).getByRole("button", { name }).click();
      await drawerPart(page, "message").filter({ hasText: "Copied." }).waitFor();
      return page.evaluate(() => window.copied ?? navigator.clipboard.readText());
    };
    const ws1 = await copied("ws1 line");
    assert.equal(ws1, `E;64,30,5,,,,${GUID},0x00,0x01,0xFF`);
    assert.deepEqual([...parseEvent(ws1.slice(2)).data], [0, 1, 255]);
    const json = JSON.parse(await copied("JSON"));
    assert.deepEqual([json.head, json.class, json.type, json.guid, json.data], [64, 30, 5, GUID, [0, 1, 255]]);
    const curl = await copied("curl");
    const [, event, url] = /--data-urlencode 'vscpevent=([^']+)' '([^']+)'$/.exec(curl);
    assert.match(curl, /; read -r password; stty echo; echo; curl -sS -H 'vscpuser: admin' -H "vscpsecret: \$password" -d op=sendevent /);
    const answer = await fetch(url.replace(HOME, "127.0.0.1"), {
      method: "POST",
      headers: { vscpuser: "admin", vscpsecret: "secret" },
      body: new URLSearchParams({ op: "sendevent", vscpevent: event }),
    });
    assert.match(await answer.text(), /^1 1 Success/);
    await driver.read(30, 5, 2, GUID, "0x00,0x01,0xFF");
    await rowCount(page, 2);
    assert.deepEqual(page.problems, []);
  }
});

test("an event is filtered for, sent again, and changed before it is sent", async () => {
  const page = await openView("events");
  await sendSome([30, 5, [0, 1, 2]], [30, 5, [0, 1, 3], { guid: OTHER }], [20, 3, [0, 1, 4]]);
  await rowCount(page, 3);
  for (const [button, filter, count] of [
    ["Same type", "class:30 type:5", 2],
    ["Same node", `guid:${GUID}`, 2],
    ["Both", `class:30 type:5 guid:${GUID}`, 1],
  ]) {
    await openDrawer(page, "subzone 2");
    await drawer(page).getByRole("button", { name: button }).click();
    assert.equal(await page.getByLabel("Filter", { exact: true }).inputValue(), filter);
    await rowCount(page, count);
    await page.getByLabel("Filter", { exact: true }).fill("");
    await rowCount(page, 3);
  }
  for (const [filter, count] of [["zone:1", 3], ["zone:2", 0], ["turn subzone", 2], ["guid:::FE:02:00:00:00:00:01:00:08", 1], ["priority:3 -turn", 1]]) {
    await page.getByLabel("Filter", { exact: true }).fill(filter);
    await rowCount(page, count);
  }
  await page.getByLabel("Filter", { exact: true }).fill("");
  await openDrawer(page, "subzone 3");
  await drawer(page).getByRole("button", { name: "Send again" }).click();
  await drawerPart(page, "message").filter({ hasText: "Sent: Turn on, zone 1, subzone 3." }).waitFor();
  await driver.read(30, 5, 3, OTHER, "0x00,0x01,0x03");

  await drawer(page).getByRole("button", { name: "Change and send" }).click();
  await page.locator("#data").waitFor();
  assert.equal(await page.locator("#any-words").innerText(), "Turn on, zone 1, subzone 3");
  await page.getByLabel("Data").fill("0 1 9");
  assert.equal(await page.locator("#any-words").innerText(), "Turn on, zone 1, subzone 9");
  await page.getByRole("button", { name: "Send event" }).click();
  await driver.read(30, 5, 3, OTHER, "0x00,0x01,0x09");
  assert.deepEqual(page.problems, []);
});

test("nothing switches the whole house without a question", async () => {
  const page = await openView("send");
  const confirm = page.locator("#confirm");
  const quick = page.locator("#quick");
  const heard = [];
  endings.push(sender.on("event", (event) => heard.push(event)));
  // Without a zone nothing is sent, and the form says why.
  await quick.getByRole("button", { name: "Turn on" }).click();
  assert.ok(await page.getByLabel("Zone", { exact: true }).evaluate((field) => field.matches(":invalid") && field === document.activeElement));
  await page.getByRole("button", { name: "Send event" }).click();
  assert.ok(await page.locator("#class").evaluate((field) => field.matches(":invalid")));
  assert.equal(await rows(page).count(), 0);

  await page.getByLabel("Zone", { exact: true }).fill("255");
  for (const end of [() => confirm.getByRole("button", { name: "Cancel" }).click(), () => page.keyboard.press("Escape"), () => page.keyboard.press("Enter")]) {
    await quick.getByRole("button", { name: "Turn off" }).click();
    await confirm.waitFor();
    assert.equal(await confirm.locator("p").innerText(), "“Turn off, all zones” reaches everything in the house that listens to it.");
    await end();
    await confirm.waitFor({ state: "hidden" });
  }
  // Control without a zone means all of them.
  await page.locator("#class").selectOption("30");
  await page.locator("#type").selectOption("5");
  await page.getByRole("button", { name: "Send event" }).click();
  await confirm.getByRole("button", { name: "Cancel" }).click();
  assert.equal(await page.locator("#recent").isHidden(), true);
  await quick.getByRole("button", { name: "Turn off" }).click();
  await confirm.getByRole("button", { name: "Send to all" }).click();
  await driver.read(30, 6, 3, "0x00,0xFF,0xFF");
  // Nothing that was asked for before it has been sent.
  await until(() => heard.length > 0, "the other client hears it");
  assert.deepEqual(heard.map(({ type, data }) => [type, ...data]), [[6, 0, 255, 255]]);
  await page.getByText("Sent: Turn off, all zones.").waitFor();
  // Nor does what is sent again.
  await goTo(page, "events");
  await openDrawer(page, "Turn off");
  await drawer(page).getByRole("button", { name: "Send again" }).click();
  await confirm.getByRole("button", { name: "Cancel" }).click();
  assert.equal(await drawerPart(page, "message").innerText(), "");
  await page.keyboard.press("Escape");
  await drawer(page).waitFor({ state: "hidden" });
  assert.equal(heard.length, 1);
  assert.deepEqual(page.problems, []);
});

test("common commands have buttons, and what was sent last is there again after a reload", async () => {
  const page = await openView("send");
  const quick = page.locator("#quick");
  await page.getByLabel("Zone", { exact: true }).fill("3");
  await quick.getByRole("button", { name: "Turn on" }).click();
  await driver.read(30, 5, "0x00,0x03,0xFF");
  await page.getByLabel("Subzone").fill("4");
  await page.getByLabel("Level, %").fill("30");
  await quick.getByRole("button", { name: "Dim" }).click();
  await driver.read(30, 20, "0x1E,0x03,0x04");
  await page.getByText("More commands").click();
  // A level that is wrong is in the way of dimming alone.
  await page.getByLabel("Level, %").fill("");
  await quick.getByRole("button", { name: "Dim" }).click();
  assert.ok(await page.getByLabel("Level, %").evaluate((field) => field === document.activeElement));
  await quick.getByRole("button", { name: "Move up" }).click();
  await driver.read(30, 34, "0x00,0x03,0x04");

  const recent = page.locator("#recent-list button");
  const told = ["Move up, zone 3, subzone 4", "Dim to 30\u00a0%, zone 3, subzone 4", "Turn on, zone 3"];
  // The host may read an event before the panel is told that it was sent.
  await recent.nth(2).waitFor();
  assert.deepEqual(await recent.allInnerTexts(), told);
  await page.reload();
  await logIn(page);
  await page.locator("#board").waitFor();
  assert.deepEqual(await recent.allInnerTexts(), told);
  assert.equal(await page.getByLabel("Zone", { exact: true }).inputValue(), "3");
  await recent.filter({ hasText: "Turn on" }).click();
  await driver.read(30, 5, "0x00,0x03,0xFF");
  await until(async () => (await recent.first().innerText()) === told[2], "what was sent again is in front");
  assert.equal(await recent.count(), 3);
  assert.deepEqual(page.problems, []);
});

test("cleared while it is paused, the list stays paused and says what has come since", async () => {
  const page = await openView("events");
  await sendSome([20, 3, [0, 1, 1]], [20, 3, [0, 1, 2]]);
  await rowCount(page, 2);
  await page.getByRole("button", { name: "Pause" }).click();
  await page.getByRole("button", { name: "Clear" }).click();
  await rowCount(page, 0);
  await page.getByText("Paused. 0 events have come since.").waitFor();
  await sendSome([20, 3, [0, 1, 3]]);
  await page.getByText("Paused. 1 event has come since.").waitFor();
  await page.getByText("0 kept · paused · 1 new").waitFor();
  await page.getByRole("button", { name: "Resume" }).click();
  await rowCount(page, 1);
  assert.match(await rows(page).first().innerText(), /subzone 3/);
  await page.getByText(/1 kept · \d a second/).waitFor();
  assert.deepEqual(page.problems, []);
});

test("CSV has the separators of the country, no formula of others, and no bytes that become numbers", async () => {
  for (const [locale, separator, decimal] of [["en-GB", ",", "."], ["sv-SE", ";", ","]]) {
    const page = await openView("events", { locale });
    await sendSome([10, 6, [0x88, 0x81, 1, 7]], [509, 1, [0, 4, 0, ...Buffer.from('=1+1, "x"; y')]], [30, 5, [5]]);
    await rowCount(page, 3);
    const downloading = page.waitForEvent("download");
    await page.locator("#export").click();
    const text = readFileSync(await (await downloading).path(), "utf8");
    const [head, first, second, third, ...rest] = text.split("\r\n");
    assert.equal(head, `\ufeff${"received,event,value,unit,details,sensor,zone,subzone,node,guid,class,type,priority,data,date,timestamp,connection,head,sent".replaceAll(",", separator)}`);
    const [time, name, value, unit] = first.split(separator);
    assert.match(time, new RegExp(`^\\d{4}-\\d\\d-\\d\\d \\d\\d:\\d\\d:\\d\\d\\${decimal}\\d{3}$`));
    assert.deepEqual([value, unit], [`26${decimal}3`, "°C"]);
    assert.equal(name, locale === "sv-SE" ? "Temperatur" : "Temperature");
    assert.match(second, /"(warning, “|varning, ”)=1\+1, ""x""; y”"/);
    assert.match(third, new RegExp(`${separator}0x05${separator}`));
    assert.deepEqual(rest, [""]);
    assert.deepEqual(page.problems, []);
  }
});

test("the keyboard goes through the rows, opens one and comes back to it, and the list waits", async () => {
  const page = await openView("events");
  await sendSome([20, 3, [0, 1, 1]], [20, 4, [0, 1, 2]], [20, 7, [0, 1, 3]]);
  await rowCount(page, 3);
  await page.locator("#scroller").focus();
  await page.keyboard.press("Tab");
  const focused = () => page.evaluate(() => document.activeElement.textContent);
  assert.equal(await focused(), "Opened");
  await page.keyboard.press("ArrowDown");
  assert.equal(await focused(), "Off");
  await page.keyboard.press("End");
  assert.equal(await focused(), "On");
  await sendSome([20, 8, [0, 1, 4]]);
  await page.getByRole("button", { name: "1 newer" }).waitFor();
  assert.equal(await rows(page).count(), 3);
  await page.keyboard.press("Enter");
  await drawer(page).waitFor();
  assert.equal(await drawerPart(page, "title").innerText(), "On");
  // The focus stays inside.
  for (let press = 0; press < 15; press += 1) {
    await page.keyboard.press("Tab");
    assert.ok(await page.evaluate(() => document.activeElement === document.body || document.getElementById("drawer").contains(document.activeElement)));
  }
  await page.keyboard.press("Escape");
  assert.equal(await focused(), "On");
  await page.keyboard.press("Shift+Tab");
  await page.keyboard.press("Shift+Tab");
  await rowCount(page, 4);
  assert.deepEqual(page.problems, []);
});

test("a click takes the event that was under the pointer, however many come", async () => {
  const fast = await start(new Driver({ simulate: 200 }));
  const page = await openView("events", { from: fast });
  await until(async () => (await rows(page).count()) > 20, "the list is full");
  await page.locator("#scroller").scrollIntoViewIfNeeded();
  const box = await page.locator("#scroller").boundingBox();
  await page.mouse.move(box.x + 300, box.y + 150);
  await page.mouse.down();
  const pressed = await page.evaluate(([x, y]) => document.elementFromPoint(x, y).closest("tr").title || document.elementFromPoint(x, y).closest("tr").innerText, [box.x + 300, box.y + 150]);
  // Long enough for hundreds of rows to come by.
  const count = page.locator("#events-count");
  const before = await count.innerText();
  await until(async () => (await count.innerText()) !== before, "the list goes on behind it");
  await page.mouse.up();
  await drawer(page).waitFor();
  const received = await drawerPart(page, "fields").innerText();
  const [time] = pressed.trim().split(/\s/);
  assert.ok(received.includes(time), `${time} is in ${received}`);
});

test("who scrolls down finds older rows, which stay until they are left", async () => {
  const fast = await start(new Driver({ simulate: 200 }));
  const page = await openView("events", { from: fast });
  const count = async () => Number((await page.locator("#events-count").innerText()).match(/[\d,]+/)[0].replaceAll(",", ""));
  await until(async () => (await count()) > 300, "there are more events than rows");
  const moving = await rows(page).count();
  const scroller = page.locator("#scroller");
  await scroller.evaluate((element) => (element.scrollTop = 300));
  await until(async () => (await rows(page).count()) > 2 * moving, "older rows come");
  const some = await rows(page).count();
  await scroller.evaluate((element) => (element.scrollTop = element.scrollHeight));
  await until(async () => (await rows(page).count()) > some, "and more of them at the end");
  const times = await rows(page).locator(".time").evaluateAll((cells) => cells.map((cell) => cell.title));
  assert.deepEqual(times, [...times].sort().reverse(), "newest first, none twice");
  const first = await rows(page).first().innerText();
  const before = await count();
  await until(async () => (await count()) > before + 100, "many more come");
  assert.equal(await rows(page).first().innerText(), first);
  await page.getByRole("button", { name: /newer/ }).click();
  await until(async () => (await rows(page).count()) === moving, "the list moves again");
  assert.deepEqual(page.problems, []);
});

test("what has come while another view was open fills the list, also when the window grows", async () => {
  const page = await openView("home", { viewport: { width: 1366, height: 500 } });
  await sendSome(...Array.from({ length: 80 }, (_, index) => [20, 3, [0, 1, index]]));
  await until(async () => /^80 /.test(await page.locator("#events-count").textContent()), "all are kept");
  await goTo(page, "events");
  await until(async () => (await rows(page).count()) >= 15, "the list is full");
  const small = await rows(page).count();
  await page.setViewportSize({ width: 1366, height: 1600 });
  await until(async () => (await rows(page).count()) > small + 20, "the list is full again");
  const numbers = await rows(page).locator(".value").allTextContents();
  assert.deepEqual(numbers, numbers.map((_, index) => `zone 1, subzone ${79 - index}`));
  assert.deepEqual(page.problems, []);
});

test("what a user has open is closed when the login ends", async () => {
  const own = await start(new Driver());
  const page = await openView("events", { from: own });
  await page.getByLabel("Zone", { exact: true }).fill("3");
  await page.locator("#quick").getByRole("button", { name: "Turn on" }).click();
  await openDrawer(page, "Turn on");
  await own.stop();
  own.config = { users: [] };
  await own.start();
  await page.locator("#login").waitFor();
  assert.ok(await drawer(page).isHidden());
});

test("a language that is changed by hand changes the rows, the forms and the drawer", async () => {
  const page = await openView("events", { locale: "sv-SE" });
  await sendSome([30, 5, [0, 1, 2]]);
  await row(page, "Slå på").waitFor();
  assert.match(await rows(page).first().innerText(), /Styrning\s+Slå på\s+zon 1, delzon 2/);
  await openDrawer(page, "Slå på");
  assert.match(await drawerPart(page, "bytes").innerText(), /delzon/);
  assert.deepEqual(await page.locator("#commands button").allTextContents(), ["Slå på", "Slå av", "Växla", "Begär värden"]);
  await page.evaluate(async () => (await import("/texts.js")).setLanguage("en"));
  await until(async () => /Turn on\s+zone 1, subzone 2/.test(await rows(page).first().innerText()), "the row is in English");
  assert.match(await drawerPart(page, "bytes").innerText(), /subzone/);
  assert.deepEqual(await page.locator("#commands button").allTextContents(), ["Turn on", "Turn off", "Toggle", "Ask for values"]);
  assert.deepEqual(page.problems, []);
});

// Colours do not depend on the device, nor the layout on the colours.
for (const [device, colorScheme, options] of [
  ["desktop", "light", {}],
  ["phone", "dark", PHONE],
]) {
  test(`${device}, ${colorScheme}: list, drawer, question and forms are accessible`, async () => {
    const page = await openView("events", { colorScheme, ...options });
    await sendSome([1, 2, [4, 2, 255], { priority: 0 }], [2, 10, [0, 1, 4]], [20, 3, [0, 1, 4]], [30, 5, [0, 1, 4]], [0, 1, []], [10, 6, [0x88, 0x81, 1, 7]], [511, 0, [1, 2, 3]]);
    await rowCount(page, 7);
    await checkAccess(page, `${device}-event-list-${colorScheme}`);
    await openDrawer(page, "Turn on");
    await drawer(page).evaluate((element) => Promise.all(element.getAnimations().map(({ finished }) => finished)));
    await checkAccess(page, `${device}-event-${colorScheme}`);
    if (device === "phone") {
      const small = await drawer(page).evaluate((element) => [...element.querySelectorAll("button")].filter((button) => button.getBoundingClientRect().height < 34).map((button) => button.textContent));
      assert.deepEqual(small, []);
      await checkWidth(page);
    }
    await page.keyboard.press("Escape");
    await goTo(page, "send");
    await page.getByLabel("Zone", { exact: true }).fill("3");
    await page.locator("#quick").getByRole("button", { name: "Turn on" }).click();
    await page.getByText("Sent: Turn on, zone 3.").waitFor();
    await page.getByText("More commands").click();
    await checkAccess(page, `${device}-commands-${colorScheme}`);
    await page.getByLabel("Zone", { exact: true }).fill("255");
    await page.locator("#quick").getByRole("button", { name: "Turn off" }).click();
    await page.locator("#confirm").waitFor();
    await checkAccess(page, `${device}-question-${colorScheme}`);
    assert.deepEqual(page.problems, []);
  });
}

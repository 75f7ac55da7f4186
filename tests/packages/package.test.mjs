// The package for Node.js, installed, with the real driver.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, before, test } from "node:test";

import { VscpClient } from "vscp-client";

import { Driver, until } from "./driver.mjs";
import { TEST_KEY, VscpError, firstTemperature, lamp, parseGuid, read } from "./house.js";

let driver;
before(async () => {
  driver = await new Driver({ simulate: 20, config: { "web-root": undefined } }).start();
});
after(() => driver.dispose());

for (const protocol of ["ws1", "ws2"]) {
  test(`${protocol}: a program with a loop answers what others send`, async () => {
    const stop = new AbortController();
    const switched = lamp(driver.url, stop.signal, protocol);
    const client = new VscpClient({ url: driver.url, user: "admin", password: "secret", protocol });
    const answers = [];
    client.on("event", (event) => event.class === 20 && answers.push(`${event.type} ${event.data}`));
    await client.connect();
    // The lamp may not be there yet. (The simulation has none in this zone.)
    await until(async () => {
      await client.send({ class: 30, type: 5, data: [0, 77, 1] });
      return answers.includes("3 0,77,1");
    }, "the lamp answers");
    await client.send({ class: 30, type: 6, data: [0, 77, 1] });
    await until(() => answers.includes("4 0,77,1"), "the lamp goes off");
    client.close();
    stop.abort();
    assert.ok((await switched) >= 2);
  });
}

test("measurements come with value and unit", async () => {
  const { unit, quantity, text, value } = await firstTemperature(driver.url);
  assert.deepEqual([unit, quantity], ["°C", 6]);
  assert.ok(Math.abs(Number(text) - value) < 0.001, `${text} is ${value}`);
});

test("what is exported is what the module exports", () => {
  const [measurement, same, text] = read("96,10,6,0,,0,-,0x8A,0x82,8,0x34");
  assert.deepEqual([measurement.text, measurement.unit, measurement.sensor], ["21.00", "°C", 2]);
  assert.deepEqual(measurement, same);
  assert.equal(text, "96,10,6,0,,0,-,138,130,8,52");
  assert.equal(TEST_KEY.length, 32);
  assert.equal(parseGuid("::1").slice(-5), "FF:01");
  assert.equal(new VscpError(5, "Not authorised.").code, 5);
});

test("the package has its modules, their types and the licenses, and nothing else", () => {
  const folder = new URL("node_modules/vscp-client/", import.meta.url);
  const { exports } = JSON.parse(readFileSync(new URL("package.json", folder), "utf8"));
  for (const { types, default: module } of Object.values(exports).filter((entry) => typeof entry === "object")) {
    assert.ok(readFileSync(new URL(types, folder), "utf8").includes("export"), types);
    assert.ok(readFileSync(new URL(module, folder), "utf8").includes("export"), module);
  }
  for (const license of ["dist/LICENSE", "dist/aes.LICENSE.txt"]) {
    assert.match(readFileSync(new URL(license, folder), "utf8"), /MIT/, license);
  }
  assert.match(readFileSync(new URL("dist/chart.css", folder), "utf8"), /chart/);
  assert.throws(() => readFileSync(new URL("dist/app.js", folder)), { code: "ENOENT" });
});

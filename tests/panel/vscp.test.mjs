// The client of examples/www/vscp.js with the real driver.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";

import { VscpClient, VscpError, formatEvent, parseEvent, parseGuid } from "../../examples/www/vscp.js";
import { Driver, until } from "./driver.mjs";

const GUID = "FF:FF:FF:FF:FF:FF:FF:F5:01:00:00:00:00:05:00:02";

for (const protocol of ["ws1", "ws2"]) {
  describe(protocol, () => {
    let driver;
    const clients = [];

    before(async () => {
      driver = await new Driver().start();
    });
    after(async () => {
      clients.forEach((client) => client.close());
      await driver.dispose();
    });

    /** A client that keeps what it gets. */
    function newClient(options) {
      const client = new VscpClient({ url: driver.url, protocol, user: "admin", password: "secret", ...options });
      client.events = [];
      client.states = [];
      client.on("event", (event) => client.events.push(event));
      client.on("state", ({ state }) => client.states.push(state));
      clients.push(client);
      return client;
    }

    async function connected(options) {
      const client = newClient(options);
      await client.connect();
      return client;
    }

    test("an event comes to the host and to other clients as it was sent", async () => {
      const [sender, receiver] = [await connected(), await connected()];
      await sender.send({ class: 20, type: 3, priority: 1, guid: GUID, data: [1, 2, 255] });
      await driver.read(20, 3, 1, GUID, "0x01,0x02,0xFF");
      const [event] = await until(() => receiver.events.length > 0 && receiver.events, "the event comes");
      assert.deepEqual(
        { head: event.head, class: event.class, type: event.type, guid: event.guid, data: [...event.data] },
        { head: 32, class: 20, type: 3, guid: GUID, data: [1, 2, 255] },
      );
      assert.match(event.datetime, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
      assert.ok(event.timestamp > 0);
      assert.deepEqual(sender.events, []);
    });

    test("an event without a GUID gets that of the driver, one without data has none", async () => {
      const [sender, receiver] = [await connected(), await connected()];
      await sender.send({ class: 20, type: 9 });
      await until(() => receiver.events.length > 0, "the event comes");
      assert.equal(receiver.events[0].data.length, 0);
      assert.match(receiver.events[0].guid, /^FF:/);
    });

    test("a wrong password is refused, with the code of the server and without trying again", async () => {
      const client = newClient({ password: "wrong" });
      await assert.rejects(client.connect(), { name: "VscpError", code: 5 });
      assert.deepEqual(client.states, ["connecting", "closed"]);
    });

    test("a colon belongs to the password", async () => {
      await connected({ user: "reader", password: "look:only", protocol: "ws1" });
    });

    test("a refused event rejects with the code of the server, and the next one is fine", async () => {
      const client = await connected();
      await assert.rejects(client.send({ class: 70_000, type: 1 }), { code: 8 });
      await assert.rejects(client.send({ class: 20, type: 1, guid: "FF:FF" }), { code: 8 });
      await client.send({ class: 20, type: 1 });
    });

    test("replies go to their requests, however many are on the way", async () => {
      const client = await connected();
      const results = await Promise.allSettled(
        Array.from({ length: 100 }, (_, index) => client.send({ class: index % 3 ? 20 : 70_000, type: index })),
      );
      results.forEach(({ status }, index) => assert.equal(status, index % 3 ? "fulfilled" : "rejected"));
    });

    test("a filter lets through what is equal in the fields given, no filter everything", async () => {
      const [sender, receiver] = [await connected(), await connected()];
      // The last event of each row passes: when it is there, all others are.
      for (const [patterns, sent, expected] of [
        [[{ class: 30 }], ["20:3", "30:1", "20:4", "30:2"], ["30:1", "30:2"]],
        [[{ type: 4, guid: GUID }], ["20:3", "30:4", "20:5", "20:4"], ["30:4", "20:4"]],
        [[{ type: 4 }, { type: 0xfe }], ["20:3", "20:4", "20:6", "20:5"], ["20:4", "20:5"]],
        [[], ["20:3", "30:99"], ["20:3", "30:99"]],
      ]) {
        await receiver.setFilter(...patterns);
        for (const [vscpClass, type] of sent.map((event) => event.split(":"))) {
          await sender.send({ class: Number(vscpClass), type: Number(type), guid: GUID });
        }
        const heard = () => receiver.events.map((event) => `${event.class}:${event.type}`);
        await until(() => heard().includes(expected.at(-1)), "the last event comes");
        assert.deepEqual(heard(), expected);
        receiver.events = [];
      }
    });

    test("commands give what their replies carry", async () => {
      const client = await connected();
      const version = await client.command("VERSION");
      assert.match(protocol === "ws1" ? version.at(-1) : version.version, /^\d+\.\d+\.\d+/);
      await assert.rejects(client.command("NOSUCH"), { code: 2 });
    });

    test("after a restart of the server it logs in again and keeps its filter", async () => {
      const client = await connected();
      await client.setFilter({ class: 30 });
      const waiting = until(() => client.state === "waiting", "the connection is lost");
      await driver.stop();
      await waiting;
      await assert.rejects(client.send({ class: 30, type: 1 }), VscpError);
      await driver.start();
      await client.connect();
      assert.equal(client.state, "open");
      const sender = await connected();
      await sender.send({ class: 20, type: 1 });
      await sender.send({ class: 30, type: 1 });
      await until(() => client.events.length > 0, "an event comes");
      assert.deepEqual(client.events.map((event) => event.class), [30]);
    });

    test("a server that is not there rejects where no reconnection is wanted", async () => {
      const client = newClient({ url: "ws://127.0.0.1:1", reconnect: false });
      await assert.rejects(client.connect(), { code: 0, message: "The server cannot be reached." });
      assert.deepEqual(client.states, ["connecting", "closed"]);
    });

    test("a loop over the client goes on over a restart of the server, and ends with close()", async () => {
      const receiver = newClient();
      const types = [];
      let failure = null;
      const loop = (async () => {
        for await (const event of receiver) {
          types.push(event.type);
        }
      })().catch((error) => (failure = error));
      await until(() => receiver.state === "open", "the loop connects");
      const sender = await connected();
      await sender.send({ class: 20, type: 1 });
      await until(() => types.length === 1, "the first event comes");
      const waiting = until(() => [receiver, sender].every(({ state }) => state === "waiting"), "the connections are lost");
      await driver.stop();
      await waiting;
      await driver.start();
      await Promise.all([receiver.connect(), sender.connect()]);
      await sender.send({ class: 20, type: 2 });
      await sender.send({ class: 20, type: 3 });
      await until(() => types.length === 3, "the others come");
      receiver.close();
      await loop;
      assert.deepEqual([types, failure, receiver.dropped], [[1, 2, 3], null, 0]);
    });

    test("a loop over a client that is refused throws", async () => {
      const client = newClient({ password: "wrong" });
      await assert.rejects(async () => {
        for await (const event of client) {
          assert.fail(`${event}`);
        }
      }, { name: "VscpError", code: 5 });
    });

    test("a client that is closed stays closed", async () => {
      const client = await connected();
      client.close();
      await assert.rejects(client.send({ class: 20, type: 1 }), { code: 0 });
      await sleep(1000);
      assert.deepEqual(client.states, ["connecting", "open", "closed"]);
    });

    test("without WebCrypto the login is encrypted by the library beside it", async () => {
      const crypto = Object.getOwnPropertyDescriptor(globalThis, "crypto");
      Object.defineProperty(globalThis, "crypto", { value: undefined, configurable: true });
      try {
        await connected();
      } finally {
        Object.defineProperty(globalThis, "crypto", crypto);
      }
    });
  });
}

test("a listener that is taken off hears nothing more", async () => {
  const client = new VscpClient({ url: "ws://127.0.0.1:1", user: "a", password: "b", reconnect: false });
  const heard = [];
  client.on("state", ({ state }) => heard.push(state))();
  await assert.rejects(client.connect());
  assert.deepEqual(heard, []);
});

test("what cannot be meant is refused at once", () => {
  const options = { url: "ws://localhost", user: "a", password: "b" };
  assert.throws(() => new VscpClient({ ...options, key: "12" }), VscpError);
  assert.throws(() => new VscpClient({ ...options, protocol: "ws3" }), VscpError);
  assert.throws(() => new VscpClient({ ...options, url: "::" }), TypeError);
});

test("the text form of an event is read and written", () => {
  const text = `96,10,6,7,2025-01-31T12:00:00Z,4294967295,${GUID},0x88,0x01`;
  const event = parseEvent(text);
  assert.deepEqual({ ...event }, {
    head: 96,
    class: 10,
    type: 6,
    obid: 7,
    datetime: "2025-01-31T12:00:00Z",
    timestamp: 4294967295,
    guid: GUID,
    data: Uint8Array.of(0x88, 1),
  });
  assert.deepEqual(parseEvent(formatEvent(event)), event);
  assert.equal(parseEvent(`0,20,3,0,,0,${GUID}`).data.length, 0);
  assert.equal(formatEvent({ class: 20, type: 3 }), "96,20,3,0,,0,-");
});

test("an event tells what it measures", () => {
  const { value, text, unit, quantity, sensor } = parseEvent(`96,10,6,0,,0,${GUID},0x8A,0x82,8,0x34`).measurement;
  assert.deepEqual([value, text, unit, quantity, sensor], [21, "21.00", "°C", 6, 2]);
  assert.equal(parseEvent(`96,20,3,0,,0,${GUID},1,2,3`).measurement, null);
});

test("GUIDs are read as people write them", () => {
  const zeros = Array(16).fill("00").join(":");
  const counted = "00:01:02:03:04:05:06:07:08:09:0A:0B:0C:0D:0E:0F";
  for (const [text, guid] of [
    ["-", zeros],
    [counted, counted],
    ["0:1:2:3:4:5:6:7:8:9:a:b:c:d:e:f", counted],
    [counted.replaceAll(":", "-"), counted],
    [counted.replaceAll(":", ""), counted],
    ["{00010203-0405-0607-0809-0a0b0c0d0e0f}", counted],
    [" ::F5:1 ", `${Array(14).fill("FF").join(":")}:F5:01`],
    ["::", Array(16).fill("FF").join(":")],
    ["-:1:2", `${Array(14).fill("00").join(":")}:01:02`],
    ["", null],
    ["FF:FF", null],
    [`${counted}:00`, null],
    [`::${counted}`, null],
    ["0:1:2:3:4:5:6:7:8:9:a:b:c:d:e:g", null],
    ["0:1:2:3:4:5:6:7:8:9:a:b:c:d:e:", null],
    ["0:1:2:3:4:5:6:7:8:9:a:b:c:d:e:100", null],
  ]) {
    assert.equal(parseGuid(text), guid, text);
  }
});

// The library ws as a client: what well-behaved clients do, what it can do wrongly, and how it is ended.

import { readFileSync } from "node:fs";
import { performance } from "node:perf_hooks";
import WebSocket from "ws";

const { PEERS_PORT, PEERS_TLS_PORT, PEERS_CA } = process.env;
const LIMIT = 100_000;
const MILLISECONDS = 20_000;

const start = performance.now();
let count = 0;
const failures = [];

/** Opens a websocket and takes its greeting. */
function open(tls, path = "/ws1", options = {}, protocols = []) {
  const url = tls ? `wss://localhost:${PEERS_TLS_PORT}${path}` : `ws://127.0.0.1:${PEERS_PORT}${path}`;
  const client = new WebSocket(url, protocols, {
    ca: readFileSync(PEERS_CA),
    family: 4,
    handshakeTimeout: MILLISECONDS,
    ...options,
  });
  const waiting = [];
  const came = [];
  const deliver = (what) => (waiting.length ? waiting.shift()(what) : came.push(what));
  client.on("message", (data, isBinary) => deliver(isBinary ? { binary: data } : { text: String(data) }));
  client.on("pong", (data) => deliver({ pong: String(data) }));
  client.on("close", (code) => deliver({ code }));
  client.on("unexpected-response", (_, response) => deliver({ status: response.statusCode }));
  client.on("error", (error) => deliver({ error: error.message }));
  /** What comes next: {text}, {pong}, {code} .. */
  client.next = () =>
    new Promise((resolve, reject) => {
      if (came.length) return resolve(came.shift());
      const timer = setTimeout(() => reject(new Error("nothing came")), MILLISECONDS);
      waiting.push((what) => (clearTimeout(timer), resolve(what)));
    });
  return client;
}

async function greeted(tls, path = "/ws1", options = {}, protocols = []) {
  const client = open(tls, path, options, protocols);
  const first = await client.next();
  if (!first.text?.includes("AUTH0")) throw new Error(`no greeting: ${JSON.stringify(first)}`);
  return client;
}

function same(found, expected) {
  const [a, b] = [JSON.stringify(found), JSON.stringify(expected)];
  if (a !== b) throw new Error(`${a}, expected ${b}`);
}

async function ends(client, code) {
  same(await client.next(), { code });
}

const NOOP = { text: "+;NOOP" };

const CASES = {
  async greeting(tls) {
    for (const path of ["/ws1", "/ws2"]) {
      const client = await greeted(tls, path);
      client.close(1000);
      await ends(client, 1000);
    }
  },
  async subprotocols(tls) {
    for (const [path, offered, chosen] of [
      ["/ws1", [], ""],
      ["/ws1", ["chat", "vscp-std"], "vscp-std"],
      ["/ws2", ["vscp-json"], "vscp-json"],
    ]) {
      const client = await greeted(tls, path, {}, offered);
      same(client.protocol, chosen);
      client.close();
      await ends(client, 1005);
    }
    // ws itself refuses an answer without one of those that it has offered.
    const client = open(tls, "/ws1", {}, ["chat"]);
    same(await client.next(), { error: "Server sent no subprotocol" });
  },
  async compressionIsDeclined(tls) {
    for (const perMessageDeflate of [true, { serverNoContextTakeover: true }, false]) {
      const client = await greeted(tls, "/ws1", { perMessageDeflate });
      same(client.extensions, "");
      client.send("C;NOOP", { compress: true });
      same(await client.next(), NOOP);
      client.terminate();
    }
  },
  async fragments(tls) {
    const client = await greeted(tls);
    for (const part of ["C;", "NO", "", "OP;"]) client.send(part, { fin: false });
    client.ping("between");
    client.send("ä".repeat(1000), { fin: true });
    same(await client.next(), { pong: "between" });
    same(await client.next(), NOOP);
    client.terminate();
  },
  async pings(tls) {
    const client = await greeted(tls);
    for (const size of [0, 1, 125]) {
      client.ping("x".repeat(size));
      same(await client.next(), { pong: "x".repeat(size) });
    }
    client.pong("nobody asked");
    client.send("C;NOOP");
    same(await client.next(), NOOP);
    client.terminate();
  },
  async withoutMask(tls) {
    for (const send of [
      (client) => client.send("C;NOOP", { mask: false }),
      (client) => client.ping("x", false),
    ]) {
      const client = await greeted(tls);
      send(client);
      await ends(client, 1002);
    }
  },
  async binary(tls) {
    const client = await greeted(tls);
    client.send(Buffer.from("C;NOOP"));
    await ends(client, 1003);
  },
  async notUtf8(tls) {
    const client = await greeted(tls);
    client.send(Buffer.from([0x43, 0x3b, 0xff]), { binary: false });
    await ends(client, 1007);
  },
  async largest(tls) {
    const client = await greeted(tls);
    client.send("C;NOOP;" + "*".repeat(LIMIT - 7));
    same(await client.next(), NOOP);
    client.send("C;NOOP;" + "*".repeat(LIMIT - 6));
    await ends(client, 1009);
  },
  async closeCodes(tls) {
    for (const code of [1000, 1001, 1003, 1007, 1013, 3000, 4999]) {
      const client = await greeted(tls);
      client.close(code, "reason");
      await ends(client, code);
    }
  },
  async refusedPaths(tls) {
    for (const [path, status] of [["/nothing", 404], ["/metrics", 200]]) {
      const client = open(tls, path);
      same(await client.next(), { status });
      client.terminate();
    }
  },
  async wrongVersion(tls) {
    const client = open(tls, "/ws1", { protocolVersion: 8 });
    same(await client.next(), { status: 426 });
    client.terminate();
  },
  async manyMessages(tls) {
    const client = await greeted(tls);
    for (let number = 0; number < 2000; number++) client.send("C;NOOP");
    for (let number = 0; number < 2000; number++) same(await client.next(), NOOP);
    client.terminate();
  },
};

for (const tls of [false, true]) {
  for (const [name, run] of Object.entries(CASES)) {
    count++;
    try {
      await run(tls);
    } catch (error) {
      failures.push(name);
      console.error(`ws: ${name}${tls ? " with TLS" : ""}: ${error.message}`);
    }
  }
}
const seconds = ((performance.now() - start) / 1000).toFixed(1);
console.log(`ws\twebsocket client, also TLS\t${count}\t${count - failures.length}\t${seconds}`);
process.exit(failures.length ? 1 : 0);

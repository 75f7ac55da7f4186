// Chromium as a peer: what pages can do with websockets and fetch, on pages of the driver itself.

import { performance } from "node:perf_hooks";

import { launch } from "../browser/browser.mjs";

const { PEERS_PORT, PEERS_TLS_PORT } = process.env;

/** They run in the page, with `open` and `same` of `prepare`; each returns or throws. */
const CASES = {
  async greeting() {
    for (const path of ["/ws1", "/ws2"]) {
      const client = await open(path);
      client.socket.close(1000);
      same(await client.next(), { code: 1000, clean: true });
    }
  },
  async subprotocols() {
    for (const [path, offered, chosen] of [
      ["/ws1", [], ""],
      ["/ws1", ["chat", "vscp-std"], "vscp-std"],
      ["/ws2", ["vscp-json"], "vscp-json"],
    ]) {
      const { socket } = await open(path, offered);
      same([socket.protocol, socket.extensions], [chosen, ""]);
      socket.close();
    }
  },
  async aSubprotocolThatIsUnknown() {
    same(await connect("/ws1", ["chat"]).next(), { code: 1006, clean: false });
  },
  async pathsThatAreNoWebsockets() {
    for (const path of ["/nothing", "/metrics", "/rest", "/hello.txt"]) {
      same(await connect(path).next(), { code: 1006, clean: false });
    }
  },
  async manyMessages() {
    const { socket, next } = await open("/ws1");
    for (let number = 0; number < 5000; number++) socket.send("C;NOOP");
    for (let number = 0; number < 5000; number++) same(await next(), { text: "+;NOOP" });
    socket.close();
  },
  async textOfEveryKind() {
    const { socket, next } = await open("/ws1");
    // A half of a surrogate pair is replaced by the browser.
    for (const text of ["grüße", "\u{1F600}\u{10FFFF}", "\0\u007F\uFFFF", "\uD800"]) {
      socket.send(`C;NOOP;${text}`);
      same(await next(), { text: "+;NOOP" });
    }
    socket.close();
  },
  async largest() {
    const { socket, next } = await open("/ws1");
    socket.send("C;NOOP;" + "*".repeat(100_000 - 7));
    same(await next(), { text: "+;NOOP" });
    socket.send("C;NOOP;" + "*".repeat(100_000 - 6));
    same(await next(), { code: 1009, clean: true });
  },
  async binary() {
    for (const data of [new Uint8Array(10), new Blob(["C;NOOP"])]) {
      const { socket, next } = await open("/ws2");
      socket.send(data);
      same(await next(), { code: 1003, clean: true });
    }
  },
  async closeCodes() {
    for (const code of [1000, 3000, 4999]) {
      const { socket, next } = await open("/ws1");
      socket.close(code, "r".repeat(123));
      same(await next(), { code, clean: true });
    }
  },
  async manyClients() {
    const clients = await Promise.all(Array.from({ length: 30 }, () => open("/ws2")));
    for (const { socket } of clients) socket.send('{"type":"C","command":"NOOP"}');
    for (const { next } of clients) same(JSON.parse((await next()).text).command, "NOOP");
    for (const { socket } of clients) socket.close();
  },
  async files() {
    const hello = await fetch("/hello.txt");
    same([hello.status, await hello.text()], [200, "hello\n"]);
    const part = await fetch("/hello.txt", { headers: { Range: "bytes=1-3" }, cache: "no-store" });
    same([part.status, await part.text()], [206, "ell"]);
    const head = await fetch("/hello.txt", { method: "HEAD", cache: "no-store" });
    same([head.status, head.headers.get("content-length")], [200, "6"]);
    same((await fetch("/nothing")).status, 404);
    const large = await Promise.all(Array.from({ length: 20 }, () => fetch("/large.txt", { cache: "no-store" })));
    for (const response of large) same((await response.text()).length, 320_000);
  },
  async aFileIsAskedForAgainWithItsDate() {
    for (let turn = 0; turn < 3; turn++) {
      const response = await fetch("/hello.txt", { cache: "no-cache" });
      same([response.status, await response.text()], [200, "hello\n"]);
    }
  },
  async rest() {
    const body = new URLSearchParams({ vscpuser: "admin", vscpsecret: "secret", op: "open", format: "json" });
    const opened = await (await fetch("/rest", { method: "POST", body })).json();
    same(opened.success, true);
    const wrong = new URLSearchParams({ vscpuser: "nobody", vscpsecret: "x", op: "open", format: "json" });
    same((await (await fetch("/rest", { method: "POST", body: wrong })).json()).success, false);
    same((await fetch("/rest", { method: "DELETE" })).status, 405);
  },
};

/** Defines what the cases use. Runs in the page. */
function prepare() {
  const origin = location.origin.replace("http", "ws");
  window.connect = (path, protocols = []) => {
    const socket = new WebSocket(origin + path, protocols);
    const waiting = [];
    const came = [];
    const deliver = (what) => (waiting.length ? waiting.shift()(what) : came.push(what));
    socket.onmessage = ({ data }) => deliver(typeof data === "string" ? { text: data } : { binary: true });
    socket.onclose = ({ code, wasClean }) => deliver({ code, clean: wasClean });
    const next = () => (came.length ? came.shift() : new Promise((resolve) => waiting.push(resolve)));
    return { socket, next };
  };
  window.open = async (path, protocols) => {
    const client = connect(path, protocols);
    const { text } = await client.next();
    if (!text?.includes("AUTH0")) throw new Error(`no greeting: ${text}`);
    return client;
  };
  window.same = (found, expected) => {
    const [a, b] = [JSON.stringify(found), JSON.stringify(expected)];
    if (a !== b) throw new Error(`${a}, expected ${b}`);
  };
}

const start = performance.now();
let count = 0;
const failures = [];
const browser = await launch();
const context = await browser.newContext({ ignoreHTTPSErrors: true });
for (const url of [`http://localhost:${PEERS_PORT}`, `https://localhost:${PEERS_TLS_PORT}`]) {
  const page = await context.newPage();
  await page.goto(url);
  await page.evaluate(prepare);
  for (const [name, run] of Object.entries(CASES)) {
    count++;
    const timeout = new Promise((_, reject) => setTimeout(reject, 20_000, new Error("no end")).unref());
    try {
      // Through the debugger, which the Content-Security-Policy of the page does not bind.
      await Promise.race([page.evaluate(`({ ${run} }).${name}()`), timeout]);
    } catch (error) {
      failures.push(name);
      console.error(`browser: ${name} at ${url}: ${error.message}`);
    }
  }
}
await browser.close();
const seconds = ((performance.now() - start) / 1000).toFixed(1);
console.log(`Chromium\tpages with websockets and fetch, also TLS\t${count}\t${count - failures.length}\t${seconds}`);
process.exit(failures.length ? 1 : 0);

// The driver, run by its tool, for tests in JavaScript.

import { execFileSync, spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const TOOL =
  process.env.VSCP_DRIVER ??
  join(process.env.CARGO_TARGET_DIR ?? join(ROOT, "target"), "debug", "vscpl2drv-websocksrv");

/** The files of the panel as they are now; without `web-root` those in the library. */
export const WEB_ROOT = join(ROOT, "examples", "www");

/** Who may log in; the passwords are stored as MD5, which costs no time. */
const USERS = [
  { name: "admin", password: "2d1e4f91dae49cd08eaba2293e422273", rights: "admin" }, // secret
  { name: "reader", password: "879e2eab19c12a017e78f2f0aff9cece", rights: ["ws", "receive-events"] }, // look:only
  { name: "guest", password: "b651053a7c8c7b7180954f95dcfedde2", rights: ["ws", "receive-events"] }, // secret
];

/** No driver is left where a test breaks off. */
const running = new Set();
process.once("exit", () => running.forEach((child) => child.kill()));

export class Driver {
  #folder = mkdtempSync(join(tmpdir(), "vscp-"));
  #process = null;
  #output = "";

  /** @param {object} options `simulate` events a second; `config` keys that are added; `tls` or not */
  constructor({ simulate = 0, config = {}, tls = false } = {}) {
    this.simulate = simulate;
    this.config = config;
    this.tls = tls;
  }

  get url() {
    return `${this.tls ? "wss" : "ws"}://127.0.0.1:${this.port}`;
  }

  /** Starts it; returns when it listens. The port stays the same when it is started again. */
  async start() {
    this.port ??= await freePort();
    const path = join(this.#folder, "config.json");
    const config = {
      interface: this.url,
      "web-root": WEB_ROOT,
      "allow-default-key": true,
      "panel-login": "off",
      "event-layout": "classic",
      users: USERS,
      logging: { "console-enable-log": false },
      ...this.config,
    };
    if (this.tls) {
      execFileSync(TOOL, ["cert", "--out", this.#folder, "localhost"], { stdio: "ignore" });
      config.tls = { cert: join(this.#folder, "cert.pem"), key: join(this.#folder, "key.pem") };
    }
    writeFileSync(path, JSON.stringify(config));
    const simulate = this.simulate ? ["--simulate", String(this.simulate)] : [];
    this.#process = spawn(TOOL, ["run", path, ...simulate], { stdio: ["ignore", "pipe", "pipe"] });
    running.add(this.#process);
    let said = "";
    this.#process.on("error", ({ message }) => (said = message));
    this.#process.stderr.on("data", (text) => (said += text));
    this.#process.stdout.on("data", (text) => (this.#output += text));
    await until(() => {
      if (!this.#process.pid || this.#process.exitCode !== null) {
        throw new Error(`${TOOL} does not run: ${said}`);
      }
      return listens(this.port);
    }, "the driver listens");
    return this;
  }

  /** Waits for an event that the host reads: a line with all of `parts` in this order. */
  async read(...parts) {
    const line = new RegExp(`^.*${parts.map((part) => `\\b${part}\\b`).join(".*")}.*$`, "m");
    await until(() => line.test(this.#output), `the host reads ${parts}`);
    const [found] = line.exec(this.#output);
    this.#output = this.#output.replace(found, "");
    return found;
  }

  async stop() {
    if (this.#process?.exitCode === null) {
      const ended = new Promise((resolve) => this.#process.once("exit", resolve));
      this.#process.kill("SIGTERM");
      await ended;
      running.delete(this.#process);
    }
  }

  /** Stops it and removes what it left. */
  async dispose() {
    await this.stop();
    rmSync(this.#folder, { recursive: true });
  }
}

/** Waits until `check` gives something true, at most twenty seconds. */
export async function until(check, what) {
  for (const end = Date.now() + 20_000; Date.now() < end; await sleep(20)) {
    const result = await check();
    if (result) {
      return result;
    }
  }
  throw new Error(`waited in vain until ${what}`);
}

function freePort() {
  return new Promise((resolve) => {
    const server = createServer().listen(0, "127.0.0.1", () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}

function listens(port) {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1");
    socket.on("connect", () => {
      socket.destroy();
      resolve(true);
    });
    socket.on("error", () => resolve(false));
  });
}

// A small house for tests and pictures: nodes that measure and say what they do, and their names.

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { VscpClient } from "../../examples/www/vscp.js";
import { Driver } from "../panel/driver.mjs";

export const guidOf = (node) => `FF:FF:FF:FF:FF:FF:FF:FE:02:00:00:00:00:01:00:${node.toString(16).padStart(2, "0").toUpperCase()}`;

/** Node, sensor, type, unit, the middle of its values, how much they swing, in how many seconds. */
const SENSORS = [
  [1, 0, 6, 1, 21.4, 0.5, 70],
  [1, 1, 35, 0, 43, 4, 90],
  [1, 2, 45, 1, 620, 180, 110],
  [2, 0, 6, 1, 22.8, 1.2, 45],
  [2, 1, 35, 0, 51, 6, 60],
  [2, 2, 14, 0, 412, 350, 25],
  [3, 0, 6, 1, 18.9, 0.4, 120],
  [3, 1, 25, 0, 140, 60, 80],
  [4, 0, 6, 1, 6.2, 1.5, 130],
  [4, 1, 12, 0, 101_325, 120, 150],
  [4, 2, 32, 0, 4.2, 3, 20],
  [5, 0, 14, 0, 1840, 900, 30],
  [5, 1, 13, 1, 8412.37, 0.02, 600],
  [5, 2, 16, 0, 231.5, 1.6, 40],
];

const NAMES = {
  [guidOf(1)]: { name: "Window sensor", room: "Living room" },
  [guidOf(2)]: { name: "Stove guard", room: "Kitchen" },
  [`${guidOf(2)}/2/14`]: { name: "Stove" },
  [guidOf(3)]: { name: "Ceiling sensor", room: "Bedroom" },
  [guidOf(4)]: { name: "Weather station", room: "Outdoors" },
  [guidOf(5)]: { name: "Electricity meter", room: "Cellar" },
};

/** A driver that keeps names, and lets pages log in with name and password. */
export class House {
  #folder = mkdtempSync(join(tmpdir(), "house-"));
  #timer = 0;
  #client;
  #beat = 0;

  constructor({ names = NAMES, config = {}, ...options } = {}) {
    const path = join(this.#folder, "names.json");
    writeFileSync(path, JSON.stringify({ names }));
    this.driver = new Driver({ config: { "panel-login": "tls", names: path, ...config }, ...options });
  }

  async start() {
    await this.driver.start();
    this.#client = new VscpClient({ url: this.driver.url, user: "admin", password: "secret" });
    await this.#client.connect();
    return this;
  }

  /** One value of each sensor, as they are `seconds` after the start. */
  async measure(seconds = 0) {
    for (const [node, sensor, type, unit, middle, swing, period] of SENSORS) {
      const phase = (seconds / period + node / 7) * 2 * Math.PI;
      const value = middle + swing * (0.8 * Math.sin(phase) + 0.2 * Math.sin(phase * 5.3));
      await this.#client.send({ class: 1040, type, guid: guidOf(node), data: [sensor, 0, 0, unit, ...new TextEncoder().encode(value.toFixed(2))] });
    }
  }

  send(event) {
    return this.#client.send(event);
  }

  async heartbeats() {
    for (const node of [1, 2, 3, 4, 5]) {
      await this.#client.send({ class: 20, type: 9, guid: guidOf(node), data: [0, 0, 0] });
    }
  }

  /** Measures every `interval` ms until it is disposed of. */
  live(interval) {
    const start = Date.now();
    this.#timer = setInterval(() => {
      this.measure((Date.now() - start) / 1000).catch(() => {});
      this.#beat += 1;
      if (this.#beat % 10 === 1) {
        this.heartbeats().catch(() => {});
      }
    }, interval);
  }

  async dispose() {
    clearInterval(this.#timer);
    this.#client?.close();
    await this.driver.dispose();
    rmSync(this.#folder, { recursive: true });
  }
}

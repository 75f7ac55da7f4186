// The house of `run --simulate`, for tests of the page in examples/hmi: it lives step by step, and can be looked into.

import { VscpClient } from "../../examples/www/vscp.js";

const MEASUREMENT = 10;
const INFORMATION = 20;
const CONTROL = 30;
const MEASURE_ZONE = 65;
const SET_VALUE_ZONE = 85;

const TEMPERATURE = 6;
const PRESSURE = 12;
const ENERGY = 13;
const POWER = 14;
const HUMIDITY = 35;

/** The subzone of a room's radiator; its lights have 1 and 2. */
const RADIATOR = 9;

const guidOf = (node) => `FF:FF:FF:FF:FF:FF:FF:FE:02:00:00:00:00:02:00:0${node}`;

/** A single precision number with its coding byte: format 5, unit, sensor. */
function coded(value, unit = 0, sensor = 0) {
  const view = new DataView(new ArrayBuffer(4));
  view.setFloat32(0, value);
  return [(5 << 5) | (unit << 3) | sensor, ...new Uint8Array(view.buffer)];
}

export class House {
  /** The zone of a room is its number. */
  rooms = new Map([
    [1, { temperature: 20.6, wanted: 21, humidity: 43, heats: null }],
    // 21.9 after the first step, whatever chance adds to it.
    [2, { temperature: 21.95, wanted: 21.5, humidity: 51, heats: null }],
    [3, { temperature: 18.1, wanted: 18, humidity: 47, heats: null }],
  ]);
  /** By "zone,subzone". */
  lights = new Map([["1,1", true], ["1,2", false], ["2,1", false], ["3,1", false]]);
  levels = new Map([["1,1", 70], ["3,1", 30]]);
  door = false;
  #client;
  #energy = 8412.3;
  #step = 0;
  #timer = 0;

  constructor(options) {
    this.#client = new VscpClient(options);
    this.#client.on("event", (event) => this.#obey(event).catch(() => {}));
    this.#client.on("state", ({ state }) => state === "open" && this.#tellAll().catch(() => {}));
  }

  /** Connects, and lives a step of its life every `interval` ms; 0: only when `step` is called. */
  async start(interval) {
    await this.#client.connect();
    if (interval > 0) {
      this.#timer = setInterval(() => this.step().catch(() => {}), interval);
    }
  }

  stop() {
    clearInterval(this.#timer);
    this.#client.close();
  }

  /** A few minutes pass: rooms get warmer or colder, and all is measured. */
  async step() {
    this.#step += 1;
    const outside = 4 + 3 * Math.sin(this.#step / 40) + 0.2 * Math.random();
    for (const [zone, room] of this.rooms) {
      const isWarm = room.temperature > room.wanted + (room.heats ? 0.2 : -0.2);
      const heats = !isWarm;
      room.temperature += (heats ? 0.09 : 0) - (room.temperature - outside) * 0.0025 + 0.02 * (Math.random() - 0.5);
      room.humidity += 0.4 * (Math.random() - 0.5);
      await this.#measure(zone, TEMPERATURE, coded(room.temperature, 1));
      await this.#measure(zone, HUMIDITY, coded(room.humidity));
      await this.#tellWanted(zone);
      if (heats !== room.heats) {
        room.heats = heats;
        await this.#tell(heats ? 3 : 4, zone, RADIATOR);
      }
    }
    await this.#measure(4, TEMPERATURE, coded(outside, 1));
    await this.#measure(4, PRESSURE, coded(101_300 + 400 * Math.sin(this.#step / 90)));
    const lights = [...this.lights].filter(([, isOn]) => isOn).length;
    const heaters = [...this.rooms.values()].filter(({ heats }) => heats).length;
    const power = 180 + 12 * lights + 750 * heaters + 30 * Math.random();
    this.#energy += power / 30_000;
    await this.#measure(5, POWER, coded(power));
    await this.#measure(5, ENERGY, coded(this.#energy, 1));
    if (this.#step % 45 === 0) {
      this.door = !this.door;
      await this.#tell(this.door ? 7 : 8, 4, 1);
    }
  }

  async #obey({ class: vscpClass, type, data, measurement }) {
    const [level, zone, subzone] = data;
    const light = `${zone},${subzone}`;
    if (vscpClass === CONTROL && (type === 5 || type === 6) && this.lights.has(light)) {
      this.lights.set(light, type === 5);
      await this.#tell(type === 5 ? 3 : 4, zone, subzone);
    } else if (vscpClass === CONTROL && type === 20 && this.levels.has(light)) {
      this.levels.set(light, level);
      await this.#tell(40, zone, subzone, level);
    } else if (vscpClass === SET_VALUE_ZONE && type === TEMPERATURE && measurement && this.rooms.has(zone)) {
      this.rooms.get(zone).wanted = measurement.value;
      await this.#tellWanted(zone);
    }
  }

  async #tellAll() {
    for (const [light, isOn] of this.lights) {
      await this.#tell(isOn ? 3 : 4, ...light.split(",").map(Number));
    }
    for (const [light, level] of this.levels) {
      await this.#tell(40, ...light.split(",").map(Number), level);
    }
    await this.#tell(this.door ? 7 : 8, 4, 1);
  }

  #tell(type, zone, subzone, level = 0) {
    return this.#client.send({ class: INFORMATION, type, guid: guidOf(zone), data: [level, zone, subzone] });
  }

  #tellWanted(zone) {
    const data = [1, zone, 0, ...coded(this.rooms.get(zone).wanted, 1)];
    return this.#client.send({ class: MEASURE_ZONE, type: TEMPERATURE, guid: guidOf(zone), data });
  }

  #measure(node, type, data) {
    return this.#client.send({ class: MEASUREMENT, type, guid: guidOf(node), data });
  }
}

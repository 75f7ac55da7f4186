// The sensors of a home: what the server knows of them and what has come since.

import { localNumber, shortGuid } from "./format.js";
import { History } from "./history.js";
import { sensorId } from "./measurement.js";
import { presentation, quantityName, quantityWords } from "./quantity.js";
import { t } from "./texts.js";

/** Anybody may send measurements with any GUID: so many sensors are taken at most. */
const MOST = 2000;
/** A sensor is silent after so many of its intervals, and never before so many ms. */
const INTERVALS = 3;
const SHORTEST = 10_000;
/** As long, in ms, as a sensor of which only one value has come is not silent. */
const UNKNOWN = 3_600_000;

/** A sensor, with its last value and its past. */
export class Sensor {
  history = new History();
  name = null;
  node = null;
  room = null;
  decimals = null;
  hidden = false;
  from = null;
  value = 0;
  time = 0;
  /** In seconds, about; null where only one value has come. */
  interval = null;
  /** True if its node has others with the same title, so that its number says something. */
  isOneOfSeveral = false;
  /** As many decimals as its values came with. */
  sentDecimals = undefined;

  constructor(parts) {
    Object.assign(this, parts);
    this.shown = presentation(this.type, this.unit);
  }

  /** The key of its entry in the server's file of names: GUID/SENSOR/TYPE. */
  get key() {
    return `${this.guid}/${this.sensor}/${this.type}`;
  }

  take(value, time, decimals) {
    if (this.time > 0 && time > this.time) {
      const gap = (time - this.time) / 1000;
      // Half of what is known and half of the newest: a sensor that changes its pace is followed soon.
      this.interval = this.interval === null ? gap : (this.interval + gap) / 2;
    }
    this.value = value;
    this.time = time;
    this.sentDecimals = decimals;
    this.history.push(time, value);
  }

  /** True if it has said nothing for three of its own intervals. */
  isStale(now = Date.now()) {
    const limit = this.interval === null ? UNKNOWN : Math.max(SHORTEST, INTERVALS * this.interval * 1000);
    return now - this.time > limit;
  }

  get quantity() {
    return quantityName(this.type);
  }

  /** What people call it. */
  get title() {
    return this.name ?? this.quantity;
  }

  get nodeTitle() {
    return this.node ?? t("node.unnamed", { tail: this.guid.slice(-5) });
  }

  /** Where it is, for a line below the title. */
  origin({ withNode = true } = {}) {
    const zone = this.zone || this.subzone ? t("sensor.zone", { zone: `${this.zone}/${this.subzone}` }) : null;
    const number = this.name || !this.isOneOfSeveral ? null : t("sensor.number", { number: String(this.sensor) });
    return [this.name && this.quantity, withNode && this.nodeTitle, number, zone].filter(Boolean).join(" · ");
  }

  /** A value of it in the unit and with the decimals that people want. */
  format(value) {
    return localNumber(this.shown.of(value), this.decimals ?? this.shown.decimals ?? this.sentDecimals);
  }

  /** The value with its unit. */
  reading(value = this.value) {
    return `${this.format(value)}\u202f${this.shown.unit}`.trim();
  }

  get words() {
    const parts = [this.title, quantityWords(this.type), this.nodeTitle, this.room, this.guid, shortGuid(this.guid), this.shown.unit];
    return plain(parts.filter(Boolean).join("\n"));
  }
}

export class Home {
  /** By their ids. @type {Map<string, Sensor>} */
  sensors = new Map();
  /** Ids of those that had no place. */
  ignored = new Set();

  /** Takes the answer of /api/sensors: values, and the names that are in force. */
  load(list) {
    for (const { id, quantity, symbol, icon, value, time, interval, ...rest } of list) {
      const sensor = this.#sensor(id, rest);
      if (!sensor) {
        continue;
      }
      Object.assign(sensor, rest);
      sensor.interval = interval ?? sensor.interval;
      if (time > sensor.time) {
        Object.assign(sensor, { value, time });
      }
    }
    this.#tellApart(this.sensors.values());
  }

  /** Takes a measurement of an event. Returns its sensor, null where there is no room for it. */
  take(event, measurement, time) {
    const id = sensorId(event.guid, measurement);
    const [zone, subzone] = (measurement.zone || "0/0").split("/").map(Number);
    const { sensor: index, quantity: type, unitCode: unit } = measurement;
    const sensor = this.#sensor(id, { guid: event.guid, sensor: index, type, unit, zone, subzone });
    sensor?.take(measurement.value, time, measurement.decimals);
    return sensor;
  }

  clear() {
    this.sensors.clear();
    this.ignored.clear();
  }

  /** The sensors that are not hidden and match a search, in groups by room or node. */
  groups(by, search = "") {
    const terms = plain(search).split(/\s+/).filter(Boolean);
    const groups = new Map();
    for (const sensor of this.sensors.values()) {
      const isFound = !sensor.hidden && (terms.length === 0 || terms.every((term) => sensor.words.includes(term)));
      if (isFound) {
        const inRoom = by === "room" && sensor.room;
        const key = inRoom ? `room ${sensor.room}` : `node ${sensor.guid}`;
        const group = groups.get(key) ?? { key, title: inRoom ? sensor.room : sensor.nodeTitle, isRoom: Boolean(inRoom), sensors: [] };
        groups.set(key, group);
        group.sensors.push(sensor);
      }
    }
    const byTitle = (a, b) => a.title.localeCompare(b.title, undefined, { numeric: true });
    for (const { sensors } of groups.values()) {
      sensors.sort((a, b) => byTitle(a, b) || (a.id < b.id ? -1 : 1));
    }
    return [...groups.values()].sort((a, b) => Number(b.isRoom) - Number(a.isRoom) || byTitle(a, b) || (a.key < b.key ? -1 : 1));
  }

  get hasRooms() {
    return [...this.sensors.values()].some(({ room, hidden }) => room && !hidden);
  }

  #sensor(id, parts) {
    const known = this.sensors.get(id);
    if (known) {
      return known;
    }
    if (this.sensors.size >= MOST) {
      if (this.ignored.size < 1000) {
        this.ignored.add(id);
      }
      return null;
    }
    const sensor = new Sensor({ id, ...parts });
    // A sensor that is new has the names of its node, if one of its sensors is known.
    const siblings = [...this.sensors.values()].filter(({ guid }) => guid === sensor.guid);
    sensor.node ??= siblings[0]?.node ?? null;
    this.sensors.set(id, sensor);
    this.#tellApart([...siblings, sensor]);
    return sensor;
  }

  /** Finds out which sensors need their number, because others of their node are called the same. */
  #tellApart(sensors) {
    const alike = new Map();
    for (const sensor of sensors) {
      const key = `${sensor.guid} ${sensor.title}`;
      alike.set(key, [...(alike.get(key) ?? []), sensor]);
    }
    for (const group of alike.values()) {
      group.forEach((sensor) => (sensor.isOneOfSeveral = group.length > 1));
    }
  }
}

/** Small letters without accents, so that "kok" finds "Kök". */
function plain(text) {
  return text.toLowerCase().normalize("NFD").replace(/\p{M}/gu, "");
}

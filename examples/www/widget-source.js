// Where widgets get values from and send events to: one connection for all widgets of a page.

import { reasonOf } from "./errors.js";
import { logInByCookie, logOutByCookie, loginState } from "./login.js";
import { sensorId } from "./measurement.js";
import { typeName, unitName } from "./names.js";
import { quantityName } from "./quantity.js";
import { VscpClient, VscpError, VscpEvent, parseGuid } from "./vscp.js";

/**
 * @typedef {object} Sensor      a sensor and its last value, as /api/sensors gives it
 * @property {string} id         GUID/SENSOR/TYPE/UNIT, with /ZONE/SUBZONE behind it if they are not 0
 * @property {string} guid
 * @property {number} sensor
 * @property {number} type
 * @property {number} unit
 * @property {number} zone
 * @property {number} subzone
 * @property {string | null} quantity
 * @property {string | null} symbol
 * @property {number} value
 * @property {number} time       when it came, in milliseconds since 1970
 * @property {number | null} interval  seconds between two values
 * @property {string | null} name
 * @property {string | null} node
 * @property {string | null} room
 * @property {number | null} decimals  as people have said
 * @property {number} [sent]     decimals that the sensor itself sends
 */

/**
 * @typedef {object} Options     how to connect; see `<vscp-connection>`
 * @property {string} [server]
 * @property {string} [user]
 * @property {string} [password]
 * @property {string} [key]
 * @property {"ws1" | "ws2"} [protocol]
 */

/**
 * "login": somebody must log in first; "waiting": the connection is lost, and made again by itself.
 * @typedef {"login" | "connecting" | "open" | "waiting" | "closed"} SourceState
 */

/** @typedef {{ class: number, type: number, zone?: number, subzone?: number, guid?: string }} Signal */

/** The class of which the newest events are always known: it tells what is on and what is off. */
const INFORMATION = 20;
const ALL_ZONES = 255;
/** The server's code where nobody is logged in. */
const NOT_AUTHORISED = 5;
/** So many different events are remembered at most; the oldest goes. */
const MAX_SIGNALS = 5000;
/** After so long (in ms) the names of sensors that were not known are asked for. */
const NAMES_DELAY = 1000;
const NAMES_INTERVAL = 60_000;
/**
 * The server writes events down within a second. Those of the last moment before the page was connected
 * are there after so long (in ms).
 */
export const WRITING_TIME = 2500;

export class Source {
  /** @type {Map<string, Sensor>} */
  sensors = new Map();
  /** @type {SourceState} */
  state = "closed";
  /** Why it is closed or waits. */
  error = "";
  /** Who is logged in. */
  user = "";
  /** True if name and password are enough here; else a login needs the key of the server. */
  isKeyless = false;

  /** @type {Options} */
  #options;
  #server;
  /** True if the pages come from the server: then it has state and history. */
  #hasApi;
  /** @type {VscpClient | null} */
  #client = null;
  /**
   * Who has logged in on this page, for the time after a restart of the server, which forgets logins.
   * @type {{ user: string, password: string } | null}
   */
  #known = null;
  #listeners = {
    /** @type {Set<() => void>} */
    state: new Set(),
    /** @type {Set<() => void>} */
    sensors: new Set(),
    /** @type {Set<(sensor: Sensor) => void>} */
    value: new Set(),
    /** @type {Set<(event: VscpEvent) => void>} */
    event: new Set(),
  };
  /** @type {Map<string, { event: VscpEvent, order: number }>} */
  #signals = new Map();
  /** The number of the newest event. */
  #order = 0;
  /** What `#order` was when the page was connected. Events of before, which the server tells, have less. */
  #opened = 0;
  #watched = new Set([INFORMATION]);
  /** What pages have asked for, until the list of sensors changes. @type {Map<string, Sensor | undefined>} */
  #found = new Map();
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #namesTimer;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #signalsTimer;
  #namesAt = 0;
  /** So many ms the clock of this device is ahead of that of the server: times are by the former. */
  #skew = 0;
  #users = 0;

  /** @param {Options} options */
  constructor(options = {}) {
    const secure = location.protocol === "https:";
    this.#options = options;
    this.#server = new URL(options.server || `${secure ? "wss" : "ws"}://${location.host}`, location.href);
    this.#server.protocol = this.#server.protocol.replace("http", "ws");
    this.#hasApi = this.#server.host === location.host;
  }

  /** The server's name and port. */
  get host() {
    return this.#server.host;
  }

  /** Connects for the first who asks. Each must call {@link Source#release} in the end. */
  retain() {
    this.#users += 1;
    if (this.#users === 1) {
      this.#start();
    }
  }

  release() {
    this.#users -= 1;
    if (this.#users === 0) {
      clearTimeout(this.#namesTimer);
      clearTimeout(this.#signalsTimer);
      this.#client?.close();
      this.#client = null;
    }
  }

  /**
   * Calls `listener` for each change of the state, of the list of sensors, of a value, or for each
   * event. Returns a function that ends it.
   * @template {"state" | "sensors" | "value" | "event"} Name
   * @param {Name} name
   * @param {(what: Name extends "value" ? Sensor : Name extends "event" ? VscpEvent : void) => void} listener
   * @returns {() => void}
   */
  on(name, listener) {
    const listeners = /** @type {Set<any>} */ (this.#listeners[name]);
    listeners.add(listener);
    return () => void listeners.delete(listener);
  }

  /**
   * Logs in. Throws what to tell the user.
   * @param {string} user
   * @param {string} password
   * @param {string} [key]
   */
  async logIn(user, password, key) {
    if (this.isKeyless) {
      await logInByCookie(user, password);
      this.user = user;
      await this.#connect({});
      this.#known = { user, password };
    } else {
      await this.#connect({ user, password, ...(key ? { key } : {}) });
    }
  }

  async logOut() {
    this.#client?.close();
    this.#client = null;
    this.#known = null;
    if (this.isKeyless) {
      await logOutByCookie().catch(() => {});
    }
    this.user = "";
    this.#setState("login");
  }

  /** Tries to connect at once, where it waits to do so. */
  retry() {
    this.#client?.connect().catch(() => {});
  }

  /**
   * The sensor that a page means: an id of /api/sensors or the start of one, with the GUID in any
   * form; or its name, "room/name", "node/name", "room/quantity" or "node/quantity".
   * @param {string} text
   * @returns {Sensor | undefined}
   */
  find(text) {
    if (!this.#found.has(text)) {
      this.#found.set(text, this.#search(text));
    }
    return this.#found.get(text);
  }

  /**
   * The newest event that is one of `signals`; undefined: there was none yet.
   * @param {Signal[]} signals
   */
  newest(...signals) {
    let [newest, found] = [-Infinity, /** @type {VscpEvent | undefined} */ (undefined)];
    for (const { event, order } of this.#signals.values()) {
      if (order > newest && signals.some((signal) => isSignal(event, signal))) {
        [newest, found] = [order, event];
      }
    }
    return found;
  }

  /**
   * Remembers the newest events of a class.
   * @param {number} vscpClass
   */
  watch(vscpClass) {
    if (!this.#watched.has(vscpClass)) {
      this.#watched.add(vscpClass);
      if (this.state === "open") {
        this.#loadSignals(vscpClass);
      }
    }
  }

  /**
   * Sends an event. Widgets of this page see it, too.
   * @param {import("./vscp.js").EventToSend} event
   */
  async send(event) {
    if (!this.#client || this.state !== "open") {
      throw new VscpError(0, "There is no connection.");
    }
    await this.#client.send(event);
    const guid = parseGuid(event.guid ?? "-") ?? "";
    this.#receive(
      new VscpEvent({
        head: event.head ?? (event.priority ?? 3) << 5,
        class: event.class,
        type: event.type,
        obid: 0,
        datetime: "",
        timestamp: 0,
        guid,
        data: Uint8Array.from(event.data ?? []),
      }),
    );
  }

  /**
   * What a sensor has measured: steps of start, lowest, mean, highest value and number of values.
   * None where the server has no history.
   * @param {string} id
   * @param {{ from: number, to: number, points: number }} range
   * @returns {Promise<{ step: number, points: [number, number, number, number, number][] }>}
   */
  async history(id, range) {
    const { from, to, points } = range;
    const time = (/** @type {number} */ time) => String(Math.round(time - this.#skew));
    const query = new URLSearchParams({ sensor: id, from: time(from), to: time(to), points: String(points) });
    const answer = (await this.#get(`/api/history?${query}`)) ?? { step: 0, points: [] };
    answer.points.forEach((/** @type {number[]} */ point) => (point[0] = (point[0] ?? 0) + this.#skew));
    return answer;
  }

  /**
   * The newest events that are no measurements, the newest first.
   * @param {Record<string, number>} parameters  of /api/events
   * @returns {Promise<{ time: number, event: VscpEvent }[]>}
   */
  async events(parameters) {
    const query = new URLSearchParams(mapValues(parameters, String));
    const answer = await this.#get(`/api/events?${query}`);
    return (answer?.events ?? []).map((/** @type {any} */ { time, event }) => ({
      time: time + this.#skew,
      event: new VscpEvent({
        head: event.vscpHead,
        class: event.vscpClass,
        type: event.vscpType,
        obid: event.vscpObId,
        datetime: event.vscpDateTime,
        timestamp: event.vscpTimeStamp,
        guid: event.vscpGuid,
        data: Uint8Array.from(event.vscpData ?? []),
      }),
    }));
  }

  async #start() {
    this.#setState("connecting");
    const { user, password = "", key } = this.#options;
    const state = this.#hasApi ? await loginState() : { offered: false, user: null };
    this.isKeyless = state.offered;
    if (this.#users === 0) {
      return; // the page has taken its widgets away in the meantime
    }
    if (user !== undefined) {
      // A login of another user counts no more.
      await this.logIn(user, password, key).catch((error) => this.#setState("login", reasonOf(error)));
    } else if (state.offered && state.user) {
      this.user = state.user.name;
      this.#connect({}).catch(() => {});
    } else {
      this.#setState("login");
    }
  }

  /** @param {{ user?: string, password?: string, key?: string }} login */
  async #connect(login) {
    this.#client?.close();
    const { protocol } = this.#options;
    const client = new VscpClient({ url: this.#server.href, ...(protocol ? { protocol } : {}), ...login });
    this.#client = client;
    client.on("event", (event) => this.#receive(event));
    client.on("state", ({ state, error }) => {
      if (client !== this.#client) {
        return;
      }
      if (state === "open") {
        this.user = login.user ?? this.user;
        this.#load();
      }
      const known = this.#known;
      if (known && error instanceof VscpError && error.code === NOT_AUTHORISED) {
        this.#known = null;
        this.logIn(known.user, known.password).catch((error) => this.#setState("login", reasonOf(error)));
        return;
      }
      // A login that is refused, or has ended on the server, is asked for again.
      this.#setState(state === "closed" ? "login" : state, state === "closed" && !login.user ? "" : error && reasonOf(error));
    });
    await client.connect();
  }

  /**
   * @param {SourceState} state
   * @param {string} [error]
   */
  #setState(state, error = "") {
    [this.state, this.error] = [state, error];
    this.#listeners.state.forEach((listener) => listener());
  }

  /** @param {VscpEvent} event */
  #receive(event) {
    if (this.#watched.has(event.class)) {
      this.#order += 1;
      this.#remember(event, this.#order);
    }
    const { measurement } = event;
    if (measurement) {
      this.#measure(event, measurement);
    }
    this.#listeners.event.forEach((listener) => listener(event));
  }

  /**
   * @param {VscpEvent} event
   * @param {import("./measurement.js").Measurement} measurement
   */
  #measure(event, measurement) {
    const { sensor: index, quantity, unitCode: unit, zone: zones } = measurement;
    const [zone = 0, subzone = 0] = zones ? zones.split("/").map(Number) : [];
    const id = sensorId(event.guid, measurement);
    const time = Date.now();
    let sensor = this.sensors.get(id);
    if (!sensor) {
      const symbol = unitName(quantity, unit) || null;
      sensor = {
        ...{ id, guid: event.guid, sensor: index, type: quantity, unit, zone, subzone, symbol },
        ...{ quantity: typeName(1040, quantity), name: null, node: null, room: null, decimals: null },
        ...{ value: measurement.value, time, interval: null },
      };
      this.sensors.set(id, sensor);
      this.#tellSensors();
      this.#askForNames();
    } else if (time > sensor.time) {
      const since = (time - sensor.time) / 1000;
      sensor.interval = sensor.interval === null ? since : sensor.interval * 0.8 + since * 0.2;
    }
    Object.assign(sensor, { value: measurement.value, time, sent: measurement.decimals });
    const changed = sensor;
    this.#listeners.value.forEach((listener) => listener(changed));
  }

  #load() {
    this.#order += 1;
    this.#opened = this.#order;
    const loadSignals = () => this.#watched.forEach((vscpClass) => this.#loadSignals(vscpClass));
    loadSignals();
    this.#loadSensors();
    clearTimeout(this.#signalsTimer);
    this.#signalsTimer = setTimeout(loadSignals, WRITING_TIME);
  }

  /** A sensor that has just come may have a name. */
  #askForNames() {
    const delay = Math.max(NAMES_DELAY, this.#namesAt + NAMES_INTERVAL - Date.now());
    this.#namesTimer ??= setTimeout(() => this.#loadSensors(), this.#namesAt ? delay : NAMES_DELAY);
  }

  async #loadSensors() {
    clearTimeout(this.#namesTimer);
    this.#namesTimer = undefined;
    const answer = await this.#get("/api/sensors");
    if (!answer) {
      return;
    }
    this.#namesAt = Date.now();
    for (const sensor of answer.sensors) {
      const known = this.sensors.get(sensor.id);
      // What has come here meanwhile is newer.
      const value = known && known.time > this.#namesAt - NAMES_INTERVAL ? { value: known.value, time: known.time } : {};
      this.sensors.set(sensor.id, Object.assign(known ?? {}, sensor, { time: sensor.time + this.#skew }, value));
    }
    this.#tellSensors();
  }

  /** @param {number} vscpClass */
  async #loadSignals(vscpClass) {
    const opened = this.#opened;
    const events = await this.events({ class: vscpClass, limit: 1000 }).catch(() => []);
    if (opened !== this.#opened) {
      return; // connected again since, and asked again
    }
    events.reverse().forEach(({ event }, index) => {
      // What has come here since then is newer.
      if ((this.#signals.get(signalKey(event))?.order ?? 0) <= opened) {
        this.#remember(event, opened - 1 + (index + 1) / (events.length + 1));
      }
    });
    this.#listeners.state.forEach((listener) => listener());
  }

  /**
   * @param {VscpEvent} event
   * @param {number} order
   */
  #remember(event, order) {
    const key = signalKey(event);
    this.#signals.delete(key);
    this.#signals.set(key, { event, order });
    if (this.#signals.size > MAX_SIGNALS) {
      const [oldest = ""] = this.#signals.keys();
      this.#signals.delete(oldest);
    }
  }

  /**
   * @param {string} text
   * @returns {Sensor | undefined}
   */
  #search(text) {
    const [guid = "", ...rest] = text.trim().split("/");
    const start = parseGuid(guid);
    if (start) {
      const id = [start, ...rest].join("/");
      return this.sensors.get(id) ?? this.#first((sensor) => `${sensor.id}/`.startsWith(`${id}/`));
    }
    const isOf = (/** @type {string[]} */ names) => names.some((name) => name.toLowerCase() === text.trim().toLowerCase());
    const isQuantity = (/** @type {Sensor} */ sensor) => isOf(quantitiesOf(sensor));
    // A sensor with a name of its own is one of several for its quantity.
    return this.#first((sensor) => isOf(namesOf(sensor))) ?? this.#first((sensor) => !sensor.name && isQuantity(sensor)) ?? this.#first(isQuantity);
  }

  #tellSensors() {
    this.#found.clear();
    this.#listeners.sensors.forEach((listener) => listener());
  }

  /** @param {(sensor: Sensor) => boolean} test */
  #first(test) {
    for (const sensor of this.sensors.values()) {
      if (test(sensor)) {
        return sensor;
      }
    }
  }

  /**
   * What the server answers; null where it has no answer for this page.
   * @param {string} path
   * @returns {Promise<any>}
   */
  async #get(path) {
    if (!this.#hasApi || !this.isKeyless) {
      return null;
    }
    const response = await fetch(path).catch(() => null);
    if (!response?.ok) {
      return null;
    }
    const skew = Date.now() - Date.parse(response.headers.get("date") ?? "");
    // The header has whole seconds.
    this.#skew = Math.abs(skew) > 2000 ? skew : 0;
    return response.json();
  }
}

/** @type {Source | null} */
let common = null;

/** The connection of a page that names none: that to the server that the page is from. */
export function commonSource() {
  common ??= new Source();
  return common;
}

/** @param {Sensor} sensor */
function namesOf({ name, room, node }) {
  return name ? [name, `${room}/${name}`, `${node}/${name}`] : [];
}

/** @param {Sensor} sensor */
function quantitiesOf({ room, node, quantity, type }) {
  return [quantity, quantityName(type)].flatMap((word) => [`${room}/${word}`, `${node}/${word}`]);
}

/** @param {VscpEvent} event */
function signalKey(event) {
  const [, zone, subzone] = event.data;
  return [event.class, event.type, event.guid, zone, subzone].join();
}

/**
 * @param {VscpEvent} event
 * @param {Signal} signal
 */
function isSignal(event, signal) {
  const [, zone, subzone] = event.data;
  const fits = (/** @type {number | undefined} */ is, /** @type {number | undefined} */ wanted) =>
    wanted === undefined || is === wanted || is === ALL_ZONES;
  return (
    event.class === signal.class &&
    event.type === signal.type &&
    fits(zone, signal.zone) &&
    fits(subzone, signal.subzone) &&
    (signal.guid === undefined || signal.guid === event.guid)
  );
}

/**
 * @template From, To
 * @param {Record<string, From>} object
 * @param {(value: From) => To} change
 * @returns {Record<string, To>}
 */
function mapValues(object, change) {
  return Object.fromEntries(Object.entries(object).map(([key, value]) => [key, change(value)]));
}

/**
 * A client of a VSCP websocket server, for both of its protocols: ws1 (text) and ws2 (JSON).
 *
 * Without dependencies, for browsers and for Node.js 20 or later (up to Node.js 21 with
 * --experimental-websocket). measurement.js, with what it imports, must be beside it, and where the
 * page is not in a secure context, as with plain http in a home network, aes.js.
 *
 *     import { VscpClient } from "./vscp.js";
 *
 *     const client = new VscpClient({ url: "ws://localhost:8884", user: "admin", password: "secret" });
 *     client.on("event", (event) => console.log(event.class, event.type, event.guid, event.data));
 *     client.on("state", ({ state, error }) => console.log(state, error?.message ?? ""));
 *     await client.connect();                                      // logged in, events come
 *     await client.setFilter({ class: 10, type: 6 });              // only temperatures
 *     await client.send({ class: 30, type: 5, data: [0, 1, 2] });  // turn on zone 1, subzone 2
 *     for await (const event of client) {                          // or with on(), as above
 *       console.log(event.measurement?.text, event.measurement?.unit);
 *     }
 *
 * When the connection is lost the client connects and logs in again by itself, with the same
 * filter, after half a second at first and half a minute at most.
 *
 * @module vscp
 */

import { measurementOf } from "./measurement.js";

/** @typedef {import("./measurement.js").Measurement} Measurement */

/**
 * What an event is made of: see {@link VscpEvent}.
 * @typedef {object} EventFields
 * @property {number} head
 * @property {number} class
 * @property {number} type
 * @property {number} obid
 * @property {string} datetime
 * @property {number} timestamp
 * @property {string} guid
 * @property {Uint8Array} data
 */

/**
 * What {@link VscpClient#send} takes: `class` and `type` must be there. `priority` (0 to 7) may stand
 * in place of `head`.
 * @typedef {object} EventToSend
 * @property {number} class
 * @property {number} type
 * @property {number} [head]
 * @property {number} [priority]
 * @property {number} [obid]
 * @property {string} [datetime]
 * @property {number} [timestamp]
 * @property {string} [guid]  in any form that {@link parseGuid} reads; the server's own by default
 * @property {ArrayLike<number>} [data]
 */

/**
 * @typedef {object} Pattern     what a filter looks at; a field that is left out matches all
 * @property {number} [priority] 0 (highest) to 7
 * @property {number} [class]
 * @property {number} [type]
 * @property {string} [guid]
 */

/** @typedef {"closed" | "connecting" | "open" | "waiting"} State */

/**
 * @typedef {object} StateChange
 * @property {State} state
 * @property {Error} [error]     why it is closed or waits; none if it was closed by close()
 * @property {number} [retryAt]  when the next try is, in milliseconds since 1970
 */

/** The key that the demonstrations use. Everybody knows it: make your own. */
export const TEST_KEY = "2DBB079A38985AF00EBEEFE22F9FFA0E";

const NO_GUID = "00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00";
const ALL_ONES = { priority: 7, class: 0xffff, type: 0xffff, guid: NO_GUID.replaceAll("0", "F") };

/** After so long without a reply (in ms) the connection counts as lost. */
const REPLY_TIMEOUT = 20_000;
/** A connection that is idle for so long (in ms) is tried with a NOOP. */
const KEEP_ALIVE = 30_000;
const FIRST_DELAY = 500;
const LONGEST_DELAY = 30_000;

/** So many events wait at most for a loop over a client; then the oldest are dropped. */
const MAX_WAITING = 10_000;

/** An event, as it comes from the server. */
export class VscpEvent {
  /** @param {EventFields} fields */
  constructor(fields) {
    /** Priority and flags, 16 bits. */
    this.head = fields.head;
    /** The VSCP class. */
    this.class = fields.class;
    /** The VSCP type. */
    this.type = fields.type;
    /** The id of the connection that the event came in on. */
    this.obid = fields.obid;
    /** UTC, "2025-01-31T12:00:00Z", or "" where it is not set. */
    this.datetime = fields.datetime;
    /** Microseconds of the sender's clock. */
    this.timestamp = fields.timestamp;
    /** Who sent it: 16 pairs of hex digits with colons. */
    this.guid = fields.guid;
    /** 0 to 512 bytes. */
    this.data = fields.data;
  }

  /**
   * What the event measures; null where it is no measurement, or no number.
   * @returns {Measurement | null}
   */
  get measurement() {
    return measurementOf(this);
  }
}

/** What the server, or the connection to it, refuses. */
export class VscpError extends Error {
  /**
   * @param {number} code the server's code; 0 where there is no answer from it
   * @param {string} text
   */
  constructor(code, text) {
    super(text);
    this.name = "VscpError";
    this.code = code;
  }
}

export class VscpClient {
  /** True if a connection that is lost is made again. May be changed at any time. */
  reconnect = true;
  /** How many events loops over this client have lost because they were too slow. */
  dropped = 0;

  #options;
  #key;
  /** @type {Protocol} */
  #protocol;
  #url;
  #listeners = {
    /** @type {Set<(event: VscpEvent) => void>} */
    event: new Set(),
    /** @type {Set<(change: StateChange) => void>} */
    state: new Set(),
  };
  /** @type {State} */
  #state = "closed";
  /** @type {Error | undefined} */
  #error;
  /** @type {WebSocket | null} */
  #socket = null;
  /**
   * Requests without a reply, oldest first: replies come in the order of the requests.
   * @type {(Deferred<any> & { since: number })[]}
   */
  #pending = [];
  /** @type {{ filter: Required<Pattern>, mask: Required<Pattern> } | null} */
  #filter = null;
  /**
   * Settled by the next login, good or bad.
   * @type {Deferred<void> | null}
   */
  #login = null;
  #attempts = 0;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;
  /** @type {ReturnType<typeof setInterval> | undefined} */
  #watchdog;
  #lastSent = 0;

  /**
   * @param {object} options
   * @param {string} options.url         "ws://host:port"; with a path it is used as it is, else
   *                                     /ws1 or /ws2 is added
   * @param {string} [options.user]      without it the client does not log in: it is a page of
   *                                     the server, which knows it by the cookie of /api/login
   * @param {string} [options.password]
   * @param {"ws1"|"ws2"} [options.protocol]  "ws2" by default
   * @param {string} [options.key]       the server's key, 32 hex digits; TEST_KEY by default
   * @param {boolean} [options.reconnect]  true by default: see {@link VscpClient#reconnect}
   */
  constructor(options) {
    const { protocol = "ws2", key = TEST_KEY, reconnect = true } = options;
    this.reconnect = reconnect;
    const keyBytes = bytesOfHex(key);
    if (keyBytes?.length !== 16) {
      throw new VscpError(0, "The key must be 32 hex digits.");
    }
    this.#options = options;
    this.#key = keyBytes;
    this.#protocol = PROTOCOLS[protocol];
    if (!this.#protocol) {
      throw new VscpError(0, `Unknown protocol ${protocol}.`);
    }
    this.#url = new URL(options.url);
    if (this.#url.pathname === "/") {
      this.#url.pathname = `/${protocol}`;
    }
  }

  /** "closed", "connecting", "open" (logged in) or "waiting" (to connect again). */
  get state() {
    return this.#state;
  }

  /**
   * Calls `listener` for each event (with a {@link VscpEvent}) or each change of the state
   * (with `{ state, error, retryAt }`). Returns a function that ends it.
   * @template {"event" | "state"} Name
   * @param {Name} name
   * @param {(what: Name extends "event" ? VscpEvent : StateChange) => void} listener
   * @returns {() => void}
   */
  on(name, listener) {
    const listeners = /** @type {Set<any>} */ (this.#listeners[name]);
    listeners.add(listener);
    return () => void listeners.delete(listener);
  }

  /**
   * Gives the events that come from now on, one after the other: `for await (const event of client)`.
   * Connects if need be. The loop goes on over reconnections, ends after {@link VscpClient#close},
   * and throws where the login is refused or the connection is lost for good. Of more than 10 000
   * events that wait for the loop the oldest are lost, and counted in {@link VscpClient#dropped}.
   * @returns {AsyncGenerator<VscpEvent, void, void>}
   */
  async *[Symbol.asyncIterator]() {
    /** @type {VscpEvent[]} */
    const waiting = [];
    let wake = () => {};
    const endings = [
      this.on("event", (event) => {
        if (waiting.length >= MAX_WAITING) {
          waiting.shift();
          this.dropped += 1;
        }
        waiting.push(event);
        wake();
      }),
      this.on("state", () => wake()),
    ];
    try {
      if (this.#state === "closed") {
        this.connect().catch(() => {}); // the state tells of it
      }
      for (;;) {
        const event = waiting.shift();
        if (event) {
          yield event;
        } else if (this.#state !== "closed") {
          await new Promise((resolve) => (wake = () => resolve(undefined)));
        } else if (this.#error) {
          throw this.#error;
        } else {
          return;
        }
      }
    } finally {
      endings.forEach((end) => end());
    }
  }

  /**
   * Connects and logs in. Resolves when events come; rejects where the login is refused, and
   * where the server cannot be reached if `reconnect` is off. While the client waits to connect
   * again, this tries at once.
   * @returns {Promise<void>}
   */
  connect() {
    this.#login ??= deferred();
    if (this.#state === "closed" || this.#state === "waiting") {
      this.#open();
    }
    return this.#login.promise;
  }

  /** Ends the connection for good. */
  close() {
    this.#end(new VscpError(0, "The connection was closed."), false);
    this.#error = undefined;
  }

  /**
   * Sends an event. Only `class` and `type` are needed; `priority` (0 to 7) may be given in
   * place of `head`. Resolves when the server has taken it.
   * @param {EventToSend} event
   * @returns {Promise<void>}
   */
  async send(event) {
    const { head = (event.priority ?? 3) << 5, guid = "-", data = [] } = event;
    const whole = { ...event, head, guid: guidToSend(guid), data };
    await this.#ask(this.#protocol.event(whole));
  }

  /**
   * Lets only events through that are equal to `filter` where `mask` has ones. Without a mask:
   * that are equal in the fields given. Without both: all events.
   * @param {Pattern} [filter]
   * @param {Pattern} [mask]
   * @returns {Promise<void>}
   */
  async setFilter(filter = {}, mask = pick(ALL_ONES, filter)) {
    const whole = (/** @type {Pattern} */ pattern) => {
      const all = { priority: 0, class: 0, type: 0, guid: NO_GUID, ...pattern };
      return { ...all, guid: guidToSend(all.guid) };
    };
    const patterns = { filter: whole(filter), mask: whole(mask) };
    await this.#ask(this.#protocol.filter(patterns.filter, patterns.mask));
    this.#filter = patterns;
  }

  /**
   * Any other command: NOOP, VERSION, COPYRIGHT, CLRQ, OPEN, CLOSE. Resolves to what the reply
   * carries: an array of strings (ws1), an object or null (ws2).
   * @param {string} word
   * @returns {Promise<any>}
   */
  command(word) {
    return this.#ask(this.#protocol.command(word));
  }

  #open() {
    clearTimeout(this.#timer);
    this.#setState("connecting");
    let socket;
    try {
      socket = new WebSocket(this.#url);
    } catch (error) {
      this.#end(new VscpError(0, String(error)), false);
      return;
    }
    this.#socket = socket;
    // The server speaks first: its session id comes as if it were the reply to a request.
    this.#request(null)
      .then((reply) => this.#logIn(socket, reply))
      .catch((error) => socket === this.#socket && this.#end(error, false));
    socket.onmessage = ({ data }) => socket === this.#socket && this.#receive(data);
    // If no connection could be opened, some implementations fire an error event but no close
    // event.
    socket.onclose = socket.onerror = (/** @type {any} */ { code, reason }) => {
      if (socket === this.#socket) {
        const lost = this.#state === "open" ? "The connection was lost." : "The server cannot be reached.";
        // 1000: whoever has opened the connection has logged out.
        this.#end(new VscpError(0, reason ? `The server has closed the connection: ${reason}.` : lost), code !== 1000);
      }
    };
    this.#watchdog = setInterval(() => this.#watch(), 5000);
  }

  /**
   * @param {WebSocket} socket
   * @param {string[]} challenge
   */
  async #logIn(socket, challenge) {
    const { user, password = "" } = this.#options;
    const sid = challenge.at(-1) ?? "";
    const iv = bytesOfHex(sid);
    if (user !== undefined && iv?.length === 16) {
      const crypto = await encrypt(this.#key, iv, `${user}:${password}`);
      if (socket !== this.#socket) {
        return; // lost in the meantime
      }
      await this.#request(this.#protocol.auth(sid, crypto));
    }
    if (this.#filter) {
      await this.#request(this.#protocol.filter(this.#filter.filter, this.#filter.mask));
    }
    await this.#request(this.#protocol.command("OPEN"));
    this.#attempts = 0;
    this.#setState("open");
    this.#login?.resolve();
  }

  /**
   * A request for the time after the login.
   * @param {string} text
   */
  async #ask(text) {
    if (this.#state !== "open") {
      throw new VscpError(0, "There is no connection.");
    }
    return this.#request(text);
  }

  /**
   * Sends `text` and waits for its reply.
   * @param {string | null} text
   */
  #request(text) {
    const request = { ...deferred(), since: Date.now() };
    this.#lastSent = request.since;
    this.#pending.push(request);
    if (text !== null) {
      this.#socket?.send(text);
    }
    return request.promise;
  }

  /** @param {string} text */
  #receive(text) {
    let message;
    try {
      message = this.#protocol.parse(text);
    } catch {
      return; // nothing of this protocol
    }
    const { event } = message;
    if (event) {
      this.#listeners.event.forEach((listener) => listener(event));
      return;
    }
    const request = this.#pending.shift();
    if (message.error) {
      request?.reject(message.error);
    } else {
      request?.resolve(message.reply);
    }
  }

  /** Notices a connection that died without a word. */
  #watch() {
    const now = Date.now();
    if (this.#pending.length > 0 && now - this.#pending[0].since > REPLY_TIMEOUT) {
      this.#end(new VscpError(0, "The server does not answer."), true);
    } else if (this.#state === "open" && now - this.#lastSent > KEEP_ALIVE) {
      this.command("NOOP").catch(() => {});
    }
  }

  /**
   * The connection is over; `retry` says whether to try again.
   * @param {Error} error
   * @param {boolean} retry
   */
  #end(error, retry) {
    clearInterval(this.#watchdog);
    clearTimeout(this.#timer);
    const [socket, pending] = [this.#socket, this.#pending];
    this.#socket = null;
    this.#pending = [];
    socket?.close();
    pending.forEach((request) => request.reject(error));
    if (!retry || !this.reconnect) {
      this.#login?.reject(error);
      this.#login = null;
      this.#attempts = 0;
      this.#setState("closed", error);
      return;
    }
    if (this.#state === "open") {
      this.#login = deferred();
    }
    const delay = Math.min(FIRST_DELAY * 2 ** this.#attempts++, LONGEST_DELAY) * (0.75 + Math.random() / 4);
    this.#timer = setTimeout(() => this.#open(), delay);
    this.#setState("waiting", error, Date.now() + delay);
  }

  /**
   * @param {State} state
   * @param {Error} [error]
   * @param {number} [retryAt]
   */
  #setState(state, error, retryAt) {
    if (state === this.#state && state === "closed") {
      return;
    }
    this.#state = state;
    this.#error = error;
    this.#listeners.state.forEach((listener) => listener({ state, error, retryAt }));
  }
}

/**
 * What is different between the protocols. `parse` gives one of event, reply, error.
 * @typedef {object} Protocol
 * @property {(word: string) => string} command
 * @property {(iv: string, crypto: string) => string} auth
 * @property {(filter: Required<Pattern>, mask: Required<Pattern>) => string} filter
 * @property {(event: EventToSend) => string} event
 * @property {(text: string) => { event?: VscpEvent, reply?: any, error?: VscpError }} parse
 */

/** @type {{ ws1: Protocol, ws2: Protocol }} */
const PROTOCOLS = {
  ws1: {
    command: (word) => `C;${word}`,
    auth: (iv, crypto) => `C;AUTH;${iv};${crypto}`,
    filter: (...patterns) =>
      `C;SF;${patterns.map((p) => [p.priority, p.class, p.type, p.guid].join()).join(";")}`,
    event: (event) => `E;${formatEvent(event)}`,
    parse(text) {
      if (text.startsWith("E;")) {
        return { event: parseEvent(text.slice(2)) };
      }
      const [sign, ...fields] = text.split(";");
      if (sign === "+") {
        return { reply: fields };
      }
      const [code, reason] = fields.slice(-2);
      return { error: new VscpError(Number(code), reason) };
    },
  },
  ws2: {
    command: (command) => JSON.stringify({ type: "CMD", command, args: null }),
    auth: (iv, crypto) => JSON.stringify({ type: "CMD", command: "AUTH", args: { iv, crypto } }),
    filter: (filter, mask) => {
      const named = (/** @type {string} */ prefix, /** @type {Pattern} */ pattern) =>
        Object.entries(pattern).map(([key, value]) => [`${prefix}_${key}`, value]);
      const args = Object.fromEntries([...named("filter", filter), ...named("mask", mask)]);
      return JSON.stringify({ type: "CMD", command: "SF", args });
    },
    event: (event) =>
      JSON.stringify({
        type: "EVENT",
        event: {
          ...pick(event, { head: 0, class: 0, type: 0, obid: 0, datetime: 0, timestamp: 0, guid: 0 }),
          data: Array.from(event.data ?? []),
        },
      }),
    parse(text) {
      const { type, event, args, errcode, errstr } = JSON.parse(text);
      if (event) {
        return { event: eventOfJson(event) };
      }
      return type === "-" ? { error: new VscpError(errcode, errstr) } : { reply: args };
    },
  },
};

/**
 * The event of its text form, `head,class,type,obid,datetime,timestamp,GUID[,data...]`.
 * @param {string} text
 * @returns {VscpEvent}
 */
export function parseEvent(text) {
  const [head, vscpClass, type, obid, datetime = "", timestamp, guid = NO_GUID, ...data] = text.split(",");
  return new VscpEvent({
    head: Number(head),
    class: Number(vscpClass),
    type: Number(type),
    obid: Number(obid),
    datetime,
    timestamp: Number(timestamp),
    guid,
    data: Uint8Array.from(data, Number),
  });
}

/**
 * The text form of an event: what {@link parseEvent} reads.
 * @param {EventToSend} event
 * @returns {string}
 */
export function formatEvent(event) {
  const { head = 96, obid = 0, datetime = "", timestamp = 0, guid = "-", data = [] } = event;
  return [head, event.class, event.type, obid, datetime, timestamp, guid, ...Array.from(data)].join();
}

/** @param {any} json */
function eventOfJson(json) {
  return new VscpEvent({
    head: json.vscpHead ?? json.head,
    class: json.vscpClass ?? json.class,
    type: json.vscpType ?? json.type,
    obid: json.vscpObId ?? json.obid,
    datetime: json.vscpDateTime ?? json.datetime ?? "",
    timestamp: json.vscpTimeStamp ?? json.timestamp,
    guid: json.vscpGuid ?? json.guid ?? NO_GUID,
    data: Uint8Array.from(json.vscpData ?? json.data ?? []),
  });
}

/**
 * A GUID as it is sent, from the forms in which people write it: 16 pairs with `:` or `-`,
 * 32 hex digits, `-` for zeros, `::` and `-:` in front of pairs for leading FF or 00 bytes.
 * @param {string} text
 * @returns {string | null} null where it is none of them
 */
export function parseGuid(text) {
  const [, lead, rest = ""] = /^(-$|-:|::)?(.*)$/s.exec(text.trim()) ?? [];
  const digits = rest.replace(/[{}-]/g, "");
  const pairs = digits.length === 32 ? (digits.match(/../g) ?? []) : rest.split(/[:-]/).filter((pair) => pair || !lead);
  const enough = lead ? pairs.length < 16 : pairs.length === 16;
  if (!enough || !pairs.every((pair) => /^[\da-f]{1,2}$/i.test(pair))) {
    return null;
  }
  const fill = Array(16 - pairs.length).fill(lead === "::" ? "FF" : "00");
  return [...fill, ...pairs.map((pair) => pair.padStart(2, "0").toUpperCase())].join(":");
}

/**
 * The login: AES-128-CBC of `text` in UTF-8, as hex. WebCrypto is there only in a secure context.
 * @param {Uint8Array<ArrayBuffer>} key
 * @param {Uint8Array<ArrayBuffer>} iv
 * @param {string} text
 */
async function encrypt(key, iv, text) {
  const plain = new TextEncoder().encode(text);
  const subtle = globalThis.crypto?.subtle;
  if (!subtle) {
    const { cbc } = await import("./aes.js");
    return hexOfBytes(cbc(key, iv).encrypt(plain));
  }
  const aes = await subtle.importKey("raw", key, "AES-CBC", false, ["encrypt"]);
  return hexOfBytes(new Uint8Array(await subtle.encrypt({ name: "AES-CBC", iv }, aes, plain)));
}

/** @param {string} text */
function guidToSend(text) {
  const guid = parseGuid(text);
  if (guid === null) {
    throw new VscpError(8, `${text} is no GUID.`);
  }
  return guid;
}

/**
 * @param {string} hex
 * @returns {Uint8Array<ArrayBuffer> | null}
 */
function bytesOfHex(hex) {
  const pairs = /^([\da-f]{2})+$/i.test(hex.trim()) ? hex.trim().match(/../g) : null;
  return pairs && Uint8Array.from(pairs, (pair) => parseInt(pair, 16));
}

/** @param {Uint8Array} bytes */
function hexOfBytes(bytes) {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/**
 * @param {object} object
 * @param {object} keys
 */
function pick(object, keys) {
  return Object.fromEntries(Object.entries(object).filter(([key]) => key in keys));
}

/**
 * A promise with its `resolve` and `reject`; a rejection that nobody waits for is no error.
 * @template T
 * @typedef {{ promise: Promise<T>, resolve: (value: T) => void, reject: (error: Error) => void }} Deferred
 */

/** @returns {Deferred<any>} */
function deferred() {
  const parts = /** @type {Deferred<any>} */ ({});
  parts.promise = new Promise((resolve, reject) => Object.assign(parts, { resolve, reject }));
  parts.promise.catch(() => {});
  return parts;
}

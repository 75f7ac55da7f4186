// The panel: login, state of the connection, and what happens with each event.

import { EventLog } from "./log.js";
import { measurementOf } from "./measurement.js";
import { setUpSending } from "./send.js";
import { Sensors } from "./sensors.js";
import { TEST_KEY, VscpClient } from "./vscp.js";

/** What the browser remembers: user and protocol, never the password. */
const STORAGE = "vscp-panel";

const STATES = {
  closed: "Not connected",
  connecting: "Connecting …",
  open: "Connected",
  waiting: "Connection lost",
};

const element = (id) => document.getElementById(id);

const log = new EventLog({
  rows: element("rows"),
  template: element("row"),
  scroller: element("scroller"),
  newer: element("newer"),
  count: element("events-count"),
  empty: element("events-empty"),
});
const sensors = new Sensors({
  list: element("cards"),
  template: element("card"),
  count: element("sensors-count"),
  empty: element("sensors-empty"),
});

let client = null;
let retryAt = 0;
let frameAsked = false;

setUpLogin();
setUpTools();
setUpSending(send);
setInterval(tick, 1000);
addEventListener("online", retry);
document.addEventListener("visibilitychange", retry);
element("retry").addEventListener("click", retry);
element("logout").addEventListener("click", () => client?.close());

function setUpLogin() {
  const form = element("login");
  const { user, protocol } = remembered();
  const host = location.host || "localhost:8884";
  form.elements.url.value = `${location.protocol === "https:" ? "wss" : "ws"}://${host}`;
  form.elements.key.value = TEST_KEY;
  form.elements.user.value = user ?? "";
  if (protocol) {
    form.elements.protocol.value = protocol;
  }
  (user ? form.elements.password : form.elements.user).focus();
  // A field that is wrong must be seen.
  form.addEventListener("invalid", ({ target }) => target.closest("details")?.setAttribute("open", ""), true);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    logIn(Object.fromEntries(new FormData(form)));
  });
}

async function logIn(options) {
  const message = element("login-message");
  const button = element("login").querySelector("[type=submit]");
  message.textContent = "";
  button.disabled = true;
  try {
    client = new VscpClient({ ...options, reconnect: false });
    client.on("event", (event) => take(event, false));
    client.on("state", showState);
    await client.connect();
    client.reconnect = true;
    remember({ user: options.user, protocol: options.protocol });
    element("account").textContent = `${options.user} · ${options.protocol} · ${new URL(options.url).host}`;
    showBoard(true);
  } catch (error) {
    message.textContent = error.code === 5 ? "User or password are wrong, or may not log in from here." : error.message;
  } finally {
    button.disabled = false;
  }
}

function showState({ state, error, retryAt: at = 0 }) {
  const pill = element("state");
  pill.dataset.state = state;
  pill.textContent = STATES[state];
  retryAt = at;
  const onBoard = !element("board").hidden;
  element("notice").hidden = !(state === "waiting" || (onBoard && state === "connecting"));
  element("notice-text").textContent = error?.message ?? "Trying again …";
  showCountdown();
  if (state === "closed" && onBoard) {
    showBoard(false);
    element("login-message").textContent = error?.code ? `Logged out: ${error.message}` : "";
  }
}

function showBoard(shown) {
  for (const id of ["board", "account", "logout"]) {
    element(id).hidden = !shown;
  }
  element("login").hidden = shown;
  element("login").elements.password.value = "";
  if (shown) {
    element("main").focus({ preventScroll: true });
  } else {
    log.clear();
    sensors.clear();
    element("login").elements.password.focus();
  }
}

function setUpTools() {
  element("filter").addEventListener("input", ({ target }) => {
    log.filter = target.value;
    askFrame();
  });
  element("pause").addEventListener("click", ({ currentTarget: button }) => {
    log.paused = !log.paused;
    button.setAttribute("aria-pressed", log.paused);
    button.textContent = log.paused ? "Resume" : "Pause";
    askFrame();
  });
  element("clear").addEventListener("click", () => {
    log.clear();
    askFrame();
  });
  element("export").addEventListener("click", () => {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([log.toCsv()], { type: "text/csv" }));
    link.download = `vscp-events-${new Date().toISOString().slice(0, 19).replaceAll(":", "")}.csv`;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
  });
  element("scroller").addEventListener("scroll", askFrame, { passive: true });
}

function retry() {
  if (client?.state === "waiting") {
    client.connect();
  }
}

async function send(event) {
  if (!client) {
    throw new Error("There is no connection.");
  }
  await client.send(event);
  const { priority = 3, guid = "-", data } = event;
  take({ head: priority << 5, obid: 0, datetime: "", timestamp: 0, ...event, guid, data: Uint8Array.from(data) }, true);
}

function take(event, sent) {
  const time = Date.now();
  const measurement = measurementOf(event);
  log.push({ event, measurement, time, sent });
  if (measurement) {
    sensors.update(event, measurement, time);
  }
  askFrame();
}

/** However many events come, the page is updated once in a frame. */
function askFrame() {
  if (!frameAsked) {
    frameAsked = true;
    requestAnimationFrame((now) => {
      frameAsked = false;
      const left = [log.render(now), sensors.render(now)];
      if (left.includes(true)) {
        askFrame();
      }
    });
  }
}

function tick() {
  log.tick();
  sensors.tick();
  showCountdown();
}

function showCountdown() {
  const seconds = Math.max(1, Math.ceil((retryAt - Date.now()) / 1000));
  element("countdown").textContent = retryAt ? `Trying again in ${seconds} s.` : "";
}

function remembered() {
  try {
    return JSON.parse(localStorage.getItem(STORAGE)) ?? {};
  } catch {
    return {};
  }
}

function remember(what) {
  try {
    localStorage.setItem(STORAGE, JSON.stringify(what));
  } catch {
    // Storage is off or full: then nothing is remembered.
  }
}

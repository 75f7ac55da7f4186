// The panel: login, the views, and what happens with each event.

import { read, readNames } from "./api.js";
import { setText } from "./dom.js";
import { reasonOf } from "./errors.js";
import { setUpEvents } from "./events.js";
import { Home } from "./home.js";
import { logInByCookie, logOutByCookie, loginState } from "./login.js";
import { measurementOf, sensorId } from "./measurement.js";
import { Nodes } from "./nodes.js";
import { notifyOf, setUpNotifying } from "./notify.js";
import { renameNode, renameSensor } from "./rename.js";
import { keepInAddress, parseRoute, routeTo } from "./route.js";
import { setUpSending } from "./send.js";
import { SensorPage } from "./sensor-page.js";
import { Sensors } from "./sensors.js";
import { showPhone, showSettings } from "./settings-page.js";
import { remember, settings } from "./settings.js";
import { System } from "./system.js";
import { fillTexts, onLanguage, t } from "./texts.js";
import { TEST_KEY, VscpClient } from "./vscp.js";

/** After an event of an unknown sensor its names are read, but not sooner than this, in ms. */
const NAMES_DELAY = 1500;
/** After an answer that names cannot be waited for, in ms. */
const NAMES_PAUSE = 30_000;
/** So many steps of the browser's history have a place to go back to. */
const MOST_STEPS = 50;
const NOT_AUTHORISED = 5;

const element = (id) => document.getElementById(id);

const home = new Home();
const sensors = new Sensors(
  { list: element("groups"), template: element("card"), count: element("home-count"), empty: element("home-empty") },
  home,
  { rename: (sensor) => rename(renameSensor, sensor), changed: askFrame },
);
const sensorPage = new SensorPage(element("sensor"), home, {
  rename: (sensor) => rename(renameSensor, sensor),
  canRename: () => canRename,
  changed: askFrame,
});
const nodes = new Nodes(
  {
    list: element("nodes-list"),
    page: element("node-page"),
    body: element("nodes-body"),
    count: element("nodes-count"),
    search: element("nodes-search"),
    table: element("nodes-table"),
    map: element("nodes-map"),
  },
  home,
  { rename: (node) => rename(renameNode, node), canRename: () => canRename, hasApi: () => hasApi },
);
const system = new System(element("system-body"));

/** What each view does when it is shown, drawn, once a second, and left. */
const VIEWS = {
  home: { show: showHome, render: (now) => sensors.render(now), tick: () => sensors.tick() },
  sensor: { show: (route) => sensorPage.show(route), render: (now) => sensorPage.render(now), tick: () => sensorPage.tick(), hide: () => sensorPage.hide() },
  events: { show: showEvents, render: (now) => log.render(now) },
  send: { show: () => {} },
  nodes: { show: (route) => nodes.show(route), tick: () => nodes.tick() },
  system: { show: () => system.show(), tick: () => system.tick() },
  settings: { show: () => showSettings(element("settings-body")) },
};

let client = null;
/** True if name and password are enough: the server gives a cookie for them. */
let byCookie = false;
/** The password of this page's login, for when the server has forgotten its cookie. */
let credentials = null;
/** True if the API of the server answers this page, and if the user may change names. */
let hasApi = false;
let canRename = false;
/** The names that people have given, by GUID. */
let nodeNames = {};
/** Ends what waits for names. */
let waitingForNames = null;
let namesTimer = 0;
let view = "home";
let retryAt = 0;
let frameAsked = false;
/** By the number of a step in the browser's history: where its page was scrolled to, and what had the focus. */
const left = new Map();
let step = 0;

// The browser would scroll before the view is there.
history.scrollRestoration = "manual";
fillTexts();
onLanguage(showView);
setUpLogin();
setUpTools();
const sending = setUpSending(send);
const log = setUpEvents({
  changed: askFrame,
  sendAgain: sending.sendAgain,
  edit: (event) => {
    if (!element("send").checkVisibility()) {
      location.hash = routeTo("send");
      showView();
    }
    sending.edit(event);
  },
  user: () => element("login").elements.user.value,
  nodeName: (guid) => nodeNames[guid]?.name ?? "",
});
setUpNotifying();
setInterval(tick, 1000);
addEventListener("online", retry);
addEventListener("hashchange", showView);
document.addEventListener("visibilitychange", retry);
element("retry").addEventListener("click", retry);
element("logout").addEventListener("click", logOut);
element("show-phone").addEventListener("click", showPhone);
// Its address would be taken for a view.
document.querySelector(".skip").addEventListener("click", (event) => {
  event.preventDefault();
  element("main").focus();
});

async function setUpLogin() {
  const form = element("login");
  const { user, protocol, key } = settings();
  const host = location.host || "localhost:8884";
  form.elements.url.value = `${location.protocol === "https:" ? "wss" : "ws"}://${host}`;
  form.elements.key.value = key ?? TEST_KEY;
  form.elements.keep.checked = key !== undefined;
  const state = await loginState();
  byCookie = state.offered;
  element("advanced").hidden = byCookie;
  // Who has not given the key yet must see that it is asked for.
  element("advanced").open = key === undefined;
  element("insecure").hidden = !state.insecure;
  form.elements.user.value = user ?? "";
  if (protocol) {
    form.elements.protocol.value = protocol;
  }
  // A field that is wrong must be seen.
  form.addEventListener("invalid", ({ target }) => target.closest("details")?.setAttribute("open", ""), true);
  form.addEventListener("input", ({ target }) => target.removeAttribute("aria-invalid"));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    logIn(Object.fromEntries(new FormData(form)));
  });
  if (state.user) {
    await enter({ user: state.user.name, rights: state.user.rights, url: form.elements.url.value });
  }
  if (element("board").hidden) {
    form.hidden = false;
    (user ? form.elements.password : form.elements.user).focus();
  }
}

async function logIn({ user, password, ...options }) {
  if (!byCookie) {
    await enter({ user, ...options }, { user, password });
    return;
  }
  const button = element("login").querySelector("[type=submit]");
  setText(element("login-message"), "");
  button.disabled = true;
  let rights;
  try {
    rights = await logInByCookie(user, password);
  } catch (error) {
    refuse(error.message, error.status === 401 ? "password" : null);
    return;
  } finally {
    button.disabled = false;
  }
  credentials = { user, password };
  await enter({ user, rights, url: options.url });
}

async function logOut() {
  credentials = null;
  client?.close();
  if (byCookie) {
    try {
      await logOutByCookie();
    } catch (error) {
      element("login-message").textContent = t("login.not-ended", { reason: error.message });
    }
  }
}

/** Connects and shows the board. Without `login` the cookie says who connects. */
async function enter(options, login = {}) {
  const button = element("login").querySelector("[type=submit]");
  setText(element("login-message"), "");
  button.disabled = true;
  try {
    client = new VscpClient({ protocol: options.protocol, url: options.url, key: options.key, ...login, reconnect: false });
    client.on("event", (event) => take(event, false));
    client.on("state", showState);
    await client.connect();
    client.reconnect = true;
    remember({ user: options.user, protocol: options.protocol });
    if (login.user !== undefined) {
      remember({ key: options.keep ? options.key.trim() : undefined });
    }
    const parts = [options.user, options.protocol, new URL(options.url).host];
    element("account").textContent = parts.filter(Boolean).join(" · ");
    hasApi = login.user === undefined;
    setUpRights(options.rights ?? []);
    showBoard(true);
  } catch (error) {
    // The server does not tell a wrong key from a wrong password.
    const isRefused = error.code === NOT_AUTHORISED;
    refuse(isRefused ? t(login.user === undefined ? "login.wrong" : "login.wrong-or-key") : reasonOf(error), isRefused ? "password" : "url");
  } finally {
    button.disabled = false;
  }
}

/** Says why a login has failed, and puts the focus on the field to look at. */
function refuse(reason, field) {
  setText(element("login-message"), reason);
  const input = field && element("login").elements[field];
  if (!input || element("login").hidden) {
    return;
  }
  input.closest("details")?.setAttribute("open", "");
  if (input.checkVisibility()) {
    input.setAttribute("aria-invalid", "true");
    input.focus();
    input.select();
  }
}

/** What the user may see and change. */
function setUpRights(rights) {
  const isAdmin = rights.includes("admin");
  canRename = hasApi && (isAdmin || rights.includes("names"));
  sensors.canRename = canRename;
  sensors.hasPast = hasApi;
  sensorPage.hasPast = hasApi;
  document.querySelector("#tabs [data-view=system]").hidden = !(hasApi && isAdmin);
}

function showState({ state, error, retryAt: at = 0 }) {
  const pill = element("state");
  pill.dataset.state = state;
  pill.dataset.text = `state.${state}`;
  pill.textContent = t(`state.${state}`);
  retryAt = at;
  const onBoard = !element("board").hidden;
  element("notice").hidden = !(state === "waiting" || (onBoard && state === "connecting"));
  element("notice-text").textContent = error ? reasonOf(error) : t("state.again");
  showCountdown();
  if (state === "open" && onBoard) {
    loadHome();
  }
  if (state === "closed" && onBoard) {
    showBoard(false);
    element("login-message").textContent = error?.code ? t("login.ended", { reason: reasonOf(error) }) : "";
    if (error?.code === NOT_AUTHORISED && credentials) {
      logIn({ ...credentials, url: element("login").elements.url.value });
    }
  }
}

function showBoard(shown) {
  for (const id of ["board", "tabs", "account", "to-settings", "logout"]) {
    element(id).hidden = !shown;
  }
  element("login").hidden = shown;
  element("login").elements.password.value = "";
  scrollTo(0, 0);
  if (shown) {
    showView();
    element("main").focus({ preventScroll: true });
    loadHome();
  } else {
    VIEWS[view].hide?.();
    // What was open belongs to the user who has gone.
    document.querySelectorAll("dialog[open]").forEach((dialog) => dialog.close());
    waitingForNames?.abort();
    log.clear();
    nodeNames = {};
    home.clear();
    sensors.clear();
    nodes.clear();
    system.clear();
    element("login").elements.password.focus();
  }
}

/** Shows the view that the address names. */
function showView() {
  if (element("board").hidden) {
    return;
  }
  const route = parseRoute(location.hash);
  const wanted = route.view in VIEWS ? route.view : "home";
  const isOther = wanted !== view || route.part !== element("board").dataset.part;
  step = changeStep();
  VIEWS[view].hide?.();
  view = wanted;
  element("board").dataset.view = view;
  element("board").dataset.part = route.part;
  const tab = { sensor: "home" }[view] ?? view;
  for (const link of document.querySelectorAll(".bar [data-view]")) {
    if (link.dataset.view === tab) {
      link.setAttribute("aria-current", "page");
    } else {
      link.removeAttribute("aria-current");
    }
  }
  document.title = `${t(`nav.${tab}`)} · VSCP`;
  VIEWS[view].show(route);
  if (isOther) {
    const { top = 0, focused } = left.get(step) ?? {};
    scrollTo(0, top);
    if (focused?.isConnected && focused.checkVisibility()) {
      focused.focus({ preventScroll: true });
    }
    // The link that was followed may be gone with its view.
    if (!document.activeElement?.checkVisibility() || document.activeElement === document.body) {
      const heading = [...element("board").querySelectorAll("h2[tabindex]")].find((title) => title.checkVisibility());
      heading?.focus({ preventScroll: true });
    }
  }
  askFrame();
}

/** Notes what the page is like that is left. Returns the number of the step that the browser is at now. */
function changeStep() {
  left.set(step, { top: scrollY, focused: document.activeElement });
  if (left.size > MOST_STEPS) {
    left.delete(left.keys().next().value);
  }
  const number = history.state?.step ?? Date.now();
  history.replaceState({ step: number }, "");
  return number;
}

function showHome({ values }) {
  const by = values.by ?? settings().group ?? "room";
  for (const button of element("home-by").children) {
    button.setAttribute("aria-pressed", button.dataset.by === by);
  }
  element("home-search").value = values.q ?? "";
  sensors.arrange({ by, search: values.q ?? "" });
  sensors.refresh();
}

function showEvents({ values }) {
  if (element("filter").value !== (values.q ?? "")) {
    element("filter").value = values.q ?? "";
    log.filter = values.q ?? "";
  }
}

function setUpTools() {
  element("home-search").addEventListener("input", ({ target }) => {
    sensors.arrange({ search: target.value });
    keepInAddress({ q: target.value });
    askFrame();
  });
  element("home-by").addEventListener("click", ({ target }) => {
    const { by } = target.dataset;
    if (by) {
      remember({ group: by });
      keepInAddress({ by });
      showHome(parseRoute(location.hash));
      askFrame();
    }
  });
  element("filter").addEventListener("input", ({ target }) => keepInAddress({ q: target.value }));
}

/** Fills the home with what the server knows, and again when somebody changes names. */
async function loadHome() {
  if (!hasApi) {
    return;
  }
  await readSensors();
  waitingForNames?.abort();
  waitingForNames = new AbortController();
  const { signal } = waitingForNames;
  try {
    let { version, names } = await readNames(undefined, { signal });
    takeNames(names);
    while (!signal.aborted) {
      const changed = await readNames(version, { signal }).catch((error) => pause(error, signal));
      if (changed) {
        version = changed.version;
        takeNames(changed.names);
        await readSensors();
        nodes.refresh();
      }
    }
  } catch {
    // The login has ended, or the connection: it begins again with the next one.
  }
}

function takeNames(names) {
  const changed = JSON.stringify(names) !== JSON.stringify(nodeNames);
  nodeNames = names;
  if (changed) {
    log.refresh();
    askFrame();
  }
}

/** Where too many pages wait for names, this one waits without asking. */
async function pause(error, signal) {
  if (error.status !== 503) {
    throw error;
  }
  await new Promise((resolve) => setTimeout(resolve, NAMES_PAUSE));
  signal.throwIfAborted();
  return null;
}

async function readSensors() {
  try {
    home.load((await read("sensors")).sensors);
  } catch {
    // Without history there is no state: what comes is shown.
  }
  sensors.refresh();
  sensorPage.refresh();
  askFrame();
}

async function rename(dialog, what) {
  const rooms = [...home.sensors.values()].map(({ room }) => room).concat(nodes.rooms);
  const known = [...new Set(rooms.filter(Boolean))].sort((a, b) => a.localeCompare(b));
  if (await dialog(what, known)) {
    await readSensors();
    await nodes.refresh();
  }
}

function retry() {
  if (client?.state === "waiting") {
    client.connect();
  }
}

async function send(event) {
  if (!client) {
    throw new Error(t("error.none"));
  }
  await client.send(event);
  const { priority = 3, guid = "-", data } = event;
  take({ head: priority << 5, obid: 0, datetime: "", timestamp: 0, ...event, guid, data: Uint8Array.from(data) }, true);
}

function take(event, sent) {
  const time = Date.now();
  const measurement = measurementOf(event);
  log.push({ event, measurement, time, sent });
  if (measurement && !sent) {
    takeMeasurement(event, measurement, time);
  }
  if (!sent) {
    notifyOf(event, nodeTitle);
  }
  askFrame();
}

function takeMeasurement(event, measurement, time) {
  const isNew = hasApi && !home.sensors.has(sensorId(event.guid, measurement));
  const sensor = home.take(event, measurement, time);
  if (!sensor) {
    return;
  }
  sensors.update(sensor);
  if (view === "sensor") {
    sensorPage.update();
  }
  if (isNew && namesTimer === 0) {
    namesTimer = setTimeout(() => {
      namesTimer = 0;
      readSensors();
    }, NAMES_DELAY);
  }
}

function nodeTitle(guid) {
  const known = nodeNames[guid]?.name ?? [...home.sensors.values()].find((sensor) => sensor.guid === guid)?.node;
  return known ?? t("node.unnamed", { tail: guid.slice(-5) });
}

/** However many events come, the page is updated once in a frame. */
function askFrame() {
  if (!frameAsked) {
    frameAsked = true;
    requestAnimationFrame((now) => {
      frameAsked = false;
      if (!element("board").hidden && VIEWS[view].render?.(now)) {
        askFrame();
      }
    });
  }
}

function tick() {
  log.tick();
  if (!element("board").hidden && document.visibilityState === "visible") {
    VIEWS[view].tick?.();
  }
  showCountdown();
}

function showCountdown() {
  const seconds = Math.max(1, Math.ceil((retryAt - Date.now()) / 1000));
  setText(element("countdown"), retryAt ? t("state.countdown", { seconds }) : "");
}

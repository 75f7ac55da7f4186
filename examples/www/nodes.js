// The nodes: a table or a map of all of them, and a page for each.

import { read } from "./api.js";
import { breakable, h, icon, redraw, setText } from "./dom.js";
import { ago, duration, fromText, localNumber, moment, shortGuid } from "./format.js";
import { quantityIcon, readingOf } from "./quantity.js";
import { keepInAddress, routeTo } from "./route.js";
import { language, t } from "./texts.js";
import { classWord, typeWord, wordsOf } from "./words.js";

/** How often, in ms, the nodes are read while they are shown. */
const REFRESH = 5000;
const EVENTS = 30;

export class Nodes {
  #parts;
  #home;
  #options;
  #nodes = [];
  #guid = null;
  #map = false;
  #search = "";
  #readAt = 0;
  #events = [];
  #drawn = "";
  /** The parts of the page of a node. */
  #page = null;

  /**
   * @param {object} parts  elements: list, page, body, count, search, table, map (buttons)
   * @param {import("./home.js").Home} home
   * @param {object} options
   * @param {(node: object) => void} options.rename
   * @param {() => boolean} options.canRename
   * @param {() => boolean} options.hasApi
   */
  constructor(parts, home, options) {
    this.#parts = parts;
    this.#home = home;
    this.#options = options;
    parts.search.addEventListener("input", () => {
      this.#search = parts.search.value;
      keepInAddress({ q: this.#search });
      this.#draw();
    });
    for (const [button, isMap] of [[parts.table, false], [parts.map, true]]) {
      button.addEventListener("click", () => {
        this.#map = isMap;
        keepInAddress({ as: isMap ? "map" : "" });
        this.#draw();
      });
    }
  }

  /** Shows all nodes, or the page of the one that the route names. */
  async show({ part, values }) {
    this.#guid = part || null;
    this.#map = values.as === "map";
    this.#search = values.q ?? "";
    this.#parts.search.value = this.#search;
    this.#parts.list.hidden = part !== "";
    this.#parts.page.hidden = part === "";
    this.#events = [];
    this.#drawn = "";
    if (this.#guid) {
      this.#buildPage();
    }
    this.#draw();
    await this.refresh();
  }

  /** Reads and draws them again. */
  async refresh() {
    this.#readAt = Date.now();
    if (!this.#options.hasApi()) {
      this.#draw();
      return;
    }
    const guid = this.#guid;
    try {
      const [{ nodes }, { events }] = await Promise.all([read("nodes"), guid ? read("events", { guid, limit: EVENTS }) : { events: [] }]);
      this.#nodes = nodes;
      this.#events = guid === this.#guid ? events : [];
    } catch {
      // What was read before stays, and its times tell how old it is.
    }
    this.#draw();
  }

  tick() {
    if (Date.now() - this.#readAt > REFRESH) {
      this.refresh();
    } else {
      this.#draw();
    }
  }

  clear() {
    this.#nodes = [];
    this.#events = [];
    this.#drawn = "";
  }

  get rooms() {
    return this.#nodes.map(({ room }) => room).filter(Boolean);
  }

  #draw() {
    if (this.#guid) {
      this.#drawPage();
      return;
    }
    const { body, count, table, map } = this.#parts;
    table.setAttribute("aria-pressed", !this.#map);
    map.setAttribute("aria-pressed", this.#map);
    const found = this.#nodes.filter((node) => matches(node, this.#search));
    count.textContent = found.length > 0 ? t("nodes.count", { count: found.length }) : "";
    const drawing = this.#map ? () => mapOf(found, this.#home) : () => tableOf(found);
    if (found.length > 0) {
      this.#replace(body, drawing(), `${this.#map}`);
    } else {
      const reason = this.#options.hasApi() ? (this.#nodes.length > 0 ? t("nodes.none") : t("nodes.empty")) : t("nodes.no-api");
      this.#replace(body, h("p", { class: "empty card", text: reason }), reason);
    }
  }

  /** Puts a new drawing into its place; of the same kind it changes only what is another one than before. */
  #replace(place, element, kind) {
    if (this.#drawn === kind) {
      redraw(place.firstElementChild, element);
    } else {
      this.#drawn = kind;
      place.replaceChildren(element);
    }
  }

  /** The frame of a page stays while what is in it is drawn again: its heading may have the focus. */
  #buildPage() {
    const rename = () => this.#node && this.#options.rename(this.#node);
    this.#page = {
      title: h("h2", { tabindex: "-1" }),
      pencil: h("button", { type: "button", class: "pencil", on: { click: rename } }, icon("pencil")),
      body: h("div"),
    };
    const { title, pencil, body } = this.#page;
    const back = h("a", { class: "back", href: "#/nodes" }, icon("back"), h("span", { text: t("nav.nodes") }));
    const head = h("div", { class: "with-pencil" }, title, pencil);
    this.#parts.page.replaceChildren(h("div", { class: "node-page" }, back, head, h("p", { class: "code hint" }, breakable(this.#guid)), body));
  }

  get #node() {
    return this.#nodes.find(({ guid }) => guid === this.#guid);
  }

  #drawPage() {
    const { title, pencil, body } = this.#page;
    const guid = this.#guid;
    const node = this.#node;
    const sensors = [...this.#home.sensors.values()].filter((sensor) => sensor.guid === guid);
    setText(title, node ? titleOf(node) : t("node.unnamed", { tail: guid.slice(-5) }));
    document.title = `${title.textContent} · VSCP`;
    pencil.hidden = !node || !this.#options.canRename();
    pencil.setAttribute("aria-label", t("name.change", { name: title.textContent }));
    const parts = h(
      "div",
      {},
      node ? factsOf(node) : h("p", { class: "empty card", text: this.#options.hasApi() ? t("node.unknown") : t("nodes.no-api") }),
      sensors.length > 0 && h("h3", { class: "group-title", text: t("node.sensors") }),
      sensors.length > 0 && h("ul", { class: "sensor-list card" }, sensors.map(sensorLine)),
      this.#events.length > 0 && h("h3", { class: "group-title", text: t("node.events") }),
      this.#events.length > 0 && h("ul", { class: "event-list card" }, this.#events.map((one) => eventLine(one, node))),
      node && h("p", { class: "more" }, h("a", { href: routeTo("events", "", { q: shortGuid(guid).toLowerCase() }), text: t("node.all-events") })),
    );
    this.#replace(body, parts, `page ${guid}`);
  }
}

function titleOf({ name, guid }) {
  return name ?? t("node.unnamed", { tail: guid.slice(-5) });
}

function matches({ name, room, guid, from }, search) {
  const text = [name, room, guid, shortGuid(guid), from].join("\n").toLowerCase();
  return search.toLowerCase().split(/\s+/).every((word) => text.includes(word));
}

function tableOf(nodes) {
  const columns = ["name", "seen", "rate", "heartbeat", "alarms", "from"];
  const head = columns.map((column) => h("th", { scope: "col", class: column, text: t(`nodes.${column}`) }));
  const rows = nodes.map((node) =>
    h(
      "tr",
      { data: { key: node.guid } },
      h("th", { scope: "row", class: "name" }, h("a", { href: routeTo("nodes", node.guid), text: titleOf(node) }), h("small", {}, node.room && `${node.room} · `, h("span", { class: "guid" }, breakable(shortGuid(node.guid))))),
      h("td", { class: "seen", text: node.last ? ago(node.last.time) : "–" }),
      h("td", { class: "rate", text: rateOf(node) }),
      h("td", { class: "heartbeat" }, heartbeatOf(node)),
      h("td", { class: "alarms" }, alarmsOf(node)),
      h("td", { class: "from", text: fromText(node.from) }),
    ),
  );
  return h("div", { class: "card table-card", role: "region", tabindex: "0", "aria-label": t("nav.nodes") }, h("table", { class: "nodes-table" }, h("thead", {}, h("tr", {}, head)), h("tbody", {}, rows)));
}

function heartbeatOf({ heartbeat }) {
  if (!heartbeat) {
    return "–";
  }
  if (heartbeat.late) {
    return h("span", { class: "tag bad", text: t("nodes.late", { ago: ago(heartbeat.time) }) });
  }
  return h("span", { class: "tag good", text: heartbeat.interval ? t("nodes.every", { duration: duration(heartbeat.interval) }) : ago(heartbeat.time) });
}

/** Where many come the tenths say nothing. */
export function rateOf({ perMinute }) {
  return localNumber(perMinute, perMinute > 0 && perMinute < 10 ? 1 : 0);
}

function alarmsOf({ alarms }) {
  const count = alarms?.count ?? 0;
  return count > 0 ? h("span", { class: "tag bad", text: localNumber(count) }) : "–";
}

/** Driver, what its nodes come from, the nodes. */
function mapOf(nodes, home) {
  const branches = new Map();
  for (const node of nodes) {
    branches.set(node.from, [...(branches.get(node.from) ?? []), node]);
  }
  const order = [...branches].sort(([a], [b]) => a.localeCompare(b));
  const leaf = (node) => {
    const count = [...home.sensors.values()].filter(({ guid }) => guid === node.guid).length;
    const state = node.heartbeat?.late ? "bad" : "good";
    const about = [node.room, count > 0 && t("home.count", { count })].filter(Boolean).join(" · ") || shortGuid(node.guid);
    return h("li", { data: { key: node.guid } }, h("a", { class: "map-node card", href: routeTo("nodes", node.guid), data: { state } }, h("strong", { text: titleOf(node) }), h("small", { text: about })));
  };
  const branch = ([from, list]) =>
    h("li", { data: { key: from } }, h("p", { class: "map-bus" }, icon(from === "host" || from === "client" ? from : "bus"), h("strong", { text: fromText(from) }), h("small", { text: t("nodes.count", { count: list.length }) })), h("ul", {}, list.map(leaf)));
  return h("div", { class: "map" }, h("p", { class: "map-root card" }, icon("driver"), h("strong", { text: t("map.driver") })), h("ul", { class: "map-branches" }, order.map(branch)));
}

function factsOf(node) {
  const { last, heartbeat, alarms } = node;
  const facts = [
    [t("nodes.seen"), last ? `${ago(last.time)} · ${classWord(last.class, language())}, ${typeWord(last.class, last.type, language())}` : "–"],
    [t("nodes.rate"), rateOf(node)],
    [t("node.total"), localNumber(node.events)],
    [t("nodes.heartbeat"), heartbeatOf(node)],
    [t("nodes.alarms"), alarms?.count > 0 ? [alarmsOf(node), alarms.last ? ` ${moment(alarms.last.time)}` : ""] : "–"],
    [t("nodes.from"), fromText(node.from)],
    [t("rename.room"), node.room ?? "–"],
  ];
  return h("dl", { class: "facts" }, facts.map(([name, value]) => h("div", {}, h("dt", { text: name }), h("dd", {}, value))));
}

function sensorLine(sensor) {
  return h("li", { data: { key: sensor.id } }, icon(quantityIcon(sensor.type)), h("a", { href: routeTo("sensor", sensor.id), text: sensor.title }), h("small", { text: sensor.origin({ withNode: false }) }), h("strong", { text: sensor.reading() }));
}

function eventLine({ time, event }, node) {
  const { vscpClass, vscpType: type, vscpGuid: guid, vscpData = [] } = event;
  const { title, value, detail } = wordsOf({ class: vscpClass, type, guid, data: Uint8Array.from(vscpData) }, { language: language(), reading: readingOf, nodeName: () => node?.name ?? t("events.unnamed", { tail: guid.slice(-5) }) });
  const told = [title, value, detail].filter(Boolean).join(" · ");
  const key = [time, vscpClass, type, event.vscpTimeStamp].join(" ");
  return h("li", { data: { key } }, h("time", { text: moment(time) }), h("span", { text: told }), h("small", { text: classWord(vscpClass, language()) }));
}

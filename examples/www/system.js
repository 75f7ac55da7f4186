// The state of the driver, for administrators.

import { read } from "./api.js";
import { breakable, h } from "./dom.js";
import { duration, localNumber, moment } from "./format.js";
import { t } from "./texts.js";

/** How often, in ms, it is read while it is shown. */
const REFRESH = 5000;

export class System {
  #element;
  #readAt = 0;
  #open = new Set();

  constructor(element) {
    this.#element = element;
  }

  async show() {
    this.#readAt = Date.now();
    try {
      this.#draw(await read("system"));
    } catch (error) {
      const reason = error.status === 403 ? t("system.refused") : t("system.failed", { reason: error.message });
      this.#element.replaceChildren(h("p", { class: "empty card", text: reason }));
    }
  }

  tick() {
    if (Date.now() - this.#readAt > REFRESH) {
      this.show();
    }
  }

  clear() {
    this.#element.replaceChildren();
  }

  #draw({ version, uptime, clients, buses, queues, counters, warnings }) {
    const waiting = Object.values(queues).reduce((sum, count) => sum + count, 0);
    const tiles = [
      [t("system.version"), version],
      [t("system.uptime"), duration(uptime)],
      [t("system.clients"), localNumber(clients.length)],
      [t("system.waiting"), localNumber(waiting)],
    ];
    const focused = this.#element.contains(document.activeElement) ? document.activeElement.dataset.keep : null;
    const parts = [
      h("dl", { class: "facts tiles" }, tiles.map(([name, value]) => h("div", { class: "card" }, h("dt", { text: name }), h("dd", { text: value })))),
      warningsOf(warnings),
      buses.length > 0 && section(t("system.buses"), busesOf(buses)),
      section(t("system.clients"), clientsOf(clients)),
      this.#details("queues", t("system.queues"), queues),
      this.#details("counters", t("system.counters"), counters),
    ];
    const scrolled = this.#element.querySelector(".scroll")?.scrollTop ?? 0;
    this.#element.replaceChildren(...parts.filter(Boolean));
    // Who reads the warnings goes on where he was.
    this.#element.querySelector(".scroll")?.scrollTo(0, scrolled);
    this.#element.querySelector(`[data-keep="${focused}"]`)?.focus({ preventScroll: true });
  }

  /** Numbers that few want to see; what is open stays open. */
  #details(key, title, numbers) {
    const rows = flatten(numbers).map(([name, value]) => h("div", {}, h("dt", { text: name }), h("dd", { text: typeof value === "number" ? localNumber(value) : String(value) })));
    const details = h("details", { class: "card numbers", open: this.#open.has(key) }, h("summary", { text: title, data: { keep: key } }), h("dl", {}, rows));
    details.addEventListener("toggle", () => (details.open ? this.#open.add(key) : this.#open.delete(key)));
    return details;
  }
}

function section(title, content) {
  return h("section", { class: "system-part" }, h("h3", { class: "group-title", text: title }), content);
}

function warningsOf(warnings) {
  const lines = warnings.map(({ time, level, message }) =>
    h("li", {}, h("time", { text: moment(time) }), h("span", { class: `tag ${/warn/i.test(level) ? "warn" : "bad"}`, text: level }), h("span", { text: message })),
  );
  if (lines.length === 0) {
    return section(t("system.warnings"), h("p", { class: "empty card", text: t("system.no-warnings") }));
  }
  // What scrolls is a region that the keyboard reaches; the list stays a list.
  const box = h("div", { class: "card scroll", tabindex: "0", role: "region", "aria-label": t("system.warnings"), data: { keep: "warnings" } }, h("ul", { class: "event-list" }, lines));
  return section(t("system.warnings"), box);
}

function busesOf(buses) {
  const lines = buses.map((bus) => h("li", {}, h("strong", { text: bus.interface }), h("span", { class: `tag ${bus.up ? "good" : "bad"}`, text: bus.up ? t("system.up") : t("system.down") })));
  return h("ul", { class: "event-list card" }, lines);
}

function clientsOf(clients) {
  const columns = ["user", "protocol", "address"];
  const rows = clients.map((client) => h("tr", {}, h("td", { text: client.user ?? t("system.nobody") }), h("td", { text: client.protocol }), h("td", { class: "code" }, breakable(client.address))));
  return h("div", { class: "card table-card" }, h("table", { class: "plain-table" }, h("thead", {}, h("tr", {}, columns.map((column) => h("th", { scope: "col", text: t(`system.client.${column}`) })))), h("tbody", {}, rows)));
}

/** `{ a: { b: 1 } }` is [["a.b", 1]]. */
function flatten(object, prefix = "") {
  return Object.entries(object).flatMap(([name, value]) =>
    value !== null && typeof value === "object" ? flatten(value, `${prefix}${name}.`) : [[`${prefix}${name}`, value]],
  );
}

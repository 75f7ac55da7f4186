// All about one event, and what can be done with it.

import { copyText, curlOf, jsonOf, ws1Line } from "./copy.js";
import { hex } from "./fields.js";
import { classFamily, classToken } from "./names.js";
import { readingOf } from "./quantity.js";
import { language, onLanguage, t } from "./texts.js";
import { dateTime } from "./when.js";
import { classWord, fieldsOf, typeWord, wordsOf } from "./words.js";

/** Bytes in one line of the dump. */
const LINE = 16;

export class Drawer {
  #dialog;
  #actions;
  #entry = null;
  #backTo = null;
  #timer = 0;

  /**
   * @param {HTMLDialogElement} dialog
   * @param {object} actions
   * @param {(entry: object, step: number) => object|null} actions.neighbour
   * @param {(text: string) => void} actions.filter
   * @param {(event: object) => Promise<{text: string, failed: boolean}|null>} actions.send  resolves to what to tell
   * @param {(event: object) => void} actions.edit
   * @param {() => string} actions.user
   * @param {(guid: string) => string} actions.nodeName
   */
  constructor(dialog, actions) {
    this.#dialog = dialog;
    this.#actions = actions;
    dialog.addEventListener("click", ({ target }) => {
      // The dialog itself is hit only beside its content: there the page behind it is seen.
      if (target === dialog) {
        dialog.close();
      }
      this.#act(target.closest("button")?.dataset.act);
    });
    dialog.addEventListener("close", () => this.#closed());
    onLanguage(() => dialog.open && this.#show(this.#entry));
  }

  /** Shows an entry; `backTo` gets the focus after it. */
  open(entry, backTo = null) {
    this.#backTo = backTo;
    this.#show(entry);
    this.#dialog.showModal();
    this.#part("scroll").scrollTop = 0;
    // Newer ones come while it is open.
    this.#timer = setInterval(() => this.#offerNeighbours(), 1000);
  }

  close() {
    this.#dialog.close();
  }

  #part(name) {
    return this.#dialog.querySelector(`[data-part="${name}"]`);
  }

  #show(entry) {
    this.#entry = entry;
    const { event } = entry;
    const words = wordsOf(event, { ...this.#options, reading: readingOf });
    const sent = wordsOf(event, this.#options).value;
    const badge = this.#part("badge");
    badge.textContent = classWord(event.class, language());
    badge.dataset.family = classFamily(event.class);
    this.#part("title").textContent = words.title;
    this.#part("value").textContent = words.value === sent ? sent : `${words.value} (${sent})`;
    this.#part("detail").textContent = words.raw ? "" : words.detail;
    this.#part("fields").replaceChildren(...this.#fields().flatMap(([label, text, code]) => row(label, text, code)));
    this.#showData(event);
    this.#tell("");
    this.#offerNeighbours();
  }

  /** Shows a neighbour, if it has not gone in the meantime. */
  #step(step) {
    const next = this.#actions.neighbour(this.#entry, step);
    if (next) {
      this.#show(next);
    }
  }

  #offerNeighbours() {
    for (const [name, step] of [["newer", 1], ["older", -1]]) {
      const button = this.#dialog.querySelector(`[data-act="${name}"]`);
      const isFocused = document.activeElement === button;
      button.disabled = this.#actions.neighbour(this.#entry, step) === null;
      // A button that is switched off loses the focus, which would leave the dialog.
      if (isFocused && button.disabled) {
        this.#dialog.querySelector("[data-act=close]").focus();
      }
    }
  }

  /** Label, text, and whether it is set in the font of code. */
  #fields() {
    const { event, time, sent } = this.#entry;
    const priority = (event.head >> 5) & 7;
    const level = ["high", "high", "high", "normal"][priority] ?? "low";
    const name = sent ? t("events.sent") : this.#actions.nodeName(event.guid);
    const token = classToken(event.class);
    const sender = event.datetime ? t("events.utc", { time: event.datetime.replace("T", " ").replace("Z", "") }) : t("events.notSet");
    return [
      [t("events.class"), `${event.class}${token && ` · ${token}`}`],
      [t("events.type"), `${event.type} · ${typeWord(event.class, event.type, language())}`],
      ...(name ? [[t("events.node"), name]] : []),
      [t("events.guid"), event.guid, true],
      [t("events.priority"), `${priority}${t(`events.priority.${level}`)}`],
      [t("events.received"), dateTime(time)],
      [t("events.date"), sender],
      [t("events.timestamp"), t("events.microseconds", { time: event.timestamp })],
      [t("events.connection"), String(event.obid)],
      [t("events.head"), `0x${event.head.toString(16).toUpperCase().padStart(4, "0")}${flagsOf(event.head).map((key) => `, ${t(`events.flag.${key}`)}`).join("")}`],
    ];
  }

  #showData(event) {
    const fields = fieldsOf(event, this.#options);
    this.#part("data-count").textContent = t("events.byteCount", { count: event.data.length });
    this.#part("bytes").hidden = fields.length === 0;
    this.#part("bytes").tBodies[0].replaceChildren(...fields.map(({ bytes, label, text }) => tableRow([bytes, label, text])));
    this.#part("dump").hidden = event.data.length === 0;
    this.#part("dump").textContent = dump(event.data);
  }

  get #options() {
    return { language: language(), nodeName: this.#actions.nodeName };
  }

  #act(name) {
    const { event } = this.#entry;
    const { filter, edit, user } = this.#actions;
    const own = { type: `class:${event.class} type:${event.type}`, node: `guid:${event.guid}` };
    const act = {
      close: () => this.close(),
      newer: () => this.#step(1),
      older: () => this.#step(-1),
      "filter-type": () => this.#leave(() => filter(own.type)),
      "filter-node": () => this.#leave(() => filter(own.node)),
      "filter-both": () => this.#leave(() => filter(`${own.type} ${own.node}`)),
      send: () => this.#sendAgain(),
      edit: () => this.#leave(() => edit(event)),
      ws1: () => this.#copy(ws1Line(event)),
      json: () => this.#copy(jsonOf(event)),
      curl: () => this.#copy(curlOf(event, { origin: location.origin, user: user() })),
    }[name];
    act?.();
  }

  /** Closes, and then does something that has a place of its own for the focus. */
  #leave(action) {
    this.#backTo = null;
    this.close();
    action();
  }

  async #sendAgain() {
    this.#tell("");
    const result = await this.#actions.send(this.#entry.event);
    if (result !== null) {
      this.#tell(result.text, result.failed);
    }
  }

  async #copy(text) {
    try {
      await copyText(text, this.#dialog);
      this.#tell(t("events.copied"));
    } catch {
      this.#tell(t("events.notCopied"), true);
    }
  }

  #tell(text, failed = false) {
    const message = this.#part("message");
    message.classList.toggle("error", failed);
    message.textContent = text;
  }

  #closed() {
    clearInterval(this.#timer);
    this.#backTo?.focus({ preventScroll: true });
    this.#backTo = null;
  }
}

/** The bits of a head beside the priority: see the event's description. */
function flagsOf(head) {
  return [
    ["dumb", 0x8000],
    ["hardCoded", 0x10],
    ["noCrc", 0x08],
  ].flatMap(([key, bit]) => (head & bit ? [key] : []));
}

function row(label, text, code = false) {
  const [term, description] = [document.createElement("dt"), document.createElement("dd")];
  term.textContent = label;
  description.textContent = text;
  description.classList.toggle("code", code);
  return [term, description];
}

function tableRow(cells) {
  const line = document.createElement("tr");
  line.append(...cells.map((text) => Object.assign(document.createElement("td"), { textContent: text })));
  return line;
}

/** Hex and what of it is text, 16 bytes a line. */
function dump(data) {
  const lines = [];
  for (let start = 0; start < data.length; start += LINE) {
    const bytes = data.subarray(start, start + LINE);
    const text = Array.from(bytes, (byte) => (byte > 31 && byte < 127 ? String.fromCharCode(byte) : "·")).join("");
    const place = data.length > LINE ? `${start.toString(16).toUpperCase().padStart(3, "0")}  ` : "";
    lines.push(`${place}${hex(bytes).padEnd(data.length > LINE ? LINE * 3 - 1 : 0)}  ${text}`);
  }
  return lines.join("\n");
}

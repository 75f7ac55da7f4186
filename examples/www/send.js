// The forms that send events.

import { ask } from "./confirm.js";
import { reasonOf } from "./errors.js";
import { typesOf } from "./names.js";
import { recall, recentOf, store } from "./recent.js";
import { CLASSES } from "./tables.js";
import { language, onLanguage, t } from "./texts.js";
import { parseGuid } from "./vscp.js";
import { classWord, reachesAllZones, sentenceOf, typeWord } from "./words.js";

const CLASS_CONTROL = 30;
const TYPE_DIM = 20;
/** The types of class 30 that have a button: those of every day, and more. */
const COMMANDS = [5, 6, 29, 24];
const MORE_COMMANDS = [3, 4, 34, 35, 7, 8, 42, 43, 15, 16];
/** All subzones, or all zones. */
const ALL = 255;
const MOST_DATA = 512;

/**
 * Lets the forms with the ids `quick` and `any` send.
 * @param {(event: object) => Promise<void>} send
 * @returns what the rest of the panel needs: `sendAgain` resolves to what to tell (`{ text, failed }`), or
 *     null where the user has thought better of it; `edit` fills in the form
 */
export function setUpSending(send) {
  const element = (id) => document.getElementById(id);
  const message = element("send-message");
  const list = new RecentList(element("recent"), element("recent-list"), (event) => submit(event));

  /** Asks first where it reaches everything, and says how it went. */
  const trySending = async (event) => {
    const what = sentenceOf(readable(event), { language: language() });
    if (reachesAllZones(readable(event)) && !(await askForAll(what))) {
      return null;
    }
    try {
      await send(event);
      list.add(event);
      return { text: t("send.sent", { what }), failed: false };
    } catch (error) {
      return { text: t("send.notSent", { what, reason: reasonOf(error) }), failed: true };
    }
  };
  const submit = async (event) => {
    message.textContent = "";
    const result = await trySending(event);
    message.classList.toggle("error", result?.failed ?? false);
    message.textContent = result?.text ?? "";
  };

  setUpCommands(element, submit);
  const form = new AnyEvent(element, submit);
  return {
    sendAgain: ({ class: vscpClass, type, head, guid, data }) =>
      trySending({ class: vscpClass, type, priority: (head >> 5) & 7, guid, data: [...data] }),
    edit: (event) => form.fill(event),
  };
}

function askForAll(what) {
  return ask({ title: t("send.allTitle"), text: t("send.allText", { what }), action: t("send.allAction") });
}

/** The buttons of class 30, for a zone that must be given. */
function setUpCommands(element, submit) {
  const { zone = "" } = recall();
  element("zone").value = zone;
  const eventOf = (type, first = 0) => ({
    class: CLASS_CONTROL,
    type,
    data: [first, Number(element("zone").value), element("subzone").value === "" ? ALL : Number(element("subzone").value)],
  });
  const write = () => {
    for (const [id, types] of [["commands", COMMANDS], ["more-commands", MORE_COMMANDS]]) {
      const buttons = types.map((type) => Object.assign(document.createElement("button"), { value: type, textContent: typeWord(CLASS_CONTROL, type, language()) }));
      element(id).replaceChildren(...buttons);
    }
  };
  write();
  onLanguage(write);
  const command = (type, first) => {
    submit(eventOf(type, first));
    // A house that is switched as a whole is no habit.
    if (Number(element("zone").value) !== ALL) {
      store({ zone: element("zone").value });
    }
  };
  const quick = element("quick");
  quick.addEventListener("submit", (event) => {
    event.preventDefault();
    command(Number(event.submitter?.value ?? COMMANDS[0]));
  });
  // A form of its own: a level that is wrong must not be in the way of the other commands.
  element("dimming").addEventListener("submit", (event) => {
    event.preventDefault();
    if (quick.reportValidity()) {
      command(TYPE_DIM, Number(element("dim").value));
    }
  });
}

/** The form for an event of any class; it says in words what it would send. */
class AnyEvent {
  #element;
  #class;
  #type;

  constructor(element, submit) {
    this.#element = element;
    const [data, guid, form] = [element("data"), element("guid"), element("any")];
    this.#class = new NumberChoice(element("class"), element("class-number"));
    this.#type = new NumberChoice(element("type"), element("type-number"));
    this.#class.onChange = () => this.#fillTypes();
    this.#type.onChange = () => this.#preview();
    this.#fillClasses();
    onLanguage(() => this.#fillClasses());
    data.addEventListener("input", () => {
      data.setCustomValidity(parseData(data.value).problem ?? "");
      this.#preview();
    });
    guid.addEventListener("input", () => guid.setCustomValidity(parseGuid(guid.value) ? "" : t("send.guidWrong")));
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      submit({
        class: this.#class.value,
        type: this.#type.value,
        priority: Number(element("priority").value),
        guid: guid.value,
        data: parseData(data.value).bytes,
      });
    });
  }

  /** Fills in an event to be changed, and goes there. */
  fill(event) {
    this.#class.value = event.class;
    this.#type.value = event.type;
    const data = this.#element("data");
    data.value = Array.from(event.data, (byte) => `0x${byte.toString(16).toUpperCase().padStart(2, "0")}`).join(" ");
    data.setCustomValidity("");
    this.#element("guid").value = event.guid;
    this.#element("guid").setCustomValidity("");
    this.#element("priority").value = (event.head >> 5) & 7;
    this.#preview();
    data.scrollIntoView({ block: "center" });
    data.focus();
  }

  #fillClasses() {
    const [vscpClass, type] = [this.#class.value, this.#type.value];
    this.#class.fill(Object.keys(CLASSES).map((number) => [number, nameOfClass(Number(number))]));
    if (vscpClass !== null) {
      this.#class.value = vscpClass;
      this.#type.value = type;
    }
  }

  #fillTypes() {
    const vscpClass = this.#class.value;
    const types = vscpClass === null ? [] : [...typesOf(vscpClass).entries()].filter(([, name]) => name);
    this.#type.fill(types.map(([type]) => [type, typeWord(vscpClass, type, language())]));
    this.#preview();
  }

  #preview() {
    const { bytes } = parseData(this.#element("data").value);
    const [vscpClass, type] = [this.#class.value, this.#type.value];
    const isWhole = bytes && vscpClass !== null && type !== null;
    const event = readable({ class: vscpClass, type, data: bytes ?? [] });
    this.#element("any-words").textContent = isWhole ? sentenceOf(event, { language: language() }) : "";
  }
}

/** The events that were sent last, each a button that sends it again. */
class RecentList {
  #block;
  #list;
  #onChoose;

  constructor(block, list, onChoose) {
    this.#block = block;
    this.#list = list;
    this.#onChoose = onChoose;
    this.#write();
    onLanguage(() => this.#write());
  }

  add(event) {
    store({ recent: recentOf(recall().recent, event) });
    this.#write();
  }

  #write() {
    const { recent = [] } = recall();
    const hadFocus = this.#list.contains(document.activeElement);
    this.#block.hidden = recent.length === 0;
    this.#list.replaceChildren(
      ...recent.map((event) => {
        const item = document.createElement("li");
        const button = Object.assign(document.createElement("button"), { type: "button", textContent: sentenceOf(readable(event), { language: language() }) });
        button.title = `${event.class}:${event.type}`;
        button.addEventListener("click", () => this.#onChoose(event));
        item.append(button);
        return item;
      }),
    );
    if (hadFocus) {
      // What was sent again is the first one now.
      this.#list.querySelector("button").focus();
    }
  }
}

/** A choice of named numbers, and a field for any other; nothing is chosen at first. */
class NumberChoice {
  onChange = () => {};
  #select;
  #other;

  constructor(select, other) {
    this.#select = select;
    this.#other = other;
    select.addEventListener("change", () => this.#changed());
    other.addEventListener("input", () => this.onChange());
  }

  /** @param {[number, string][]} entries */
  fill(entries) {
    const options = entries.map(([number, name]) => new Option(`${number} · ${name}`, number));
    this.#select.replaceChildren(new Option(t("send.choose"), ""), ...options, new Option(t("send.otherNumber"), "other"));
    this.#changed();
  }

  /** null where nothing is chosen. */
  get value() {
    const text = this.#select.value === "other" ? this.#other.value : this.#select.value;
    return text === "" ? null : Number(text);
  }

  set value(number) {
    this.#select.value = number ?? "";
    if (number !== null && this.#select.selectedIndex < 0) {
      this.#select.value = "other";
      this.#other.value = number;
    }
    this.#changed();
  }

  #changed() {
    this.#other.hidden = this.#other.disabled = this.#select.value !== "other";
    this.onChange();
  }
}

/** Those that carry a level I class have its name: they are told apart. */
function nameOfClass(vscpClass) {
  const carries = vscpClass >= 512 && vscpClass < 1024;
  return `${classWord(vscpClass, language())}${carries ? ` (${t("send.carried")})` : ""}`;
}

/** An event that is to be sent, as one that came. */
function readable(event) {
  return { guid: "-", ...event, data: Uint8Array.from(event.data) };
}

/** The bytes of a list, decimal or with 0x; or what is wrong with it. */
function parseData(text) {
  const words = text.split(/[\s,;]+/).filter(Boolean);
  const wrong = words.find((word) => !/^(0x[\da-f]+|\d+)$/i.test(word) || Number(word) > 255);
  if (wrong !== undefined) {
    return { problem: t("send.byteWrong", { word: wrong }) };
  }
  return words.length > MOST_DATA ? { problem: t("send.tooLong", { most: MOST_DATA }) } : { bytes: words.map(Number) };
}

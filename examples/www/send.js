// The forms that send events.

import { CLASSES } from "./tables.js";
import { className, typeName, typesOf } from "./names.js";
import { parseGuid } from "./vscp.js";

const CLASS_CONTROL = 30;
const TYPE_TURN_ON = 5;
const MOST_DATA = 512;

/**
 * Lets the forms with the ids `quick` and `any` send.
 * @param {(event: object) => Promise<void>} send
 */
export function setUpSending(send) {
  const element = (id) => document.getElementById(id);
  const message = element("send-message");

  const submit = async (event) => {
    const what = `${className(event.class)}, ${typeName(event.class, event.type)}`;
    message.classList.remove("error");
    try {
      await send(event);
      message.textContent = `Sent: ${what}.`;
    } catch (error) {
      message.classList.add("error");
      message.textContent = `Not sent: ${what}. ${error.message}`;
    }
  };

  element("quick").addEventListener("submit", (event) => {
    event.preventDefault();
    const type = Number(event.submitter?.value ?? TYPE_TURN_ON);
    const [zone, subzone] = ["zone", "subzone"].map((id) => Number(element(id).value));
    submit({ class: CLASS_CONTROL, type, data: [0, zone, subzone] });
  });

  const vscpClass = new NumberChoice(element("class"), element("class-number"));
  const type = new NumberChoice(element("type"), element("type-number"));
  vscpClass.fill(Object.keys(CLASSES).map((number) => [number, className(number)]));
  vscpClass.onChange = (number) => type.fill([...typesOf(number).entries()].filter(([, name]) => name));
  vscpClass.value = CLASS_CONTROL;
  type.value = TYPE_TURN_ON;

  const data = element("data");
  const guid = element("guid");
  data.addEventListener("input", () => data.setCustomValidity(parseData(data.value).problem ?? ""));
  guid.addEventListener("input", () =>
    guid.setCustomValidity(parseGuid(guid.value) ? "" : "16 pairs of hex digits with colons, or “-”."),
  );
  element("any").addEventListener("submit", (event) => {
    event.preventDefault();
    submit({
      class: vscpClass.value,
      type: type.value,
      priority: Number(element("priority").value),
      guid: guid.value,
      data: parseData(data.value).bytes,
    });
  });
}

/** A choice of named numbers, and a field for any other. */
class NumberChoice {
  onChange = () => {};
  #select;
  #other;

  constructor(select, other) {
    this.#select = select;
    this.#other = other;
    select.addEventListener("change", () => this.#changed());
    other.addEventListener("input", () => this.onChange(this.value));
  }

  /** @param {[number, string][]} entries */
  fill(entries) {
    const options = entries.map(([number, name]) => new Option(`${number} · ${name}`, number));
    this.#select.replaceChildren(...options, new Option("Other number …", ""));
    this.#changed();
  }

  get value() {
    return Number(this.#select.value || this.#other.value);
  }

  set value(number) {
    this.#select.value = number;
    this.#changed();
  }

  #changed() {
    const listed = this.#select.value !== "";
    this.#other.hidden = this.#other.disabled = listed;
    this.onChange(this.value);
  }
}

/** The bytes of a list, decimal or with 0x; or what is wrong with it. */
function parseData(text) {
  const words = text.split(/[\s,;]+/).filter(Boolean);
  const wrong = words.find((word) => !/^(0x[\da-f]+|\d+)$/i.test(word) || Number(word) > 255);
  if (wrong !== undefined) {
    return { problem: `“${wrong}” is no number from 0 to 255.` };
  }
  return words.length > MOST_DATA ? { problem: `At most ${MOST_DATA} bytes.` } : { bytes: words.map(Number) };
}

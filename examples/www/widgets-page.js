// The page of samples: gives them a sensor of this server, and shows the HTML that they are made of.

import { shortGuid } from "./format.js";
import { quantityName } from "./quantity.js";
import { VscpConnection } from "./vscp-widgets.js";

const TEMPERATURE = 6;

const connection = document.querySelector("vscp-connection");
const choice = document.querySelector("select");
let isChosen = false;
const samples = [...document.querySelectorAll("[data-any]")];

if (connection instanceof VscpConnection) {
  const { source } = connection;
  source.on("sensors", () => offer(source.sensors));
}
choice?.addEventListener("change", () => {
  isChosen = true;
  showSensor(choice.value);
});
document.querySelectorAll("div.sample").forEach(showCode);

/**
 * Offers the sensors that there are; the samples show the first temperature until something is chosen.
 * @param {Map<string, import("./widget-source.js").Sensor>} sensors
 */
function offer(sensors) {
  if (!choice) {
    return;
  }
  const { value } = choice;
  const options = [...sensors.values()].map((one) => new Option(titleOf(one), one.id)).sort((a, b) => a.text.localeCompare(b.text));
  choice.replaceChildren(...options);
  const first = [...sensors.values()].find(({ type }) => type === TEMPERATURE)?.id ?? options[0]?.value ?? "";
  choice.value = isChosen && sensors.has(value) ? value : first;
  showSensor(choice.value);
}

/**
 * A title that tells a sensor from the others.
 * @param {import("./widget-source.js").Sensor} sensor
 */
function titleOf({ name, room, node, quantity, type, guid, sensor }) {
  const where = [room, node].filter(Boolean).join(" · ");
  const what = name ?? (quantityName(type) || quantity || "Value");
  return `${where || `…${guid.slice(-11)}, sensor ${sensor}`}: ${what}`;
}

/** @param {string} id */
function showSensor(id) {
  const [guid = "", ...rest] = id.split("/");
  const sensor = id && [shortGuid(guid), ...rest].join("/");
  samples.forEach((sample) => sample.getAttribute("sensor") !== sensor && sample.setAttribute("sensor", sensor));
  document.querySelectorAll("div.sample").forEach(showCode);
}

/** @param {Element} sample */
function showCode(sample) {
  const [widget] = sample.children;
  if (widget) {
    const code = sample.querySelector("code") ?? sample.appendChild(document.createElement("code"));
    code.className = "code";
    code.textContent = widget.outerHTML.replace(' data-any=""', "").replaceAll('=""', "");
  }
}

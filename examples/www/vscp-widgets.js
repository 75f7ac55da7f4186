/**
 * Custom elements for pages about a house: what sensors measure, what is on, and what turns it on.
 *
 *     <script type="module" src="/vscp-widgets.js"></script>
 *     <vscp-connection></vscp-connection>
 *     <vscp-value sensor="Kitchen/Temperature"></vscp-value>
 *     <vscp-switch zone="1" subzone="2">Ceiling light</vscp-switch>
 *
 * They are described, with samples, in docs/widgets.md and on the page /widgets.html.
 *
 * @module vscp-widgets
 */

import { VscpChart } from "./widget-chart.js";
import { VscpConnection } from "./widget-connection.js";
import { VscpButton, VscpLamp, VscpSlider, VscpSwitch } from "./widget-controls.js";
import { VscpEvents } from "./widget-events.js";
import { VscpGauge, VscpValue } from "./widget-values.js";

export { VscpButton, VscpChart, VscpConnection, VscpEvents, VscpGauge, VscpLamp, VscpSlider, VscpSwitch, VscpValue };

/** The connection comes first: the others look for it when they are defined. */
const ELEMENTS = {
  "vscp-connection": VscpConnection,
  "vscp-value": VscpValue,
  "vscp-gauge": VscpGauge,
  "vscp-chart": VscpChart,
  "vscp-lamp": VscpLamp,
  "vscp-switch": VscpSwitch,
  "vscp-button": VscpButton,
  "vscp-slider": VscpSlider,
  "vscp-events": VscpEvents,
};

for (const [name, element] of Object.entries(ELEMENTS)) {
  if (!customElements.get(name)) {
    customElements.define(name, element);
  }
}

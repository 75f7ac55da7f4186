// The view of the events: its list, its tools, and the drawer for one event.

import { Drawer } from "./drawer.js";
import { EventLog } from "./log.js";
import { onLanguage, t } from "./texts.js";

/**
 * @param {object} options
 * @param {() => void} options.changed  the list has to be rendered
 * @param {(event: object) => Promise<{text: string, failed: boolean}|null>} options.sendAgain
 * @param {(event: object) => void} options.edit  puts an event into the form
 * @param {() => string} options.user
 * @param {(guid: string) => string} [options.nodeName]  "" where a node has no name
 * @returns {EventLog}
 */
export function setUpEvents({ changed, sendAgain, edit, user, nodeName = () => "" }) {
  const element = (id) => document.getElementById(id);
  const filter = element("filter");
  const pause = element("pause");
  const scroller = element("scroller");

  const log = new EventLog(
    {
      rows: element("rows"),
      template: element("row"),
      scroller,
      newer: element("newer"),
      count: element("events-count"),
      empty: element("events-empty"),
    },
    {
      nodeName,
      onOpen: (entry, byKeyboard) => drawer.open(entry, byKeyboard ? document.activeElement : scroller),
    },
  );
  const drawer = new Drawer(element("drawer"), {
    neighbour: (entry, step) => log.neighbour(entry, step),
    send: sendAgain,
    edit,
    user,
    nodeName,
    filter: (text) => {
      filter.value = text;
      filter.dispatchEvent(new Event("input"));
      filter.focus();
    },
  });

  const nameTools = () => (pause.textContent = t(log.paused ? "events.resume" : "events.pause"));
  filter.addEventListener("input", () => {
    log.filter = filter.value;
    changed();
  });
  pause.addEventListener("click", () => {
    log.paused = !log.paused;
    pause.setAttribute("aria-pressed", log.paused);
    nameTools();
    changed();
  });
  element("clear").addEventListener("click", () => {
    log.clear();
    changed();
  });
  element("export").addEventListener("click", () => save(log.toCsv(), "text/csv;charset=utf-8"));
  scroller.addEventListener("scroll", changed, { passive: true });
  // The focus holds the list: when it leaves, the list goes on.
  element("rows").addEventListener("focusout", () => setTimeout(changed));
  onLanguage(() => {
    nameTools();
    log.refresh();
    changed();
  });
  nameTools();
  return log;
}

function save(text, type) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([text], { type }));
  link.download = `vscp-events-${new Date().toISOString().slice(0, 19).replaceAll(":", "")}.csv`;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}

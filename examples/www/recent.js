// What the device remembers of what was sent.

const STORAGE = "vscp-sent";
const MOST = 6;

/** @returns {{ zone?: string, recent?: object[] }} */
export function recall() {
  try {
    const { zone, recent } = JSON.parse(localStorage.getItem(STORAGE)) ?? {};
    return { zone: /^\d{1,3}$/.test(zone) ? zone : undefined, recent: Array.isArray(recent) ? recent.filter(isEvent) : [] };
  } catch {
    return {};
  }
}

/** Remembers more beside what it knows. */
export function store(more) {
  try {
    localStorage.setItem(STORAGE, JSON.stringify({ ...recall(), ...more }));
  } catch {
    // Storage is off or full: then nothing is remembered.
  }
}

/** The last ones with `event` in front; each is there once. */
export function recentOf(recent = [], { class: vscpClass, type, priority = 3, guid = "-", data }) {
  const event = { class: vscpClass, type, priority, guid, data: [...data] };
  const key = JSON.stringify(event);
  return [event, ...recent.filter((other) => JSON.stringify(other) !== key)].slice(0, MOST);
}

/** Whoever else writes into the storage must not break the panel. */
function isEvent(event) {
  const isNumber = (value, most) => Number.isInteger(value) && value >= 0 && value <= most;
  return (
    isNumber(event?.class, 0xffff) &&
    isNumber(event.type, 0xffff) &&
    isNumber(event.priority, 7) &&
    typeof event.guid === "string" &&
    Array.isArray(event.data) &&
    event.data.length <= 512 &&
    event.data.every((byte) => isNumber(byte, 255))
  );
}

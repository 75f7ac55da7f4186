// The clock of the server, which may differ from that of this device.

/** So many ms may pass between the server's answer and this page. */
const TOLERANCE = 2000;

/** So many ms is this device ahead of the server. */
let ahead = 0;

/**
 * Learns what time it is for the server.
 * @param {{ headers: { get: (name: string) => string | null } }} response
 */
export function learnTime({ headers }, now = Date.now()) {
  // The header has whole seconds: on average it is half a second later.
  const found = now - Date.parse(headers.get("date") ?? "") - 500;
  // Small differences are not followed, so that the times of what has happened do not tremble.
  if (Math.abs(found - ahead) > TOLERANCE) {
    ahead = Math.abs(found) > TOLERANCE ? found : 0;
  }
}

/**
 * A moment of this device as the server calls it.
 * @param {number} time
 */
export function serverTime(time) {
  return Math.round(time - ahead);
}

/**
 * The JSON of an answer with its moments as this device calls them.
 * @param {string} text
 */
export function parseAnswer(text) {
  return JSON.parse(text, (name, value) => {
    if (name === "time" && typeof value === "number") {
      return value + ahead;
    }
    return name === "points" && Array.isArray(value) ? value.map(([time, ...values]) => [time + ahead, ...values]) : value;
  });
}

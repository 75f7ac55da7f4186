// What the device remembers of the panel: never a password.

const STORAGE = "vscp-panel";

/**
 * @typedef {object} Settings
 * @property {string} [user]      who has logged in last
 * @property {string} [protocol]  "ws1" or "ws2"
 * @property {string} [key]       the server's key, if the user wishes
 * @property {"light"|"dark"} [theme]  by hand; else that of the system
 * @property {"room"|"node"} [group]   how the cards of Home are grouped
 * @property {boolean} [notify]   tell of alarms
 */

/** @returns {Settings} */
export function settings() {
  try {
    return JSON.parse(localStorage.getItem(STORAGE)) ?? {};
  } catch {
    return {};
  }
}

/** Remembers more; what is undefined is forgotten. @param {Settings} change */
export function remember(change) {
  try {
    localStorage.setItem(STORAGE, JSON.stringify({ ...settings(), ...change }));
  } catch {
    // Storage is off or full: then nothing is remembered.
  }
}

// Numbers, times and GUIDs as they are shown.

import { formatNumber } from "./number.js";
import { language, t } from "./texts.js";

export { formatNumber };

/** @type {Map<string, Intl.NumberFormat>} */
const formats = new Map();

/**
 * As people of the page's language write it: "1,234.5" or "1 234,5".
 * @param {number} value
 * @param {number} [decimals]
 */
export function localNumber(value, decimals) {
  const text = formatNumber(value, decimals);
  if (text.includes("e")) {
    return text;
  }
  const digits = text.split(".")[1]?.length ?? 0;
  const key = `${language()} ${digits}`;
  let format = formats.get(key);
  if (!format) {
    // Four digits in a row are read well: 1013 hPa.
    format = new Intl.NumberFormat(language(), { useGrouping: "min2", minimumFractionDigits: digits, maximumFractionDigits: digits });
    formats.set(key, format);
  }
  // No "-0.0".
  return format.format(Number(text) === 0 ? 0 : Number(text));
}

/**
 * A GUID without its leading FF or 00 bytes, in a form that parseGuid of vscp.js reads.
 * @param {string} guid
 */
export function shortGuid(guid) {
  const short = guid.replace(/^(FF:)+/, "::").replace(/^(00:)+/, "-:");
  return short === "-:00" ? "-" : short;
}

/**
 * The local time of day, HH:MM:SS.
 * @param {number | string} time
 */
export function clock(time) {
  return new Date(time).toTimeString().slice(0, 8);
}

/**
 * The time of day, with the day in front of it where that is another one than today.
 * @param {number} time
 */
export function moment(time) {
  const date = new Date(time);
  if (date.toDateString() === new Date().toDateString()) {
    return clock(time);
  }
  const day = new Intl.DateTimeFormat(language(), { day: "numeric", month: "short" }).format(date);
  return `${day} ${clock(time)}`;
}

/** @param {number} seconds */
export function duration(seconds) {
  if (seconds < 100) {
    return `${Math.max(1, Math.round(seconds))} s`;
  }
  if (seconds < 6000) {
    return `${Math.round(seconds / 60)} min`;
  }
  return seconds < 172_800 ? `${Math.round(seconds / 3600)} h` : t("time.days", { count: Math.round(seconds / 86_400) });
}

/**
 * "12 s ago"
 * @param {number} time
 */
export function ago(time, now = Date.now()) {
  const seconds = (now - time) / 1000;
  return seconds < 2 ? t("time.now") : t("time.ago", { duration: duration(seconds) });
}

/**
 * Where something came from, as the server's API says it: a bus has its own name.
 * @param {string | null} from
 */
export function fromText(from) {
  return from === "host" || from === "client" ? t(`from.${from}`) : (from ?? "–");
}

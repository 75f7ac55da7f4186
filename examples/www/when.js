// When an event came.

import { clock } from "./format.js";

/** To the millisecond: the local time of day; of another day the date and the time. */
export function rowTime(time, now, locale) {
  const date = new Date(time);
  if (date.toDateString() === new Date(now).toDateString()) {
    return `${clock(time)}.${millisecondsOf(date)}`;
  }
  return `${date.toLocaleDateString(locale, { day: "numeric", month: "short" })} ${clock(time)}`;
}

/** Local date and time to the millisecond, as people and spreadsheets read it: "2026-11-29 12:05:09.007". */
export function dateTime(time) {
  const date = new Date(time);
  const day = [date.getFullYear(), date.getMonth() + 1, date.getDate()].map((part) => String(part).padStart(2, "0"));
  return `${day.join("-")} ${clock(time)}.${millisecondsOf(date)}`;
}

function millisecondsOf(date) {
  return String(date.getMilliseconds()).padStart(3, "0");
}

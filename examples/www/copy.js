// An event in the forms in which others take it, and the way to the clipboard.

import { formatEvent } from "./vscp.js";

/**
 * The line that sends the event over ws1. The server fills in date, time stamp and connection.
 * @param {import("./vscp.js").VscpEvent} event
 */
export function ws1Line(event) {
  return `E;${textOf(event)}`;
}

/** The event as ws2 and the HTTP interface have it. */
export function jsonOf({ head, class: vscpClass, type, obid, datetime, timestamp, guid, data }) {
  const list = `[${[...data].join(", ")}]`;
  const fields = { head, class: vscpClass, type, obid, datetime, timestamp, guid };
  return `${JSON.stringify(fields, null, 2).slice(0, -2)},\n  "data": ${list}\n}`;
}

/** The shell command that sends the event over REST; it asks for the password, as all shells can (POSIX). */
export function curlOf(event, { origin, user }) {
  const quote = (text) => `'${text.replaceAll("'", "'\\''")}'`;
  return [
    "printf 'Password: '; stty -echo; read -r password; stty echo; echo;",
    `curl -sS -H ${quote(`vscpuser: ${user}`)} -H "vscpsecret: $password"`,
    `-d op=sendevent --data-urlencode ${quote(`vscpevent=${textOf(event)}`)} ${quote(`${origin}/vscp/rest`)}`,
  ].join(" ");
}

/** Puts text on the clipboard; rejects where the browser does not let it. */
export async function copyText(text, parent = document.body) {
  if (navigator.clipboard) {
    await navigator.clipboard.writeText(text);
    return;
  }
  // Without TLS there is only the old way, which needs a field that is seen.
  const field = document.createElement("textarea");
  field.value = text;
  field.className = "hidden";
  parent.append(field);
  field.select();
  const done = document.execCommand("copy");
  field.remove();
  if (!done) {
    throw new Error("no clipboard");
  }
}

function textOf(event) {
  const data = Array.from(event.data, (byte) => `0x${byte.toString(16).toUpperCase().padStart(2, "0")}`);
  return formatEvent({ ...event, obid: "", datetime: "", timestamp: "", data });
}

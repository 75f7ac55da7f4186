// The server's API of pages: docs/api.md.

import { learnTime, parseAnswer, serverTime } from "./clock.js";
import { t } from "./texts.js";

/** What the server refuses: `status` is 0 where there is no answer. */
export class ApiError extends Error {
  constructor(status, message) {
    super(message);
    this.name = "ApiError";
    this.status = status;
  }
}

/**
 * The JSON of a path below /api. Its times, and the parameter `from`, are by the clock of this device.
 * @param {string} path  such as "sensors"
 * @param {Object<string, string|number|undefined>} [parameters]
 */
export async function read(path, parameters = {}, options = {}) {
  const { from } = parameters;
  const asked = from === undefined ? parameters : { ...parameters, from: serverTime(from) };
  const response = await ask(`/api/${path}${query(asked)}`, options);
  return parseAnswer(await response.text());
}

/** The names, and their version for a change. With `after` it waits for another one; null: there is none yet. */
export async function readNames(after, options) {
  const response = await ask(`/api/names${query({ after })}`, options);
  if (response.status === 204) {
    return null;
  }
  return { names: (await response.json()).names ?? {}, version: response.headers.get("etag") };
}

/**
 * Changes the members of one entry of the names. The change is made to the newest version of the
 * names, which is read first; it fails with status 412 if somebody changes them in between.
 * @param {string} key  GUID, GUID/SENSOR or GUID/SENSOR/TYPE
 * @param {object} change  a member that is null is removed
 */
export async function changeName(key, change) {
  const { version } = await readNames();
  await ask(`/api/names/${key}`, {
    method: "PATCH",
    headers: { "Content-Type": "application/json", "If-Match": version ?? "*" },
    body: JSON.stringify(change),
  });
}

async function ask(path, options) {
  let response;
  try {
    response = await fetch(path, options);
  } catch {
    throw new ApiError(0, t("login.unreachable"));
  }
  learnTime(response);
  if (!response.ok) {
    const { error } = await response.json().catch(() => ({}));
    throw new ApiError(response.status, error ?? `HTTP ${response.status}`);
  }
  return response;
}

function query(parameters) {
  const pairs = Object.entries(parameters).filter(([, value]) => value !== undefined);
  return pairs.length > 0 ? `?${new URLSearchParams(pairs)}` : "";
}

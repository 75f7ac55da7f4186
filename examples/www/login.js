// Logging in with name and password alone: the server gives a cookie, which opens its websockets.

import { learnTime } from "./clock.js";
import { t } from "./texts.js";

/**
 * How the server lets this page log in, and who is logged in. `offered` is false where it needs the
 * key: on plain http, or from a server that does not know of it.
 * @returns {Promise<{ offered: boolean, insecure: boolean, user: { name: string, rights: string[] } | null }>}
 */
export async function loginState() {
  try {
    const response = await fetch("/api/login");
    learnTime(response);
    const state = await response.json();
    const insecure = state.insecure === true;
    // A proxy may hide from the server that this page came without TLS.
    const offered = state.offered === true && (insecure || isSecureContext);
    return { offered, insecure, user: state.user ?? null };
  } catch {
    return { offered: false, insecure: false, user: null };
  }
}

/**
 * Logs in. Resolves to the rights of the user; throws what to tell the user, with the `status` of the answer.
 * @param {string} user
 * @param {string} password
 * @returns {Promise<string[]>}
 */
export async function logInByCookie(user, password) {
  const response = await post("/api/login", { user, password });
  const { error, user: known } = await response.json().catch(() => ({}));
  if (!response.ok) {
    const reason = response.status === 401 ? t("login.wrong") : (error ?? t("login.status", { status: String(response.status) }));
    throw Object.assign(new Error(reason), { status: response.status });
  }
  return known?.rights ?? [];
}

/** Ends the login, and all connections that it has opened. */
export async function logOutByCookie() {
  await post("/api/logout", {});
}

/**
 * @param {string} path
 * @param {object} body
 */
async function post(path, body) {
  try {
    return await fetch(path, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(body),
    });
  } catch {
    throw new Error(t("login.unreachable"));
  }
}

// Telling of alarms while the panel is out of sight, where the user wants it.

import { baseClass } from "./names.js";
import { remember, settings } from "./settings.js";
import { language, t } from "./texts.js";
import { sentenceOf } from "./words.js";

const CLASS_ALARM = 1;

/** The service worker, which shows notifications where pages may not (phones). */
let worker = null;

/** True if this browser can, on this page: only over TLS or on the same machine. */
export function canNotify() {
  return isSecureContext && "Notification" in globalThis;
}

/** True if the user wants it and the browser lets it. */
export function notifies() {
  return canNotify() && settings().notify === true && Notification.permission === "granted";
}

/** Turns it on or off; asks the user where needed. Resolves to whether it is on. */
export async function setNotifies(on) {
  const allowed = on && canNotify() && (await Notification.requestPermission()) === "granted";
  remember({ notify: allowed || undefined });
  await setUpNotifying();
  return allowed;
}

/** Registers the service worker if there is something to tell. */
export async function setUpNotifying() {
  if (notifies() && "serviceWorker" in navigator) {
    try {
      await navigator.serviceWorker.register("sw.js");
      // One that is still being installed shows nothing.
      worker = await navigator.serviceWorker.ready;
    } catch {
      worker = null;
    }
  }
}

/** Tells of an event if it is an alarm. @param {(guid: string) => string} nodeTitle  what people call its sender */
export function notifyOf(event, nodeTitle) {
  if (baseClass(event.class) !== CLASS_ALARM || !notifies() || document.visibilityState === "visible") {
    return;
  }
  const title = sentenceOf(event, { language: language() });
  // One with the same tag takes the place of the one before: a flood of alarms is one notification.
  const options = { body: t("notify.body", { node: nodeTitle(event.guid) }), tag: `alarm ${event.type} ${event.guid}`, icon: "icon-192.png" };
  if (worker) {
    worker.showNotification(title, options).catch(() => {});
  } else {
    const notification = new Notification(title, options);
    notification.onclick = () => globalThis.focus();
  }
}

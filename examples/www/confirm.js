// Questions before something that cannot be taken back.

import { t } from "./texts.js";

/**
 * Asks in the dialog with the id `confirm`; resolves to whether it is to be done.
 * @param {{ title: string, text: string, action: string }} question
 */
export function ask({ title, text, action }) {
  const dialog = document.getElementById("confirm");
  const [heading, paragraph] = dialog.querySelectorAll("h2, p");
  const [cancel, confirm] = dialog.querySelectorAll("button");
  heading.textContent = title;
  paragraph.textContent = text;
  cancel.textContent = t("send.cancel");
  confirm.textContent = action;
  dialog.returnValue = "";
  dialog.showModal();
  // Whoever presses a key too much does not agree.
  cancel.focus();
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => resolve(dialog.returnValue === "yes"), { once: true });
  });
}

// The settings of this device, and the address of the panel for other devices.

import { h, svg } from "./dom.js";
import { canNotify, notifies, setNotifies } from "./notify.js";
import { remember, settings } from "./settings.js";
import { language, setLanguage, t } from "./texts.js";

const THEMES = ["auto", "light", "dark"];
/** The languages by the names that they have for themselves. */
const LANGUAGES = { en: "English", sv: "Svenska" };

/** Fills the page of settings. */
export function showSettings(element) {
  // What has the focus has changed the language: it is drawn again with all the rest.
  const { name, value } = element.contains(document.activeElement) ? document.activeElement : {};
  const theme = settings().theme ?? "auto";
  element.replaceChildren(
    h(
      "div",
      { class: "card settings-card" },
      choice("theme", t("settings.theme"), THEMES.map((value) => [value, t(`settings.theme.${value}`)]), theme, chooseTheme),
      choice("language", t("settings.language"), Object.entries(LANGUAGES), language(), setLanguage),
      notification(),
      settings().key ? forgetKey(element) : "",
    ),
    h("div", { class: "card settings-card" }, h("h3", { text: t("phone.title") }), ...phone()),
  );
  if (name) {
    element.querySelector(`input[name="${name}"][value="${value}"]`)?.focus({ preventScroll: true });
  }
}

/** Opens a dialog with the address of the panel as a QR code. */
export function showPhone() {
  const close = h("button", { type: "button", class: "primary", text: t("phone.close") });
  const dialog = h("dialog", { class: "card", "aria-labelledby": "phone-title" }, h("h2", { id: "phone-title", text: t("phone.title") }), phone(), h("div", { class: "buttons" }, close));
  close.addEventListener("click", () => dialog.close());
  dialog.addEventListener("close", () => dialog.remove());
  document.body.append(dialog);
  dialog.showModal();
}

function choice(name, title, options, current, choose) {
  const radios = options.map(([value, text]) =>
    h("label", {}, h("input", { type: "radio", name: `settings-${name}`, value, checked: value === current, on: { change: () => choose(value) } }), h("span", { text })),
  );
  return h("fieldset", { class: "field choice" }, h("legend", { text: title }), radios);
}

function chooseTheme(theme) {
  remember({ theme: theme === "auto" ? undefined : theme });
  if (theme === "auto") {
    delete document.documentElement.dataset.theme;
  } else {
    document.documentElement.dataset.theme = theme;
  }
}

function notification() {
  const box = h("input", { type: "checkbox", id: "settings-notify", checked: notifies(), disabled: !canNotify(), "aria-describedby": "settings-notify-hint" });
  const hint = h("p", { class: "hint", id: "settings-notify-hint", text: canNotify() ? t("settings.notify.hint") : t("settings.notify.insecure") });
  box.addEventListener("change", async () => {
    const wanted = box.checked;
    box.checked = await setNotifies(wanted);
    hint.textContent = wanted && !box.checked ? t("settings.notify.refused") : t("settings.notify.hint");
  });
  return h("div", {}, h("div", { class: "check" }, box, h("label", { for: "settings-notify", text: t("settings.notify") })), hint);
}

function forgetKey(element) {
  const forget = () => {
    remember({ key: undefined });
    showSettings(element);
  };
  return h("div", {}, h("button", { type: "button", text: t("settings.forget-key"), on: { click: forget } }), h("p", { class: "hint", text: t("settings.key-kept") }));
}

/** The address, which may be changed, and its QR code. */
function phone() {
  const isLocal = /^(localhost|127\.|\[::1\])/.test(location.hostname) || location.hostname.endsWith(".localhost");
  const address = h("input", { id: "phone-address", class: "code", inputmode: "url", spellcheck: "false", autocomplete: "off" });
  address.value = `${location.origin}/`;
  const picture = h("div", { class: "qr" });
  const draw = async () => picture.replaceChildren(await qrOf(address.value));
  address.addEventListener("input", draw);
  draw();
  return [
    h("p", { class: "hint", text: isLocal ? t("phone.local") : t("phone.hint") }),
    h("div", { class: "field" }, h("label", { for: "phone-address", text: t("phone.address") }), address),
    picture,
  ];
}

async function qrOf(text) {
  const { generate } = await import("./qr.js");
  try {
    const code = generate(text);
    let path = "";
    for (let y = 0; y < code.size; y += 1) {
      for (let x = 0; x < code.size; x += 1) {
        path += code.get(x, y) ? `M${x} ${y}h1v1h-1z` : "";
      }
    }
    // Four modules of white around it (ISO/IEC 18004).
    const box = `-4 -4 ${code.size + 8} ${code.size + 8}`;
    return svg("svg", { class: "qr-code", viewBox: box, role: "img", "aria-label": t("phone.code") }, svg("path", { d: path }));
  } catch {
    return t("phone.long");
  }
}

// The dialog that names a sensor or a node, in the server's file of names.

import { changeName, readNames } from "./api.js";
import { h, setText } from "./dom.js";
import { t } from "./texts.js";

const MOST_DECIMALS = 9;

/**
 * Opens the dialog for a sensor. Resolves to whether something has been changed.
 * @param {import("./home.js").Sensor} sensor
 */
export function renameSensor(sensor, rooms) {
  return ask(sensor.key, t("rename.sensor", { name: sensor.title }), rooms, ["name", "room", "decimals", "hidden"], sensor.quantity);
}

/** The same for a node. @param {{ guid: string, name: string|null }} node */
export function renameNode(node, rooms) {
  const title = node.name ?? t("node.unnamed", { tail: node.guid.slice(-5) });
  return ask(node.guid, t("rename.node", { name: title }), rooms, ["name", "room", "hidden"], title);
}

async function ask(key, title, rooms, members, example) {
  // What stands in the file for this key alone; what it has from its node is not to be copied.
  const entry = await readNames().then(({ names }) => names[key] ?? {}, () => ({}));
  const fields = {
    name: h("input", { id: "rename-name", maxlength: 200, autocomplete: "off", placeholder: example }),
    room: h("input", { id: "rename-room", maxlength: 200, autocomplete: "off", list: "rename-rooms" }),
    decimals: h("input", { id: "rename-decimals", type: "number", min: 0, max: MOST_DECIMALS }),
    hidden: h("input", { id: "rename-hidden", type: "checkbox" }),
  };
  for (const [name, field] of Object.entries(fields)) {
    if (name === "hidden") {
      field.checked = entry.hidden === true;
    } else {
      field.value = entry[name] ?? "";
    }
  }
  const rows = members.map((name) => {
    const label = h("label", { for: `rename-${name}`, text: t(`rename.${name}`) });
    return h("div", { class: name === "hidden" ? "check" : "field" }, name === "hidden" ? [fields[name], label] : [label, fields[name]]);
  });
  const message = h("p", { class: "message error", role: "alert" });
  const save = h("button", { class: "primary", text: t("rename.save") });
  const cancel = h("button", { type: "button", text: t("rename.cancel") });
  const list = h("datalist", { id: "rename-rooms" }, rooms.map((room) => h("option", { value: room })));
  const form = h("form", { method: "dialog" }, h("h2", { id: "rename-title", text: title }), rows, list, message, h("div", { class: "buttons" }, cancel, save));
  const dialog = h("dialog", { class: "card", "aria-labelledby": "rename-title" }, form);
  document.body.append(dialog);
  const closed = new Promise((resolve) => {
    let isChanged = false;
    dialog.addEventListener("close", () => {
      dialog.remove();
      resolve(isChanged);
    });
    cancel.addEventListener("click", () => dialog.close());
    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      save.disabled = true;
      setText(message, "");
      try {
        await changeName(key, changeOf(fields, members));
        isChanged = true;
        dialog.close();
      } catch (error) {
        setText(message, t("rename.failed", { reason: error.message }));
        save.disabled = false;
      }
    });
  });
  dialog.showModal();
  fields.name.select();
  return closed;
}

/** The members of an entry as the fields say; null removes one. */
function changeOf(fields, members) {
  const values = {
    name: fields.name.value.trim() || null,
    room: fields.room.value.trim() || null,
    decimals: fields.decimals.value === "" ? null : Number(fields.decimals.value),
    hidden: fields.hidden.checked || null,
  };
  return Object.fromEntries(members.map((name) => [name, values[name]]));
}

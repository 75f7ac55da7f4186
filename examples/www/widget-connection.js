// <vscp-connection>: how the page is connected, and the login.

import { reasonOf } from "./errors.js";
import { t } from "./texts.js";
import { Widget, h, sheet } from "./widget-base.js";
import { Source } from "./widget-source.js";

const STYLE = sheet(`
:host { min-height: 2.25rem; }
.row { flex-wrap: wrap; }
.state { display: flex; align-items: center; gap: 0.5rem; font-weight: 550; }
.state::before {
  content: "";
  width: 0.625rem;
  height: 0.625rem;
  border-radius: 50%;
  background: var(--soft);
}
[data-state="open"]::before { background: var(--good); }
[data-state="waiting"]::before, [data-state="connecting"]::before { background: var(--warn); }
form {
  display: flex;
  flex-wrap: wrap;
  align-items: end;
  gap: 0.75rem;
  max-width: 44rem;
  margin-top: 0.75rem;
  padding: 1rem;
  border: 1px solid var(--edge);
  border-radius: var(--radius);
  background: var(--surface);
}
label { display: grid; flex: 1 1 9rem; gap: 0.25rem; font-size: 0.875em; }
input { width: 100%; min-height: 2.5rem; padding: 0.25rem 0.625rem; border: 1px solid var(--edge-strong); border-radius: 0.5rem; background: var(--surface); }
button {
  min-height: 2.25rem;
  padding: 0.25rem 0.875rem;
  border: 1px solid var(--edge-strong);
  border-radius: 0.5rem;
  background: var(--surface);
  cursor: pointer;
}
form button { min-height: 2.5rem; border-color: var(--accent); background: var(--accent); color: var(--on-accent); font-weight: 550; }
.error { flex-basis: 100%; color: var(--bad); }
`);

/**
 * Shows how the page is connected, and asks for name and password where nobody is logged in. All
 * other widgets use the first one of the page, or the one that their attribute `connection` names
 * by its id; a page without one uses the server that it is from.
 *
 * Attributes: `server` (ws://host:port, the page's own by default), `protocol` (ws2 or ws1), and for
 * a login without asking `user`, `password` and `key`, which everybody can read who can read the page.
 */
export class VscpConnection extends Widget {
  #state = h("span.state", { role: "status" });
  #account = h("span.soft");
  #retry = h("button", { type: "button" });
  #logOut = h("button", { type: "button" });
  #form;
  #fields = {
    user: h("input", { name: "user", autocomplete: "username", autocapitalize: "none", spellcheck: "false", required: "" }),
    password: h("input", { name: "password", type: "password", autocomplete: "current-password", required: "" }),
    key: h("input", { name: "key", autocomplete: "off", spellcheck: "false", pattern: "[0-9A-Fa-f]{32}" }),
  };
  #names = { user: h("span"), password: h("span"), key: h("span") };
  #keyField;
  #submit = h("button", { type: "submit" });
  #error = h("p.error", { role: "alert", hidden: "" });
  /** @type {Source | null} */
  #own = null;

  constructor() {
    super(STYLE);
    const field = (/** @type {"user" | "password" | "key"} */ name) => h("label", {}, this.#names[name], this.#fields[name]);
    this.#keyField = field("key");
    this.#form = h("form", { hidden: "" }, field("user"), field("password"), this.#keyField, this.#submit, this.#error);
    this.show(h("div.row", {}, this.#state, this.#account, this.#retry, this.#logOut), this.#form);
    this.#retry.addEventListener("click", () => this.source.retry());
    this.#logOut.addEventListener("click", () => this.source.logOut());
    this.#form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#logIn();
    });
  }

  /** @override */
  findSource() {
    const given = (/** @type {string} */ name) => this.getAttribute(name) ?? undefined;
    const protocol = given("protocol");
    this.#own ??= new Source({
      server: given("server"),
      user: given("user"),
      password: given("password"),
      key: given("key"),
      protocol: protocol === "ws1" || protocol === "ws2" ? protocol : undefined,
    });
    return this.#own;
  }

  /** @override */
  get source() {
    return this.findSource();
  }

  /** @override */
  draw() {
    const { source } = this;
    this.#state.textContent = t(source.state === "login" ? "widget.login" : `state.${source.state}`);
    this.#state.dataset.state = source.state;
    this.#account.textContent = source.state === "open" && source.user ? `${source.user} · ${source.host}` : source.host;
    this.#retry.textContent = t("widget.retry");
    this.#retry.hidden = source.state !== "waiting";
    this.#logOut.textContent = t("widget.logOut");
    this.#logOut.hidden = source.state !== "open" || this.hasAttribute("user");
    this.#form.hidden = source.state !== "login";
    this.#names.user.textContent = t("widget.user");
    this.#names.password.textContent = t("widget.password");
    this.#names.key.textContent = t("widget.key");
    this.#keyField.hidden = source.isKeyless;
    this.#submit.textContent = t("widget.logIn");
    this.#showError(source.error);
  }

  async #logIn() {
    const { user, password, key } = this.#fields;
    this.#submit.disabled = true;
    try {
      await this.source.logIn(user.value.trim(), password.value, key.value.trim());
      password.value = "";
    } catch (error) {
      this.#showError(reasonOf(error));
      password.select();
      password.focus();
    } finally {
      this.#submit.disabled = false;
    }
  }

  /** @param {string} text */
  #showError(text) {
    this.#error.textContent = text;
    this.#error.hidden = !text;
  }
}

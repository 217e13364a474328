/** What an account is to be: role, cameras, password, whether anybody is let in by it. */

import { put, remove } from "../net/api.js";
import { board } from "../state/board.js";
import { t, word } from "../state/words.js";
import { BoardPart, html, nothing } from "./element.js";
import "./hold-button.js";
import { saying } from "./said.js";

export const ROLES = ["viewer", "operator", "admin", "kiosk"];

class AccountForm extends BoardPart {
  static properties = { account: { attribute: false }, all: { state: true }, said: { state: true }, busy: { state: true } };

  constructor() {
    super();
    /** Null: a new one. @type {any} */
    this.account = null;
    this.all = true;
    /** @type {{kind: string, text: string} | null} */
    this.said = null;
    this.busy = false;
  }

  /** @param {Map<string, any>} changed */
  willUpdate(changed) {
    if (changed.has("account")) this.all = !this.account?.cameras;
  }

  firstUpdated() {
    /** @type {HTMLElement | null} */ (this.querySelector("input:not([type=checkbox]), select"))?.focus();
  }

  render() {
    const one = this.account;
    return html`<form class="fields account-form" aria-label=${one ? t("accounts.change_of", { name: one.name }) : t("accounts.new")} @submit=${(/** @type {SubmitEvent} */ e) => this.#save(e)}>
      ${one ? nothing : html`<label>${t("login.name")}<input name="name" required maxlength="48" pattern="[A-Za-z0-9_.:\\-]+" autocomplete="off" autocapitalize="none" spellcheck="false" /></label>`}
      <label>${t("accounts.role")}<select name="role">${ROLES.map((role) => html`<option value=${role} .selected=${role === (one?.role ?? "viewer")}>${word("role", role)} – ${t(`role_words.${role}`)}</option>`)}</select></label>
      <label>${one ? t("accounts.reset_password") : t("login.password")}<input name="password" type="password" autocomplete="new-password" ?required=${!one} minlength="10" maxlength="1000" placeholder=${one ? t("accounts.unchanged") : ""} /></label>
      <fieldset><legend>${t("accounts.cameras")}</legend>
        <label class="check"><input type="checkbox" .checked=${this.all} @change=${(/** @type {any} */ e) => { this.all = e.target.checked; }} />${t("accounts.all_cameras")}</label>
        ${this.all ? nothing : this.#known().map(([id, name]) => html`<label class="check"><input type="checkbox" name="camera" value=${id} .checked=${one?.cameras?.includes(id) ?? false} />${name}</label>`)}</fieldset>
      ${one ? html`<label class="check"><input type="checkbox" name="disabled" .checked=${one.disabled} />${t("accounts.disable")}</label>` : nothing}
      <p class="faint">${one ? t("accounts.signs_in_anew") : t("accounts.password_words", { n: 10 })}</p>
      <p class="said ${this.said?.kind ?? ""}" role="alert">${this.said?.text ?? ""}</p>
      <div class="row"><button class="act confirm" ?disabled=${this.busy}><span class="act-label">${t("accounts.save")}</span></button>
        <button type="button" class="act" @click=${() => this.#tell("closed")}><span class="act-label">${t("accounts.close")}</span></button><span class="spring"></span>
        ${one ? html`<hc-hold-button kind="negate" sign="negate" .label=${t("accounts.remove")} .disabled=${this.busy} @held=${() => this.#remove()}></hc-hold-button>` : nothing}</div></form>`;
  }

  /** Cameras that there are, and those of the account that are gone. @returns {[string, string][]} */
  #known() {
    const known = new Map(board.cameras.map((one) => [one.id, one.name || one.id]));
    for (const id of this.account?.cameras ?? []) if (!known.has(id)) known.set(id, id);
    return [...known];
  }

  /** @param {SubmitEvent} event */
  async #save(event) {
    event.preventDefault();
    const typed = new FormData(/** @type {HTMLFormElement} */ (event.target));
    const name = this.account?.name ?? String(typed.get("name"));
    await this.#send(() => put(`api/v1/accounts/${encodeURIComponent(name)}`, {
      role: typed.get("role"),
      cameras: this.all ? null : typed.getAll("camera"),
      password: typed.get("password") || null,
      disabled: typed.has("disabled"),
    }));
  }

  async #remove() {
    await this.#send(() => remove(`api/v1/accounts/${encodeURIComponent(this.account.name)}`));
  }

  /** @param {() => Promise<any>} send */
  async #send(send) {
    this.busy = true;
    this.said = await saying(send, { done: "" });
    this.busy = false;
    if (this.said.kind === "ok") this.#tell("changed");
  }

  /** @param {string} name */
  #tell(name) {
    this.dispatchEvent(new Event(name, { bubbles: true }));
  }
}

customElements.define("hc-account-form", AccountForm);

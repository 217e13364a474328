/** One's own account; and for who gives accounts: everybody's, and the tokens of scripts. */

import { Problem, get, post } from "../net/api.js";
import "../parts/account-form.js";
import { BoardPart, html, nothing, repeat } from "../parts/element.js";
import { icon } from "../parts/icons.js";
import { saying } from "../parts/said.js";
import "../parts/tokens.js";
import { board } from "../state/board.js";
import { t, word } from "../state/words.js";

const SHORTEST = 10;

class Accounts extends BoardPart {
  static properties = { accounts: { state: true }, open: { state: true }, said: { state: true }, busy: { state: true } };

  constructor() {
    super();
    /** @type {any[] | null} */
    this.accounts = null;
    /** Whose form is open; "": that of a new one. @type {string | null} */
    this.open = null;
    /** @type {{kind: string, text: string} | null} */
    this.said = null;
    this.busy = false;
  }

  connectedCallback() {
    super.connectedCallback();
    this.during(this, "changed", () => { this.open = null; void this.#ask(); });
    this.during(this, "closed", () => { this.open = null; });
    void this.#ask();
  }

  async #ask() {
    if (!board.session.may_administer) return;
    try {
      this.accounts = await get("api/v1/accounts");
    } catch (problem) {
      this.accounts ??= [];
      this.said = { kind: "danger", text: /** @type {Problem} */ (problem).message };
    }
  }

  render() {
    const { name, may_administer } = board.session;
    return html`<div class="page"><div class="toolbar"><h1>${word("page", "accounts")}</h1><span class="spring"></span>
        ${name ? html`<button class="quiet-button bordered" @click=${() => this.#leave()}>${icon("leave")}<span>${t("shell.logout")}</span></button>` : nothing}</div>
      <div class="columns">${name ? this.#own() : html`<section class="panel"><p class="faint">${t("accounts.nobody")}</p><a class="act" href="login">${icon("user")}<span class="act-label">${t("shell.login")}</span></a></section>`}</div>
      ${may_administer ? html`${this.#everybody()}<hc-tokens .accounts=${this.accounts ?? []}></hc-tokens>` : nothing}</div>`;
  }

  #own() {
    const { name, role, cameras } = board.session;
    return html`<section class="panel"><h2>${t("accounts.own")}</h2>
        <p class="account-line"><strong>${name}</strong><span class="chip">${word("role", role)}</span><span class="faint">${camerasOf(cameras)}</span></p></section>
      <section class="panel"><h2>${t("accounts.change_password")}</h2>
        <form class="fields" @submit=${(/** @type {SubmitEvent} */ e) => this.#password(e)}>
          <label>${t("accounts.old_password")}<input name="old" type="password" autocomplete="current-password" required maxlength="1000" /></label>
          <label>${t("accounts.new_password")}<input name="new" type="password" autocomplete="new-password" required minlength=${SHORTEST} maxlength="1000" /></label>
          <p class="faint">${t("accounts.password_words", { n: SHORTEST })}</p>
          <p class="said ${this.said?.kind ?? ""}" role="status">${this.said?.text ?? ""}</p>
          <button class="act" ?disabled=${this.busy}><span class="act-label">${t("accounts.change_password")}</span></button></form></section>`;
  }

  #everybody() {
    return html`<section class="panel"><div class="panel-head"><h2>${t("accounts.everybody")}</h2><span class="spring"></span>
        <button class="quiet-button bordered" aria-expanded=${this.open === ""} @click=${() => { this.open = this.open === "" ? null : ""; }}>${icon("plus")}<span>${t("accounts.new")}</span></button></div>
      ${this.open === "" ? html`<hc-account-form></hc-account-form>` : nothing}
      ${this.accounts ? html`<ul class="rows accounts">${repeat(this.accounts, (one) => one.name, (one) => this.#row(one))}</ul>` : html`<p class="empty">${t("list.loading")}</p>`}</section>`;
  }

  /** @param {any} one */
  #row(one) {
    const own = one.name === board.session.name;
    const open = this.open === one.name;
    return html`<li><div class="account-line"><strong>${one.name}</strong><span class="chip">${word("role", one.role)}</span>
        ${one.disabled ? html`<span class="chip danger">${t("accounts.disabled")}</span>` : nothing}
        <span class="faint">${camerasOf(one.cameras)} · ${t("accounts.changed", { time: board.time.near(one.changed_at, board.clock.now()) })}</span><span class="spring"></span>
        ${own ? html`<span class="faint">${t("accounts.you")}</span>` : html`<button class="quiet-button bordered" aria-expanded=${open} aria-label=${t("accounts.change_of", { name: one.name })}
          @click=${() => { this.open = open ? null : one.name; }}>${t("accounts.change")}</button>`}</div>
      ${open ? html`<hc-account-form .account=${one}></hc-account-form>` : nothing}</li>`;
  }

  /** @param {SubmitEvent} event */
  async #password(event) {
    event.preventDefault();
    const form = /** @type {HTMLFormElement} */ (event.target);
    const typed = new FormData(form);
    this.busy = true;
    this.said = await saying(
      () => post("api/v1/password", { old: typed.get("old"), new: typed.get("new") }),
      { done: t("accounts.password_changed"), 401: t("accounts.password_wrong") },
    );
    if (this.said.kind === "ok") form.reset();
    this.busy = false;
  }

  async #leave() {
    await post("api/v1/logout");
    location.assign(document.baseURI);
  }
}

/** What an account sees, in words. @param {string[] | null | undefined} cameras */
export function camerasOf(cameras) {
  if (!cameras) return t("accounts.all_cameras");
  if (!cameras.length) return t("accounts.no_camera");
  return cameras.map((id) => board.camera(id)?.name || id).join(", ");
}

customElements.define("hc-accounts", Accounts);

/** What scripts show instead of a password: listed, made (its secret is told once), withdrawn. */

import { Problem, get, post, remove } from "../net/api.js";
import { board } from "../state/board.js";
import { t } from "../state/words.js";
import { BoardPart, html, nothing, repeat } from "./element.js";
import "./hold-button.js";
import { icon } from "./icons.js";

const SCOPES = ["look", "decide"];
const DAYS = [30, 90, 365];
const USUAL_DAYS = 90;
const DAY_S = 86_400;

class Tokens extends BoardPart {
  static properties = { accounts: { attribute: false }, tokens: { state: true }, making: { state: true }, made: { state: true }, said: { state: true } };

  constructor() {
    super();
    /** @type {any[]} */
    this.accounts = [];
    /** @type {any[] | null} */
    this.tokens = null;
    this.making = false;
    /** The one that was just made, with its secret. @type {any} */
    this.made = null;
    this.said = "";
  }

  connectedCallback() {
    super.connectedCallback();
    void this.#ask();
  }

  /** @param {Map<string, any>} changed */
  willUpdate(changed) {
    if (changed.get("accounts")?.length) void this.#ask(); // an account that went took its own along
  }

  async #ask() {
    try {
      this.tokens = await get("api/v1/tokens");
    } catch (problem) {
      this.tokens ??= [];
      this.said = /** @type {Problem} */ (problem).message;
    }
  }

  render() {
    return html`<section class="panel"><div class="panel-head"><h2>${t("tokens.title")}</h2><span class="spring"></span>
        <button class="quiet-button bordered" aria-expanded=${this.making} @click=${() => { this.making = !this.making; }}>${icon("plus")}<span>${t("tokens.new")}</span></button></div>
      <p class="faint">${t("tokens.words")}</p>
      <p class="said danger" role="alert">${this.said}</p>
      ${this.made ? this.#secret() : nothing}${this.making ? this.#form() : nothing}
      ${this.tokens === null ? html`<p class="empty">${t("list.loading")}</p>` : html`<ul class="rows accounts">${repeat(this.tokens, (one) => one.id, (one) => this.#row(one))}</ul>`}
      ${this.tokens?.length === 0 ? html`<p class="faint">${t("tokens.none")}</p>` : nothing}</section>`;
  }

  #secret() {
    return html`<div class="secret" role="status"><p>${t("tokens.once")}</p><code>${this.made.secret}</code></div>`;
  }

  #form() {
    return html`<form class="fields token-form" aria-label=${t("tokens.new")} @submit=${(/** @type {SubmitEvent} */ e) => this.#make(e)}>
      <label>${t("tokens.account")}<select name="account">${this.accounts.map((one) => html`<option value=${one.name} .selected=${one.name === board.session.name}>${one.name}</option>`)}</select></label>
      <label>${t("tokens.scope")}<select name="scope">${SCOPES.map((one) => html`<option value=${one}>${t(`tokens.scope_${one}`)}</option>`)}</select></label>
      <label>${t("tokens.lasts")}<select name="days">${DAYS.map((one) => html`<option value=${one} .selected=${one === USUAL_DAYS}>${t("tokens.days", { n: one })}</option>`)}<option value="">${t("tokens.until_withdrawn")}</option></select></label>
      <label>${t("tokens.note")}<input name="note" maxlength="64" autocomplete="off" /></label>
      <button class="act confirm"><span class="act-label">${t("tokens.make")}</span></button></form>`;
  }

  /** @param {any} one */
  #row(one) {
    const over = one.until !== null && one.until <= board.clock.now();
    return html`<li class="account-line"><strong>${one.note || one.id}</strong><span class="chip">${t(`tokens.scope_${one.scope}`)}</span>
      <span class="faint">${t("tokens.of", { name: one.account })} · ${one.until === null ? t("tokens.until_withdrawn") : t(over ? "tokens.over" : "tokens.until", { time: board.time.full(one.until) })}</span><span class="spring"></span>
      <hc-hold-button kind="negate" sign="negate" .label=${t("tokens.withdraw")} @held=${() => this.#withdraw(one)}></hc-hold-button></li>`;
  }

  /** @param {SubmitEvent} event */
  async #make(event) {
    event.preventDefault();
    const typed = new FormData(/** @type {HTMLFormElement} */ (event.target));
    const days = Number(typed.get("days"));
    const until = days ? board.clock.now() + days * DAY_S : null;
    const [account, scope, note] = ["account", "scope", "note"].map((name) => typed.get(name));
    await this.#try(async () => {
      this.made = await post("api/v1/tokens", { account, scope, note, until });
      this.making = false;
    });
  }

  /** @param {any} one */
  async #withdraw(one) {
    await this.#try(() => remove(`api/v1/tokens/${encodeURIComponent(one.id)}`));
    if (this.made?.id === one.id) this.made = null;
  }

  /** @param {() => Promise<any>} work */
  async #try(work) {
    this.said = "";
    try {
      await work();
    } catch (problem) {
      this.said = /** @type {Problem} */ (problem).message;
    }
    await this.#ask();
  }
}

customElements.define("hc-tokens", Tokens);

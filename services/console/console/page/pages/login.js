/** Who are you? */

import { Problem, post } from "../net/api.js";
import { BoardPart, html } from "../parts/element.js";
import { icon } from "../parts/icons.js";
import { board } from "../state/board.js";
import { LANGUAGES, currentLanguage, speak, t } from "../state/words.js";

class Login extends BoardPart {
  static properties = { said: { state: true }, busy: { state: true } };

  constructor() {
    super();
    this.said = "";
    this.busy = false;
  }

  firstUpdated() {
    /** @type {HTMLElement | null} */ (this.querySelector("input"))?.focus();
  }

  render() {
    return html`<form class="login panel" @submit=${(/** @type {SubmitEvent} */ e) => this.#enter(e)}>
      <div class="login-brand">${icon("incidents")}<h1>Hazardcast</h1></div>
      <p class="faint">${t("login.words")}</p>
      <label>${t("login.name")}<input name="name" autocomplete="username" required maxlength="100" /></label>
      <label>${t("login.password")}<input name="password" type="password" autocomplete="current-password" required maxlength="1000" /></label>
      <p class="said danger" role="alert">${this.said}</p>
      <button class="act confirm wide" ?disabled=${this.busy}><span class="act-label">${t("login.enter")}</span></button>
      <div class="row">${board.session.free_view ? html`<a href="./">${t("login.only_look")}</a>` : ""}<span class="spring"></span>
        <select class="language" aria-label=${t("shell.language")} @change=${async (/** @type {any} */ e) => { await speak(e.target.value, true); this.requestUpdate(); }}>
          ${Object.entries(LANGUAGES).map(([code, title]) => html`<option value=${code} .selected=${code === currentLanguage()}>${title}</option>`)}</select></div>
    </form>`;
  }

  /** @param {SubmitEvent} event */
  async #enter(event) {
    event.preventDefault();
    const form = new FormData(/** @type {HTMLFormElement} */ (event.target));
    this.busy = true;
    this.said = "";
    try {
      await post("api/v1/login", { name: form.get("name"), password: form.get("password") });
      location.assign(document.baseURI);
    } catch (problem) {
      const { status } = /** @type {Problem} */ (problem);
      this.said = status === 401 ? t("login.wrong") : status === 429 ? t("login.too_often") : /** @type {Problem} */ (problem).message;
    }
    this.busy = false;
  }
}

customElements.define("hc-login", Login);

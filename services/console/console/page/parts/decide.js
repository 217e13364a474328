/** What an operator says of an incident: confirm, clear, false alarm; or approve, reject. */

import { ended } from "../core/alerts.js";
import { Problem, post } from "../net/api.js";
import { board } from "../state/board.js";
import { t, word } from "../state/words.js";
import "./hold-button.js";
import { BoardPart, html, nothing } from "./element.js";
import { icon } from "./icons.js";

export const REASONS = ["shadow", "queue", "weather", "maintenance", "test", "duplicate", "cleared", "other"];
const FALSE = ["shadow", "queue", "weather", "maintenance", "test", "duplicate", "other"];

class Decide extends BoardPart {
  static properties = {
    alert: { attribute: false },
    pending: { attribute: false },
    reason: { state: true }, note: { state: true }, busy: { state: true }, said: { state: true },
  };

  constructor() {
    super();
    /** @type {any} */
    this.alert = null;
    /** @type {any} */
    this.pending = null;
    this.reason = "";
    this.note = "";
    this.busy = false;
    /** @type {{kind: string, text: string} | null} */
    this.said = null;
  }

  connectedCallback() {
    super.connectedCallback();
    this.during(window, "keydown", (event) => this.#key(event));
    this.during(window, "keyup", () => this.#buttons().forEach((one) => one.release()));
  }

  get #id() {
    return this.alert?.event_id ?? this.pending?.event_id;
  }

  render() {
    if (!this.alert && !this.pending) return nothing;
    if (!board.session.may_decide) {
      return html`<section class="panel decide"><h2>${t("decide.title")}</h2>
        <p class="faint">${t("decide.needs_account")}</p>
        <a class="act" href="login">${icon("user")}<span class="act-label">${t("shell.login")}</span></a></section>`;
    }
    return html`<section class="panel decide"><h2>${t("decide.title")}</h2>
      ${this.pending ? this.#forPending() : this.#forAlert()}
      <div class="reasons">
        <label>${t("decide.reason")}
          <select @change=${(/** @type {any} */ e) => { this.reason = e.target.value; }}>
            <option value="">${t("decide.no_reason")}</option>
            ${FALSE.map((one) => html`<option value=${one} .selected=${one === this.reason}>${word("reason", one)}</option>`)}
          </select></label>
        <label>${t("decide.note")}
          <input type="text" maxlength="500" .value=${this.note} @input=${(/** @type {any} */ e) => { this.note = e.target.value; }} /></label>
      </div>
      <p class="said ${this.said?.kind ?? ""}" role="status">${this.said?.text ?? ""}</p>
    </section>`;
  }

  #forAlert() {
    const over = ended(this.alert);
    return html`<div class="acts">
      <button class="act confirm" ?disabled=${this.busy || over} aria-keyshortcuts="C" @click=${() => this.#decide("confirm")}>
        ${icon("check")}<span class="act-label">${t("decide.confirm")}</span><kbd>C</kbd></button>
      <hc-hold-button kind="clear" sign="clear" shortcut="X" .label=${t("decide.clear")} .disabled=${this.busy || over}
        @held=${() => this.#decide("clear")}></hc-hold-button>
      <hc-hold-button kind="negate" sign="negate" shortcut="F" .label=${t("decide.negate")} .disabled=${this.busy || over}
        @held=${() => this.#decide("negate")}></hc-hold-button></div>
      <p class="faint hint">${over ? t("decide.over") : t("decide.hint")}</p>`;
  }

  #forPending() {
    const shadow = this.pending.mode === "shadow";
    return html`<div class="acts">
      <button class="act confirm" ?disabled=${this.busy} aria-keyshortcuts="C" @click=${() => this.#decide("approve")}>
        ${icon("check")}<span class="act-label">${t(shadow ? "decide.was_true" : "decide.approve")}</span><kbd>C</kbd></button>
      <hc-hold-button kind="negate" sign="negate" shortcut="F" .label=${t(shadow ? "decide.negate" : "decide.reject")} .disabled=${this.busy}
        @held=${() => this.#decide("reject")}></hc-hold-button></div>
      <p class="faint hint">${t(shadow ? "decide.shadow_hint" : "decide.pending_hint")}</p>`;
  }

  #buttons() {
    return /** @type {any[]} */ ([...this.querySelectorAll("hc-hold-button")]);
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    if (event.repeat || event.ctrlKey || event.metaKey || event.altKey) return;
    if (/** @type {Element} */ (event.target).closest?.("input, select, textarea")) return;
    const key = event.key.toUpperCase();
    if (key === "C") this.#first()?.click();
    const held = this.#buttons().find((one) => one.shortcut === key);
    held?.press();
  }

  #first() {
    return /** @type {HTMLButtonElement | null} */ (this.querySelector("button.confirm:not([disabled])"));
  }

  /** @param {string} action */
  async #decide(action) {
    if (this.busy) return;
    const id = this.#id;
    const revision = this.alert?.revision ?? this.pending?.revision ?? 0;
    this.busy = true;
    this.said = null;
    try {
      const answer = await post(
        `api/v1/alerts/${encodeURIComponent(id)}/decision`,
        { action, reason: this.reason || (action === "clear" ? "cleared" : ""), note: this.note },
        { "If-Match": `"${revision}"` },
      );
      const refused = answer.result === "refused";
      this.said = refused ? { kind: "danger", text: t("decide.moved_on") }
        : { kind: "ok", text: t(answer.result === "sent" ? "decide.sent" : `decide.said_${action}`) };
      if (!refused) this.note = "";
      this.dispatchEvent(new Event("decided", { bubbles: true }));
    } catch (problem) {
      this.said = { kind: "danger", text: refusal(problem) };
      if (/** @type {Problem} */ (problem).status === 412) this.dispatchEvent(new Event("decided", { bubbles: true }));
    }
    this.busy = false;
  }
}

/** Why it was not taken, in words. @param {any} problem */
function refusal(problem) {
  if (problem.status === 412) {
    return problem.body.by ? t("decide.was_first", { by: problem.body.by }) : t("decide.moved_on");
  }
  if (problem.status === 503 || problem.status === 0) return t("decide.no_broker");
  if (problem.status === 401 || problem.status === 403) return t("decide.needs_account");
  return problem.message;
}

customElements.define("hc-decide", Decide);

/**
 * A button that must be held for a second, by pointer or key, so that nothing ends by a slip.
 * An assistive tool that only clicks presses twice.
 */

import { Part, html } from "./element.js";
import { icon } from "./icons.js";
import { t } from "../state/words.js";

export const HOLD_MS = 1000;
const ARMED_MS = 5000;

class HoldButton extends Part {
  static properties = {
    label: {}, sign: {}, shortcut: {}, kind: {},
    disabled: { type: Boolean },
    holding: { state: true },
    armed: { state: true },
  };

  constructor() {
    super();
    this.label = "";
    this.sign = "clear";
    this.shortcut = "";
    this.kind = "";
    this.disabled = false;
    this.holding = false;
    this.armed = false;
  }

  disconnectedCallback() {
    super.disconnectedCallback();
    this.holding = false;
    clearTimeout(this.timer);
    clearTimeout(this.arming);
  }

  render() {
    return html`<button type="button" class="act hold ${this.kind} ${this.holding ? "holding" : ""}" ?disabled=${this.disabled}
        aria-keyshortcuts=${this.shortcut} aria-description=${t("decide.hold")}
        @pointerdown=${(/** @type {PointerEvent} */ e) => this.#down(e)} @pointerup=${() => this.release()} @pointerleave=${() => this.release()}
        @pointercancel=${() => this.release()} @contextmenu=${(/** @type {Event} */ e) => e.preventDefault()}
        @keydown=${(/** @type {KeyboardEvent} */ e) => this.#key(e)} @keyup=${() => this.release()} @blur=${() => this.release()}
        @click=${(/** @type {MouseEvent} */ e) => this.#clicked(e)}>
      <span class="fill" aria-hidden="true"></span>${icon(this.sign)}
      <span class="act-label">${this.armed ? t("decide.again") : this.label}</span><kbd>${this.shortcut}</kbd></button>`;
  }

  /** Begin to hold. */
  press() {
    if (this.disabled || this.holding) return;
    this.holding = true;
    this.began = performance.now();
    this.timer = setTimeout(() => this.#done(), HOLD_MS);
  }

  /** Let go; a busy page may hear of it before its own timer. */
  release() {
    clearTimeout(this.timer);
    const whole = this.holding && performance.now() - (this.began ?? 0) >= HOLD_MS;
    this.holding = false;
    if (whole) this.#done();
  }

  #done() {
    clearTimeout(this.timer);
    this.holding = false;
    this.armed = false;
    this.dispatchEvent(new Event("held"));
  }

  /** @param {PointerEvent} event */
  #down(event) {
    if (event.button === 0) this.press();
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    if (event.key !== "Enter" && event.key !== " ") return;
    event.preventDefault();
    this.press();
  }

  /** A click without a press comes from an assistive tool. @param {MouseEvent} event */
  #clicked(event) {
    if (event.detail !== 0 || performance.now() - (this.began ?? -1e9) < 1500) return;
    if (this.armed) {
      this.#done();
      return;
    }
    this.armed = true;
    this.arming = setTimeout(() => { this.armed = false; }, ARMED_MS);
  }
}

customElements.define("hc-hold-button", HoldButton);

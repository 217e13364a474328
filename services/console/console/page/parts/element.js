/** What all elements of the page share: one stylesheet for all, and the board they watch. */

import { LitElement } from "../vendor/lit/lit-element.js";
import { board } from "../state/board.js";
import { view } from "../state/view.js";

export { html, nothing, svg } from "../vendor/lit/lit-html.js";
export { repeat } from "../vendor/lit/repeat.js";

/** An element without a shadow: the page's style sheet dresses it. */
export class Part extends LitElement {
  createRenderRoot() {
    return this;
  }

  connectedCallback() {
    super.connectedCallback();
    this.leaving = new AbortController();
  }

  disconnectedCallback() {
    super.disconnectedCallback();
    this.leaving?.abort();
  }

  /** Listen until the element leaves the page. */
  during(/** @type {EventTarget} */ target, /** @type {string} */ name, /** @type {(event: any) => void} */ heard) {
    target.addEventListener(name, heard, { signal: this.leaving?.signal });
  }

  /** Do something again and again until the element leaves. */
  every(/** @type {number} */ period_ms, /** @type {() => void} */ work) {
    const timer = setInterval(work, period_ms);
    this.leaving?.signal.addEventListener("abort", () => clearInterval(timer));
  }
}

/** An element that is drawn anew when the board or the view changes. */
export class BoardPart extends Part {
  connectedCallback() {
    super.connectedCallback();
    this.during(board, "change", () => this.requestUpdate());
    this.during(view, "change", () => this.requestUpdate());
  }
}

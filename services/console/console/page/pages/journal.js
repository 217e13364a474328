/** Who decided what, when and why; and all that happened, to look through and to take away. */

import { hrefOf } from "../core/routes.js";
import { get, withQuery } from "../net/api.js";
import { BoardPart, html, nothing, repeat } from "../parts/element.js";
import { eventRow } from "../parts/event-row.js";
import { icon } from "../parts/icons.js";
import { board, rows } from "../state/board.js";
import { t, word } from "../state/words.js";

const PAGE = 100;
const KINDS = ["alert", "incident", "clip", "camera", "service", "decision", "observation"];

class Journal extends BoardPart {
  static properties = { entries: { state: true }, events: { state: true }, next: { state: true }, tab: { state: true }, filter: { state: true } };

  constructor() {
    super();
    /** @type {any[] | null} */
    this.entries = null;
    /** @type {any[] | null} */
    this.events = null;
    /** @type {Record<string, string | null>} */
    this.next = {};
    this.tab = "decisions";
    /** @type {Record<string, string>} */
    this.filter = { kind: "", camera: "", q: "" };
  }

  connectedCallback() {
    super.connectedCallback();
    this.during(board, "event", ({ detail }) => {
      if (detail.kind === "decision") void this.#askEntries(null);
    });
    void this.#askEntries(null);
    void this.#askEvents(null);
  }

  /** @param {string | null} cursor */
  async #askEntries(cursor) {
    try {
      const told = await get("api/v1/journal", { limit: PAGE, cursor });
      this.entries = [...(cursor ? (this.entries ?? []) : []), ...rows(told, "entries")];
      this.next = { ...this.next, decisions: told.next ?? null };
    } catch {
      this.entries ??= [];
    }
  }

  /** @param {string | null} cursor */
  async #askEvents(cursor) {
    try {
      const told = await get("api/v1/events", { ...this.filter, limit: PAGE, cursor });
      this.events = [...(cursor ? (this.events ?? []) : []), ...rows(told, "events")];
      this.next = { ...this.next, events: told.next ?? null };
    } catch {
      this.events ??= [];
    }
  }

  render() {
    return html`<div class="page"><div class="toolbar"><h1>${word("page", "journal")}</h1>
        <div class="toggles" role="group" aria-label=${word("page", "journal")}>${["decisions", "events"].map((one) => html`<button class="toggle" aria-pressed=${this.tab === one} @click=${() => { this.tab = one; }}>${t(`journal.${one}`)}</button>`)}</div>
        <span class="spring"></span>${this.tab === "events" ? this.#filters() : nothing}</div>
      ${this.tab === "decisions" ? this.#decisions() : this.#allEvents()}
      ${this.next[this.tab] ? html`<button class="quiet-button wide" @click=${() => this.#more()}>${t("list.more")}</button>` : nothing}</div>`;
  }

  #more() {
    const cursor = this.next[this.tab];
    void (this.tab === "decisions" ? this.#askEntries(cursor) : this.#askEvents(cursor));
  }

  #filters() {
    const change = (/** @type {string} */ name) => (/** @type {any} */ e) => {
      this.filter = { ...this.filter, [name]: e.target.value };
      void this.#askEvents(null);
    };
    return html`<select aria-label=${t("journal.kind")} @change=${change("kind")}><option value="">${t("journal.every_kind")}</option>${KINDS.map((one) => html`<option value=${one} .selected=${one === this.filter.kind}>${word("kind", one)}</option>`)}</select>
      <select aria-label=${t("timeline.camera")} @change=${change("camera")}><option value="">${t("journal.every_camera")}</option>${board.cameras.map((one) => html`<option value=${one.id} .selected=${one.id === this.filter.camera}>${one.name || one.id}</option>`)}</select>
      <input type="search" placeholder=${t("journal.search")} aria-label=${t("journal.search")} .value=${this.filter.q} @change=${change("q")} />
      ${board.session.may_export === false ? nothing : html`<a class="quiet-button" download href=${withQuery("api/v1/events.csv", this.filter)}>${icon("download")}<span>CSV</span></a>`}`;
  }

  #decisions() {
    if (!this.entries) return html`<p class="empty">${t("list.loading")}</p>`;
    if (!this.entries.length) return html`<p class="empty">${icon("journal")}<span>${t("journal.none")}</span></p>`;
    return html`<ol class="journal">${repeat(this.entries, (one) => one.seq ?? `${one.ts}${one.by}`, (one) => html`<li class="panel">
      <time>${board.time.near(one.ts, board.clock.now())}</time><strong>${one.by ?? t("journal.nobody")}</strong>
      <span class="chip ${one.action}">${word("action", one.action)}</span>
      ${one.event_id ? html`<a href=${hrefOf("incidents", { event: one.event_id })}>${one.event_id}</a>` : nothing}
      <span>${one.reason ? word("reason", one.reason) : ""}</span>${one.note ? html`<q>${one.note}</q>` : nothing}
      ${one.result && one.result !== "done" && one.result !== "accepted" ? html`<span class="chip danger">${word("result", one.result)}</span>` : nothing}</li>`)}</ol>`;
  }

  #allEvents() {
    if (!this.events) return html`<p class="empty">${t("list.loading")}</p>`;
    if (!this.events.length) return html`<p class="empty">${icon("journal")}<span>${t("journal.none")}</span></p>`;
    return html`<section class="panel"><ol class="events">${repeat(this.events, ({ seq }) => seq, eventRow)}</ol></section>`;
  }
}

customElements.define("hc-journal", Journal);

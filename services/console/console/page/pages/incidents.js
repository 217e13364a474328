/** All incidents, and one of them: the picture that decided, the video, the word of a person. */

import { began, ended, merged, newestFirst } from "../core/alerts.js";
import { hrefOf } from "../core/routes.js";
import { get, absolute } from "../net/api.js";
import { alertCard, cameraName, pendingCard, reachedCount, standingChip } from "../parts/alert-card.js";
import { clipProgress } from "../parts/clip-progress.js";
import "../parts/decide.js";
import { BoardPart, html, nothing, repeat } from "../parts/element.js";
import { eventRow } from "../parts/event-row.js";
import { icon, severityMark } from "../parts/icons.js";
import "../parts/replay.js";
import { board, rows } from "../state/board.js";
import { number, t, word } from "../state/words.js";

const BEFORE_S = 10;
const AFTER_S = 50;
const PAGE = 50;

class Incidents extends BoardPart {
  static properties = { params: {}, past: { state: true }, one: { state: true }, history: { state: true }, playing: { state: true }, next: { state: true } };

  constructor() {
    super();
    this.params = "";
    /** @type {any[]} */
    this.past = [];
    /** @type {any} */
    this.one = null;
    /** @type {any[]} */
    this.history = [];
    this.playing = false;
    /** @type {string | null} */
    this.next = null;
  }

  connectedCallback() {
    super.connectedCallback();
    this.during(board, "event", ({ detail }) => {
      if (detail.event_id && detail.event_id === this.#id) void this.#ask();
    });
    this.during(this, "decided", () => void this.#ask());
    void this.#askPast(null);
  }

  get #id() {
    return new URLSearchParams(this.params).get("event");
  }

  /** @param {Map<string, any>} changed */
  willUpdate(changed) {
    if (changed.has("params")) {
      this.playing = false;
      this.one = null;
      this.history = [];
      if (this.#id) void this.#ask();
    }
  }

  async #ask() {
    const id = /** @type {string} */ (this.#id);
    const [one, events] = await Promise.allSettled([
      get(`api/v1/alerts/${encodeURIComponent(id)}`),
      get("api/v1/events", { q: id, limit: 50 }),
    ]);
    if (id !== this.#id) return;
    if (one.status === "fulfilled") {
      this.one = one.value;
      board.learn(one.value);
    }
    if (events.status === "fulfilled") {
      this.history = rows(events.value, "events").filter((/** @type {any} */ event) => event.event_id === id);
    }
  }

  /** @param {string | null} cursor */
  async #askPast(cursor) {
    try {
      const told = await get("api/v1/alerts", { limit: PAGE, cursor });
      this.past = cursor ? [...this.past, ...rows(told, "alerts")] : rows(told, "alerts");
      this.next = told.next ?? null;
    } catch {
      this.next = null;
    }
  }

  /** The list with what came since it was asked for. */
  get #all() {
    const all = new Map(this.past.map((one) => [one.event_id, one]));
    for (const one of board.alerts.values()) all.set(one.event_id, { ...all.get(one.event_id), ...one });
    return newestFirst(all.values()).filter((one) => !board.pending.has(one.event_id));
  }

  render() {
    const id = this.#id;
    return html`<div class="split ${id ? "detail-open" : ""}">
      <section class="list" aria-label=${word("page", "incidents")}><h1>${word("page", "incidents")}</h1>
        ${repeat(board.pending, ([key]) => `p-${key}`, ([, one]) => pendingCard(one))}
        ${repeat(this.#all, ({ event_id }) => event_id, (one) => alertCard(one, one.event_id === id))}
        ${this.#all.length || board.pending.size ? nothing : html`<p class="empty">${t("incidents.none")}</p>`}
        ${this.next ? html`<button class="quiet-button wide" @click=${() => this.#askPast(this.next)}>${t("list.more")}</button>` : nothing}
      </section>
      <section class="detail" aria-label=${t("incidents.detail")}>${id ? this.#detail(id) : html`<p class="empty">${icon("incidents")}<span>${t("incidents.choose")}</span></p>`}</section></div>`;
  }

  /** @param {string} id */
  #detail(id) {
    const live = board.alerts.get(id);
    const pending = board.pending.get(id);
    const alert = live ? merged(live, this.one ?? live) : this.one ?? (pending ? { ...(pending.incident ?? pending), event_id: id } : null);
    if (!alert) return html`<p class="empty">${t("list.loading")}</p>`;
    return html`<a class="quiet-button back-link" href="incidents">${icon("back")}<span>${word("page", "incidents")}</span></a>
      <header class="detail-head">${severityMark(alert.severity)}<div><h2>${word("type", alert.type)}</h2>
        <p>${cameraName(alert.camera)} · <time>${board.time.full(began(alert))}</time></p></div>
        ${alert.test ? html`<span class="chip test">${t("alert.test")}</span>` : nothing}${standingChip(alert)}</header>
      <div class="detail-grid"><div class="detail-pictures">${this.#evidence(id, alert)}${this.#video(alert)}</div>
        <div class="detail-side">
          <hc-decide .alert=${live || !pending ? alert : null} .pending=${!live && pending ? { ...pending, event_id: id } : null}></hc-decide>
          ${this.#facts(alert)}${this.#clips(id, alert)}${this.#history()}</div></div>`;
  }

  /** @param {string} id @param {any} alert */
  #evidence(id, alert) {
    if (alert.evidence === false) return html`<p class="no-evidence faint">${t("incidents.no_evidence")}</p>`;
    if (this.one === null && alert.evidence === undefined) return nothing;
    const src = absolute(`api/v1/evidence/${encodeURIComponent(id)}.jpg`);
    return html`<figure class="evidence"><img src=${src} alt=${t("incidents.evidence_alt", { type: word("type", alert.type), camera: cameraName(alert.camera) })} />
      <figcaption>${t("incidents.evidence")}</figcaption></figure>`;
  }

  /** @param {any} alert */
  #video(alert) {
    if (!alert.camera) return nothing;
    const at = began(alert);
    if (!this.playing) {
      return html`<div class="row"><button class="act play" @click=${() => { this.playing = true; }}>${icon("play")}<span class="act-label">${t("incidents.play")}</span></button>
        <a class="quiet-button" href=${hrefOf("timeline", { camera: alert.camera, at: Math.floor(at) })}>${icon("timeline")}<span>${t("incidents.in_timeline")}</span></a>
        <a class="quiet-button" href=${hrefOf("live", { camera: alert.camera })}>${icon("live")}<span>${t("incidents.camera_now")}</span></a></div>`;
    }
    return html`<hc-replay .camera=${alert.camera} .from=${at - BEFORE_S} .to=${at + AFTER_S} .at=${at - BEFORE_S}></hc-replay>`;
  }

  /** @param {any} alert */
  #facts(alert) {
    const reached = reachedCount(alert);
    const rowsOf = [
      ["severity", word("severity", alert.severity)],
      ["confidence", Number.isFinite(alert.confidence) ? `${number(alert.confidence * 100)} %` : t("fact.not_told")],
      ["vehicles", reached === null ? null : number(reached)],
      ["seen_by", (alert.seen_by ?? []).map(cameraName).join(", ")],
      ["place", Number.isFinite(alert.lat) ? `${alert.lat.toFixed(5)}, ${alert.lon.toFixed(5)}` : null],
      ["decided_by", alert.decided_by],
      ["reason", alert.reason ? word("reason", alert.reason) : null],
      ["note", alert.note],
      ["id", `${alert.event_id}${alert.revision === undefined ? "" : ` · ${t("fact.revision", { n: alert.revision })}`}`],
    ];
    return html`<section class="panel"><h2>${t("incidents.facts")}</h2><dl class="facts">
      ${rowsOf.filter(([, value]) => value).map(([name, value]) => html`<div><dt>${t(`fact.${name}`)}</dt><dd>${value}</dd></div>`)}</dl>
      ${ended(alert) || !Number.isFinite(alert.lat) ? nothing : html`<a class="quiet-button" href=${hrefOf("map", { event: alert.event_id })}>${icon("map")}<span>${t("incidents.on_map")}</span></a>`}</section>`;
  }

  /** @param {string} id @param {any} alert */
  #clips(id, alert) {
    const word = board.clips.get(id);
    const known = rows(this.one?.clips ?? alert.clips ?? [], "clips").filter((/** @type {any} */ one) => typeof one === "object");
    const said = word ? [word, ...(word.others ?? [])] : [];
    const kept = new Map(known.map((/** @type {any} */ one) => [one.camera, one]));
    for (const one of said) kept.set(one.camera, { ...kept.get(one.camera), ...one });
    const all = [...kept.values()];
    if (!all.length) return html`<section class="panel"><h2>${t("incidents.clips")}</h2><p class="faint">${t(`incidents.no_clip_${whyNoClip(alert)}`)}</p></section>`;
    return html`<section class="panel"><h2>${t("incidents.clips")}</h2>${all.map((/** @type {any} */ one) => clipProgress(one))}</section>`;
  }

  #history() {
    if (!this.history.length) return nothing;
    return html`<section class="panel"><h2>${t("incidents.history")}</h2><ol class="events">${repeat(this.history, ({ seq }) => seq, eventRow)}</ol></section>`;
  }
}

/** Why there is none, as far as the alert tells. @param {any} alert */
function whyNoClip(alert) {
  if (alert.clip_hint === false) return "asked";
  return alert.camera ? "yet" : "camera";
}

customElements.define("hc-incidents", Incidents);

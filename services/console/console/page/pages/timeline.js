/** A day of one camera's recordings, with its gaps and incidents, to go through. */

import { hrefOf } from "../core/routes.js";
import { joined, nearestRecorded, placed, shareOf } from "../core/stretches.js";
import { get, post } from "../net/api.js";
import { BoardPart, html, nothing } from "../parts/element.js";
import { icon, severityMark } from "../parts/icons.js";
import "../parts/recorded.js";
import "../parts/replay.js";
import { go } from "../parts/shell.js";
import { board } from "../state/board.js";
import { duration, t, word } from "../state/words.js";

const SPANS_S = [86_400, 21_600, 3600, 600];
/** How much is played in one go around the moment, s. */
const BEFORE_S = 20;
const AFTER_S = 600;
/** How much a clip that is asked for keeps on either side, s. */
const KEPT_S = 60;

class Timeline extends BoardPart {
  static properties = { params: {}, told: { state: true }, span_s: { state: true }, cursor: { state: true }, hover: { state: true }, said: { state: true } };

  constructor() {
    super();
    this.params = "";
    /** @type {any} */
    this.told = null;
    this.said = "";
    this.span_s = SPANS_S[0];
    /** Where the reader is, epoch seconds. @type {number} */
    this.cursor = 0;
    /** @type {number | null} */
    this.hover = null;
    this.asked = "";
  }

  get #query() {
    return new URLSearchParams(this.params);
  }

  get #camera() {
    return this.#query.get("camera") ?? board.cameras[0]?.id ?? "";
  }

  get #day() {
    return this.#query.get("day") || board.time.day(Number(this.#query.get("at")) || board.clock.now());
  }

  willUpdate() {
    const asked = `${this.#camera} ${this.#day} ${this.#query.get("at") ?? ""} ${board.time.zone}`;
    if (!this.#camera || asked === this.asked) return;
    this.asked = asked;
    this.cursor = Number(this.#query.get("at")) || 0;
    this.playing = this.cursor > 0 ? this.cursor : 0;
    this.span_s = this.cursor ? 3600 : SPANS_S[0];
    void this.#ask();
  }

  async #ask() {
    const { asked } = this;
    const [from, to] = board.time.dayWindow(this.#day);
    try {
      const told = await get(`api/v1/timeline/${encodeURIComponent(this.#camera)}`, { from, to });
      if (asked === this.asked) this.told = told;
    } catch {
      if (asked === this.asked) this.told = { segments: [], gaps: [], incidents: [] };
    }
  }

  /** What part of the day is on the line. @returns {[number, number]} */
  get #window() {
    const [from, to] = board.time.dayWindow(this.#day);
    if (this.span_s >= to - from || this.span_s === SPANS_S[0]) return [from, to];
    const middle = this.cursor || Math.min(board.clock.now(), to) - this.span_s / 2;
    const start = Math.min(Math.max(from, middle - this.span_s / 2), to - this.span_s);
    return [start, start + this.span_s];
  }

  render() {
    return html`<div class="page timeline-page">
      <div class="toolbar"><h1>${word("page", "timeline")}</h1><span class="spring"></span>
        <select aria-label=${t("timeline.camera")} @change=${(/** @type {any} */ e) => this.#go({ camera: e.target.value })}>
          ${board.cameras.map((one) => html`<option value=${one.id} .selected=${one.id === this.#camera}>${one.name || one.id}</option>`)}</select>
        <div class="stepper"><button class="quiet-button" aria-label=${t("timeline.day_before")} @click=${() => this.#step(-1)}>${icon("back")}</button>
          <input type="date" aria-label=${t("timeline.day")} .value=${this.#day} @change=${(/** @type {any} */ e) => e.target.value && this.#go({ day: e.target.value })} />
          <button class="quiet-button" aria-label=${t("timeline.day_after")} @click=${() => this.#step(1)}>${icon("next")}</button></div>
        <div class="toggles" role="group" aria-label=${t("timeline.span")}>${SPANS_S.map((one) => html`<button class="toggle" aria-pressed=${this.span_s === one}
          @click=${() => { this.span_s = one; }}>${t(`span.${one}`)}</button>`)}</div></div>
      ${this.#player()}
      ${this.told ? this.#line() : html`<p class="empty">${t("list.loading")}</p>`}
      ${this.told ? this.#lists() : nothing}</div>`;
  }

  #player() {
    if (!this.playing) return html`<p class="empty stage-empty">${icon("timeline")}<span>${t("timeline.choose")}</span></p>`;
    return html`<div class="replay-place"><hc-replay .camera=${this.#camera} .from=${this.playing - BEFORE_S} .to=${this.playing + AFTER_S}
      .at=${this.playing} @moment=${(/** @type {any} */ e) => this.#played(e.detail)}></hc-replay>
      ${board.session.may_decide ? html`<div class="row"><button class="quiet-button" @click=${() => this.#keep()}>${icon("hold")}<span>${t("timeline.keep")}</span></button>
        <span class="said" role="status">${this.said}</span></div>` : nothing}</div>`;
  }

  #line() {
    const window = this.#window;
    const segments = joined(this.told.segments ?? []);
    const shown = this.hover ?? (this.cursor || null);
    return html`<div class="line-wrap"><div class="line" role="slider" tabindex="0" aria-label=${t("timeline.line")}
        aria-valuemin=${Math.floor(window[0])} aria-valuemax=${Math.floor(window[1])} aria-valuenow=${Math.floor(this.cursor || window[0])}
        aria-valuetext=${board.time.full(this.cursor || window[0])}
        @click=${(/** @type {MouseEvent} */ e) => this.#seek(this.#timeAt(e))} @pointermove=${(/** @type {any} */ e) => { this.hover = this.#timeAt(e); }}
        @pointerleave=${() => { this.hover = null; }} @keydown=${(/** @type {KeyboardEvent} */ e) => this.#key(e)}>
      ${segments.map((one) => stretch(one, window, "recorded", ""))}
      ${(this.told.gaps ?? []).map((/** @type {any} */ [start, end, cause]) => stretch([start, end], window, "gap", `${word("gap", cause)} · ${board.time.clock(start)}–${board.time.clock(end)}`))}
      ${(this.told.incidents ?? []).map((/** @type {any} */ one) => this.#mark(one, window))}
      ${shown === null ? nothing : html`<i class="cursor ${this.hover === null ? "" : "hover"}" .style=${`left:${shareOf(shown, window) * 100}%`}><span>${board.time.clock(shown)}</span></i>`}
      </div>
      <div class="ticks" aria-hidden="true">${this.#ticks(window)}</div></div>`;
  }

  /** @param {any} incident @param {[number, number]} window */
  #mark(incident, window) {
    const at = momentOf(incident);
    if (at < window[0] || at > window[1]) return nothing;
    return html`<i class="incident-mark ${incident.severity ?? ""}" title=${word("type", incident.type)} .style=${`left:${shareOf(at, window) * 100}%`}>${severityMark(incident.severity)}</i>`;
  }

  /** @param {[number, number]} window */
  #ticks(window) {
    const length = window[1] - window[0];
    const step = [60, 300, 600, 1800, 3600, 7200, 14_400].find((one) => length / one <= (innerWidth < 760 ? 4 : 8)) ?? 21_600;
    const offset = board.time.offset_s(window[0]);
    const marks = [];
    for (let at = Math.ceil((window[0] + offset) / step) * step - offset; at < window[1]; at += step) marks.push(at);
    return marks.map((at) => html`<span data-edge=${edgeOf(shareOf(at, window))} .style=${`left:${shareOf(at, window) * 100}%`}>${board.time.minute(at)}</span>`);
  }

  #lists() {
    const { gaps = [] } = this.told;
    const [from, to] = board.time.dayWindow(this.#day);
    const incidents = [...(this.told.incidents ?? [])].sort((a, b) => momentOf(b) - momentOf(a));
    return html`<div class="columns"><section class="panel"><h2>${t("timeline.incidents")}</h2>
        ${incidents.length ? html`<ul class="plain">${incidents.map((/** @type {any} */ one) => {
          const at = momentOf(one);
          return html`<li class="row"><button class="link-button" @click=${() => this.#seek(at)}>${severityMark(one.severity)}<time>${board.time.clock(at)}</time> ${word("type", one.type)}</button>
            ${one.event_id ? html`<a class="quiet-button" href=${hrefOf("incidents", { event: one.event_id })}>${t("timeline.incident")}</a>` : nothing}</li>`;
        })}</ul>` : html`<p class="faint">${t("timeline.no_incidents")}</p>`}</section>
      <section class="panel"><h2>${t("timeline.gaps")}</h2>${gaps.length ? html`<ul class="plain">${gaps.map((/** @type {any} */ [start, end, cause]) => html`<li>
        <time>${board.time.clock(start)}</time> – <time>${board.time.clock(end)}</time> · ${duration(end - start)} · ${word("gap", cause)}</li>`)}</ul>`
        : html`<p class="faint">${t("timeline.no_gaps")}</p>`}</section></div>
      <hc-recorded .camera=${this.#camera} .from=${from} .to=${to}></hc-recorded>`;
  }

  /** @param {MouseEvent} event */
  #timeAt(event) {
    const box = /** @type {Element} */ (event.currentTarget).getBoundingClientRect();
    const [from, to] = this.#window;
    return from + ((event.clientX - box.left) / box.width) * (to - from);
  }

  /** Go to the recorded moment nearest to this one. @param {number} ts */
  #seek(ts) {
    const near = nearestRecorded(this.told.segments ?? [], ts);
    if (near === null) return;
    this.cursor = near;
    this.playing = near;
    this.requestUpdate();
  }

  /** @param {number | null} ts */
  #played(ts) {
    if (ts !== null) this.cursor = ts;
  }

  /** Have the video around the moment kept as a clip. */
  async #keep() {
    try {
      await post("api/v1/clip-requests", { camera: this.#camera, ts: this.cursor, pre_s: KEPT_S, post_s: KEPT_S });
      this.said = t("timeline.kept");
    } catch (problem) {
      this.said = /** @type {any} */ (problem).status === 503 ? t("decide.no_broker") : /** @type {any} */ (problem).message;
    }
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    const step = { ArrowLeft: -10, ArrowRight: 10, PageUp: -60, PageDown: 60, ArrowDown: -60, ArrowUp: 60 }[event.key];
    if (step === undefined) return;
    event.preventDefault();
    this.#seek((this.cursor || this.#window[0]) + step);
  }

  /** @param {number} days */
  #step(days) {
    this.#go({ day: board.time.plusDays(this.#day, days) });
  }

  /** @param {Record<string, string>} change */
  #go(change) {
    go(hrefOf("timeline", { camera: this.#camera, day: this.#day, ...change }));
  }
}

/** A time at the line's edge stands inside it. @param {number} share */
function edgeOf(share) {
  return share < 0.05 ? "first" : share > 0.95 ? "last" : nothing;
}

/** @param {any} incident @returns {number} */
function momentOf(incident) {
  return incident.ts ?? incident.detected_at ?? incident.start;
}

/**
 * @param {[number, number]} one
 * @param {[number, number]} window
 * @param {string} kind
 * @param {string} title
 */
function stretch(one, window, kind, title) {
  const place = placed(one, window);
  if (!place) return nothing;
  return html`<i class=${kind} title=${title} .style=${`left:${place.left * 100}%;width:${place.width * 100}%`}></i>`;
}

customElements.define("hc-timeline", Timeline);

/** The kept clips: what is in them, whether they are what was signed, and to take away. */

import { hrefOf } from "../core/routes.js";
import { Problem, absolute, get, post } from "../net/api.js";
import { cameraName } from "../parts/alert-card.js";
import { clipProgress } from "../parts/clip-progress.js";
import { BoardPart, html, nothing, repeat } from "../parts/element.js";
import { icon } from "../parts/icons.js";
import "../parts/replay.js";
import { board, rows } from "../state/board.js";
import { number, size, t, word } from "../state/words.js";

const PAGE = 50;
const DONE = ["ready", "partial"];

class Clips extends BoardPart {
  static properties = { params: {}, all: { state: true }, one: { state: true }, next: { state: true }, seen: { state: true }, said: { state: true } };

  constructor() {
    super();
    this.params = "";
    /** @type {any[] | null} */
    this.all = null;
    /** @type {any} */
    this.one = null;
    /** @type {string | null} */
    this.next = null;
    this.seen = false;
    this.said = "";
  }

  connectedCallback() {
    super.connectedCallback();
    this.during(board, "event", ({ detail }) => {
      if (detail.kind === "clip") void this.#ask(null);
    });
    void this.#ask(null);
  }

  get #id() {
    return new URLSearchParams(this.params).get("clip");
  }

  /** @param {Map<string, any>} changed */
  willUpdate(changed) {
    if (!changed.has("params")) return;
    this.one = null;
    this.seen = false;
    this.said = "";
    if (this.#id) void this.#askOne();
  }

  /** @param {string | null} cursor */
  async #ask(cursor) {
    try {
      const told = await get("api/v1/clips", { limit: PAGE, cursor });
      this.all = cursor ? [...(this.all ?? []), ...rows(told, "clips")] : rows(told, "clips");
      this.next = told.next ?? null;
    } catch {
      this.all ??= [];
    }
  }

  async #askOne() {
    const id = /** @type {string} */ (this.#id);
    try {
      const one = await get(`api/v1/clips/${encodeURIComponent(id)}`);
      if (id === this.#id) this.one = one;
    } catch (problem) {
      this.said = /** @type {Problem} */ (problem).message;
    }
  }

  render() {
    const id = this.#id;
    return html`<div class="split ${id ? "detail-open" : ""}">
      <section class="list" aria-label=${word("page", "clips")}><h1>${word("page", "clips")}</h1>
        ${this.all === null ? html`<p class="empty">${t("list.loading")}</p>` : nothing}
        ${repeat(this.all ?? [], (one) => one.id ?? one.event_id, (one) => this.#card(one, id))}
        ${this.all?.length === 0 ? html`<p class="empty">${t("clips.none")}</p>` : nothing}
        ${this.next ? html`<button class="quiet-button wide" @click=${() => this.#ask(this.next)}>${t("list.more")}</button>` : nothing}</section>
      <section class="detail" aria-label=${t("clips.detail")}>${id ? this.#detail(id) : html`<p class="empty">${icon("clips")}<span>${t("clips.choose")}</span></p>`}</section></div>`;
  }

  /** @param {any} clip @param {string | null} chosen */
  #card(clip, chosen) {
    const id = clip.id ?? clip.event_id;
    const from = clip.delivered?.start ?? clip.requested?.start;
    return html`<a class="card clip" aria-current=${id === chosen ? "true" : nothing} href=${hrefOf("clips", { clip: id })}>
      ${icon("clips")}<div class="card-body"><div class="card-head"><strong>${clip.type ? word("type", clip.type) : id}</strong>
        <time>${from ? board.time.near(from, board.clock.now()) : ""}</time></div>
        <div class="card-line"><span>${cameraName(clip.camera)}</span><span class="spring"></span>${this.#verdictChip(clip)}
        <span class="chip ${clip.state}">${word("clip_state", clip.state)}</span></div></div></a>`;
  }

  /** @param {any} clip */
  #verdictChip(clip) {
    if (clip.signature === "broken") return html`<span class="chip broken">${icon("broken")}${t("signature.broken")}</span>`;
    return clip.signature === "valid" ? html`<span class="chip valid" title=${t("signature.valid")}>${icon("seal")}<span class="unseen">${t("signature.valid")}</span></span>` : nothing;
  }

  /** @param {string} id */
  #detail(id) {
    const clip = this.one;
    if (!clip) return html`<p class="empty">${this.said || t("list.loading")}</p>`;
    const base = `api/v1/clips/${encodeURIComponent(id)}`;
    const ready = DONE.includes(clip.state);
    const done = ready && board.session.may_export !== false;
    return html`<a class="quiet-button back-link" href="clips">${icon("back")}<span>${word("page", "clips")}</span></a>
      <header class="detail-head"><div><h2>${clip.type ? word("type", clip.type) : id}</h2><p>${cameraName(clip.camera)}
        ${clip.delivered ? html` · <time>${board.time.full(clip.delivered.start)}</time> – <time>${board.time.clock(clip.delivered.end)}</time>` : nothing}</p></div>
        <span class="chip ${clip.state}">${word("clip_state", clip.state)}</span></header>
      ${this.#signature(clip)}
      ${done ? this.#player(clip, base) : ready ? html`<p class="empty">${t("clips.needs_account")}</p>` : clipProgress(clip)}
      <div class="row">${done ? html`<a class="act" href=${absolute(`${base}/video.mp4`)} download>${icon("download")}<span class="act-label">${t("clips.download")}</span>${clip.size_bytes ? html`<small>${size(clip.size_bytes)}</small>` : nothing}</a>` : nothing}
        ${done ? html`<a class="act" href=${absolute(`${base}/manifest.json`)} download>${icon("download")}<span class="act-label">${t("clips.manifest")}</span></a>` : nothing}
        ${clip.event_id ? html`<a class="act" href=${hrefOf("incidents", { event: clip.event_id })}>${icon("incidents")}<span class="act-label">${t("clips.incident")}</span></a>` : nothing}
        ${board.session.may_decide ? html`<button class="act" ?disabled=${clip.held} @click=${() => this.#hold(clip.event_id)}>${icon("hold")}<span class="act-label">${t(clip.held ? "clips.held" : "clips.hold")}</span></button>` : nothing}</div>
      <p class="said" role="status">${this.said}</p>
      ${this.#gaps(clip)}`;
  }

  /** A changed byte is said before anything plays. @param {any} clip */
  #signature(clip) {
    const kind = ["valid", "broken", "unsigned"].includes(clip.signature) ? clip.signature : "unchecked";
    return html`<p class="signature ${kind}" role=${kind === "broken" ? "alert" : nothing}>${icon(kind === "broken" ? "broken" : "seal")}
      <span><strong>${t(`signature.${kind}`)}</strong> ${t(`signature.${kind}_words`)}</span></p>`;
  }

  /** @param {any} clip @param {string} base */
  #player(clip, base) {
    if (clip.signature === "broken" && !this.seen) {
      return html`<div class="screen withheld"><div class="veil">${icon("broken")}<strong>${t("clips.withheld")}</strong>
        <button class="act" @click=${() => { this.seen = true; }}>${icon("play")}<span class="act-label">${t("clips.play_anyway")}</span></button></div></div>`;
    }
    return html`<hc-replay .camera=${clip.camera} .src=${`${base}/video.mp4`} .began=${clip.first_frame_at ?? clip.delivered?.start ?? 0}></hc-replay>`;
  }

  /** @param {any} clip */
  #gaps(clip) {
    if (!clip.gaps?.length) return nothing;
    return html`<section class="panel"><h2>${t("clips.gaps")}</h2><ul class="plain">${clip.gaps.map((/** @type {any} */ gap) => html`<li>
      <time>${board.time.clock(gap.start)}</time> – <time>${board.time.clock(gap.end)}</time> · ${t("unit.seconds", { n: number(gap.end - gap.start, 1) })} · ${word("gap", gap.cause)}</li>`)}</ul></section>`;
  }

  /** @param {string} event_id */
  async #hold(event_id) {
    try {
      await post(`api/v1/clips/${encodeURIComponent(event_id)}/hold`);
      this.said = t("clips.hold_said");
      void this.#askOne();
    } catch (problem) {
      this.said = /** @type {Problem} */ (problem).message;
    }
  }
}

customElements.define("hc-clips", Clips);

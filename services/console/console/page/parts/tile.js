/** One camera: a still at once, the video behind it, boxes over it, and how old it is. */

import { ageFigure, ageKind } from "../core/ages.js";
import { DetectionRing, countByClass } from "../core/detection-ring.js";
import { lookOf } from "../core/classes.js";
import { absolute } from "../net/api.js";
import { board } from "../state/board.js";
import { line } from "../state/line.js";
import { t, word } from "../state/words.js";
import { BoardPart, html, nothing, repeat } from "./element.js";
import { icon, severityMark } from "./icons.js";
import { draw } from "./overlay.js";
import { Player } from "./player.js";

/** States of a camera from which pictures come. */
const COMING = new Set(["live", "", undefined, null, "unknown"]);
/** How often a still is fetched where no video plays, ms. */
const STILL_MS = 10_000;
const STILL_QUICK_MS = 2000;
/** No detections for so long while the picture goes on: said, s. */
const SILENT_S = 5;

export class Tile extends BoardPart {
  static properties = {
    camera: { attribute: false },
    live: { type: Boolean },
    alert: { attribute: false },
    plain: { type: Boolean },
  };

  constructor() {
    super();
    /** @type {any} */
    this.camera = null;
    this.live = true;
    this.plain = false;
    /** @type {any} */
    this.alert = null;
    this.ring = new DetectionRing();
    this.onScreen = true;
    this.still = "";
    /** When the last still was asked for, ms; 0: not yet. */
    this.still_at = 0;
  }

  connectedCallback() {
    super.connectedCallback();
    this.during(line(), "detections", ({ detail }) => {
      if (detail.camera === this.camera?.id) this.ring.add(detail.message);
    });
    this.during(document, "hazardcast-wake", () => this.player?.toLive());
    this.every(500, () => this.#look());
    this.seer = new IntersectionObserver(([entry]) => {
      this.onScreen = entry.isIntersecting;
      this.#settle();
    });
    this.seer.observe(this);
    if (this.hasUpdated) this.#settle(); // put back into the page
  }

  disconnectedCallback() {
    super.disconnectedCallback();
    this.seer?.disconnect();
    this.#stop();
    this.#forgetStill();
    this.still_at = 0;
  }

  /** @param {Map<string, any>} changed */
  updated(changed) {
    if (changed.has("camera") && changed.get("camera")?.id !== this.camera?.id) {
      this.#stop();
      this.ring = new DetectionRing();
      this.#forgetStill();
      this.still_at = 0;
    }
    this.#settle();
  }

  /** Age of the picture that is shown, s; null: none. */
  get age_s() {
    const shown = this.player?.shown_at;
    return shown ? board.clock.now() - shown : null;
  }

  render() {
    const { camera } = this;
    if (!camera) return nothing;
    const kind = this.#kind();
    return html`<figure class="tile ${kind} ${this.alert ? "alerting" : ""}">
      <div class="screen">
        ${this.still ? html`<img class="still" alt="" .src=${this.still} />` : nothing}
        <video muted playsinline autoplay disablepictureinpicture aria-label=${t("tile.video", { camera: this.#name() })}
          class=${this.player?.shown_at ? "on" : ""}></video>
        <canvas aria-hidden="true"></canvas>
        ${this.#veil(kind)}
        <div class="tile-top">${this.alert ? this.#alerting() : nothing}<span class="spring"></span>${this.#age(kind)}</div>
        <figcaption><span class="tile-name">${this.#name()}</span><span class="counts">${this.#counts()}</span></figcaption>
      </div>
    </figure>`;
  }

  #name() {
    return this.camera.name || this.camera.id;
  }

  /** @returns {"dead" | "unplayable" | "none" | "live" | "late" | "stale"} */
  #kind() {
    if (!COMING.has(this.camera.state)) return "dead";
    if (this.player?.state === "unplayable") return "unplayable";
    return ageKind(this.age_s);
  }

  #alerting() {
    return html`<span class="tile-alert ${this.alert.severity}">${severityMark(this.alert.severity)}
      ${word("type", this.alert.type)}</span>`;
  }

  /** @param {string} kind */
  #age(kind) {
    if (kind === "dead" || kind === "unplayable" || kind === "stale") return nothing;
    const age = this.age_s;
    if (!this.live) return html`<span class="age">${t("tile.still")}</span>`;
    if (age === null) return html`<span class="age">${t("tile.connecting")}</span>`;
    return html`<span class="age ${kind}" title=${t("tile.age_title")}><i></i>${t("tile.age", { age: ageFigure(age) })}</span>`;
  }

  /** What is said instead of a live picture. @param {string} kind */
  #veil(kind) {
    if (kind === "dead") return this.#said("camera_off", this.#sinceWords(), word("camera_state", this.camera.state), this.camera.detail);
    if (kind === "unplayable") return this.#said("camera_off", t("tile.h265"), t("tile.h265_way_out"));
    if (kind === "stale") return this.#said("", t("tile.old", { age: ageFigure(this.age_s ?? 0) }), t("tile.catching_up"));
    return nothing;
  }

  /** @param {string} sign @param {string} head @param {...(string | undefined)} lines */
  #said(sign, head, ...lines) {
    return html`<div class="veil">${sign ? icon(sign) : nothing}<strong>${head}</strong>
      ${lines.filter(Boolean).map((one) => html`<span>${one}</span>`)}</div>`;
  }

  #sinceWords() {
    const since = this.camera.last_frame_at;
    return since ? t("tile.no_picture_since", { time: board.time.near(since, board.clock.now()) }) : t("tile.no_picture");
  }

  #counts() {
    const newest = this.ring.newest;
    if (newest === null) return nothing;
    const silent_s = board.clock.now() - newest;
    if (silent_s > SILENT_S) return html`<span class="count quiet">${t("tile.no_detections", { time: board.time.clock(newest) })}</span>`;
    const counts = [...countByClass(this.ring.messages.at(-1)?.objects ?? [])];
    return repeat(counts, ([label]) => label, ([label, n]) => html`<span class="count" title=${word("class", label)}>
      <i class="swatch ${lookOf(label).name}"></i><b>${n}</b><span class="count-word">${word("class", label)}</span></span>`);
  }

  /** Have a player where one is wanted, and none where not. */
  #settle() {
    const wanted = this.live && this.onScreen && this.isConnected && this.camera && COMING.has(this.camera.state);
    if (wanted && !this.player) this.#start();
    else if (!wanted && this.player) this.#stop();
    if (!this.still && !this.still_at && this.camera?.last_frame_at) this.#freshStill();
  }

  #start() {
    const video = this.querySelector("video");
    if (!video) return;
    const { id, playlist, codec } = this.camera;
    const path = playlist || `api/live-monitoring/hls/${encodeURIComponent(id)}/live.m3u8`;
    const player = new Player(video, path, { codec });
    this.player = player;
    this.unwatch = line().watch(id);
    player.addEventListener("state", () => this.requestUpdate());
    player.addEventListener("frame", (signal) => this.#frame(/** @type {CustomEvent} */ (signal).detail));
    void player.start();
  }

  #stop() {
    this.player?.stop();
    this.player = null;
    this.unwatch?.();
    this.unwatch = null;
    const canvas = this.querySelector("canvas");
    if (canvas) draw(canvas, null, { width: 0, height: 0 });
  }

  /** @param {number | null} ts */
  #frame(ts) {
    const canvas = this.querySelector("canvas");
    const video = this.querySelector("video");
    if (!canvas || !video) return;
    const seen = ts === null ? null : this.ring.at(ts);
    this.drawn = { ts, seen };
    draw(canvas, seen, { width: video.videoWidth, height: video.videoHeight });
  }

  /** Twice a second: say the age anew, keep up with the present, fetch a still where there is no video. */
  #look() {
    this.player?.keepUp(this.age_s);
    if (ageKind(this.age_s) === "stale") this.player?.toLive();
    const every = this.player?.state === "unplayable" ? STILL_QUICK_MS : STILL_MS;
    const idle = !this.player?.shown_at && this.onScreen;
    if (idle && this.camera?.last_frame_at && Date.now() - this.still_at > every) this.#freshStill();
    this.requestUpdate();
  }

  #freshStill() {
    if (!COMING.has(this.camera.state) && this.still) return;
    this.still_at = Date.now();
    void this.#fetchStill(this.camera.id);
  }

  /** @param {string} id */
  async #fetchStill(id) {
    try {
      const answer = await fetch(absolute(`api/v1/cameras/${encodeURIComponent(id)}/picture.jpg`), { cache: "no-cache" });
      if (answer.ok) this.#show(await answer.blob(), id);
    } catch {
      // the next look asks again
    }
  }

  /** @param {Blob} picture @param {string} id */
  #show(picture, id) {
    if (id !== this.camera?.id || !this.isConnected) return;
    this.#forgetStill();
    this.still = URL.createObjectURL(picture);
    this.requestUpdate();
  }

  #forgetStill() {
    if (this.still) URL.revokeObjectURL(this.still);
    this.still = "";
  }
}

customElements.define("hc-tile", Tile);

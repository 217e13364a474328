/** A recording or a clip, with the boxes of then drawn over it. */

import { DetectionRing } from "../core/detection-ring.js";
import { absolute, get } from "../net/api.js";
import { board, rows } from "../state/board.js";
import { t } from "../state/words.js";
import { BoardPart, html, nothing } from "./element.js";
import { icon } from "./icons.js";
import { draw } from "./overlay.js";
import { Player } from "./player.js";

/** Tracks are fetched for so long around what is played, s. */
const TRACKS_S = 120;

/**
 * Attributes: `camera`; either `from`/`to`/`at` (a recorded window) or `src` and `began` (a file and
 * the wall clock of its first frame).
 */
class Replay extends BoardPart {
  static properties = {
    camera: {}, src: {}, poster: {},
    from: { type: Number }, to: { type: Number }, at: { type: Number }, began: { type: Number },
    paused: { state: true },
  };

  constructor() {
    super();
    this.camera = "";
    this.src = "";
    this.poster = "";
    this.from = this.to = this.at = this.began = 0;
    this.paused = true;
    /** @type {number | null} */
    this.ts = null;
    this.fetched = [0, 0];
    this.ring = new DetectionRing(Infinity);
  }

  disconnectedCallback() {
    super.disconnectedCallback();
    this.#stop();
  }

  render() {
    return html`<figure class="replay"><div class="screen">
        <video playsinline muted ?controls=${Boolean(this.src)} aria-label=${t("replay.video")} @play=${() => { this.paused = false; }} @pause=${() => { this.paused = true; }}></video>
        <canvas aria-hidden="true"></canvas></div>
      <div class="replay-line">
        ${this.src ? nothing : html`<button class="quiet-button" @click=${() => this.toggle()}>${icon(this.paused ? "play" : "pause")}<span>${t(this.paused ? "replay.play" : "replay.pause")}</span></button>`}
        <time>${this.ts ? board.time.full(this.ts) : ""}</time></div></figure>`;
  }

  /** @param {Map<string, any>} changed */
  updated(changed) {
    if (["camera", "src", "from", "to", "began"].some((name) => changed.has(name))) this.#begin();
    else if (changed.has("at") && this.at) this.#goTo(this.at);
  }

  toggle() {
    const video = this.querySelector("video");
    if (this.player) this.player.held = !video?.paused;
    if (video?.paused) void video.play().catch(() => {});
    else video?.pause();
  }

  /** @param {number} ts */
  #goTo(ts) {
    if (this.src) {
      const video = this.querySelector("video");
      if (video) video.currentTime = Math.max(0, ts - this.began);
    } else if (!this.player?.seekTo(ts)) {
      this.#begin();
    }
  }

  #begin() {
    this.#stop();
    this.ring = new DetectionRing(Infinity);
    this.fetched = [0, 0];
    const video = this.querySelector("video");
    if (!video) return;
    if (this.src) this.#file(video);
    else if (this.camera && this.to > this.from) this.#recording(video);
  }

  /** @param {HTMLVideoElement} video */
  #file(video) {
    video.src = absolute(this.src);
    if (this.at && this.began) video.currentTime = Math.max(0, this.at - this.began);
    const follow = (/** @type {number} */ _now, /** @type {{mediaTime: number}} */ frame) => {
      if (!this.isConnected || !video.src) return;
      this.#frame(this.began ? this.began + frame.mediaTime : null);
      video.requestVideoFrameCallback(follow);
    };
    video.requestVideoFrameCallback?.(follow);
  }

  /** @param {HTMLVideoElement} video */
  #recording(video) {
    const query = new URLSearchParams({ from: String(this.from), to: String(this.to) });
    const path = `api/live-monitoring/hls/${encodeURIComponent(this.camera)}/live.m3u8?${query}`;
    const codec = board.camera(this.camera)?.codec;
    this.player = new Player(video, path, { live: false, codec, start: this.at || this.from });
    this.player.addEventListener("frame", (signal) => this.#frame(/** @type {CustomEvent} */ (signal).detail));
    void this.player.start();
  }

  #stop() {
    this.player?.stop();
    this.player = null;
    const video = this.querySelector("video");
    if (video?.src) video.removeAttribute("src");
  }

  /** @param {number | null} ts */
  #frame(ts) {
    const canvas = this.querySelector("canvas");
    const video = this.querySelector("video");
    if (!canvas || !video) return;
    if (ts !== null) this.#haveTracks(ts);
    draw(canvas, ts === null ? null : this.ring.at(ts), { width: video.videoWidth, height: video.videoHeight });
    const shown = ts === null ? null : Math.floor(ts);
    if (shown !== this.ts) {
      this.ts = shown;
      this.requestUpdate();
      this.dispatchEvent(new CustomEvent("moment", { detail: ts }));
    }
  }

  /** @param {number} ts */
  #haveTracks(ts) {
    const [from, to] = this.fetched;
    if (ts >= from && ts < to - 10) return;
    const start = Math.floor(ts) - 5;
    this.fetched = [start, start + TRACKS_S];
    get(`api/v1/tracks/${encodeURIComponent(this.camera)}`, { from: start, to: start + TRACKS_S })
      .then((told) => rows(told, "detections").forEach((/** @type {any} */ one) => this.ring.add(one)))
      .catch(() => {}); // no tracks kept: the picture stands alone
  }
}

customElements.define("hc-replay", Replay);

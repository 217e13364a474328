/**
 * One camera's video in one `<video>`: hls.js over the tab's socket, tried again for ever; and the
 * wall clock of each frame that is shown.
 */

import { catchUp } from "../core/ages.js";
import { placeOfTime, timeOfFrame } from "../core/frame-time.js";
import { absolute } from "../net/api.js";
import { socketLoader } from "../net/socket-loader.js";
import { line } from "../state/line.js";

const RETRY_MS = [500, 1000, 2000, 4000, 8000];
const HEVC = 'video/mp4; codecs="hvc1.1.6.L93.B0"';

/** @typedef {"starting" | "playing" | "waiting" | "unplayable" | "stopped"} PlayerState */

/** @type {Promise<any> | null} */
let library = null;
const hlsLibrary = () => (library ??= import("../vendor/hls/hls.min.js").then((all) => all.default));

/** Whether this browser plays what the camera sends. @param {string | null | undefined} codec */
export function playable(codec) {
  if (!codec || !/^(hvc1|hev1|hevc|h\.?265)/i.test(codec)) return true;
  return Boolean(globalThis.MediaSource?.isTypeSupported(HEVC));
}

/** Players at work, for whoever looks for leaks. */
export const players = new Set();

export class Player extends EventTarget {
  /**
   * @param {HTMLVideoElement} video
   * @param {string} playlist relative to the base
   * @param {{live?: boolean, codec?: string | null, start?: number | null}} [how]
   *   start: epoch seconds at which a recording begins to play
   */
  constructor(video, playlist, how = {}) {
    super();
    this.video = video;
    this.playlist = playlist;
    this.how = { live: true, ...how };
    /** @type {PlayerState} */
    this.state = "starting";
    /** Wall clock of the frame on the screen, epoch seconds. @type {number | null} */
    this.shown_at = null;
    this.tries = 0;
    this.gone = false;
  }

  async start() {
    players.add(this);
    if (!playable(this.how.codec)) {
      this.#become("unplayable");
      return;
    }
    const Hls = await hlsLibrary();
    if (this.gone) return;
    if (Hls.isSupported()) this.#attach(Hls);
    else this.#native();
    this.#followFrames();
  }

  stop() {
    this.gone = true;
    clearTimeout(this.retry);
    players.delete(this);
    this.#detach();
    this.video.removeAttribute("src");
    this.video.load();
    this.state = "stopped";
  }

  /** Back to the present, at once. */
  toLive() {
    const place = this.hls?.liveSyncPosition;
    if (place && Math.abs(place - this.video.currentTime) > 0.5) this.video.currentTime = place;
    void this.video.play().catch(() => {});
  }

  /**
   * Hurry or jump as the age asks for; the age in s.
   * @param {number | null} age_s
   */
  keepUp(age_s) {
    if (!this.how.live || this.video.paused) return;
    const { rate, jump } = catchUp(age_s, this.hls?.targetLatency ?? undefined);
    if (jump) this.toLive();
    else if (rate > 1 && this.video.playbackRate < rate) this.video.playbackRate = rate;
    else if (rate === 1 && this.video.playbackRate > 1.2) this.video.playbackRate = 1;
  }

  /** @param {number} ts epoch seconds @returns {boolean} whether it is in reach */
  seekTo(ts) {
    const place = placeOfTime(this.fragments, ts);
    if (place === null) return false;
    this.video.currentTime = place;
    return true;
  }

  /** Fragments of the playlist as hls.js has placed them. */
  get fragments() {
    const details = this.hls?.latestLevelDetails ?? this.hls?.levels?.[0]?.details;
    if (!details) return [];
    const hint = details.fragmentHint;
    return hint ? [...details.fragments, hint] : details.fragments;
  }

  /** @param {any} Hls */
  #attach(Hls) {
    const { live } = this.how;
    const hls = new Hls({
      lowLatencyMode: live,
      loader: socketLoader(line(), document.baseURI),
      enableWorker: true,
      workerPath: new URL("../vendor/hls/hls.worker.js", import.meta.url).href,
      maxLiveSyncPlaybackRate: 1.2,
      liveSyncOnStallIncrease: 0.3,
      backBufferLength: 20,
      maxBufferLength: live ? 8 : 20,
      startPosition: live ? -1 : 0,
    });
    this.hls = hls;
    hls.on(Hls.Events.ERROR, (/** @type {any} */ _, /** @type {any} */ data) => this.#failed(Hls, data));
    hls.on(Hls.Events.LEVEL_LOADED, () => {
      this.tries = 0;
      this.#startAtMoment();
    });
    hls.on(Hls.Events.FRAG_BUFFERED, () => {
      if (this.video.paused && !this.held) void this.video.play().catch(() => {});
    });
    hls.loadSource(absolute(this.playlist));
    hls.attachMedia(this.video);
  }

  #startAtMoment() {
    const { live, start } = this.how;
    if (live || !start || this.placed) return;
    queueMicrotask(() => {
      this.placed = this.seekTo(start);
    });
  }

  /** @param {any} Hls @param {any} data */
  #failed(Hls, data) {
    const { bufferAddCodecError, bufferIncompatibleCodecsError, manifestIncompatibleCodecsError } =
      Object.fromEntries(Object.values(Hls.ErrorDetails).map((one) => [one, one]));
    const codecs = [bufferAddCodecError, bufferIncompatibleCodecsError, manifestIncompatibleCodecsError];
    if (codecs.includes(data.details)) {
      this.#detach();
      this.#become("unplayable");
    } else if (data.fatal) {
      this.#again(Hls);
    } else if (data.details === Hls.ErrorDetails.BUFFER_STALLED_ERROR) {
      this.#become("waiting");
    }
  }

  /** @param {any} Hls */
  #again(Hls) {
    this.#detach();
    if (this.gone) return;
    this.#become("waiting");
    const wait = RETRY_MS[Math.min(this.tries, RETRY_MS.length - 1)];
    this.tries += 1;
    this.retry = setTimeout(() => {
      if (!this.gone) this.#attach(Hls);
    }, wait);
  }

  #native() {
    const separator = this.playlist.includes("?") ? "&" : "?";
    this.video.src = absolute(`${this.playlist}${separator}ll=0`);
    void this.video.play().catch(() => {});
  }

  #detach() {
    this.hls?.destroy();
    this.hls = null;
  }

  #followFrames() {
    const { video } = this;
    const follow = (/** @type {number} */ _now, /** @type {{mediaTime: number}} */ frame) => {
      if (this.gone) return;
      this.#shown(frame.mediaTime);
      video.requestVideoFrameCallback(follow);
    };
    if ("requestVideoFrameCallback" in video) video.requestVideoFrameCallback(follow);
    else this.#followClock();
  }

  #followClock() {
    const tick = () => {
      if (this.gone) return;
      this.#shown(/** @type {any} */ (this.video).currentTime);
      requestAnimationFrame(tick);
    };
    requestAnimationFrame(tick);
  }

  /** @param {number} media_s */
  #shown(media_s) {
    this.shown_at = timeOfFrame(this.fragments, media_s) ?? this.#nativeTime(media_s);
    if (this.state !== "playing" && this.state !== "unplayable") this.#become("playing");
    this.dispatchEvent(new CustomEvent("frame", { detail: this.shown_at }));
  }

  /** Safari's own player knows when its timeline began. @param {number} media_s */
  #nativeTime(media_s) {
    const began = /** @type {any} */ (this.video).getStartDate?.();
    return began && Number.isFinite(began.getTime()) ? began.getTime() / 1000 + media_s : null;
  }

  /** @param {PlayerState} state */
  #become(state) {
    if (state === this.state) return;
    this.state = state;
    this.dispatchEvent(new CustomEvent("state", { detail: state }));
  }
}

/**
 * The tab's one WebSocket: events, detections and states come by it, and the parts of every
 * video, so that the browser's six connections a host never matter.
 */

/** No word for so long: the connection is dead, whatever the socket says, s. */
export const SILENCE_S = 25;
const BACKOFF_MS = [250, 500, 1000, 2000, 4000, 8000];
const HEAD_BYTES = 6;

/**
 * Signals: `link` (open or not), `event`, `detections`, `state`, `beat`, `resync`.
 */
export class LiveSocket extends EventTarget {
  /**
   * @param {string} url
   * @param {{make?: (url: string) => WebSocket, now?: () => number}} [edges] for tests
   */
  constructor(url, edges = {}) {
    super();
    this.url = url;
    this.make = edges.make ?? ((address) => new WebSocket(address));
    this.monotonic_ms = edges.now ?? (() => performance.now());
    /** @type {WebSocket | null} */
    this.socket = null;
    this.open = false;
    /** Newest event that was seen: where to go on after a break. @type {number | null} */
    this.seq = null;
    /** @type {Map<string, number>} camera: how many ask for its detections */
    this.watched = new Map();
    /** @type {Map<number, {done: (status: number, bytes: ArrayBuffer) => void, fail: () => void}>} */
    this.asked = new Map();
    this.next_id = 1;
    this.tries = 0;
    this.last_word_ms = 0;
    this.stopped = true;
  }

  start() {
    if (!this.stopped) return;
    this.stopped = false;
    this.#connect();
    this.watchdog = setInterval(() => this.#checkSilence(), 1000);
  }

  stop() {
    this.stopped = true;
    clearInterval(this.watchdog);
    clearTimeout(this.retry);
    this.#forget();
  }

  /** Connect anew now: the tab was asleep, or the network came back. */
  wake() {
    if (this.stopped) return;
    const silent_s = (this.monotonic_ms() - this.last_word_ms) / 1000;
    if (this.open && silent_s < SILENCE_S / 2) {
      this.#say({ op: "pong" });
      return;
    }
    this.tries = 0;
    this.#forget();
    clearTimeout(this.retry);
    this.#connect();
  }

  /** Detections of this camera are wanted. @param {string} camera */
  watch(camera) {
    this.watched.set(camera, (this.watched.get(camera) ?? 0) + 1);
    this.#sayWatched();
    return () => this.#unwatch(camera);
  }

  /**
   * Ask for bytes by the socket.
   * @param {string} path relative to the base
   * @param {[number, number] | null} range first byte and the one after the last
   * @returns {{id: number, answer: Promise<{status: number, bytes: ArrayBuffer}>}}
   */
  get(path, range) {
    const id = this.next_id;
    this.next_id = (this.next_id % 0xffffffff) + 1;
    const answer = new Promise((resolve, reject) => {
      if (!this.open) {
        reject(new Error("not connected"));
        return;
      }
      this.asked.set(id, {
        done: (status, bytes) => resolve({ status, bytes }),
        fail: () => reject(new Error("connection lost")),
      });
      this.#say({ op: "get", id, path, range });
    });
    return { id, answer: /** @type {any} */ (answer) };
  }

  /** The answer is no longer wanted. @param {number} id */
  drop(id) {
    if (this.asked.delete(id)) this.#say({ op: "drop", id });
  }

  #connect() {
    const socket = this.make(this.url);
    socket.binaryType = "arraybuffer";
    this.socket = socket;
    this.last_word_ms = this.monotonic_ms();
    socket.onopen = () => this.#say({ op: "hello", seq: this.seq });
    socket.onmessage = ({ data }) => this.#hear(data);
    socket.onclose = ({ code }) => {
      if (socket === this.socket) this.#lost(code);
    };
  }

  /** @param {string | ArrayBuffer} data */
  #hear(data) {
    this.last_word_ms = this.monotonic_ms();
    if (typeof data !== "string") {
      this.#hearBytes(data);
      return;
    }
    const word = JSON.parse(data);
    if (word.op === "welcome") this.#welcomed(word);
    else if (word.op === "event") this.#event(word.event);
    else if (word.op === "beat") this.#beat(word);
    else if (word.op === "resync") this.#resync(word);
    else this.dispatchEvent(new CustomEvent(word.op, { detail: word }));
  }

  /** @param {{seq: number, now: number, broker: boolean}} word */
  #welcomed(word) {
    this.tries = 0;
    this.open = true;
    if (this.seq === null) this.seq = word.seq ?? null;
    this.#sayWatched();
    this.dispatchEvent(new CustomEvent("beat", { detail: word }));
    this.dispatchEvent(new CustomEvent("link", { detail: { open: true } }));
  }

  /** @param {{seq: number}} event */
  #event(event) {
    if (this.seq !== null && event.seq <= this.seq) return; // said twice
    this.seq = event.seq;
    this.dispatchEvent(new CustomEvent("event", { detail: event }));
  }

  /** All is asked anew, as of this number. @param {{seq?: number}} word */
  #resync(word) {
    this.seq = word.seq ?? this.seq;
    this.dispatchEvent(new CustomEvent("resync", { detail: word }));
  }

  /** @param {object} word */
  #beat(word) {
    this.#say({ op: "pong" });
    this.dispatchEvent(new CustomEvent("beat", { detail: word }));
  }

  /** @param {ArrayBuffer} data */
  #hearBytes(data) {
    const head = new DataView(data);
    const waiting = this.asked.get(head.getUint32(0));
    if (!waiting) return;
    this.asked.delete(head.getUint32(0));
    waiting.done(head.getUint16(4), data.slice(HEAD_BYTES));
  }

  /** @param {number} code the socket's close code */
  #lost(code) {
    this.#forget();
    if (this.stopped) return;
    this.dispatchEvent(new CustomEvent("link", { detail: { open: false, code } }));
    const wait = BACKOFF_MS[Math.min(this.tries, BACKOFF_MS.length - 1)];
    this.tries += 1;
    this.retry = setTimeout(() => this.#connect(), wait * (0.7 + 0.6 * Math.random()));
  }

  #forget() {
    const socket = this.socket;
    this.socket = null;
    this.open = false;
    if (socket) {
      socket.onopen = socket.onmessage = socket.onclose = null;
      socket.close();
    }
    const waiting = [...this.asked.values()];
    this.asked.clear();
    for (const one of waiting) one.fail();
  }

  #checkSilence() {
    if (!this.socket) return;
    if (this.monotonic_ms() - this.last_word_ms > SILENCE_S * 1000) this.#lost(0);
  }

  /** @param {string} camera */
  #unwatch(camera) {
    const left = (this.watched.get(camera) ?? 0) - 1;
    if (left > 0) this.watched.set(camera, left);
    else this.watched.delete(camera);
    this.#sayWatched();
  }

  #sayWatched() {
    if (this.open) this.#say({ op: "watch", cameras: [...this.watched.keys()].sort() });
  }

  /** @param {object} word */
  #say(word) {
    if (this.socket?.readyState === 1) this.socket.send(JSON.stringify(word));
  }
}

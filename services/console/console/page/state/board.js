/**
 * All that the page knows: who looks, which cameras there are, what is open. One board a tab;
 * elements are told when it changes.
 */

import { ended, merged } from "../core/alerts.js";
import { ServerClock } from "../core/clock.js";
import { SiteTime } from "../core/site-time.js";
import { get } from "../net/api.js";
import { currentLanguage } from "./words.js";

/** How many events are kept in the page. */
export const EVENTS_KEPT = 500;
/** An ended alert stays in sight for so long, s. */
export const LINGER_S = 300;
/** What was not answered is asked again after so long, ms. */
const AGAIN_MS = 3000;

export class Board extends EventTarget {
  constructor() {
    super();
    this.clock = new ServerClock();
    /** @type {Record<string, any>} */
    this.session = {};
    /** @type {Record<string, any>[]} */
    this.cameras = [];
    /** @type {Map<string, any>} */
    this.alerts = new Map();
    /** @type {Map<string, any>} */
    this.pending = new Map();
    /** @type {Map<string, any>} */
    this.clips = new Map();
    /** @type {Map<string, any>} */
    this.services = new Map();
    /** @type {Record<string, any>[]} */
    this.events = [];
    this.link = { open: false, since: 0 };
    this.broker = true;
    this.broker_since = 0;
    this.time = new SiteTime("UTC", "en");
    this.changing = false;
  }

  /** Take in who looks and where. @param {Record<string, any>} session */
  enter(session) {
    this.session = session;
    this.clock.hear(session.now);
    this.retime();
    this.changed();
  }

  /** The site's clock in the language of now. */
  retime() {
    this.time = new SiteTime(this.session.site?.time_zone ?? "UTC", currentLanguage());
    this.changed();
  }

  /** Ask for all that the socket does not tell by itself. */
  async refresh() {
    const [cameras, open, pending, events] = await Promise.allSettled([
      get("api/v1/cameras"),
      get("api/v1/alerts", { state: "open", limit: 200 }),
      get("api/v1/pending"),
      get("api/v1/events", { limit: 50 }),
    ]);
    if (cameras.status === "fulfilled") this.cameras = rows(cameras.value, "cameras");
    if (open.status === "fulfilled") {
      const now = new Map(rows(open.value, "alerts").map((one) => [one.event_id, one]));
      for (const one of this.alerts.values()) {
        if (ended(one) && !now.has(one.event_id)) now.set(one.event_id, one);
      }
      this.alerts = now;
    }
    if (pending.status === "fulfilled") {
      this.pending = new Map(rows(pending.value, "pending").map((one) => [idOf(one), one]));
    }
    if (events.status === "fulfilled") this.events = rows(events.value, "events");
    this.changed();
    clearTimeout(this.again);
    const unanswered = [cameras, open, pending, events].some((/** @type {any} */ { reason }) => reason && (reason.status === 0 || reason.status >= 500));
    if (unanswered) this.again = setTimeout(() => void this.refresh(), AGAIN_MS);
  }

  /** @param {import("../net/live-socket.js").LiveSocket} socket */
  listen(socket) {
    const on = (/** @type {string} */ name, /** @type {(detail: any) => void} */ heard) =>
      socket.addEventListener(name, (signal) => heard(/** @type {CustomEvent} */ (signal).detail));
    on("link", ({ open }) => {
      this.link = { open, since: this.clock.now() };
      this.changed();
    });
    on("beat", (word) => this.#beat(word));
    on("event", (event) => this.#event(event));
    on("state", (state) => this.#state(state));
    on("resync", () => void this.refresh());
  }

  /** @param {string} id */
  camera(id) {
    return this.cameras.find((one) => one.id === id);
  }

  /** What the store says of an alert that the page follows already. @param {any} alert */
  learn(alert) {
    const known = this.alerts.get(alert.event_id);
    if (!known) return;
    this.alerts.set(alert.event_id, merged(known, alert));
    this.changed();
  }

  /** Alerts in force or just over. */
  openAlerts() {
    const now = this.clock.now();
    return [...this.alerts.values()].filter(
      (one) => !ended(one) || now - (one.updated_at ?? one.reference_time ?? 0) < LINGER_S,
    );
  }

  /** Tell the elements, once for all changes of this moment. */
  changed() {
    if (this.changing) return;
    this.changing = true;
    queueMicrotask(() => {
      this.changing = false;
      this.dispatchEvent(new Event("change"));
    });
  }

  /** @param {{now: number, broker: boolean}} word */
  #beat(word) {
    this.clock.hear(word.now);
    if (word.broker !== undefined && word.broker !== this.broker) {
      this.broker = word.broker;
      this.broker_since = word.now;
    }
    this.changed();
  }

  /** @param {Record<string, any>} event */
  #event(event) {
    this.events = [event, ...this.events].slice(0, EVENTS_KEPT);
    if (event.kind === "alert" && event.event_id) this.#alert(event.event_id, alertOf(event));
    this.dispatchEvent(new CustomEvent("event", { detail: event }));
    this.changed();
  }

  /** @param {{topic: string, key: string, value: any}} state */
  #state({ topic, key, value }) {
    if (topic === "active") this.#active(key, value);
    else if (topic === "pending") put(this.pending, key, value);
    else if (topic === "clips") put(this.clips, key, value);
    else if (topic === "status") this.#status(key, value);
    this.changed();
  }

  /** @param {string} key @param {any} value */
  #active(key, value) {
    if (value) {
      this.#alert(key, { ...value, event_id: key, updated_at: value.reference_time });
      return;
    }
    const known = this.alerts.get(key);
    if (known && !ended(known)) {
      this.alerts.set(key, { ...known, ended_at: this.clock.now(), updated_at: this.clock.now() });
    }
  }

  /** @param {string} key @param {any} word */
  #alert(key, word) {
    const fresh = !this.alerts.has(key);
    const alert = merged(this.alerts.get(key), word);
    this.alerts.set(key, alert);
    if (fresh && !ended(alert)) this.dispatchEvent(new CustomEvent("alert", { detail: alert }));
  }

  /** @param {string} key @param {any} value */
  #status(key, value) {
    put(this.services, key, value);
    if (value?.service !== "recorder") return;
    const told = new Map((value.cameras ?? []).map((/** @type {any} */ one) => [one.camera, one]));
    this.cameras = this.cameras.map((camera) => {
      const word = told.get(camera.id);
      if (!word) return camera;
      return {
        ...camera, state: word.state, detail: word.detail,
        last_frame_at: word.last_frame_at ?? camera.last_frame_at,
      };
    });
  }
}

/** @param {any} answer @param {string} name @returns {any[]} */
export function rows(answer, name) {
  return Array.isArray(answer) ? answer : (answer?.[name] ?? answer?.items ?? []);
}

/** @param {any} one */
function idOf(one) {
  return one.event_id ?? one.incident?.event_id;
}

/** @param {Map<string, any>} map @param {string} key @param {any} value */
function put(map, key, value) {
  if (value === null || value === undefined) map.delete(key);
  else map.set(key, value);
}

/** The alert of an event, as far as the event tells. @param {Record<string, any>} event */
function alertOf(event) {
  return {
    ...(event.body ?? {}),
    event_id: event.event_id, revision: event.revision, camera: event.camera, type: event.type,
    severity: event.severity, status: event.status, confidence: event.confidence ?? undefined,
    lat: event.lat, lon: event.lon, updated_at: event.ts,
    detected_at: event.body?.detection_time ?? event.ts,
  };
}

export const board = new Board();

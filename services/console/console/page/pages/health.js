/** Whether the system is well: services, cameras, broker, disks, clocks; each with the age of its word. */

import { get } from "../net/api.js";
import { cameraName } from "../parts/alert-card.js";
import { BoardPart, html, nothing } from "../parts/element.js";
import { board, rows } from "../state/board.js";
import { number, size, t, word } from "../state/words.js";

const PERIOD_MS = 5000;
/** A word older than this is no longer believed, s. */
const OLD_S = 45;
const FULL = 0.1;

class Health extends BoardPart {
  static properties = { told: { state: true }, failed: { state: true } };

  constructor() {
    super();
    /** @type {any} */
    this.told = null;
    this.failed = false;
  }

  connectedCallback() {
    super.connectedCallback();
    void this.#ask();
    this.every(PERIOD_MS, () => void this.#ask());
  }

  async #ask() {
    try {
      this.told = await get("api/v1/health");
      this.failed = false;
    } catch {
      this.failed = true;
    }
  }

  render() {
    const told = this.told ?? {};
    const services = rows(told.services?.length ? told.services : [...board.services.values()], "services");
    const cameras = told.cameras?.length ? told.cameras : board.cameras;
    return html`<div class="page"><div class="toolbar"><h1>${word("page", "health")}</h1>
        ${told.figures_url ? html`<a class="quiet-button bordered" href=${told.figures_url} target="_blank" rel="noopener noreferrer">${t("health.figures")}</a>` : nothing}
        ${this.failed ? html`<span class="chip danger">${t("health.no_answer")}</span>` : nothing}</div>
      <div class="columns wide">
        <section class="panel"><h2>${t("health.services")}</h2>${services.length ? html`<ul class="rows">${services.map((/** @type {any} */ one) => this.#service(one))}</ul>` : html`<p class="faint">${t("health.nothing")}</p>`}</section>
        <section class="panel"><h2>${t("health.cameras")}</h2><ul class="rows">${cameras.map((/** @type {any} */ one) => this.#camera(one))}</ul></section>
        <section class="panel"><h2>${t("health.broker")}</h2><ul class="rows">${this.#broker(told.broker)}</ul>
          <h2>${t("health.disk")}</h2><ul class="rows">${(told.disk ?? []).map((/** @type {any} */ one) => this.#disk(one))}</ul>
          <h2>${t("health.clocks")}</h2><ul class="rows">${this.#browserClock()}${(told.clocks ?? []).map((/** @type {any} */ one) => this.#clock(one))}</ul></section>
      </div></div>`;
  }

  /** @param {any} one */
  #service(one) {
    const at = one.at ?? one.ts;
    const kind = one.state === "online" ? (this.#old(at) ? "late" : "good") : one.state === "stopped" ? "quiet" : "bad";
    return row(kind, nameOf(one.service, one.instance), word("service_state", one.state), this.#age(at), one.version);
  }

  /** @param {any} one */
  #camera(one) {
    const id = one.id ?? one.camera;
    const kind = !one.state || one.state === "live" ? "good" : ["connecting", "waiting", "ended", "stopped"].includes(one.state) ? "late" : "bad";
    const last = one.last_frame_at ? t("health.picture", { time: board.time.near(one.last_frame_at, board.clock.now()) }) : "";
    return row(kind, one.name || cameraName(id), word("camera_state", one.state ?? "live"), last, one.detail);
  }

  /** @param {any} broker */
  #broker(broker) {
    const connected = broker?.connected ?? board.broker;
    const since = broker?.since ?? board.broker_since;
    return row(connected ? "good" : "bad", "MQTT", t(connected ? "health.connected" : "health.away"), since ? t("health.since", { time: board.time.near(since, board.clock.now()) }) : "");
  }

  /** @param {any} one */
  #disk(one) {
    const share = one.total_bytes ? one.free_bytes / one.total_bytes : 1;
    const used = Math.round((1 - share) * 100);
    return html`${row(share < FULL ? "bad" : "good", word("disk", one.name ?? one.path), t("health.free", { free: size(one.free_bytes), total: size(one.total_bytes) }), this.#age(one.at))}
      <li class="meter-row"><div class="meter ${share < FULL ? "full" : ""}" role="meter" aria-label=${t("health.used")} aria-valuemin="0" aria-valuemax="100" aria-valuenow=${used}><i .style=${`width:${used}%`}></i></div></li>`;
  }

  /** @param {any} one */
  #clock(one) {
    const offset = Number.isFinite(one.offset_s) ? one.offset_s : null;
    const kind = offset === null ? "late" : Math.abs(offset) > 0.5 ? "bad" : "good";
    const [service, instance] = String(one.name).split(" ");
    return row(kind, nameOf(service, instance), offset === null ? t("health.unknown") : t("health.offset", { s: number(offset, 3) }), this.#age(one.at));
  }

  #browserClock() {
    const off = -board.clock.offset_s;
    return row(Math.abs(off) > 5 ? "late" : "good", t("health.this_browser"), t("health.offset", { s: number(off, 1) }), t("health.harmless"));
  }

  /** @param {number | undefined} at */
  #old(at) {
    return at !== undefined && board.clock.now() - at > OLD_S;
  }

  /** @param {number | undefined} at */
  #age(at) {
    if (!at) return "";
    const age = Math.max(0, Math.round(board.clock.now() - at));
    return age < 120 ? t("health.ago", { s: number(age) }) : board.time.near(at, board.clock.now());
  }
}

/** A service that is alone of its kind is named once. @param {string} service @param {string} [instance] */
function nameOf(service, instance) {
  return instance && instance !== service ? `${service} · ${instance}` : service;
}

/** @param {string} kind @param {string} name @param {string} state @param {string} age @param {string} [detail] */
function row(kind, name, state, age, detail) {
  return html`<li class="health-row ${kind}"><i class="dot" aria-hidden="true"></i><span class="health-name">${name}</span>
    <span class="health-state">${state}</span><span class="faint">${[age, detail].filter(Boolean).join(" · ")}</span></li>`;
}

customElements.define("hc-health", Health);

/** The control room's wall: cameras, the newest alert large, no hand needed. */

import { ended, newestFirst, promoted } from "../core/alerts.js";
import { cameraName } from "../parts/alert-card.js";
import { BoardPart, html, repeat } from "../parts/element.js";
import { severityMark } from "../parts/icons.js";
import "../parts/tile.js";
import { board } from "../state/board.js";
import { t, word } from "../state/words.js";

/** How long an alert keeps the large place, s. */
export const LARGE_S = 300;
const TILES = 9;
/** The wall loads itself anew in this hour of the site, so that no leak grows old. */
const QUIET_HOUR = 4;

class Wall extends BoardPart {
  connectedCallback() {
    super.connectedCallback();
    this.began = Date.now();
    this.classList.add("wall");
    this.every(1000, () => {
      this.requestUpdate();
      this.#freshen();
    });
    this.during(document, "visibilitychange", () => void this.#stayAwake());
    void this.#stayAwake();
  }

  disconnectedCallback() {
    super.disconnectedCallback();
    void this.lock?.release();
  }

  async #stayAwake() {
    if (document.visibilityState !== "visible" || !navigator.wakeLock) return;
    try {
      this.lock = await navigator.wakeLock.request("screen");
    } catch {
      this.lock = null; // no right to it: the wall's computer must not sleep by itself
    }
  }

  #freshen() {
    const hours = (Date.now() - this.began) / 3_600_000;
    const calm = ![...board.alerts.values()].some((one) => !ended(one));
    const hour = Number(board.time.clock(board.clock.now()).slice(0, 2));
    if (hours > 2 && hour === QUIET_HOUR && calm) location.reload();
  }

  render() {
    const now = board.clock.now();
    const open = newestFirst(board.alerts.values()).filter((one) => !ended(one));
    const large = promoted(open, now, LARGE_S);
    const byCamera = new Map([...open].reverse().map((one) => [one.camera, one]));
    const cameras = board.cameras.slice(0, Math.max(TILES, 1));
    if (large && !cameras.some(({ id }) => id === large)) {
      const camera = board.camera(large);
      if (camera) cameras.splice(-1, 1, camera);
    }
    const columns = cameras.length === 1 ? 1 : cameras.length <= 4 ? 2 : 3;
    return html`<div class="wall-tiles columns-${columns} ${large ? "promoted" : ""} n-${cameras.length}">
      ${repeat(cameras, ({ id }) => id, (camera) => html`<div class="tile-place ${camera.id === large ? "large" : ""}">
        <hc-tile .camera=${camera} .live=${true} .alert=${byCamera.get(camera.id) ?? null}></hc-tile></div>`)}</div>
      ${this.#line(open, now)}`;
  }

  /** @param {any[]} open @param {number} now */
  #line(open, now) {
    const dead = board.cameras.filter(({ state }) => state && state !== "live").length;
    return html`<footer class="wall-line">
      <time class="wall-clock">${board.time.clock(now)}</time>
      <strong>${board.session.site?.name ?? "Hazardcast"}</strong>
      <span class="link ${board.link.open && board.broker ? "on" : "off"}"><i></i><span>${board.link.open
        ? board.broker ? t("shell.connected") : t("wall.no_broker") : t("shell.connecting")}</span></span>
      <span class="faint">${t("wall.cameras", { live: board.cameras.length - dead, all: board.cameras.length })}</span>
      <span class="spring"></span>
      ${open.length ? open.slice(0, 3).map((one) => html`<span class="wall-alert ${one.severity}">${severityMark(one.severity)}
        <b>${word("type", one.type)}</b> ${cameraName(one.camera)}</span>`) : html`<span class="faint">${t("live.calm")}</span>`}
    </footer>`;
  }
}

customElements.define("hc-wall", Wall);

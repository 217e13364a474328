/** The cameras as they are now, and what is open. */

import { ended, newestFirst } from "../core/alerts.js";
import { CLASSES, lookOf } from "../core/classes.js";
import { hrefOf } from "../core/routes.js";
import { alertCard, pendingCard } from "../parts/alert-card.js";
import { BoardPart, html, nothing, repeat } from "../parts/element.js";
import { eventRow } from "../parts/event-row.js";
import { icon } from "../parts/icons.js";
import { go } from "../parts/shell.js";
import "../parts/tile.js";
import { board } from "../state/board.js";
import { view } from "../state/view.js";
import { t, word } from "../state/words.js";

/** More videos at once than this no browser plays well: the rest are stills. */
export const LIVE_TILES = 9;
const EVENTS_SHOWN = 12;

class Live extends BoardPart {
  static properties = { params: {} };

  constructor() {
    super();
    this.params = "";
  }

  get #chosen() {
    return new URLSearchParams(this.params).get("camera");
  }

  render() {
    return html`<div class="live-page">
      <section class="stage" aria-label=${word("page", "live")}>
        <div class="toolbar">${this.#tools()}</div>
        ${board.cameras.length ? this.#tiles() : html`<p class="empty">${t("live.no_cameras")}</p>`}
      </section>
      <aside class="side">${this.#side()}</aside></div>`;
  }

  #tools() {
    const chosen = this.#chosen;
    return html`<h1>${word("page", "live")}</h1>
      ${chosen ? html`<a class="quiet-button" href="./">${icon("back")}<span>${t("live.all_cameras")}</span></a>` : nothing}
      ${chosen && board.session.may_decide ? html`<a class="quiet-button" href=${hrefOf("map", { raise: chosen })}>${icon("incidents")}<span>${t("map.raise")}</span></a>` : nothing}
      <span class="spring"></span>
      <div class="toggles" role="group" aria-label=${t("live.overlay")}>
        <button class="toggle" aria-pressed=${view.boxes} @click=${() => view.set({ boxes: !view.boxes })}>${icon("box")}<span>${t("live.boxes")}</span></button>
        <button class="toggle" aria-pressed=${view.labels} @click=${() => view.set({ labels: !view.labels })}>${icon("tag")}<span>${t("live.labels")}</span></button>
        <span class="classes">${CLASSES.map((label) => html`<button class="toggle class" aria-pressed=${!view.hidden.includes(label)}
          title=${word("class", label)} @click=${() => view.toggleClass(label)}><i class="swatch ${lookOf(label).name}"></i><span>${word("class", label)}</span></button>`)}</span>
      </div>`;
  }

  #tiles() {
    const chosen = board.camera(this.#chosen ?? "") ? this.#chosen : null;
    const cameras = [...board.cameras].sort((a, b) => Number(b.id === chosen) - Number(a.id === chosen));
    const alerting = new Map(
      newestFirst(board.alerts.values()).filter((one) => !ended(one)).reverse().map((one) => [one.camera, one]),
    );
    const columns = cameras.length === 1 ? 1 : cameras.length <= 4 ? 2 : 3;
    return html`<div class="tiles ${chosen ? "chosen" : ""} columns-${columns}">
      ${repeat(cameras, ({ id }) => id, (camera, at) => html`<div class="tile-place ${camera.id === chosen ? "large" : ""}">
        <hc-tile .camera=${camera} .live=${at < LIVE_TILES} .alert=${alerting.get(camera.id) ?? null}></hc-tile>
        <button class="tile-open" aria-label=${t(camera.id === chosen ? "live.smaller" : "live.larger", { camera: camera.name || camera.id })}
          @click=${() => go(hrefOf("live", { camera: camera.id === chosen ? null : camera.id }))}></button></div>`)}</div>`;
  }

  #side() {
    const open = newestFirst(board.openAlerts());
    return html`
      ${board.pending.size ? html`<section aria-label=${t("live.pending")}><h2>${t("live.pending")}</h2>
        ${repeat(board.pending, ([id]) => id, ([, one]) => pendingCard(one))}</section>` : nothing}
      <section aria-label=${t("live.open")}><h2>${t("live.open")}<a class="all" href="incidents">${t("live.all")}</a></h2>
        ${open.length ? repeat(open, ({ event_id }) => event_id, (one) => alertCard(one))
          : html`<p class="calm">${icon("clear")}<span>${t("live.calm")}</span></p>`}</section>
      <section aria-label=${t("live.events")}><h2>${t("live.events")}</h2>
        <ol class="events">${repeat(board.events.slice(0, EVENTS_SHOWN), ({ seq }) => seq, eventRow)}</ol></section>`;
  }
}

customElements.define("hc-live", Live);

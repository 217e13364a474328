/** Where it is: site, cameras with their view, alerts with who is concerned. No tile from anywhere. */

import { ended, newestFirst } from "../core/alerts.js";
import { niceStep, offsetMetres } from "../core/ground.js";
import { hrefOf } from "../core/routes.js";
import { Problem, get, post } from "../net/api.js";
import { alertCard, cameraName } from "../parts/alert-card.js";
import { BoardPart, html, nothing, repeat } from "../parts/element.js";
import { icon, severityMark } from "../parts/icons.js";
import { drawSite, leafletLibrary } from "../parts/map-layers.js";
import { board } from "../state/board.js";
import { number, t, word } from "../state/words.js";

const TYPES = ["collision", "fire", "blockage", "rollover", "unknown"];

class SiteMap extends BoardPart {
  static properties = { params: {}, placing: { state: true }, place: { state: true }, scale: { state: true }, said: { state: true } };

  constructor() {
    super();
    this.params = "";
    this.placing = false;
    /** @type {{lat: number, lng: number} | null} */
    this.place = null;
    this.scale = { metres: 100, px: 100 };
    this.said = "";
    this.fitted = false;
  }

  disconnectedCallback() {
    super.disconnectedCallback();
    this.map?.remove();
    this.map = null;
  }

  /** A camera in whose picture somebody saw it: then the place need not be clicked. */
  get #raising() {
    return new URLSearchParams(this.params).get("raise");
  }

  get #chosen() {
    return new URLSearchParams(this.params).get("event");
  }

  async firstUpdated() {
    this.placing = Boolean(this.#raising);
    const L = await leafletLibrary();
    if (!this.isConnected) return;
    this.L = L;
    this.map = L.map(this.querySelector(".map-ground"), {
      zoomControl: false, attributionControl: false, zoomSnap: 0.25, maxZoom: 21, minZoom: 3, keyboard: true,
      fadeAnimation: false, zoomAnimation: !matchMedia("(prefers-reduced-motion: reduce)").matches,
    });
    this.layer = L.layerGroup().addTo(this.map);
    this.map.on("zoomend moveend", () => this.#rescale());
    this.map.on("click", (/** @type {any} */ { latlng }) => {
      if (this.placing) this.place = latlng;
    });
    await this.#background();
    this.#draw();
  }

  /** The operator's own ground, where it lies with the site. */
  async #background() {
    if (board.session.map !== "geojson") return;
    try {
      const ground = await get("api/v1/map.geojson");
      const point = (/** @type {any} */ _, /** @type {any} */ at) => this.L.circleMarker(at, { radius: 3, interactive: false, className: "map-base" });
      this.L.geoJSON(ground, { interactive: false, className: "map-base", pointToLayer: point }).addTo(this.map);
    } catch {
      // the grid alone is a ground too
    }
  }

  updated() {
    this.#draw();
  }

  #draw() {
    if (!this.map) return;
    const alerts = newestFirst(board.openAlerts()).filter((one) => Number.isFinite(one.lat));
    const known = `${board.cameras.map((one) => `${one.id}${one.state}`)} ${alerts.map((one) => `${one.event_id}${one.revision}${ended(one)}`)} ${this.#chosen} ${JSON.stringify(this.place)}`;
    if (!this.fitted) this.#fit(alerts);
    if (known === this.known) return;
    this.known = known;
    this.layer.clearLayers();
    drawSite(this.L, this.layer, { cameras: board.cameras, alerts, chosen: this.#chosen, place: this.place });
  }

  /** @param {any[]} alerts */
  #fit(alerts) {
    const site = board.session.site ?? {};
    const points = [...board.cameras, ...alerts, site].filter(({ lat, lon }) => Number.isFinite(lat) && Number.isFinite(lon));
    if (!points.length) return;
    this.fitted = true;
    const chosen = alerts.find((one) => one.event_id === this.#chosen);
    const concerned = chosen?.awareness_distance_m && !ended(chosen)
      ? this.L.latLng(chosen.lat, chosen.lon).toBounds(2 * chosen.awareness_distance_m).pad(0.1) : null;
    const bounds = this.L.latLngBounds((chosen ? [chosen] : points).map(({ lat, lon }) => [lat, lon]));
    this.map.fitBounds(concerned ?? bounds.pad(0.35), { maxZoom: 17, animate: false });
    this.#rescale();
  }

  /** How long a metre is now, for the bar and the grid. */
  #rescale() {
    const middle = this.map.getCenter();
    const px = 100;
    const point = this.map.latLngToContainerPoint(middle);
    const other = this.map.containerPointToLatLng(point.add([px, 0]));
    const metres = offsetMetres(middle.lat, middle.lng, other.lat, other.lng);
    const step = niceStep(metres * 1.2);
    this.scale = { metres: step, px: (step / metres) * px };
    const ground = /** @type {HTMLElement} */ (this.querySelector(".map-ground"));
    const origin = this.map.latLngToContainerPoint(board.cameras[0] ? [board.cameras[0].lat ?? middle.lat, board.cameras[0].lon ?? middle.lng] : middle);
    ground.style.setProperty("--cell", `${this.scale.px}px`);
    ground.style.setProperty("--grid-x", `${origin.x}px`);
    ground.style.setProperty("--grid-y", `${origin.y}px`);
  }

  render() {
    const open = newestFirst(board.openAlerts());
    return html`<div class="map-page"><div class="map-wrap ${this.placing ? "placing" : ""}"><div class="map-ground" role="application" aria-label=${t("map.label")}></div>
        <div class="map-tools"><button class="quiet-button" aria-label=${t("map.in")} @click=${() => this.map?.zoomIn()}>${icon("plus")}</button>
          <button class="quiet-button" aria-label=${t("map.out")} @click=${() => this.map?.zoomOut()}>${icon("minus")}</button>
          <button class="quiet-button" aria-label=${t("map.all")} @click=${() => { this.#fit([]); this.fitted = false; this.#draw(); }}>${icon("expand")}</button></div>
        <div class="map-scale" aria-hidden="true"><i .style=${`width:${this.scale.px}px`}></i><span>${this.scale.metres >= 1000 ? `${number(this.scale.metres / 1000)} km` : `${number(this.scale.metres)} m`}</span></div></div>
      <aside class="side"><h1>${word("page", "map")}</h1>
        ${board.session.may_decide ? this.#raise() : nothing}
        <section><h2>${t("live.open")}</h2>${open.length ? repeat(open, ({ event_id }) => event_id, (one) => alertCard(one, one.event_id === this.#chosen)) : html`<p class="calm">${icon("clear")}<span>${t("live.calm")}</span></p>`}</section>
        <section><h2>${t("map.cameras")}</h2><ul class="plain">${board.cameras.map((one) => html`<li class="row"><a href=${hrefOf("live", { camera: one.id })}>${one.name || one.id}</a>
          <span class="chip ${one.state}">${word("camera_state", one.state)}</span></li>`)}</ul></section></aside></div>`;
  }

  /** Report what a person saw, by a click on the ground. */
  #raise() {
    if (!this.placing) {
      return html`<button class="act wide" @click=${() => { this.placing = true; this.said = ""; }}>${icon("incidents")}<span class="act-label">${t("map.raise")}</span></button>
        <p class="said" role="status">${this.said}</p>`;
    }
    return html`<form class="panel" @submit=${(/** @type {SubmitEvent} */ e) => this.#send(e)}><h2>${t("map.raise")}</h2>
      <p class="faint">${this.place ? `${this.place.lat.toFixed(5)}, ${this.place.lng.toFixed(5)}` : this.#raising ? cameraName(this.#raising) : t("map.click")}</p>
      <label>${t("map.type")}<select name="type">${TYPES.map((one) => html`<option value=${one}>${word("type", one)}</option>`)}</select></label>
      <label>${t("map.severity")}<select name="severity">${["high", "medium", "low", "critical"].map((one) => html`<option value=${one}>${word("severity", one)}</option>`)}</select></label>
      <label class="check"><input type="checkbox" name="test" /> ${t("map.test")}</label>
      <div class="row"><button class="act confirm" ?disabled=${!this.place && !this.#raising}>${severityMark("high")}<span class="act-label">${t("map.send")}</span></button>
        <button type="button" class="quiet-button" @click=${() => { this.placing = false; this.place = null; }}>${t("map.cancel")}</button></div>
      <p class="said danger" role="status">${this.said}</p></form>`;
  }

  /** @param {SubmitEvent} event */
  async #send(event) {
    event.preventDefault();
    if (!this.place && !this.#raising) return;
    const form = new FormData(/** @type {HTMLFormElement} */ (event.target));
    try {
      await post("api/v1/incidents", {
        type: form.get("type"), severity: form.get("severity"), test: form.get("test") === "on",
        ...(this.#raising ? { camera: this.#raising } : {}),
        ...(this.place ? { lat: this.place.lat, lon: this.place.lng } : {}),
      });
      this.placing = false;
      this.place = null;
      this.said = t("map.sent");
    } catch (problem) {
      this.said = /** @type {Problem} */ (problem).status === 503 ? t("decide.no_broker") : /** @type {Problem} */ (problem).message;
    }
  }
}

customElements.define("hc-map", SiteMap);

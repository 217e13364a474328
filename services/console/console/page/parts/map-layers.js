/** What stands on the map. Names and words are text nodes, never markup. */

import { ended } from "../core/alerts.js";
import { placeAt } from "../core/ground.js";
import { hrefOf } from "../core/routes.js";
import { word } from "../state/words.js";
import { go } from "./shell.js";

const VIEW_M = 60;
const VIEW_DEG = 56;

/** @type {Promise<any> | null} */
let library = null;

export function leafletLibrary() {
  library ??= import("../vendor/leaflet/leaflet.js").then(() => {
    const sheet = document.createElement("link");
    sheet.rel = "stylesheet";
    sheet.href = new URL("../vendor/leaflet/leaflet.css", import.meta.url).href;
    document.head.append(sheet);
    return new Promise((done) => {
      sheet.onload = () => done(/** @type {any} */ (globalThis).L);
    });
  });
  return library;
}

/**
 * @param {any} L Leaflet
 * @param {any} layer
 * @param {{cameras: any[], alerts: any[], chosen: string | null, place: {lat: number, lng: number} | null}} what
 */
export function drawSite(L, layer, { cameras, alerts, chosen, place }) {
  for (const alert of alerts) circle(L, layer, alert, alert.event_id === chosen);
  for (const camera of cameras) if (Number.isFinite(camera.lat)) cameraMark(L, layer, camera);
  for (const alert of alerts) alertMark(L, layer, alert);
  if (place) L.circleMarker(place, { radius: 9, className: "map-place" }).addTo(layer);
}

/** Within it vehicles are concerned. @param {any} L @param {any} layer @param {any} alert @param {boolean} chosen */
function circle(L, layer, alert, chosen) {
  if (!alert.awareness_distance_m || ended(alert)) return;
  L.circle([alert.lat, alert.lon], {
    radius: alert.awareness_distance_m, interactive: false,
    className: `map-awareness ${alert.severity} ${chosen ? "chosen" : ""}`,
  }).addTo(layer);
}

/** @param {any} L @param {any} layer @param {any} camera */
function cameraMark(L, layer, camera) {
  const { lat, lon, heading_deg: heading } = camera;
  if (Number.isFinite(heading)) {
    const fan = [-0.5, -0.25, 0, 0.25, 0.5].map((share) => placeAt(lat, lon, heading + share * VIEW_DEG, VIEW_M));
    L.polygon([[lat, lon], ...fan], { interactive: false, className: "map-view" }).addTo(layer);
  }
  const marker = L.circleMarker([lat, lon], { radius: 7, className: `map-camera ${camera.state ?? ""}` }).addTo(layer);
  marker.bindTooltip(textNode(camera.name || camera.id), { permanent: true, direction: "bottom", offset: [0, 8], className: "map-name" });
  marker.on("click", () => go(hrefOf("live", { camera: camera.id })));
}

/** @param {any} L @param {any} layer @param {any} alert */
function alertMark(L, layer, alert) {
  const marker = L.circleMarker([alert.lat, alert.lon], {
    radius: 11, className: `map-alert ${alert.severity} ${ended(alert) ? "over" : ""}`,
  }).addTo(layer);
  marker.bindTooltip(textNode(word("type", alert.type)), { direction: "top", offset: [0, -10], className: "map-name" });
  marker.on("click", () => go(hrefOf("incidents", { event: alert.event_id })));
}

/** @param {string} text */
function textNode(text) {
  const span = document.createElement("span");
  span.textContent = text;
  return span;
}

/** One event as a row: when, what, where. */

import { hrefOf } from "../core/routes.js";
import { board } from "../state/board.js";
import { word } from "../state/words.js";
import { cameraName } from "./alert-card.js";
import { html } from "./element.js";

/** @param {any} event */
export function eventRow(event) {
  const words = [word("kind", event.kind), event.type ? word("type", event.type) : "", word("event_status", event.status)];
  const head = words.filter(Boolean).join(" · ");
  return html`<li class="event ${event.level ?? "info"}"><time>${board.time.near(event.ts, board.clock.now())}</time>
    <div><span class="event-head">${event.event_id && (event.kind === "alert" || event.kind === "decision")
      ? html`<a href=${hrefOf("incidents", { event: event.event_id })}>${head}</a>` : head}</span>
    <span class="faint">${aboutWhat(event)}</span></div></li>`;
}

/** Where and how grave, in the reader's language; the store's summary is English and says no more. @param {any} event */
function aboutWhat(event) {
  const source = event.camera ? cameraName(event.camera) : event.source ?? "";
  const grave = event.severity ? word("severity", event.severity) : "";
  const own = event.kind === "observation" ? event.summary : ""; // another system's words: nobody else has them
  return [source, grave, event.body?.road, own].filter(Boolean).join(" · ");
}

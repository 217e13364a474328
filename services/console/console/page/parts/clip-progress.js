/** How far a clip is. */

import { hrefOf } from "../core/routes.js";
import { number, t, word } from "../state/words.js";
import { cameraName } from "./alert-card.js";
import { html, nothing } from "./element.js";
import { icon } from "./icons.js";

const DONE = ["ready", "partial"];

/** @param {any} clip */
export function clipProgress(clip) {
  const share = Math.round((clip.coverage ?? 0) * 100);
  const done = DONE.includes(clip.state);
  return html`<div class="clip-progress ${clip.state}">
    <div class="card-line"><span>${cameraName(clip.camera)}</span><span class="chip ${clip.state}">${word("clip_state", clip.state)}</span></div>
    <div class="meter" role="meter" aria-label=${t("clips.coverage")} aria-valuemin="0" aria-valuemax="100" aria-valuenow=${share}><i .style=${`width:${share}%`}></i></div>
    <div class="card-line faint"><span>${t("clips.covered", { share: number(share) })}</span>
      ${done && clip.id !== undefined ? html`<a class="quiet-button" href=${hrefOf("clips", { clip: clip.id })}>${icon("play")}<span>${t("clips.open")}</span></a>` : nothing}</div></div>`;
}

/** An alert as a card in a list. */

import { began, ended } from "../core/alerts.js";
import { hrefOf } from "../core/routes.js";
import { board } from "../state/board.js";
import { number, t, word } from "../state/words.js";
import { html, nothing } from "./element.js";
import { severityMark } from "./icons.js";

/** @param {string | null | undefined} id */
export function cameraName(id) {
  return (id && board.camera(id)?.name) || id || t("alert.no_camera");
}

/** How it stands, in a word. @param {any} alert */
export function standing(alert) {
  if (alert.state === "pending" || alert.state === "dropped") return alert.state;
  if (alert.disposition && alert.disposition !== "unconfirmed") return alert.disposition;
  if (alert.status === "negate") return "false_alarm";
  if (alert.status === "cancel") return "cleared";
  if (ended(alert)) return "expired";
  return "open";
}

/** @param {any} alert */
export function standingChip(alert) {
  const how = standing(alert);
  return html`<span class="chip ${how}">${word("standing", how)}</span>`;
}

/** @param {any} alert @param {boolean} [chosen] */
export function alertCard(alert, chosen = false) {
  const at = began(alert);
  const reached = reachedCount(alert);
  return html`<a class="card alert ${alert.severity} ${ended(alert) ? "over" : ""}" aria-current=${chosen ? "true" : nothing}
      href=${hrefOf("incidents", { event: alert.event_id })}>
    ${severityMark(alert.severity)}
    <div class="card-body">
      <div class="card-head"><strong>${word("type", alert.type)}</strong>
        <time>${board.time.near(at, board.clock.now())}</time></div>
      <div class="card-line"><span>${cameraName(alert.camera)}</span>${alert.test ? html`<span class="chip test">${t("alert.test")}</span>` : nothing}${standingChip(alert)}</div>
      <div class="card-line faint"><span>${word("severity", alert.severity)}</span>
        ${alert.confidence !== null && alert.confidence !== undefined ? html`<span>${t("alert.confidence", { share: number(alert.confidence * 100) })}</span>` : nothing}
        ${reached === null ? nothing : html`<span>${t("alert.reached", { n: reached })}</span>`}</div>
    </div></a>`;
}

/** @param {any} alert @returns {number | null} */
export function reachedCount(alert) {
  const told = alert.vehicles_reached;
  if (Array.isArray(told)) return told.length;
  return Number.isFinite(told) ? told : null;
}

/** What waits for a person. @param {any} pending */
export function pendingCard(pending) {
  const incident = pending.incident ?? pending;
  const shadow = pending.mode === "shadow";
  const left = pending.decide_by && !shadow ? Math.max(0, Math.round(pending.decide_by - board.clock.now())) : null;
  return html`<a class="card pending" href=${hrefOf("incidents", { event: pending.event_id ?? incident.event_id })}>
    ${severityMark(incident.severity)}
    <div class="card-body">
      <div class="card-head"><strong>${word("type", incident.type)}</strong>
        ${left === null ? nothing : html`<span class="countdown">${t("pending.left", { s: left })}</span>`}</div>
      <div class="card-line"><span>${cameraName(incident.camera)}</span><span class="chip waiting">${t(shadow ? "pending.shadow" : "pending.waiting")}</span></div>
      <div class="card-line faint"><span>${word("severity", incident.severity)}</span>
      ${pending.on_timeout && !shadow ? html`<span>${t(`pending.then_${pending.on_timeout}`)}</span>` : nothing}</div>
    </div></a>`;
}

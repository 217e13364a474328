/** What a day of a camera left behind: archives to take away, and what was made of every ten minutes. */

import { get, absolute } from "../net/api.js";
import { board, rows } from "../state/board.js";
import { duration, number, t, word } from "../state/words.js";
import { BoardPart, html, nothing } from "./element.js";
import { icon } from "./icons.js";

const MOST = 200;

class Recorded extends BoardPart {
  static properties = { camera: {}, from: { type: Number }, to: { type: Number }, archives: { state: true }, analyses: { state: true } };

  constructor() {
    super();
    this.camera = "";
    this.from = 0;
    this.to = 0;
    /** Null: nobody has asked yet. @type {any[] | null} */
    this.archives = null;
    /** @type {any[] | null} */
    this.analyses = null;
  }

  /** @param {Map<string, any>} changed */
  willUpdate(changed) {
    if (!["camera", "from", "to"].some((name) => changed.has(name))) return;
    this.archives = null;
    this.analyses = null;
    for (const one of this.querySelectorAll("details[open]")) void this.#ask(/** @type {HTMLElement} */ (one).dataset.what ?? "");
  }

  /** @param {string} what */
  async #ask(what) {
    const asked = `${this.camera} ${this.from}`;
    const camera = encodeURIComponent(this.camera);
    const [path, key] = what === "archives" ? [`api/v1/archives/${camera}`, "archives"] : [`api/v1/segment-analyses/${camera}`, "segment_analyses"];
    let found = [];
    try {
      found = rows(await get(path, { from: this.from, to: this.to, limit: MOST }), key);
    } catch {
      // an empty list says as much as there is to say
    }
    if (asked !== `${this.camera} ${this.from}`) return;
    if (what === "archives") this.archives = found;
    else this.analyses = found;
  }

  render() {
    return html`${this.#fold("archives", this.archives, () => this.#archives())}${this.#fold("analyses", this.analyses, () => this.#analyses())}`;
  }

  /** Asked for when it is opened. @param {string} what @param {any[] | null} found @param {() => any} shown */
  #fold(what, found, shown) {
    const table = found === null ? html`<p class="faint">${t("list.loading")}</p>` : found.length ? shown() : html`<p class="faint">${t(`recorded.no_${what}`)}</p>`;
    return html`<details class="panel" data-what=${what} @toggle=${(/** @type {any} */ e) => { if (e.target.open && found === null) void this.#ask(what); }}>
      <summary>${t(`recorded.${what}`)}</summary><div class="scroll" tabindex="0" role="region" aria-label=${t(`recorded.${what}`)}>${table}</div></details>`;
  }

  #archives() {
    const away = board.session.may_export !== false;
    return html`<table><thead><tr><th>${t("statistics.time")}</th><th>${t("recorded.length")}</th>${away ? html`<th>${t("recorded.file")}</th>` : nothing}</tr></thead>
      <tbody>${(this.archives ?? []).map((one) => html`<tr><td><time>${board.time.full(one.start)}</time></td><td>${duration(one.duration_s)}${one.complete ? "" : ` · ${t("recorded.growing")}`}</td>
        ${away ? html`<td><a class="quiet-button" download=${`${this.camera}_${one.name}`} href=${absolute(`api/v1/archives/${encodeURIComponent(this.camera)}/${encodeURIComponent(one.name)}`)}>${icon("download")}<span>${one.name}</span></a></td>` : nothing}</tr>`)}</tbody></table>`;
  }

  #analyses() {
    return html`<table><thead><tr>${["time", "score", "incidents", "provider", "result"].map((name) => html`<th>${t(`recorded.${name}`)}</th>`)}</tr></thead>
      <tbody>${(this.analyses ?? []).map((one) => html`<tr><td><time>${board.time.full(one.start)}</time></td><td>${Number.isFinite(one.safety_score) ? number(one.safety_score) : "—"}</td><td>${number(one.incident_count ?? 0)}</td>
        <td>${(one.providers ?? []).map((/** @type {string} */ name) => html`<div>${word("provider", name)}</div>`)}</td>
        <td>${(one.providers ?? []).map((/** @type {string} */ name) => html`<div class="result">${resultOf(one.analysis_result?.[name])}</div>`)}</td></tr>`)}</tbody></table>`;
  }
}

/** What a provider says, in a line: its own text, or what was counted. @param {any} result */
function resultOf(result) {
  if (typeof result === "string") return result;
  if (typeof result?.text === "string") return result.text;
  const counts = Object.entries(result?.classes ?? {}).map(([label, one]) => `${word("class", label)} ${number(Number(/** @type {any} */ (one)?.tracks ?? 0))}`);
  return counts.join(" · ") || "—";
}

customElements.define("hc-recorded", Recorded);

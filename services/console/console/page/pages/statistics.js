/** Traffic, speeds and how true the alarms were. */

import { CLASSES, lookOf } from "../core/classes.js";
import { hrefOf } from "../core/routes.js";
import { get } from "../net/api.js";
import { cameraName } from "../parts/alert-card.js";
import { speedChart, trafficChart } from "../parts/charts.js";
import { BoardPart, html, nothing } from "../parts/element.js";
import { go } from "../parts/shell.js";
import { board, rows } from "../state/board.js";
import { view } from "../state/view.js";
import { currentLanguage, number, t, word } from "../state/words.js";

const KMH = 3.6;
/** Window and bucket, s. */
const RANGES = [[3600, 60], [86_400, 600], [604_800, 3600]];

class Statistics extends BoardPart {
  static properties = { params: {}, told: { state: true }, report: { state: true } };

  constructor() {
    super();
    this.params = "";
    /** @type {any} */
    this.told = null;
    /** @type {any} */
    this.report = null;
    this.asked = "";
    this.drawn = "";
  }

  connectedCallback() {
    super.connectedCallback();
    this.asked = "";
    this.during(window, "resize", () => this.#charts(true));
    this.every(60_000, () => { this.asked = ""; this.requestUpdate(); });
    get("api/v1/report").then((told) => { this.report = told; }).catch(() => { this.report = null; });
  }

  get #query() {
    return new URLSearchParams(this.params);
  }

  get #camera() {
    return this.#query.get("camera") ?? board.cameras[0]?.id ?? "";
  }

  get #range() {
    return RANGES.find(([length]) => length === Number(this.#query.get("range"))) ?? RANGES[1];
  }

  willUpdate() {
    const asked = `${this.#camera} ${this.#range[0]}`;
    if (!this.#camera || asked === this.asked) return;
    this.asked = asked;
    void this.#ask(asked);
  }

  /** @param {string} asked */
  async #ask(asked) {
    const [length, bucket] = this.#range;
    const to = Math.ceil(board.clock.now() / bucket) * bucket;
    try {
      const told = await get(`api/v1/stats/${encodeURIComponent(this.#camera)}`, { from: to - length, to, bucket });
      if (asked === this.asked) this.told = { ...told, at: Date.now() };
    } catch {
      if (asked === this.asked) this.told = { buckets: [], at: Date.now() };
    }
  }

  render() {
    const buckets = rows(this.told, "buckets");
    return html`<div class="page"><div class="toolbar"><h1>${word("page", "statistics")}</h1><span class="spring"></span>
      <select aria-label=${t("timeline.camera")} @change=${(/** @type {any} */ e) => this.#go({ camera: e.target.value })}>
        ${board.cameras.map((one) => html`<option value=${one.id} .selected=${one.id === this.#camera}>${one.name || one.id}</option>`)}</select>
      <div class="toggles" role="group" aria-label=${t("timeline.span")}>${RANGES.map(([length]) => html`<button class="toggle" aria-pressed=${this.#range[0] === length}
        @click=${() => this.#go({ range: String(length) })}>${t(`span.${length}`)}</button>`)}</div></div>
      <div class="figures">${this.#figures(buckets)}</div>
      <div class="charts"><section class="panel"><h2>${t("statistics.traffic")}</h2><div class="chart" id="traffic"></div>${this.#legend(buckets)}</section>
      <section class="panel"><h2>${t("statistics.speed")}</h2><div class="chart" id="speed"></div>
        <p class="legend"><span><i class="swatch speed-85"></i>${t("statistics.p85")}</span><span><i class="swatch speed-50"></i>${t("statistics.p50")}</span></p></section></div>
      ${this.#table(buckets)}
      ${this.#verdicts()}</div>`;
  }

  updated() {
    this.#charts(false);
  }

  /** @param {any[]} buckets */
  #figures(buckets) {
    const all = buckets.reduce((sum, { counts }) => sum + Object.values(counts ?? {}).reduce((a, b) => a + Number(b), 0), 0);
    const incidents = buckets.reduce((sum, one) => sum + (one.incidents ?? 0), 0);
    const speeds = buckets.map((one) => one.speed_p85_mps).filter(Number.isFinite);
    const covered = buckets.map((one) => one.coverage).filter(Number.isFinite);
    const mean = (/** @type {number[]} */ list) => list.reduce((a, b) => a + b, 0) / list.length;
    return [
      [t("statistics.seen"), number(all)],
      [t("statistics.incidents"), number(incidents)],
      [t("statistics.p85"), speeds.length ? `${number(mean(speeds) * KMH)} ${t("unit.kmh")}` : "—"],
      [t("statistics.coverage"), covered.length ? `${number(mean(covered) * 100, 1)} %` : "—"],
    ].map(([name, figure]) => html`<div class="figure"><span>${name}</span><strong>${figure}</strong></div>`);
  }

  /** @param {any[]} buckets */
  #legend(buckets) {
    return html`<p class="legend">${classesIn(buckets).map((label) => html`<span><i class="swatch ${lookOf(label).name}"></i>${word("class", label)}</span>`)}</p>`;
  }

  /** The same in figures, for who cannot see the chart. @param {any[]} buckets */
  #table(buckets) {
    const classes = classesIn(buckets);
    return html`<details class="panel"><summary>${t("statistics.table")}</summary><div class="scroll" tabindex="0" role="region" aria-label=${t("statistics.table")}><table><thead><tr><th>${t("statistics.time")}</th>
      ${classes.map((label) => html`<th>${word("class", label)}</th>`)}<th>${t("statistics.p85")}</th></tr></thead>
      <tbody>${buckets.slice(-200).map((one) => html`<tr><td><time>${board.time.near(one.start, board.clock.now())}</time></td>${classes.map((label) => html`<td>${number(one.counts?.[label] ?? 0)}</td>`)}
        <td>${Number.isFinite(one.speed_p85_mps) ? number(one.speed_p85_mps * KMH) : "—"}</td></tr>`)}</tbody></table></div></details>`;
  }

  #verdicts() {
    const days = rows(this.report, "rows");
    if (!days.length) return nothing;
    const precision = (this.report.precision ?? []).filter((/** @type {any} */ row) => Number.isFinite(row.precision));
    return html`<section class="panel"><h2>${t("statistics.verdicts")}</h2><div class="scroll" tabindex="0" role="region" aria-label=${t("statistics.verdicts")}><table>
      <thead><tr>${["day", "camera", "alarms", "true", "false", "unknown"].map((name) => html`<th>${t(`report.${name}`)}</th>`)}</tr></thead>
      <tbody>${days.map((/** @type {any} */ row) => html`<tr><td>${row.day}</td><td>${cameraName(row.camera)}</td><td>${number(row.alarms)}</td><td>${number(row.true)}</td><td>${number(row.false)}</td><td>${number(row.unknown)}</td></tr>`)}</tbody></table></div>
      ${precision.length ? html`<h3>${t("statistics.precision")}</h3><table><thead><tr>${["auto_confidence", "alarms", "precision"].map((name) => html`<th>${t(`report.${name}`)}</th>`)}</tr></thead>
        <tbody>${precision.map((/** @type {any} */ row) => html`<tr><td>${number(row.auto_confidence, 2)}</td><td>${number(row.alarms)}</td><td>${Number.isFinite(row.precision) ? `${number(row.precision * 100)} %` : "—"}</td></tr>`)}</tbody></table>` : html`<p class="faint">${t("statistics.nothing_judged")}</p>`}</section>`;
  }

  /** @param {boolean} anew */
  #charts(anew) {
    if (!this.told) return;
    const drawn = `${this.asked} ${this.told.at} ${view.dark} ${currentLanguage()} ${board.time.zone}`;
    if (!anew && drawn === this.drawn) return;
    this.drawn = drawn;
    const buckets = rows(this.told, "buckets");
    const at = (/** @type {string} */ id) => /** @type {HTMLElement} */ (this.querySelector(`#${id}`));
    void trafficChart(at("traffic"), buckets, classesIn(buckets));
    void speedChart(at("speed"), buckets);
  }

  /** @param {Record<string, string>} change */
  #go(change) {
    go(hrefOf("statistics", { camera: this.#camera, range: this.#range[0], ...change }));
  }
}

/** Classes that occur, in the order of the legend. @param {any[]} buckets */
function classesIn(buckets) {
  const seen = new Set(buckets.flatMap(({ counts }) => Object.keys(counts ?? {})));
  return [...CLASSES.filter((label) => seen.has(label)), ...[...seen].filter((label) => !CLASSES.includes(label))];
}

customElements.define("hc-statistics", Statistics);

/** Charts of the statistics page, by uPlot, in the colours of the page and the site's zone. */

import { lookOf } from "../core/classes.js";
import { board } from "../state/board.js";
import { t } from "../state/words.js";

const KMH = 3.6;
const HEIGHT_PX = 240;

/** @type {Promise<any> | null} */
let library = null;

function uPlotLibrary() {
  library ??= import("../vendor/uplot/uPlot.js").then((all) => {
    const sheet = document.createElement("link");
    sheet.rel = "stylesheet";
    sheet.href = new URL("../vendor/uplot/uPlot.css", import.meta.url).href;
    document.head.append(sheet);
    return all.default;
  });
  return library;
}

/** A colour of the style sheet. @param {string} name */
const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();

/**
 * Objects a bucket, stacked by class.
 * @param {HTMLElement} place
 * @param {any[]} buckets
 * @param {string[]} classes
 */
export async function trafficChart(place, buckets, classes) {
  const sums = buckets.map(() => 0);
  const stacked = classes.map((label) => buckets.map((one, i) => (sums[i] += one.counts?.[label] ?? 0)));
  const uPlot = await uPlotLibrary();
  const bars = uPlot.paths.bars({ size: [0.86, 40] });
  // The highest stack is drawn first, those below over it.
  const series = [...classes].reverse().map((label) => ({
    label, paths: bars, points: { show: false }, fill: lookOf(label).colour, stroke: lookOf(label).colour, width: 0,
  }));
  plot(uPlot, place, [buckets.map(({ start }) => start), ...stacked.reverse()], series);
}

/**
 * Speeds, km/h.
 * @param {HTMLElement} place
 * @param {any[]} buckets
 */
export async function speedChart(place, buckets) {
  const kmh = (/** @type {any} */ mps) => (Number.isFinite(mps) ? mps * KMH : null);
  const uPlot = await uPlotLibrary();
  plot(uPlot, place, [
    buckets.map(({ start }) => start),
    buckets.map((one) => kmh(one.speed_p85_mps)),
    buckets.map((one) => kmh(one.speed_p50_mps)),
  ], [
    { label: t("statistics.p85"), stroke: colour("accent"), width: 2, points: { show: true, filter: alone, size: 7 } },
    { label: t("statistics.p50"), stroke: colour("muted"), width: 2, dash: [5, 4], points: { show: true, filter: alone, size: 7 } },
  ]);
}

/** Values without a neighbour: a line shows nothing of them. @param {any} plotted @param {number} series */
function alone(plotted, series) {
  const values = plotted.data[series];
  const there = (/** @type {number} */ at) => Number.isFinite(values[at] ?? NaN);
  return values.map((/** @type {any} */ _, /** @type {number} */ at) => at)
    .filter((/** @type {number} */ at) => there(at) && !there(at - 1) && !there(at + 1));
}

/** @param {any} uPlot @param {HTMLElement} place @param {any[]} data @param {any[]} series */
function plot(uPlot, place, data, series) {
  if (!place.isConnected) return;
  place.replaceChildren();
  const axis = { stroke: colour("muted"), grid: { stroke: colour("line"), width: 1 }, ticks: { show: false }, font: "12px system-ui, sans-serif" };
  const day_s = 86_400;
  const times = (/** @type {any} */ _, /** @type {number[]} */ at) => at.map((ts) => {
    const long = data[0].length > 1 && data[0].at(-1) - data[0][0] > 2 * day_s;
    return long ? board.time.dayName(ts) : board.time.minute(ts);
  });
  new uPlot({
    width: place.clientWidth, height: HEIGHT_PX, legend: { show: false }, cursor: { show: false },
    scales: { x: { time: true }, y: { range: (/** @type {any} */ _, /** @type {number} */ low, /** @type {number} */ high) => [0, Math.max(1, (high ?? 1) * 1.08)] } },
    axes: [{ ...axis, values: times, space: 70, size: 32 }, { ...axis, size: 44 }],
    series: [{}, ...series],
  }, data, place);
}

/** Boxes with class, track and speed on a canvas over the picture. */

import { lookOf } from "../core/classes.js";
import { contentBox } from "../core/content-box.js";
import { view } from "../state/view.js";
import { number, t, word } from "../state/words.js";

const KMH = 3.6;
const HALO = "rgba(6, 9, 14, 0.75)";
/** A picture at least so wide has room for words, px. */
const FULL_PX = 620;
/** A box narrower than this gets no label, px. */
const SMALLEST_PX = 26;

/** @typedef {{x: number, y: number, w: number, h: number}} Box px of the element */

/** Make the canvas as fine as the screen. @param {HTMLCanvasElement} canvas */
export function fit(canvas) {
  const ratio = globalThis.devicePixelRatio || 1;
  const width = Math.round(canvas.clientWidth * ratio);
  const height = Math.round(canvas.clientHeight * ratio);
  if (canvas.width !== width || canvas.height !== height) {
    canvas.width = width;
    canvas.height = height;
  }
  return ratio;
}

/**
 * @param {HTMLCanvasElement} canvas
 * @param {{width: number, height: number, objects: any[]} | null} seen null: clears it
 * @param {{width: number, height: number}} picture the video's own size, px
 */
export function draw(canvas, seen, picture) {
  const ratio = fit(canvas);
  const pen = canvas.getContext("2d");
  if (!pen) return;
  pen.setTransform(ratio, 0, 0, ratio, 0, 0);
  pen.clearRect(0, 0, canvas.clientWidth, canvas.clientHeight);
  if (!seen || !view.boxes) return;
  const place = contentBox(picture.width, picture.height, canvas.clientWidth, canvas.clientHeight);
  const sx = place.width / seen.width;
  const sy = place.height / seen.height;
  const shown = seen.objects.filter(({ label }) => !view.hidden.includes(label)).map((one) => {
    const [x1, y1, x2, y2] = one.box;
    return { one, box: { x: place.x + x1 * sx, y: place.y + y1 * sy, w: (x2 - x1) * sx, h: (y2 - y1) * sy } };
  });
  for (const { one, box } of shown) drawBox(pen, lookOf(one.label), box);
  if (view.labels) drawLabels(pen, shown, place.width);
}

/**
 * The nearest first; a label that would cover another is left out.
 * @param {CanvasRenderingContext2D} pen
 * @param {{one: any, box: Box}[]} shown
 * @param {number} room width of the picture, px
 */
function drawLabels(pen, shown, room) {
  const full = room >= FULL_PX;
  /** @type {Box[]} */
  const taken = [];
  for (const { one, box } of [...shown].sort((a, b) => b.box.w * b.box.h - a.box.w * a.box.h)) {
    if (box.w < SMALLEST_PX) continue;
    const text = labelOf(one, full);
    const place = labelPlace(pen, text, box, full);
    if (taken.some((other) => overlap(other, place))) continue;
    taken.push(place);
    drawLabel(pen, text, lookOf(one.label), place);
  }
}

/** @param {Box} a @param {Box} b */
function overlap(a, b) {
  return a.x < b.x + b.w && b.x < a.x + a.w && a.y < b.y + b.h && b.y < a.y + a.h;
}

/**
 * @param {CanvasRenderingContext2D} pen
 * @param {import("../core/classes.js").Look} look
 * @param {Box} box
 */
function drawBox(pen, look, box) {
  pen.setLineDash([]);
  pen.lineWidth = 4;
  pen.strokeStyle = HALO;
  pen.strokeRect(box.x, box.y, box.w, box.h);
  pen.setLineDash(look.dash);
  pen.lineWidth = 2;
  pen.strokeStyle = look.colour;
  pen.strokeRect(box.x, box.y, box.w, box.h);
  pen.setLineDash([]);
}

/** Class and number where there is room, and how fast. @param {any} one @param {boolean} full */
function labelOf(one, full) {
  const speed = Number.isFinite(one.speed_mps) ? `${number(one.speed_mps * KMH)} ${t("unit.kmh")}` : "";
  const words = full ? [`${word("class", one.label)} ${one.track_id}`, speed] : [speed || String(one.track_id)];
  return words.filter(Boolean).join(" · ");
}

/**
 * Above the box, or in it at the top of the picture.
 * @param {CanvasRenderingContext2D} pen
 * @param {string} text
 * @param {Box} box
 * @param {boolean} full
 * @returns {Box}
 */
function labelPlace(pen, text, box, full) {
  pen.font = `600 ${full ? 12 : 11}px system-ui, sans-serif`;
  const h = full ? 18 : 16;
  const w = pen.measureText(text).width + h + 6;
  return { x: box.x - 1, y: box.y >= h + 1 ? box.y - h - 1 : box.y + 1, w, h };
}

/**
 * @param {CanvasRenderingContext2D} pen
 * @param {string} text
 * @param {import("../core/classes.js").Look} look
 * @param {Box} place
 */
function drawLabel(pen, text, look, place) {
  pen.fillStyle = HALO;
  pen.fillRect(place.x, place.y, place.w, place.h);
  pen.fillStyle = look.colour;
  mark(pen, look.mark, place.x + place.h / 2, place.y + place.h / 2, place.h / 2 - 5);
  pen.fillStyle = "#f4f7fb";
  pen.textBaseline = "middle";
  pen.fillText(text, place.x + place.h, place.y + place.h / 2 + 0.5);
}

/**
 * A class's small shape.
 * @param {CanvasRenderingContext2D} pen
 * @param {string} shape
 * @param {number} x middle
 * @param {number} y middle
 * @param {number} r half its size
 */
export function mark(pen, shape, x, y, r) {
  pen.beginPath();
  if (shape === "circle") pen.arc(x, y, r, 0, Math.PI * 2);
  else if (shape === "wide") pen.rect(x - r * 1.4, y - r * 0.8, r * 2.8, r * 1.6);
  else if (shape === "square") pen.rect(x - r, y - r, r * 2, r * 2);
  else polygon(pen, shape === "triangle" ? 3 : 4, x, y, r * 1.25);
  pen.fill();
}

/** @param {CanvasRenderingContext2D} pen @param {number} n @param {number} x @param {number} y @param {number} r */
function polygon(pen, n, x, y, r) {
  for (let i = 0; i < n; i += 1) {
    const angle = (i / n) * Math.PI * 2 - Math.PI / 2;
    pen.lineTo(x + r * Math.cos(angle), y + r * Math.sin(angle));
  }
  pen.closePath();
}

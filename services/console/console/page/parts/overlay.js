/** Boxes with class, track and speed on a canvas over the picture. */

import { lookOf } from "../core/classes.js";
import { contentBox } from "../core/content-box.js";
import { view } from "../state/view.js";
import { number, t, word } from "../state/words.js";

const KMH = 3.6;
const HALO = "rgba(6, 9, 14, 0.75)";

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
  for (const one of seen.objects) {
    if (view.hidden.includes(one.label)) continue;
    const [x1, y1, x2, y2] = one.box;
    const box = { x: place.x + x1 * sx, y: place.y + y1 * sy, w: (x2 - x1) * sx, h: (y2 - y1) * sy };
    drawOne(pen, one, box, place.width);
  }
}

/**
 * @param {CanvasRenderingContext2D} pen
 * @param {any} one
 * @param {{x: number, y: number, w: number, h: number}} box
 * @param {number} room width of the picture, px
 */
function drawOne(pen, one, box, room) {
  const look = lookOf(one.label);
  pen.setLineDash([]);
  pen.lineWidth = 4;
  pen.strokeStyle = HALO;
  pen.strokeRect(box.x, box.y, box.w, box.h);
  pen.setLineDash(look.dash);
  pen.lineWidth = 2;
  pen.strokeStyle = look.colour;
  pen.strokeRect(box.x, box.y, box.w, box.h);
  pen.setLineDash([]);
  if (view.labels && room >= 260) drawLabel(pen, one, look, box, room >= 620);
}

/**
 * @param {CanvasRenderingContext2D} pen
 * @param {any} one
 * @param {import("../core/classes.js").Look} look
 * @param {{x: number, y: number, w: number, h: number}} box
 * @param {boolean} full whether there is room for words
 */
function drawLabel(pen, one, look, box, full) {
  const speed = Number.isFinite(one.speed_mps) ? `${number(one.speed_mps * KMH)} ${t("unit.kmh")}` : "";
  const words = full ? [`${word("class", one.label)} ${one.track_id}`, speed] : [String(one.track_id), speed];
  const text = words.filter(Boolean).join(" · ");
  pen.font = `600 ${full ? 12 : 11}px system-ui, sans-serif`;
  const height = full ? 18 : 16;
  const width = pen.measureText(text).width + height + 6;
  const top = box.y >= height + 1 ? box.y - height - 1 : box.y + 1;
  pen.fillStyle = HALO;
  pen.fillRect(box.x - 1, top, width, height);
  pen.fillStyle = look.colour;
  mark(pen, look.mark, box.x + height / 2, top + height / 2, height / 2 - 5);
  pen.fillStyle = "#f4f7fb";
  pen.textBaseline = "middle";
  pen.fillText(text, box.x + height, top + height / 2 + 0.5);
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

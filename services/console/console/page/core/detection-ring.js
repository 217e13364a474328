/**
 * The detections of one camera, kept for a minute, and what of them belongs to a frame.
 *
 * Pictures are shown later than detections arrive, so both neighbours in time of a frame are
 * known: boxes are interpolated between them and never extrapolated.
 */

/** Neighbours further apart than this are two sightings, not one movement, s. */
export const GAP_S = 0.5;
const KEPT_S = 60;

/**
 * @typedef {{track_id: number, label: string, score: number, box: number[], speed_mps?: number | null}} Seen
 * @typedef {{ts: number, width: number, height: number, objects: Seen[]}} Detections
 */

export class DetectionRing {
  /** @param {number} kept_s */
  constructor(kept_s = KEPT_S) {
    this.kept_s = kept_s;
    /** @type {Detections[]} */
    this.messages = [];
  }

  /** @param {Detections} message */
  add(message) {
    if (!message || !Number.isFinite(message.ts) || !Array.isArray(message.objects)) return;
    const all = this.messages;
    let at = all.length;
    while (at > 0 && all[at - 1].ts > message.ts) at -= 1;
    if (at > 0 && all[at - 1].ts === message.ts) all[at - 1] = message;
    else all.splice(at, 0, message);
    const oldest = all[all.length - 1].ts - this.kept_s;
    let gone = 0;
    while (gone < all.length && all[gone].ts < oldest) gone += 1;
    if (gone) all.splice(0, gone);
  }

  /** Epoch seconds of the newest message; null: none. */
  get newest() {
    return this.messages.at(-1)?.ts ?? null;
  }

  /**
   * What is to be drawn over the frame of this moment.
   * @param {number} ts epoch seconds
   * @returns {{width: number, height: number, objects: Seen[]} | null} null: nothing is known
   */
  at(ts) {
    const next = this.#firstNotBefore(ts);
    const after = this.messages[next];
    if (after && after.ts === ts) return after;
    const before = this.messages[next - 1];
    if (!before || !after || after.ts - before.ts > GAP_S) return null;
    return between(before, after, (ts - before.ts) / (after.ts - before.ts));
  }

  /** @param {number} ts */
  #firstNotBefore(ts) {
    let low = 0;
    let high = this.messages.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.messages[middle].ts < ts) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

/**
 * Objects in both, `share` of the way from the one to the other; what is in one only is left out.
 * @param {Detections} before
 * @param {Detections} after
 * @param {number} share 0 to 1
 */
export function between(before, after, share) {
  const later = new Map(after.objects.map((one) => [one.track_id, one]));
  const sx = before.width / after.width;
  const sy = before.height / after.height;
  const objects = [];
  for (const one of before.objects) {
    const other = later.get(one.track_id);
    if (!other) continue;
    const scales = [sx, sy, sx, sy];
    const box = one.box.map((from, i) => from + (other.box[i] * scales[i] - from) * share);
    objects.push({ ...(share < 0.5 ? one : other), box });
  }
  return { width: before.width, height: before.height, objects };
}

/**
 * How many of each class are seen.
 * @param {Seen[]} objects
 * @returns {Map<string, number>}
 */
export function countByClass(objects) {
  const counts = new Map();
  for (const { label } of objects) counts.set(label, (counts.get(label) ?? 0) + 1);
  return counts;
}

/** Stretches of time on a line of pixels. */

/**
 * Share of the window at which a moment lies, 0 to 1.
 * @param {number} ts
 * @param {[number, number]} window
 */
export function shareOf(ts, [from, to]) {
  return Math.min(1, Math.max(0, (ts - from) / Math.max(1e-9, to - from)));
}

/**
 * Where a stretch lies in the window; null: outside.
 * @param {[number, number]} stretch
 * @param {[number, number]} window
 */
export function placed([start, end], window) {
  if (end <= window[0] || start >= window[1]) return null;
  const left = shareOf(start, window);
  return { left, width: Math.max(0.0008, shareOf(end, window) - left) };
}

/**
 * The recorded moment nearest to the one asked for.
 * @param {[number, number][]} segments
 * @param {number} ts
 * @returns {number | null} null: nothing is recorded
 */
export function nearestRecorded(segments, ts) {
  let best = null;
  for (const [start, end] of segments) {
    const near = Math.min(Math.max(ts, start), end);
    if (best === null || Math.abs(near - ts) < Math.abs(best - ts)) best = near;
  }
  return best;
}

/**
 * Neighbours that touch become one.
 * @param {[number, number][]} stretches in order
 * @param {number} slack_s
 * @returns {[number, number][]}
 */
export function joined(stretches, slack_s = 1.5) {
  /** @type {[number, number][]} */
  const whole = [];
  for (const [start, end] of stretches) {
    const last = whole.at(-1);
    if (last && start - last[1] <= slack_s) last[1] = Math.max(last[1], end);
    else whole.push([start, end]);
  }
  return whole;
}

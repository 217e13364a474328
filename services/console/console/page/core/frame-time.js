/**
 * Wall clock of the frame that is on the screen.
 *
 * The player's own date is up to 200 ms off; the programme date of the fragment and the frame's
 * place in it are exact.
 */

/**
 * @typedef {{start: number, duration?: number, programDateTime: number | null}} Fragment
 *   start: s on the player's timeline; programDateTime: epoch ms of its first frame
 */

/**
 * @param {Fragment[]} fragments in order of `start`
 * @param {number} media_s the frame's time on the player's timeline
 * @returns {number | null} epoch seconds; null: no fragment tells
 */
export function timeOfFrame(fragments, media_s) {
  let found = null;
  for (const fragment of fragments) {
    if (!Number.isFinite(fragment.programDateTime) || fragment.programDateTime === null) continue;
    // A frame may be stamped a moment before the first of its fragment.
    if (fragment.start > media_s + 0.02) break;
    found = fragment;
  }
  if (!found) return null;
  return /** @type {number} */ (found.programDateTime) / 1000 + (media_s - found.start);
}

/**
 * Where on the player's timeline a moment lies.
 * @param {Fragment[]} fragments
 * @param {number} ts epoch seconds
 * @returns {number | null} s; null: before or after all of them
 */
export function placeOfTime(fragments, ts) {
  for (const fragment of fragments) {
    if (fragment.programDateTime === null) continue;
    const into = ts - fragment.programDateTime / 1000;
    if (into < -0.001) return null;
    if (into <= (fragment.duration ?? Infinity)) return fragment.start + into;
  }
  return null;
}

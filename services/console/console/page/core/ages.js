/**
 * What the age of a picture means, and what the player does about it.
 * A stale picture must never look live.
 */

/** A picture older than this is shown as old, s. */
export const STALE_S = 10;
/** What the player aims at, s behind the present. */
export const TARGET_S = 2;
/** Further behind than target + this the player jumps instead of hurrying, s. */
export const JUMP_S = 4;
const RATE_MAX = 1.2;
const RATE_MIN = 1.05;

/**
 * @param {number | null} age_s seconds from capture to being shown; null: no picture yet
 * @returns {"none" | "live" | "late" | "stale"}
 */
export function ageKind(age_s) {
  if (age_s === null || !Number.isFinite(age_s)) return "none";
  if (age_s > STALE_S) return "stale";
  return age_s > 2 * TARGET_S ? "late" : "live";
}

/**
 * How to come back to the present: by hurrying, or by a jump where that would take too long.
 * @param {number | null} age_s
 * @param {number} [target_s]
 * @returns {{rate: number, jump: boolean}}
 */
export function catchUp(age_s, target_s = TARGET_S) {
  if (age_s === null || !Number.isFinite(age_s)) return { rate: 1, jump: false };
  if (age_s > target_s + JUMP_S) return { rate: 1, jump: true };
  if (age_s <= 2 * target_s) return { rate: 1, jump: false };
  const share = (age_s - 2 * target_s) / Math.max(0.1, target_s + JUMP_S - 2 * target_s);
  return { rate: Math.min(RATE_MAX, RATE_MIN + share * (RATE_MAX - RATE_MIN)), jump: false };
}

/**
 * An age in few figures: "1.6", "12".
 * @param {number} age_s
 */
export function ageFigure(age_s) {
  const shown = Math.max(0, age_s);
  return shown < STALE_S ? shown.toFixed(1) : String(Math.round(shown));
}

/** The page's words in the reader's language: two catalogues with equal keys. */

export const LANGUAGES = { en: "English", ko: "한국어" };
const KEPT = "hazardcast.language";

/** @type {Record<string, string>} */
let catalogue = {};
let language = "en";

export const currentLanguage = () => language;

/**
 * The language to begin with: chosen before, else the browser's, else the site's first.
 * @param {string[]} offered
 */
export function preferred(offered = []) {
  const kept = localStorage.getItem(KEPT);
  const wanted = [kept, ...navigator.languages.map((one) => one.slice(0, 2)), ...offered, "en"];
  return wanted.find((one) => one !== null && Object.hasOwn(LANGUAGES, one)) ?? "en";
}

/**
 * @param {string} wanted
 * @param {boolean} [keep] remember the choice in this browser
 */
export async function speak(wanted, keep = false) {
  const chosen = Object.hasOwn(LANGUAGES, wanted) ? wanted : "en";
  const response = await fetch(new URL(`../words/${chosen}.json`, import.meta.url));
  catalogue = await response.json();
  language = chosen;
  document.documentElement.lang = chosen;
  if (keep) localStorage.setItem(KEPT, chosen);
}

/**
 * The words for a key, `{name}` filled in; the key itself where the catalogue lacks it.
 * @param {string} key
 * @param {Record<string, string | number>} [values]
 */
export function t(key, values = {}) {
  const words = Object.hasOwn(catalogue, key) ? catalogue[key] : key;
  return words.replaceAll(/\{(\w+)\}/g, (whole, name) =>
    Object.hasOwn(values, name) ? String(values[name]) : whole,
  );
}

/**
 * A word of an open list (a state, a class): the catalogue's, else as it came.
 * @param {string} group
 * @param {string | null | undefined} word
 */
export function word(group, word) {
  if (word === null || word === undefined || word === "") return "";
  const key = `${group}.${word}`;
  return Object.hasOwn(catalogue, key) ? catalogue[key] : String(word);
}

/** @param {number} value @param {number} [digits] */
export function number(value, digits = 0) {
  return new Intl.NumberFormat(language, {
    minimumFractionDigits: digits, maximumFractionDigits: digits,
  }).format(value);
}

/** A length of time by its two largest units: "14 h 41 min". @param {number} seconds */
export function duration(seconds) {
  const whole = Math.max(0, Math.round(seconds));
  const parts = [["hours", Math.floor(whole / 3600)], ["minutes", Math.floor((whole % 3600) / 60)], ["seconds", whole % 60]];
  const first = parts.findIndex(([, n]) => Number(n) > 0);
  if (first < 0) return t("unit.seconds", { n: 0 });
  return parts.slice(first, first + 2).filter(([, n]) => Number(n) > 0).map(([unit, n]) => t(`unit.${unit}`, { n: number(Number(n)) })).join(" ");
}

/** Bytes in the unit that reads best. @param {number} bytes */
export function size(bytes) {
  const units = ["B", "kB", "MB", "GB", "TB"];
  let at = 0;
  let left = bytes;
  while (left >= 1000 && at < units.length - 1) {
    left /= 1000;
    at += 1;
  }
  return `${number(left, left < 10 && at > 0 ? 1 : 0)} ${units[at]}`;
}

/** Which page an address means. All are one level below the base, so relative addresses hold. */

export const PAGES = [
  "live", "wall", "incidents", "clips", "timeline", "statistics", "map", "health", "journal", "accounts", "login",
];

/**
 * @param {URL} url
 * @returns {{page: string, params: URLSearchParams}}
 */
export function routeOf(url) {
  const last = url.pathname.split("/").at(-1) ?? "";
  return { page: PAGES.includes(last) ? last : "live", params: url.searchParams };
}

/**
 * An address relative to the base.
 * @param {string} page
 * @param {Record<string, string | number | null | undefined>} [params]
 */
export function hrefOf(page, params = {}) {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(params)) {
    if (value !== null && value !== undefined && value !== "") query.set(name, String(value));
  }
  const text = query.toString();
  return (page === "live" ? "./" : page) + (text ? `?${text}` : "");
}

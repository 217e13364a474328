/** Questions to the console by HTTP, every address relative to the page's base. */

/** An answer that is no success: what the server said of it (RFC 9457). */
export class Problem extends Error {
  /**
   * @param {number} status HTTP status; 0: no answer at all
   * @param {Record<string, any>} body
   */
  constructor(status, body) {
    super(body.detail ?? body.title ?? `HTTP ${status}`);
    this.status = status;
    this.body = body;
  }
}

/** @param {string} path relative to the base */
export function absolute(path) {
  return new URL(path, document.baseURI).href;
}

/**
 * @param {string} path
 * @param {Record<string, string | number | null | undefined>} [query]
 */
export function withQuery(path, query = {}) {
  const url = new URL(path, document.baseURI);
  for (const [name, value] of Object.entries(query)) {
    if (value !== null && value !== undefined && value !== "") {
      url.searchParams.set(name, String(value));
    }
  }
  return url.href;
}

/**
 * @param {string} path
 * @param {Record<string, any>} [query]
 * @param {AbortSignal} [signal]
 */
export async function get(path, query, signal) {
  return answered(fetch(withQuery(path, query), { headers: { Accept: "application/json" }, signal }));
}

/**
 * @param {string} path
 * @param {unknown} [body]
 * @param {Record<string, string>} [headers]
 */
export async function post(path, body = {}, headers = {}) {
  return change("POST", path, body, headers);
}

/** @param {string} path @param {unknown} body */
export async function put(path, body) {
  return change("PUT", path, body);
}

/** @param {string} path */
export async function remove(path) {
  return change("DELETE", path);
}

/**
 * @param {string} method
 * @param {string} path
 * @param {unknown} [body]
 * @param {Record<string, string>} [headers]
 */
async function change(method, path, body = {}, headers = {}) {
  return answered(
    fetch(absolute(path), {
      method,
      headers: { "Content-Type": "application/json", Accept: "application/json", ...headers },
      body: JSON.stringify(body),
    }),
  );
}

/** @param {Promise<Response>} asked */
async function answered(asked) {
  let response;
  try {
    response = await asked;
  } catch (error) {
    if (error instanceof DOMException && error.name === "AbortError") throw error;
    throw new Problem(0, { title: "unreachable" });
  }
  const text = await response.text();
  const body = text ? parsed(text) : {};
  if (!response.ok) throw new Problem(response.status, body);
  return body;
}

/** @param {string} text */
function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return {};
  }
}

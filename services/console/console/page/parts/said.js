/** What came of something that was sent, in words for the reader. */

import { Problem } from "../net/api.js";
import { t } from "../state/words.js";

/**
 * Send it, and tell what came of it.
 * @param {() => Promise<any>} send
 * @param {Record<string | number, string>} told `done`, and words of one's own by HTTP status
 * @returns {Promise<{kind: string, text: string}>}
 */
export async function saying(send, told) {
  try {
    await send();
    return { kind: "ok", text: told.done };
  } catch (problem) {
    const { status, message } = /** @type {Problem} */ (problem);
    const usual = { 0: t("said.unreachable"), 429: t("login.too_often"), 409: t("accounts.last_admin") };
    return { kind: "danger", text: told[status] ?? /** @type {Record<number, string>} */ (usual)[status] ?? message };
  }
}

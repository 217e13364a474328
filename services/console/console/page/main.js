/** Where the page begins: who looks, in which language, then the shell. */

import { guardScripts } from "./state/trust.js";
import { get } from "./net/api.js";
import { board } from "./state/board.js";
import { preferred, speak } from "./state/words.js";

guardScripts();

const AGAIN_MS = 1500;

/** Who looks; a console that does not answer is asked again. @returns {Promise<any>} */
async function session() {
  for (;;) {
    try {
      return await get("api/v1/session");
    } catch (problem) {
      const { status } = /** @type {any} */ (problem);
      if (status !== 0 && status < 500) return { refused: status };
      await new Promise((done) => setTimeout(done, AGAIN_MS));
    }
  }
}

const [told] = await Promise.all([session(), speak(preferred())]);
board.enter(told);
await import("./parts/shell.js");

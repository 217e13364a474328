/** Where the page begins: who looks, in which language, then the shell. */

import { guardScripts } from "./state/trust.js";
import { get } from "./net/api.js";
import { board } from "./state/board.js";
import { preferred, speak } from "./state/words.js";

guardScripts();

async function session() {
  try {
    return await get("api/v1/session");
  } catch (problem) {
    return { refused: /** @type {any} */ (problem).status };
  }
}

const [told] = await Promise.all([session(), speak(preferred())]);
board.enter(told);
await import("./parts/shell.js");

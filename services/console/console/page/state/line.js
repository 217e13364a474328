/** The tab's socket, and when it must be woken. */

import { LiveSocket } from "../net/live-socket.js";
import { board } from "./board.js";

/** @type {LiveSocket | null} */
let socket = null;

/** @returns {LiveSocket} */
export function line() {
  if (!socket) {
    const url = new URL("api/v1/live", document.baseURI);
    url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
    socket = new LiveSocket(url.href);
    board.listen(socket);
    for (const [target, name] of /** @type {[EventTarget, string][]} */ ([
      [window, "online"], [window, "pageshow"], [document, "resume"], [document, "visibilitychange"],
    ])) {
      target.addEventListener(name, () => wake());
    }
    watchForSleep();
  }
  return socket;
}

/** Back from sleep, another tab or a dead network: the present is asked for anew. */
function wake() {
  if (document.visibilityState !== "visible" || !socket || socket.stopped) return;
  socket.wake();
  document.dispatchEvent(new Event("hazardcast-wake"));
  void board.refresh();
}

/** A timer that comes much too late has slept, and so has everything else. */
function watchForSleep() {
  let last = Date.now();
  setInterval(() => {
    const slept = Date.now() - last > 8000;
    last = Date.now();
    if (slept) wake();
  }, 2000);
}

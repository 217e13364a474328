/** The server's clock as the page knows it: ages are never reckoned with the browser's own. */
export class ServerClock {
  /** @param {() => number} local the browser's clock, ms */
  constructor(local = () => Date.now()) {
    this.local = local;
    this.offset_s = 0;
    this.heard = false;
  }

  /** @param {number} server_s what the server said its clock shows, epoch seconds */
  hear(server_s) {
    if (!Number.isFinite(server_s)) return;
    this.offset_s = server_s - this.local() / 1000;
    this.heard = true;
  }

  /** @returns {number} epoch seconds by the server's clock */
  now() {
    return this.local() / 1000 + this.offset_s;
  }
}

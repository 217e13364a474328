/**
 * hls.js asks for playlists and parts by this loader, which asks the tab's one WebSocket.
 */

/** @typedef {import("./live-socket.js").LiveSocket} LiveSocket */

/**
 * A loader class for `Hls.DefaultConfig.loader`.
 * @param {LiveSocket} socket
 * @param {string} base the page's base, absolute
 */
export function socketLoader(socket, base) {
  return class SocketLoader {
    constructor() {
      this.stats = emptyStats();
      this.context = null;
      this.id = 0;
      this.ended = false;
    }

    /** @param {any} context @param {any} config @param {any} callbacks */
    load(context, config, callbacks) {
      this.context = context;
      this.callbacks = callbacks;
      this.stats.loading.start = performance.now();
      const limit_ms = config.loadPolicy?.maxLoadTimeMs || config.timeout || 20_000;
      this.timer = setTimeout(() => this.#late(), limit_ms);
      const { id, answer } = socket.get(relative(context.url, base), rangeOf(context));
      this.id = id;
      answer.then(
        ({ status, bytes }) => this.#arrived(status, bytes),
        (error) => this.#failed(0, error.message),
      );
    }

    abort() {
      if (this.ended) return;
      this.#end();
      this.stats.aborted = true;
      socket.drop(this.id);
      this.callbacks?.onAbort?.(this.stats, this.context, null);
    }

    destroy() {
      if (!this.ended) {
        this.#end();
        socket.drop(this.id);
      }
      this.callbacks = null;
      this.context = null;
    }

    getCacheAge() {
      return null;
    }

    getResponseHeader() {
      return null;
    }

    /** @param {number} status @param {ArrayBuffer} bytes */
    #arrived(status, bytes) {
      if (this.ended) return;
      if (status < 200 || status >= 300) {
        this.#failed(status, new TextDecoder().decode(bytes.slice(0, 200)));
        return;
      }
      const { callbacks, context, stats } = this;
      this.#end();
      const now = performance.now();
      stats.loading.first = stats.loading.first || now;
      stats.loading.end = now;
      stats.loaded = stats.total = bytes.byteLength;
      const data = context.responseType === "arraybuffer" ? bytes : new TextDecoder().decode(bytes);
      // The absolute address: of a relative one hls.js drops the blocking directives.
      callbacks.onSuccess({ url: context.url, data, code: status }, stats, context, null);
    }

    /** @param {number} code @param {string} text */
    #failed(code, text) {
      if (this.ended) return;
      const { callbacks, context, stats } = this;
      this.#end();
      callbacks.onError({ code, text }, context, null, stats);
    }

    #late() {
      if (this.ended) return;
      const { callbacks, context, stats } = this;
      this.#end();
      socket.drop(this.id);
      callbacks.onTimeout(stats, context, null);
    }

    #end() {
      this.ended = true;
      clearTimeout(this.timer);
    }
  };
}

/**
 * Part of an absolute address that stands behind the base.
 * @param {string} url
 * @param {string} base
 */
export function relative(url, base) {
  const absolute = new URL(url, base).href;
  const root = new URL(".", base).href;
  if (!absolute.startsWith(root)) throw new Error(`not below ${root}: ${absolute}`);
  return absolute.slice(root.length);
}

/** @param {any} context @returns {[number, number] | null} */
export function rangeOf({ rangeStart, rangeEnd }) {
  return Number.isFinite(rangeStart) && Number.isFinite(rangeEnd) && rangeEnd > rangeStart
    ? [rangeStart, rangeEnd]
    : null;
}

function emptyStats() {
  return {
    aborted: false, loaded: 0, retry: 0, total: 0, chunkCount: 0, bwEstimate: 0,
    loading: { start: 0, first: 0, end: 0 },
    parsing: { start: 0, end: 0 },
    buffering: { start: 0, first: 0, end: 0 },
  };
}

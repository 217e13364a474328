/**
 * What may become a script or markup although the page's policy refuses strings: hls.js's worker
 * from our own origin, and the empty picture with which Leaflet asks whether SVG is known.
 */

const WORKER = new URL("../vendor/hls/hls.worker.js", import.meta.url).href;

export function guardScripts() {
  globalThis.trustedTypes?.createPolicy("default", {
    createScriptURL: (/** @type {string} */ url) =>
      new URL(url, document.baseURI).href === WORKER ? url : null,
    createHTML: (/** @type {string} */ text) => (text === "<svg/>" ? text : null),
  });
}

/** Line icons, drawn here: 24 × 24, in the colour of the text. */

import { html, svg } from "../vendor/lit/lit-html.js";

/** @type {Record<string, any>} */
const PATHS = {
  live: svg`<rect x="3" y="6" width="12" height="12" rx="2"/><path d="m15 10 6-3v10l-6-3"/>`,
  wall: svg`<rect x="3" y="4" width="11" height="9" rx="1.5"/><path d="M17 4h4v4h-4zM17 11h4v2M3 17h4v3H3zM10 17h4v3h-4zM17 17h4v3h-4z"/>`,
  incidents: svg`<path d="M12 4 2.8 19.5h18.4z"/><path d="M12 10v4.5M12 17.2v.1"/>`,
  clips: svg`<rect x="3" y="5" width="18" height="14" rx="2"/><path d="m10 9 5 3-5 3z"/>`,
  timeline: svg`<path d="M3 12h18M6 8v8M12 6v12M18 8v8"/>`,
  statistics: svg`<path d="M4 20V10M10 20V4M16 20v-7M22 20H2"/>`,
  map: svg`<path d="m3 6 6-2 6 2 6-2v14l-6 2-6-2-6 2zM9 4v14M15 6v14"/>`,
  health: svg`<path d="M3 12h4l2.5-6 4 12 2.5-6h5"/>`,
  journal: svg`<path d="M6 3h12v18H6zM9 8h6M9 12h6M9 16h3"/>`,
  more: svg`<path d="M5 12h.01M12 12h.01M19 12h.01"/>`,
  sound: svg`<path d="M4 9v6h4l5 4V5L8 9zM16.5 9a4 4 0 0 1 0 6M19 6.5a8 8 0 0 1 0 11"/>`,
  mute: svg`<path d="M4 9v6h4l5 4V5L8 9zM17 9.5l5 5M22 9.5l-5 5"/>`,
  sun: svg`<circle cx="12" cy="12" r="4"/><path d="M12 3v2M12 19v2M3 12h2M19 12h2M5.6 5.6 7 7M17 17l1.4 1.4M18.4 5.6 17 7M7 17l-1.4 1.4"/>`,
  moon: svg`<path d="M20 14.5A8.5 8.5 0 0 1 9.5 4 8.5 8.5 0 1 0 20 14.5z"/>`,
  user: svg`<circle cx="12" cy="8" r="4"/><path d="M4 21c1-4.5 4-6 8-6s7 1.5 8 6"/>`,
  leave: svg`<path d="M10 4H5v16h5M14 8l4 4-4 4M18 12H9"/>`,
  check: svg`<path d="m4 12.5 5 5L20 6.5"/>`,
  clear: svg`<circle cx="12" cy="12" r="9"/><path d="m8 12 3 3 5-6"/>`,
  negate: svg`<circle cx="12" cy="12" r="9"/><path d="m6 6 12 12"/>`,
  close: svg`<path d="m5 5 14 14M19 5 5 19"/>`,
  back: svg`<path d="m14 5-7 7 7 7"/>`,
  next: svg`<path d="m10 5 7 7-7 7"/>`,
  play: svg`<path d="m7 4 13 8-13 8z"/>`,
  pause: svg`<path d="M8 5v14M16 5v14"/>`,
  download: svg`<path d="M12 4v11M7 11l5 5 5-5M4 20h16"/>`,
  box: svg`<path d="M4 9V4h5M15 4h5v5M20 15v5h-5M9 20H4v-5"/>`,
  tag: svg`<path d="M3 12V4h8l10 10-8 7z"/><path d="M7.5 8h.01"/>`,
  camera_off: svg`<path d="m3 3 18 18M9 6h6v5l6-4v10M15 15v3H3V7h3"/>`,
  seal: svg`<path d="M12 3 4 6v6c0 5 3.5 7.5 8 9 4.5-1.5 8-4 8-9V6z"/><path d="m8.5 12 2.5 2.5 4.5-5"/>`,
  broken: svg`<path d="M12 3 4 6v6c0 5 3.5 7.5 8 9 4.5-1.5 8-4 8-9V6z"/><path d="m9 9 6 6M15 9l-6 6"/>`,
  plus: svg`<path d="M12 5v14M5 12h14"/>`,
  minus: svg`<path d="M5 12h14"/>`,
  expand: svg`<path d="M14 4h6v6M20 4l-7 7M10 20H4v-6M4 20l7-7"/>`,
  hold: svg`<rect x="5" y="11" width="14" height="9" rx="2"/><path d="M8 11V8a4 4 0 0 1 8 0v3"/>`,
};

/** @param {string} name */
export function icon(name) {
  return html`<svg class="icon" viewBox="0 0 24 24" aria-hidden="true" focusable="false">${PATHS[name]}</svg>`;
}

/** Shape by gravity, so that colour is never the only sign. */
const SHAPES = {
  low: svg`<circle cx="12" cy="12" r="8"/>`,
  medium: svg`<path d="M12 3 21 12 12 21 3 12z"/>`,
  high: svg`<path d="M12 3 22 20H2z"/>`,
  critical: svg`<path d="M8 2h8l6 6v8l-6 6H8l-6-6V8z"/>`,
};

/** @param {string} severity */
export function severityMark(severity) {
  const known = Object.hasOwn(SHAPES, severity) ? severity : "low";
  return html`<svg class="mark ${known}" viewBox="0 0 24 24" aria-hidden="true" focusable="false">${SHAPES[known]}</svg>`;
}

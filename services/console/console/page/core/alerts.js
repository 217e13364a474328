/** What the page knows of alerts: one row an event, whichever door it came by. */

const SEVERITIES = ["low", "medium", "high", "critical"];

/**
 * @typedef {Record<string, any> & {event_id: string}} Alert
 */

/**
 * A newer word on an alert over what was known; an older revision changes nothing.
 * @param {Alert | undefined} known
 * @param {Alert} word
 * @returns {Alert}
 */
export function merged(known, word) {
  if (!known) return word;
  if ((word.revision ?? 0) < (known.revision ?? 0)) return known;
  const said = Object.fromEntries(Object.entries(word).filter(([, value]) => value !== undefined));
  return { ...known, ...said };
}

/** @param {Alert} alert */
export function ended(alert) {
  return alert.status === "cancel" || alert.status === "negate" || Boolean(alert.ended_at)
    || alert.state === "ended" || alert.state === "dropped";
}

/** When it began. @param {Alert} alert */
export function began(alert) {
  return alert.detected_at ?? alert.detection_time ?? alert.ts ?? alert.since ?? 0;
}

/**
 * Newest first; of two at once the graver.
 * @param {Iterable<Alert>} alerts
 */
export function newestFirst(alerts) {
  return [...alerts].sort(
    (a, b) => began(b) - began(a) || gravity(b.severity) - gravity(a.severity),
  );
}

/** 0 to 3. @param {string} severity */
export function gravity(severity) {
  return Math.max(0, SEVERITIES.indexOf(severity));
}

/**
 * The camera whose picture takes the large place.
 * @param {Iterable<Alert>} alerts
 * @param {number} now
 * @param {number} for_s how long an alert keeps the place
 * @returns {string | null}
 */
export function promoted(alerts, now, for_s) {
  const open = newestFirst(alerts).filter(
    (one) => one.camera && !ended(one) && now - began(one) <= for_s,
  );
  return open[0]?.camera ?? null;
}

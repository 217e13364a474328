/** Metres on the ground, near enough for a map of a few kilometres. */

const METRES_PER_DEGREE = 111_195;

/**
 * Distance between two places, m.
 * @param {number} lat
 * @param {number} lon
 * @param {number} other_lat
 * @param {number} other_lon
 */
export function offsetMetres(lat, lon, other_lat, other_lon) {
  const north = (other_lat - lat) * METRES_PER_DEGREE;
  const east = (other_lon - lon) * METRES_PER_DEGREE * Math.cos((lat * Math.PI) / 180);
  return Math.hypot(north, east);
}

/**
 * The place so far away in that direction.
 * @param {number} lat
 * @param {number} lon
 * @param {number} heading_deg clockwise from true north
 * @param {number} distance_m
 * @returns {[number, number]}
 */
export function placeAt(lat, lon, heading_deg, distance_m) {
  const angle = (heading_deg * Math.PI) / 180;
  const north = Math.cos(angle) * distance_m;
  const east = Math.sin(angle) * distance_m;
  return [
    lat + north / METRES_PER_DEGREE,
    lon + east / (METRES_PER_DEGREE * Math.cos((lat * Math.PI) / 180)),
  ];
}

/** The roundest length not above this: 1, 2 or 5 times a power of ten. @param {number} metres */
export function niceStep(metres) {
  const power = 10 ** Math.floor(Math.log10(Math.max(metres, 1)));
  const step = [5, 2, 1].find((one) => one * power <= metres) ?? 1;
  return step * power;
}

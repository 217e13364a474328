/**
 * How a class of objects is told from another: by colour, by shape and by its name.
 * Colours after Okabe and Ito, apart for the colour-blind and bright on a dark picture.
 */

/** @typedef {{name: string, colour: string, dash: number[], mark: "square" | "wide" | "circle" | "diamond" | "triangle"}} Look */

/** @type {Record<string, Look>} */
const LOOKS = {
  car: { name: "car", colour: "#56c1ff", dash: [], mark: "square" },
  truck: { name: "truck", colour: "#ffb454", dash: [], mark: "wide" },
  bus: { name: "bus", colour: "#f0e442", dash: [10, 3], mark: "wide" },
  motorcycle: { name: "motorcycle", colour: "#d9a0ff", dash: [6, 3], mark: "triangle" },
  bicycle: { name: "bicycle", colour: "#d9a0ff", dash: [3, 3], mark: "triangle" },
  person: { name: "person", colour: "#5ef0b0", dash: [2, 3], mark: "circle" },
};
const OTHER = { name: "other", colour: "#e6eaf0", dash: [4, 4], mark: "diamond" };

/**
 * @param {string} label as the model says it
 * @returns {Look}
 */
export function lookOf(label) {
  return Object.hasOwn(LOOKS, label) ? LOOKS[label] : /** @type {Look} */ (OTHER);
}

/** Classes that have a look of their own, in the order of the legend. */
export const CLASSES = Object.keys(LOOKS);

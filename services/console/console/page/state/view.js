/** How this browser wants to see things: boxes, classes, theme, sound. Kept in the browser. */

const KEPT = "hazardcast.view";
const DEFAULTS = { boxes: true, labels: true, hidden: /** @type {string[]} */ ([]), theme: "", sound: false };

class View extends EventTarget {
  constructor() {
    super();
    Object.assign(this, DEFAULTS, stored());
    this.dress();
  }

  /** @param {Partial<typeof DEFAULTS>} change */
  set(change) {
    Object.assign(this, change);
    const kept = Object.fromEntries(Object.keys(DEFAULTS).map((key) => [key, this[key]]));
    localStorage.setItem(KEPT, JSON.stringify({ ...kept, sound: false })); // a click makes sound
    this.dress();
    this.dispatchEvent(new Event("change"));
  }

  /** @param {string} label */
  toggleClass(label) {
    const hidden = this.hidden.includes(label)
      ? this.hidden.filter((one) => one !== label)
      : [...this.hidden, label];
    this.set({ hidden });
  }

  /** The theme in force: chosen, else the system's. */
  get dark() {
    if (this.theme) return this.theme === "dark";
    return !matchMedia("(prefers-color-scheme: light)").matches;
  }

  dress() {
    document.documentElement.dataset.theme = this.dark ? "dark" : "light";
  }
}

function stored() {
  try {
    const told = JSON.parse(localStorage.getItem(KEPT) ?? "{}");
    return typeof told === "object" && told !== null && Array.isArray(told.hidden ?? []) ? told : {};
  } catch {
    return {};
  }
}

/** @type {View & typeof DEFAULTS} */
export const view = /** @type {any} */ (new View());

/**
 * Times as the site's people read them: in the site's zone, whatever the browser's is.
 */

const DAY_S = 86_400;

export class SiteTime {
  /**
   * @param {string} zone IANA name
   * @param {string} language BCP 47
   */
  constructor(zone, language) {
    this.zone = known(zone) ? zone : "UTC";
    const make = (/** @type {Intl.DateTimeFormatOptions} */ options) =>
      new Intl.DateTimeFormat(language, { timeZone: this.zone, hourCycle: "h23", ...options });
    const hms = /** @type {const} */ ({ hour: "2-digit", minute: "2-digit", second: "2-digit" });
    this.formats = {
      clock: make(hms),
      minute: make({ hour: "2-digit", minute: "2-digit" }),
      day: make({ month: "short", day: "numeric", weekday: "short" }),
      full: make({ year: "numeric", month: "short", day: "numeric", ...hms }),
      short: make({ month: "short", day: "numeric", hour: "2-digit", minute: "2-digit" }),
    };
    this.parts = new Intl.DateTimeFormat("en-CA", {
      timeZone: this.zone, hourCycle: "h23", year: "numeric", month: "2-digit", day: "2-digit", ...hms,
    });
  }

  /** "14:03:11" @param {number} ts epoch seconds */
  clock(ts) {
    return this.formats.clock.format(ts * 1000);
  }

  /** "14:03" @param {number} ts */
  minute(ts) {
    return this.formats.minute.format(ts * 1000);
  }

  /** "Sat, 28 Nov" @param {number} ts */
  dayName(ts) {
    return this.formats.day.format(ts * 1000);
  }

  /** Date and time with the offset from UTC, which tells a doubled hour apart. @param {number} ts */
  full(ts) {
    return `${this.formats.full.format(ts * 1000)} ${this.offset(ts)}`;
  }

  /**
   * The clock alone for today, the day with it otherwise.
   * @param {number} ts
   * @param {number} now
   */
  near(ts, now) {
    return this.day(ts) === this.day(now) ? this.clock(ts) : this.formats.short.format(ts * 1000);
  }

  /** "2026-11-28" in the zone. @param {number} ts */
  day(ts) {
    const { year, month, day } = this.#split(ts);
    return `${year}-${month}-${day}`;
  }

  /** "+09:00" @param {number} ts */
  offset(ts) {
    const minutes = Math.round(this.offset_s(ts) / 60);
    const size = Math.abs(minutes);
    const two = (/** @type {number} */ n) => String(n).padStart(2, "0");
    return `${minutes < 0 ? "−" : "+"}${two(Math.floor(size / 60))}:${two(size % 60)}`;
  }

  /** How far the zone is ahead of UTC at this moment, s. @param {number} ts */
  offset_s(ts) {
    const { year, month, day, hour, minute, second } = this.#split(ts);
    return Date.UTC(+year, +month - 1, +day, +hour, +minute, +second) / 1000 - Math.floor(ts);
  }

  /**
   * First and last moment of a day of the zone: 23 or 25 hours where the clocks change.
   * @param {string} day "2026-11-28"
   * @returns {[number, number]} epoch seconds, the end excluded
   */
  dayWindow(day) {
    const midnight = Date.parse(`${day}T00:00:00Z`) / 1000;
    return [this.#local(midnight), this.#local(midnight + DAY_S)];
  }

  /**
   * The day so many days later.
   * @param {string} day
   * @param {number} days
   */
  plusDays(day, days) {
    return new Date(Date.parse(`${day}T12:00:00Z`) + days * DAY_S * 1000).toISOString().slice(0, 10);
  }

  /** The epoch second at which the zone's clocks show this wall time. @param {number} wall_s */
  #local(wall_s) {
    const guess = wall_s - this.offset_s(wall_s);
    return wall_s - this.offset_s(guess);
  }

  /** @param {number} ts @returns {Record<string, string>} */
  #split(ts) {
    return Object.fromEntries(
      this.parts.formatToParts(ts * 1000).map(({ type, value }) => [type, value]),
    );
  }
}

/** @param {string} zone */
function known(zone) {
  try {
    return Boolean(new Intl.DateTimeFormat("en", { timeZone: zone }));
  } catch {
    return false;
  }
}

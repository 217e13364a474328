/** The frame of all pages: where one can go, what the time is, whether all is well. */

import { PAGES, hrefOf, routeOf } from "../core/routes.js";
import { newestFirst, ended } from "../core/alerts.js";
import { board } from "../state/board.js";
import { line } from "../state/line.js";
import { beep } from "../state/sound.js";
import { view } from "../state/view.js";
import { LANGUAGES, currentLanguage, speak, t, word } from "../state/words.js";
import { BoardPart, html, nothing } from "./element.js";
import { icon } from "./icons.js";

const MAIN = ["live", "incidents", "clips", "timeline", "statistics", "map", "health", "journal"];
/** On a phone these stand in the bar, the others behind "more". */
const FIRST = 4;
const AGAIN_MS = 1500;

/** @type {Record<string, () => Promise<any>>} */
const MODULES = Object.fromEntries(PAGES.map((page) => [page, () => import(`../pages/${page}.js`)]));

/** Go to another page without loading anew. @param {string} href relative to the base */
export function go(href) {
  history.pushState(null, "", new URL(href, document.baseURI));
  dispatchEvent(new Event("hazardcast-route"));
}

class Shell extends BoardPart {
  static properties = { page: { state: true }, ready: { state: true }, more: { state: true } };

  constructor() {
    super();
    this.route = routeOf(new URL(location.href));
    this.page = this.route.page;
    this.ready = false;
    this.more = false;
    this.spoken = "";
  }

  connectedCallback() {
    super.connectedCallback();
    this.during(window, "popstate", () => this.#arrive());
    this.during(window, "hazardcast-route", () => this.#arrive());
    this.during(window, "hazardcast-session", () => this.#enter());
    this.during(this, "click", (event) => this.#follow(event));
    this.during(board, "alert", ({ detail }) => this.#announce(detail));
    this.every(1000, () => this.requestUpdate());
    this.#enter();
  }

  #enter() {
    const { refused } = board.session;
    if (refused === 401 || refused === 403) {
      this.page = "login";
    } else {
      line().start();
      void board.refresh();
    }
    void this.#load();
  }

  #arrive() {
    this.route = routeOf(new URL(location.href));
    this.more = false;
    const refused = board.session.refused;
    this.page = refused === 401 ? "login" : this.route.page;
    void this.#load();
  }

  async #load() {
    const page = this.page;
    try {
      await MODULES[page]();
    } catch {
      setTimeout(() => void this.#load(), AGAIN_MS); // the network broke off: try again
      return;
    }
    if (page !== this.page) return;
    this.ready = true;
    document.title = `${word("page", page)} · ${board.session.site?.name ?? "Hazardcast"}`;
    this.requestUpdate();
    if (this.arrived && this.arrived !== page) {
      await this.updateComplete;
      /** @type {HTMLElement | null} */ (this.querySelector("main"))?.focus({ preventScroll: true });
      scrollTo(0, 0);
    }
    this.arrived = page;
  }

  /** Links within the page need no load. @param {MouseEvent} event */
  #follow(event) {
    if (event.defaultPrevented || event.button || event.ctrlKey || event.metaKey || event.shiftKey) return;
    const link = /** @type {Element} */ (event.target).closest?.("a[href]");
    if (!link || link.hasAttribute("download") || link.getAttribute("target")) return;
    const url = new URL(/** @type {HTMLAnchorElement} */ (link).href);
    const here = new URL(".", document.baseURI).href;
    const name = url.href.startsWith(here) ? url.pathname.slice(new URL(here).pathname.length) : null;
    if (name === null || !(name === "" || PAGES.includes(name))) return;
    event.preventDefault();
    go(url.href);
  }

  /** @param {any} alert */
  #announce(alert) {
    const camera = board.camera(alert.camera)?.name ?? alert.camera ?? "";
    this.spoken = `${word("severity", alert.severity)}: ${word("type", alert.type)} ${camera}`;
    if (view.sound && !alert.test) beep(alert.severity);
    this.requestUpdate();
  }

  render() {
    if (!this.ready) return html`<div class="starting" role="status">Hazardcast</div>`;
    if (this.page === "wall") return html`<main class="wall-main" tabindex="-1">${this.#content()}</main>${this.#spoken()}`;
    if (this.page === "login") return html`<main class="login-main" tabindex="-1">${this.#content()}</main>`;
    return html`
      <a class="skip" href="#main" @click=${(/** @type {Event} */ e) => this.#skip(e)}>${t("shell.skip")}</a>
      <nav class="rail" aria-label=${t("shell.pages")}>
        <a class="brand" href="./" aria-label="Hazardcast">${icon("incidents")}</a>
        ${MAIN.map((page, at) => this.#link(page, at >= FIRST))}
        <button class="more-button" aria-expanded=${this.more} @click=${() => { this.more = !this.more; }}>
          ${icon("more")}<span>${t("shell.more")}</span></button>
      </nav>
      ${this.more ? html`<div class="sheet" @click=${() => { this.more = false; }}>${MAIN.slice(FIRST).map((page) => this.#link(page, false))}
        ${this.#link("wall", false)}</div>` : nothing}
      <header class="bar">${this.#bar()}</header>
      <div class="banners" role="status">${this.#banners()}</div>
      <main id="main" tabindex="-1">${this.#content()}</main>
      ${this.#spoken()}`;
  }

  /** @param {Event} event */
  #skip(event) {
    event.preventDefault();
    /** @type {HTMLElement | null} */ (this.querySelector("main"))?.focus();
  }

  #spoken() {
    return html`<div class="unseen" aria-live="assertive">${this.spoken}</div>`;
  }

  /** @param {string} page @param {boolean} second */
  #link(page, second) {
    const open = page === "incidents" ? this.#openCount() : 0;
    return html`<a href=${hrefOf(page)} class=${second ? "second" : ""} aria-current=${this.page === page ? "page" : nothing}>
      ${icon(page)}<span>${word("page", page)}</span>
      ${open ? html`<b class="badge" aria-label=${t("shell.open_alerts", { n: open })}>${open}</b>` : nothing}</a>`;
  }

  #openCount() {
    return newestFirst(board.alerts.values()).filter((one) => !ended(one)).length + board.pending.size;
  }

  #bar() {
    const now = board.clock.now();
    const name = board.session.site?.name ?? "Hazardcast";
    return html`<strong class="site">${name}</strong>
      <span class="spring"></span>
      <span class="link ${board.link.open ? "on" : "off"}"><i></i><span>${board.link.open ? t("shell.connected") : t("shell.connecting")}</span></span>
      <time class="site-clock" title=${board.time.zone}>${board.time.clock(now)}<small>${board.time.offset(now)}</small></time>
      <a class="quiet-button wall-link" href="wall" title=${word("page", "wall")}>${icon("wall")}<span class="unseen">${word("page", "wall")}</span></a>
      <button class="quiet-button ${view.sound ? "" : "attention"}" aria-pressed=${view.sound} title=${view.sound ? t("shell.sound_on") : t("shell.sound_off")}
        @click=${() => { view.set({ sound: !view.sound }); if (view.sound) beep("low"); }}>
        ${icon(view.sound ? "sound" : "mute")}<span class="unseen">${view.sound ? t("shell.sound_on") : t("shell.sound_off")}</span></button>
      <button class="quiet-button theme-button" title=${t("shell.theme")} @click=${() => view.set({ theme: view.dark ? "light" : "dark" })}>
        ${icon(view.dark ? "sun" : "moon")}<span class="unseen">${t("shell.theme")}</span></button>
      <select class="language" aria-label=${t("shell.language")} @change=${(/** @type {any} */ e) => this.#speak(e.target.value)}>
        ${Object.entries(LANGUAGES).map(([code, title]) => html`<option value=${code} .selected=${code === currentLanguage()}>${title}</option>`)}</select>
      ${board.session.name
        ? html`<a class="quiet-button named" href="accounts" title=${t("shell.account")} aria-current=${this.page === "accounts" ? "page" : nothing}>${icon("user")}<span>${board.session.name}</span></a>`
        : html`<a class="quiet-button named" href="login">${icon("user")}<span>${t("shell.login")}</span></a>`}`;
  }

  /** @param {string} code */
  async #speak(code) {
    await speak(code, true);
    board.retime();
    void this.#load();
  }

  #banners() {
    const rows = [];
    if (!board.link.open && board.link.since) rows.push(["danger", t("banner.no_link", { time: board.time.clock(board.link.since) })]);
    else if (!board.broker) rows.push(["danger", t("banner.no_broker", { time: board.time.clock(board.broker_since || board.clock.now()) })]);
    for (const mode of ["shadow", "confirm"]) {
      const cameras = board.cameras.filter((one) => modeOf(one) === mode);
      if (cameras.length) rows.push(["note", t(`banner.${mode}`, { cameras: cameras.map((one) => one.name || one.id).join(", ") })]);
    }
    return rows.map(([kind, text]) => html`<p class="banner ${kind}">${text}</p>`);
  }

  #content() {
    const key = this.route.params.toString();
    switch (this.page) {
      case "wall": return html`<hc-wall></hc-wall>`;
      case "incidents": return html`<hc-incidents .params=${key}></hc-incidents>`;
      case "clips": return html`<hc-clips .params=${key}></hc-clips>`;
      case "timeline": return html`<hc-timeline .params=${key}></hc-timeline>`;
      case "statistics": return html`<hc-statistics .params=${key}></hc-statistics>`;
      case "map": return html`<hc-map .params=${key}></hc-map>`;
      case "health": return html`<hc-health></hc-health>`;
      case "journal": return html`<hc-journal></hc-journal>`;
      case "accounts": return html`<hc-accounts></hc-accounts>`;
      case "login": return html`<hc-login></hc-login>`;
      default: return html`<hc-live .params=${key}></hc-live>`;
    }
  }
}

/** How a camera's alerts go out: auto, confirm or shadow. @param {any} camera */
function modeOf(camera) {
  return camera.policy?.mode ?? camera.policy;
}

customElements.define("hc-shell", Shell);

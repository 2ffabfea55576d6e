/** `<penny-chat>`: the element that a page holds. Its attributes, its methods and events are the widget's interface. */

import { html, LitElement, nothing, type PropertyValues, type TemplateResult, unsafeCSS } from "lit";
import type { GetToken } from "./api/client.js";
import { NoToken, tokenFrom } from "./api/client.js";
import { App, type Shell, type Tab } from "./app.js";
import type { Strings } from "./lang/en.js";
import { sheet } from "./styles/sheet.js";
import { directionOf, load, localeOf } from "./texts.js";
import type { Composer } from "./ui/composer.js";
import { frame, launcher } from "./ui/frame.js";
import type { LogView } from "./ui/log.js";
import { Pop } from "./ui/pop.js";

const WIDE = 860; // px from which a panel stands beside the chat

export type Mode = "inline" | "floating" | "page";

export class PennyChat extends LitElement {
  static override styles = unsafeCSS(sheet);
  static override properties = {
    src: {},
    tokenUrl: { attribute: "token-url" },
    mode: { reflect: true },
    theme: { reflect: true },
    session: {},
    heading: {},
    lang: { reflect: true },
    dir: { reflect: true },
    opened: { type: Boolean, reflect: true },
    suggestions: { attribute: false },
    strings: { attribute: false },
    getToken: { attribute: false },
    wide: { state: true },
  };
  /** Penny's address; without it, the page's own. */
  declare src: string;
  /** Where the page's own server gives `{token}` for the user that is signed in. */
  declare tokenUrl: string;
  declare mode: Mode;
  /** light, dark, or as the system has it. */
  declare theme: "auto" | "light" | "dark";
  /** The session to begin with; without it, the last one. */
  declare session: string;
  /** The name in the header. */
  declare heading: string;
  declare opened: boolean;
  /** Questions to start with, instead of those that come with the language. */
  declare suggestions: string[] | null;
  /** Words to use instead of the widget's own, by key. */
  declare strings: Partial<Strings> | null;
  /** Gives a token for the user that is signed in; asked again when one is refused. */
  declare getToken: GetToken | null;
  declare wide: boolean;

  readonly #pop = new Pop(this);
  readonly #app: App;
  #started = false;
  #spoken = "";
  readonly #sized = new ResizeObserver(([entry]) => {
    this.wide = (entry?.contentRect.width ?? 0) >= WIDE;
  });

  constructor() {
    super();
    this.src = "";
    this.tokenUrl = "";
    this.mode = "inline";
    this.theme = "auto";
    this.session = "";
    this.heading = "";
    this.opened = false;
    this.suggestions = null;
    this.strings = null;
    this.getToken = null;
    this.wide = false;
    const shell: Shell = {
      emit: (type, detail) =>
        this.dispatchEvent(new CustomEvent(`penny-${type}`, { detail, bubbles: true, composed: true })),
      pop: (...args) => this.#pop.show(...args),
      unpop: () => this.#pop.leave(),
      visible: () => document.visibilityState === "visible" && (this.mode !== "floating" || this.opened),
    };
    this.#app = new App(shell, "", () => this.#token());
    this.#app.watch(() => this.requestUpdate());
  }

  /** Opens the chat (floating mode) and puts the cursor where one writes. */
  open(): void {
    this.opened = true;
    this.#app.shell.emit("open", {});
    this.#app.read();
    void this.updateComplete.then(() => this.focus());
  }

  close(): void {
    const inside = this.shadowRoot?.activeElement !== null;
    this.opened = false;
    this.#app.shell.emit("close", {});
    if (inside) void this.updateComplete.then(() => this.shadowRoot?.querySelector<HTMLElement>(".launcher")?.focus());
  }

  toggle(): void {
    if (this.opened) this.close();
    else this.open();
  }

  /** Says something for the user; false when it was empty or a reply is still being made. */
  send(text: string): boolean {
    this.#ready();
    return this.#app.send(text);
  }

  /** Starts an empty conversation. */
  newChat(): void {
    this.#ready();
    this.#app.newChat();
  }

  /** Shows a conversation. */
  openSession(id: string): Promise<void> {
    this.#ready();
    return this.#app.openSession(id);
  }

  /** Shows a panel: budgets, waiting, changes, facts, links or import. */
  showPanel(tab: Tab): void {
    this.#app.show("panel", tab);
  }

  /** Call when another user has signed in: nothing of the last one stays. */
  reset(): void {
    this.#app.connect(this.#base, () => this.#token());
  }

  /** Listens to `open`, `close`, `session`, `message`, `reply`, `decision` and `unread`; gives what ends it. */
  on(type: string, listener: (detail: unknown, event: CustomEvent) => void): () => void {
    const hear = (event: Event) => listener((event as CustomEvent).detail, event as CustomEvent);
    this.addEventListener(`penny-${type}`, hear);
    return () => this.removeEventListener(`penny-${type}`, hear);
  }

  override focus(): void {
    this.shadowRoot?.querySelector<Composer>("penny-composer")?.focus();
  }

  override connectedCallback(): void {
    super.connectedCallback();
    document.addEventListener("visibilitychange", this.#seen);
    addEventListener("online", this.#network);
    addEventListener("offline", this.#network);
    if (this.#started) {
      this.#listen();
      void this.#app.start(this.#app.conversation.session);
    }
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    document.removeEventListener("visibilitychange", this.#seen);
    removeEventListener("online", this.#network);
    removeEventListener("offline", this.#network);
    this.#sized.disconnect();
    this.#app.end();
  }

  protected override willUpdate(changed: PropertyValues): void {
    this.#app.suggestions = this.suggestions;
    if (changed.has("opened") && this.opened) this.#app.read();
    if (changed.has("strings") || this.#locale !== this.#spoken) void this.#speak();
  }

  protected override firstUpdated(): void {
    this.#started = true;
    this.#listen();
    this.#app.begin(this.#base, () => this.#token(), this.session || null);
  }

  protected override updated(changed: PropertyValues): void {
    const box = this.shadowRoot?.querySelector(".frame");
    if (box) this.#sized.observe(box);
    if (this.#connectedTo !== null && this.#connectedTo !== this.#identity) this.reset();
    else if (this.#connectedTo !== null && changed.has("getToken")) this.#app.resume();
    this.#connectedTo = this.#identity;
  }

  #connectedTo: string | null = null;

  get #identity(): string {
    return JSON.stringify([this.#base, this.tokenUrl]);
  }

  protected override render(): TemplateResult {
    const floating = this.mode === "floating";
    const direction = this.dir || directionOf(this.#app.texts.locale);
    const handlers = {
      toggle: () => this.toggle(),
      close: () => this.close(),
      end: () => this.shadowRoot?.querySelector<LogView>("penny-log")?.toEnd(),
      key: (event: KeyboardEvent) => this.#key(event),
    };
    return html`<div class="root" dir=${direction} lang=${this.#app.texts.locale}>
      ${floating ? launcher(this.#app, this.opened, handlers) : nothing}
      ${!floating || this.opened ? frame(this.#app, { floating, wide: this.wide, heading: this.heading }, handlers) : nothing}
      ${this.#pop.render()}
      <p class="hidden" aria-live="polite" role="status">${this.#app.announcement}</p>
    </div>`;
  }

  get #base(): string {
    return (this.src || "").replace(/\/+$/, "");
  }

  get #locale(): string {
    const around = this.parentElement?.closest("[lang]")?.getAttribute("lang");
    return localeOf(this.lang || around || document.documentElement.lang || navigator.language);
  }

  async #speak(): Promise<void> {
    const locale = this.#locale;
    this.#spoken = locale;
    const texts = await load(locale, this.strings ?? {});
    if (locale === this.#spoken) this.#app.speak(texts);
  }

  async #token(): Promise<string> {
    if (this.getToken) return this.getToken();
    if (this.tokenUrl) return tokenFrom(this.tokenUrl)();
    throw new NoToken();
  }

  /** A page may call before the first drawing, in which the widget begins. */
  #ready(): void {
    if (!this.hasUpdated && this.isConnected) this.performUpdate();
  }

  #listen(): void {
    this.#app.conversation.listen(document.visibilityState === "visible");
  }

  #seen = (): void => {
    this.#listen();
    if (document.visibilityState !== "visible") return;
    if (this.#app.shell.visible()) this.#app.read();
    void this.#app.proposals.refresh();
  };

  #network = (): void => this.#app.network(navigator.onLine);

  #key(event: KeyboardEvent): void {
    if (event.key !== "Escape" || event.defaultPrevented) return;
    if (this.#pop.close()) event.preventDefault();
    else if (this.#app.overlay) this.#app.show(null);
    else if (this.#app.conversation.busy) void this.#app.conversation.stop();
    else if (this.mode === "floating") this.close();
  }
}

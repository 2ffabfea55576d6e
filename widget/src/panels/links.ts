/** Messaging apps: a one-time code to send to Penny there, the chats that are linked, and their end. */

import { html, nothing, type TemplateResult } from "lit";
import { icon } from "../ui/icons.js";
import type { LinkCode, Links } from "../wire.js";
import { LoadedView } from "./loading.js";

const NAMES: Record<string, string> = { slack: "Slack", telegram: "Telegram", whatsapp: "WhatsApp", twilio: "SMS" };

/** How often it is looked whether the code was used, in seconds. */
const LOOK = 3;

export class LinksView extends LoadedView<Links> {
  static override properties = {
    ...LoadedView.properties,
    code: { state: true },
    left: { state: true },
    copied: { state: true },
    linked: { state: true },
  };
  declare code: (LinkCode & { channel: string; before: number }) | null;
  declare left: number;
  declare copied: boolean;
  declare linked: string;
  #clock: number | undefined;

  constructor() {
    super();
    this.code = null;
    this.left = 0;
    this.copied = false;
    this.linked = "";
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.#end();
  }

  protected async fetch(): Promise<Links> {
    const links = await this.app.client.get<Links>("/v1/links");
    const { code } = this;
    if (code && links.items.filter(({ channel }) => channel === code.channel).length > code.before) {
      this.linked = this.#name(code.channel);
      this.#end();
    }
    return links;
  }

  protected content({ items, channels }: Links): TemplateResult {
    const { t, format } = this.app;
    if (!channels.length && !items.length) return html`<p class="nothing">${t("noApps")}</p>`;
    return html`<p class="intro">${t("linksIntro")}</p>
      <div class="apps">${channels.map(
        (channel) => html`<button type="button" class="plain" @click=${() => this.#start(channel)}>
          ${t("linkApp", { app: this.#name(channel) })}</button>`,
      )}</div>
      ${this.code ? this.#shown(this.code) : nothing}
      <p class="linked" role="status">${this.linked ? t("linkedNow", { app: this.linked }) : ""}</p>
      <ul class="facts">${items.map(
        (link) => html`<li><p><strong>${this.#name(link.channel)}</strong> <bdi>${link.address}</bdi><br />
            <small>${t("linkedOn", { date: format.day(link.created_at.slice(0, 10)) })}</small></p>
          <button type="button" class="plain" aria-label="${t("unlink")}: ${this.#name(link.channel)} ${link.address}"
            @click=${() => this.#unlink(link.channel, link.address)}>${t("unlink")}</button></li>`,
      )}</ul>
      <penny-notices .app=${this.app}></penny-notices>`;
  }

  #shown(code: LinkCode & { channel: string }): TemplateResult {
    const { t } = this.app;
    const time = `${Math.floor(this.left / 60)}:${String(this.left % 60).padStart(2, "0")}`;
    if (this.left <= 0) return html`<p class="note" role="alert">${t("codeOver")}</p>`;
    return html`<section class="code" aria-label=${t("linkApp", { app: this.#name(code.channel) })}>
      <p>${t("sendThis", { app: this.#name(code.channel) })}</p>
      <p class="code-text"><code dir="ltr">${code.text}</code>
        <button type="button" class="quiet" aria-label=${t("copy")} title=${t("copy")} @click=${this.#copy}>${icon("copy")}</button>
        <span>${this.copied ? t("copied") : ""}</span></p>
      <p class="code-left" role="timer">${t("codeLeft", { time })}</p>
    </section>`;
  }

  #name(channel: string): string {
    return NAMES[channel] ?? this.app.t("otherApp");
  }

  async #start(channel: string): Promise<void> {
    this.#end();
    this.linked = "";
    await this.act(async () => {
      const code = await this.app.client.post<LinkCode>("/v1/links", { channel });
      const before = this.data?.items.filter((link) => link.channel === channel).length ?? 0;
      this.copied = false;
      this.code = { ...code, channel, before };
      this.#tick();
      this.#clock = window.setInterval(() => this.#tick(), 1000);
    });
  }

  #tick(): void {
    if (!this.code) return;
    this.left = Math.max(0, Math.ceil((Date.parse(this.code.expires_at) - Date.now()) / 1000));
    if (this.left === 0) this.#stop();
    else if (this.left % LOOK === 0) void this.load();
  }

  #stop(): void {
    window.clearInterval(this.#clock);
    this.#clock = undefined;
  }

  #end(): void {
    this.#stop();
    this.code = null;
  }

  #copy = async (): Promise<void> => {
    if (this.code) this.copied = await this.app.copy(this.code.text);
  };

  async #unlink(channel: string, address: string): Promise<void> {
    this.linked = "";
    await this.act(() => this.app.client.delete(`/v1/links/${channel}?address=${encodeURIComponent(address)}`));
  }
}

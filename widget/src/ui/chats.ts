/** The user's conversations: opened, renamed, deleted. */

import { html, nothing, type TemplateResult } from "lit";
import type { Page, Session } from "../wire.js";
import { icon } from "./icons.js";
import { View } from "./view.js";

export class ChatsView extends View {
  static override properties = {
    ...View.properties,
    sessions: { state: true },
    note: { state: true },
    renaming: { state: true },
    deleting: { state: true },
  };
  declare sessions: Session[] | null;
  declare note: string;
  declare renaming: string | null;
  declare deleting: string | null;

  constructor() {
    super();
    this.sessions = null;
    this.note = "";
    this.renaming = null;
    this.deleting = null;
  }

  override connectedCallback(): void {
    super.connectedCallback();
    void this.#load();
  }

  async #load(): Promise<void> {
    await this.updateComplete;
    try {
      this.sessions = (await this.app.client.get<Page<Session>>("/v1/sessions?limit=100")).items;
      this.note = "";
    } catch (error) {
      this.note = this.app.describe(error);
    }
  }

  protected override render(): TemplateResult {
    const { t } = this.app;
    const { sessions, note } = this;
    return html`
      <button type="button" class="primary block" @click=${() => this.app.newChat()}>${icon("plus")}${t("newChat")}</button>
      ${note ? html`<p class="note" role="alert">${note}</p>` : nothing}
      ${sessions?.length === 0 ? html`<p class="nothing">${t("noChats")}</p>` : nothing}
      ${!sessions && !note ? html`<p class="nothing">${t("loading")}</p>` : nothing}
      <ul class="chats">${sessions?.map((session) => html`<li>${this.#row(session)}</li>`)}</ul>`;
  }

  #row(session: Session): TemplateResult {
    const { t, format, conversation } = this.app;
    const title = session.title || t("newChat");
    if (this.renaming === session.id) {
      return html`<form class="rename" @submit=${(event: Event) => this.#rename(event, session)}>
        <input name="title" .value=${session.title} maxlength="200" aria-label=${t("renameChat")} dir="auto"
          @keydown=${(event: KeyboardEvent) => {
            if (event.key !== "Escape") return;
            event.stopPropagation();
            this.renaming = null;
          }} />
        <button type="submit" class="plain">${t("save")}</button>
      </form>`;
    }
    if (this.deleting === session.id) {
      return html`<div class="sure" role="alert"><p>${t("deleteChatSure", { title })}</p>
        <button type="button" class="danger" @click=${() => this.#delete(session)}>${t("delete")}</button>
        <button type="button" class="plain" @click=${() => (this.deleting = null)}>${t("cancel")}</button></div>`;
    }
    const when = session.updated_at ?? session.created_at;
    return html`<button type="button" class="open" aria-current=${session.id === conversation.session ? "true" : nothing}
        @click=${() => this.app.openSession(session.id)}>
        <span dir="auto">${title}</span><time datetime=${when}>${format.distance(when)}</time></button>
      <button type="button" class="quiet" aria-label="${t("renameChat")}: ${title}" title=${t("renameChat")}
        @click=${() => this.#startRename(session.id)}>${icon("edit")}</button>
      <button type="button" class="quiet" aria-label="${t("deleteChat")}: ${title}" title=${t("deleteChat")}
        @click=${() => (this.deleting = session.id)}>${icon("trash")}</button>`;
  }

  async #startRename(id: string): Promise<void> {
    this.renaming = id;
    await this.updateComplete;
    this.querySelector<HTMLInputElement>("input[name=title]")?.select();
  }

  async #rename(event: Event, session: Session): Promise<void> {
    event.preventDefault();
    const title = this.querySelector<HTMLInputElement>("input[name=title]")?.value.trim() ?? "";
    this.renaming = null;
    await this.#change(() => this.app.client.patch(`/v1/sessions/${session.id}`, { title }));
  }

  async #delete(session: Session): Promise<void> {
    this.deleting = null;
    await this.#change(() => this.app.client.delete(`/v1/sessions/${session.id}`));
    if (session.id === this.app.conversation.session) this.app.conversation.startNew();
  }

  async #change(act: () => Promise<unknown>): Promise<void> {
    try {
      await act();
      await this.#load();
    } catch (error) {
      this.note = this.app.describe(error);
    }
  }
}

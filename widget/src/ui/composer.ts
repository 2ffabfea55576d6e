/** Where the user writes: Enter sends, Shift+Enter makes a line, Escape stops. */

import { html, nothing, type TemplateResult } from "lit";
import { icon } from "./icons.js";
import { View } from "./view.js";

export class Composer extends View {
  get #field(): HTMLTextAreaElement | null {
    return this.querySelector("textarea");
  }

  override focus(): void {
    this.#field?.focus({ preventScroll: true });
  }

  #submit(event?: Event): void {
    event?.preventDefault();
    const field = this.#field;
    if (!field || !this.app.send(field.value)) return;
    this.app.draft = "";
    field.value = "";
    this.#fit();
    this.requestUpdate();
  }

  #typed(): void {
    const field = this.#field;
    if (!field) return;
    this.app.draft = field.value;
    this.#fit();
    this.requestUpdate();
  }

  #key(event: KeyboardEvent): void {
    if (event.key === "Enter" && !event.shiftKey && !event.isComposing) this.#submit(event);
    if (event.key === "Escape" && this.app.editing) {
      event.stopPropagation();
      this.app.edit(null);
    }
  }

  #fit(): void {
    const field = this.#field;
    if (!field) return;
    field.rows = Math.min(6, field.value.split("\n").length);
  }

  protected override updated(): void {
    const field = this.#field;
    if (field && field.value !== this.app.draft) {
      field.value = this.app.draft;
      this.#fit();
      field.focus({ preventScroll: true });
    }
  }

  protected override render(): TemplateResult {
    const { t, conversation, editing } = this.app;
    return html`
      ${
        editing
          ? html`<div class="editing">
              <span>${t("editing")}</span>
              <button type="button" class="plain" @click=${() => this.app.edit(null)}>${t("cancel")}</button>
            </div>`
          : nothing
      }
      <form class="composer" part="composer" @submit=${this.#submit}>
        <textarea
          part="input"
          rows="1"
          maxlength="8000"
          aria-label=${t("message")}
          placeholder=${t("placeholder")}
          enterkeyhint="send"
          autocomplete="off"
          dir=${this.app.draft ? "auto" : nothing}
          @input=${this.#typed}
          @keydown=${this.#key}
        ></textarea>
        ${
          conversation.busy
            ? html`<button type="button" class="round stop" part="stop" aria-label=${t("stop")} title=${t("stop")}
                @click=${() => this.#stop()}>${icon("stop")}</button>`
            : html`<button type="submit" class="round send" part="send" aria-label=${t("send")} title=${t("send")}
                ?disabled=${this.app.draft.trim() === ""}>${icon("send")}</button>`
        }
      </form>`;
  }

  #stop(): void {
    void this.app.conversation.stop();
    this.focus();
  }
}

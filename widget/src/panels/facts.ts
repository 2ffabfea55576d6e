/** What Penny remembers of the user: seen, entered, corrected and forgotten by them. */

import { html, nothing, type TemplateResult } from "lit";
import { icon } from "../ui/icons.js";
import type { Page, Remembered } from "../wire.js";
import { LoadedView } from "./loading.js";

export class FactsView extends LoadedView<Page<Remembered>> {
  static override properties = { ...LoadedView.properties, editing: { state: true } };
  declare editing: string | null;

  constructor() {
    super();
    this.editing = null;
  }

  protected fetch(): Promise<Page<Remembered>> {
    return this.app.client.get("/v1/facts");
  }

  protected content({ items }: Page<Remembered>): TemplateResult {
    const { t } = this.app;
    return html`<p class="intro">${t("remembersIntro")}</p>
      ${items.length ? nothing : html`<p class="nothing">${t("noFacts")}</p>`}
      <ul class="facts">${items.map((fact) => html`<li>${this.editing === fact.id ? this.#form(fact) : this.#row(fact)}</li>`)}</ul>
      <form class="add" @submit=${(event: Event) => this.#add(event)}>
        <label for="penny-new-fact">${t("addFact")}</label>
        <input id="penny-new-fact" name="fact" required maxlength="300" placeholder=${t("addFactHint")} autocomplete="off" dir="auto" />
        <button type="submit" class="primary">${t("add")}</button>
      </form>`;
  }

  #row(fact: Remembered): TemplateResult {
    const { t } = this.app;
    return html`<p dir="auto">${fact.text}</p>
      <button type="button" class="quiet" aria-label="${t("edit")}: ${fact.text}" title=${t("edit")} @click=${() => this.#edit(fact.id)}>${icon("edit")}</button>
      <button type="button" class="quiet" aria-label="${t("forget")}: ${fact.text}" title=${t("forget")}
        @click=${() => this.act(() => this.app.client.delete(`/v1/facts/${fact.id}`))}>${icon("trash")}</button>`;
  }

  #form(fact: Remembered): TemplateResult {
    const { t } = this.app;
    return html`<form class="rename" @submit=${(event: Event) => this.#change(event, fact)}>
      <input name="text" .value=${fact.text} required maxlength="300" aria-label=${t("edit")} dir="auto"
        @keydown=${(event: KeyboardEvent) => {
          if (event.key !== "Escape") return;
          event.stopPropagation();
          this.editing = null;
        }} />
      <button type="submit" class="plain">${t("save")}</button>
    </form>`;
  }

  async #edit(id: string): Promise<void> {
    this.editing = id;
    await this.updateComplete;
    this.querySelector<HTMLInputElement>("input[name=text]")?.select();
  }

  async #change(event: Event, fact: Remembered): Promise<void> {
    event.preventDefault();
    const text = this.querySelector<HTMLInputElement>("input[name=text]")?.value.trim();
    if (text && (await this.act(() => this.app.client.patch(`/v1/facts/${fact.id}`, { text })))) this.editing = null;
  }

  async #add(event: Event): Promise<void> {
    event.preventDefault();
    const field = this.querySelector<HTMLInputElement>("input[name=fact]");
    const text = field?.value.trim();
    if (field && text && (await this.act(() => this.app.client.post("/v1/facts", { text })))) field.value = "";
  }
}

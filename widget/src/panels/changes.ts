/** The journal: what was changed, why, and taking it back. */

import { html, nothing, type TemplateResult } from "lit";
import { icon } from "../ui/icons.js";
import { firstClick } from "../ui/view.js";
import type { JournalEntry, Page } from "../wire.js";
import { LoadedView } from "./loading.js";

export class ChangesView extends LoadedView<Page<JournalEntry>> {
  #busy: string | null = null;
  #refused = new Map<string, string>();

  protected fetch(): Promise<Page<JournalEntry>> {
    return this.app.client.get("/v1/journal?limit=30");
  }

  protected content({ items, next }: Page<JournalEntry>): TemplateResult {
    const { t } = this.app;
    if (!items.length) return html`<p class="nothing">${t("noChanges")}</p>`;
    return html`<ul class="changes">${items.map((entry) => this.#entry(entry))}</ul>
      ${next ? html`<button type="button" class="plain block" @click=${() => this.#more(next)}>${t("showMore")}</button>` : nothing}`;
  }

  #entry(entry: JournalEntry): TemplateResult {
    const { t, format } = this.app;
    const why = this.#refused.get(entry.id);
    return html`<li>
      <p dir="auto">${entry.text}</p>
      ${entry.message?.text ? html`<p class="asked" dir="auto">${t("asked", { text: entry.message.text })}</p>` : nothing}
      <footer><time datetime=${entry.at} title=${format.full(entry.at)}>${format.distance(entry.at)}</time>
        ${
          entry.undone_by
            ? html`<span class="chip undone">${t("undone")}</span>`
            : html`<button type="button" class="plain small" aria-label="${t("undo")}: ${entry.text}" ?disabled=${this.#busy !== null}
                @click=${firstClick(() => void this.#undo(entry))}>${icon("undo")}${t("undo")}</button>`
        }</footer>
      ${why ? html`<p class="note" role="alert">${t("cannotUndo", { why })}</p>` : nothing}
    </li>`;
  }

  async #undo(entry: JournalEntry): Promise<void> {
    this.#busy = entry.id;
    this.#refused.delete(entry.id);
    this.requestUpdate();
    try {
      await this.app.client.post(`/v1/journal/${entry.id}/undo`);
      this.app.shell.emit("decision", { id: entry.proposal_id, status: "undone" });
      this.app.say(this.app.t("undone"));
      await this.app.proposals.markUndone();
      await this.load();
    } catch (error) {
      this.#refused.set(entry.id, this.app.describe(error));
    }
    this.#busy = null;
    this.requestUpdate();
  }

  async #more(cursor: string): Promise<void> {
    const query = new URLSearchParams({ limit: "30", cursor });
    const page = await this.app.client.get<Page<JournalEntry>>(`/v1/journal?${query}`).catch(() => null);
    if (page && this.data) this.data = { items: [...this.data.items, ...page.items], next: page.next };
  }
}

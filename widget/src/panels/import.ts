/** A bank's file brought in: chosen or dropped, looked at first, then imported, and undone if it was a mistake. */

import { html, nothing, type TemplateResult } from "lit";
import { Problem } from "../api/client.js";
import { icon } from "../ui/icons.js";
import { firstClick } from "../ui/view.js";
import type { Account, ImportReport, Page } from "../wire.js";
import { LoadedView } from "./loading.js";

interface Line {
  line: number | string;
  message: string;
}

export class ImportView extends LoadedView<Account[]> {
  static override properties = {
    ...LoadedView.properties,
    account: { state: true },
    report: { state: true },
    busy: { state: true },
    trouble: { state: true },
    undone: { state: true },
    over: { state: true },
  };
  declare account: string;
  declare report: ImportReport | null;
  declare busy: boolean;
  declare trouble: { message: string; lines: Line[] } | null;
  declare undone: boolean;
  declare over: boolean;
  #looked = "";

  constructor() {
    super();
    this.account = "";
    this.busy = false;
    this.over = false;
    this.#reset();
  }

  protected async fetch(): Promise<Account[]> {
    const { items } = await this.app.client.get<Page<Account>>("/v1/accounts");
    this.account ||= items[0]?.id ?? "";
    return items;
  }

  protected content(accounts: Account[]): TemplateResult {
    const { t, file } = this.app;
    if (!accounts.length) return html`<p class="nothing">${t("noAccounts")}</p>`;
    return html`<p class="intro">${t("importIntro")}</p>
      <label class="field">${t("account")}
        <select .value=${this.account} @change=${(event: Event) => this.#choose((event.target as HTMLSelectElement).value)}>
          ${accounts.map(({ id, name }) => html`<option value=${id} ?selected=${id === this.account}>${name}</option>`)}
        </select></label>
      <label class="drop ${this.over ? "over" : ""}" @dragenter=${() => (this.over = true)} @dragleave=${() => (this.over = false)}>
        ${icon("file")}
        <span dir="auto">${file ? file.name : t(this.over ? "dropNow" : "drop")}</span>
        <span class="fake-button">${t(file ? "otherFile" : "choose")}</span>
        <input type="file" class="hidden" accept=".csv,.ofx,.qfx,.qif,.xml,.txt,text/csv" aria-label=${t("choose")} @change=${this.#picked} />
      </label>
      ${this.busy ? html`<p class="nothing" role="status">${t("reading")}</p>` : nothing}
      ${this.trouble ? this.#wrong(this.trouble) : nothing}
      ${this.report ? this.#found(this.report) : nothing}`;
  }

  protected override updated(): void {
    super.updated();
    const { file } = this.app;
    const now = file && this.account ? `${file.name} ${file.size} ${file.lastModified} ${this.account}` : "";
    if (now === this.#looked) return;
    this.#looked = now;
    this.over = false;
    if (now) void this.#send(true);
  }

  #reset(): void {
    this.report = null;
    this.trouble = null;
    this.undone = false;
  }

  #choose(account: string): void {
    this.account = account;
    this.#reset();
  }

  #picked(event: Event): void {
    const input = event.target as HTMLInputElement;
    this.app.take(input.files?.[0] ?? null);
    input.value = "";
  }

  #found(report: ImportReport): TemplateResult {
    const { t, format } = this.app;
    const n = report.added;
    return html`<section class="card ${report.dry_run ? "pending" : "applied"}" aria-live="polite">
      <header><h3>${report.dry_run ? t("fileNew", { n }) : t("imported", { n })}</h3>
        <span class="chip">${report.format.toUpperCase()}</span></header>
      <p>${t("filePeriod", { from: format.day(report.first_day), to: format.day(report.last_day) })}</p>
      <ul class="counts">
        ${report.duplicates ? html`<li>${t("fileDuplicates", { n: report.duplicates })}</li>` : nothing}
        ${report.skipped ? html`<li>${t("fileSkipped", { n: report.skipped })}</li>` : nothing}
        ${report.categorized ? html`<li>${t("fileCategorized", { n: report.categorized })}</li>` : nothing}
        ${report.notes.map((note) => html`<li dir="auto">${note}</li>`)}
      </ul>
      ${
        report.dry_run
          ? n
            ? html`<footer><button type="button" class="primary" ?disabled=${this.busy} @click=${firstClick(() => void this.#send(false))}>${t("importNow", { n })}</button></footer>`
            : html`<p class="note">${t("nothingNew")}</p>`
          : this.#after(report)
      }
    </section>`;
  }

  #after({ journal_id: journal }: ImportReport): TemplateResult | typeof nothing {
    const { t } = this.app;
    if (this.undone) return html`<footer><span class="chip undone">${t("undone")}</span></footer>`;
    if (!journal) return nothing;
    return html`<footer class="after"><button type="button" class="plain" ?disabled=${this.busy}
      @click=${firstClick(() => void this.#undo(journal))}>${icon("undo")}${t("undo")}</button></footer>`;
  }

  #wrong({ message, lines }: { message: string; lines: Line[] }): TemplateResult {
    const { t } = this.app;
    return html`<div class="note" role="alert"><p>${message}</p>
      ${lines.length ? html`<ul>${lines.slice(0, 20).map(({ line, message: why }) => html`<li>${t("line", { n: line, message: why })}</li>`)}</ul>` : nothing}</div>`;
  }

  async #send(dryRun: boolean): Promise<void> {
    const { file, client } = this.app;
    if (!file || this.busy) return;
    this.#reset();
    this.busy = true;
    const form = new FormData();
    form.set("file", file);
    form.set("account", this.account);
    form.set("dry_run", String(dryRun));
    try {
      this.report = await client.upload<ImportReport>("/v1/imports", form);
    } catch (error) {
      const rows = error instanceof Problem ? (error.body.rows as Line[] | undefined) : undefined;
      this.trouble = { message: this.app.describe(error), lines: Array.isArray(rows) ? rows : [] };
    }
    this.busy = false;
  }

  async #undo(journal: string): Promise<void> {
    this.busy = true;
    try {
      await this.app.client.post(`/v1/journal/${journal}/undo`);
      this.undone = true;
    } catch (error) {
      this.trouble = { message: this.app.describe(error), lines: [] };
    }
    this.busy = false;
  }
}

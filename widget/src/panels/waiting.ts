/** The changes that wait for the user's decision, from every conversation and channel. */

import { html, type TemplateResult } from "lit";
import type { Model } from "../state/model.js";
import { LoadedView } from "./loading.js";

export class WaitingView extends LoadedView<string[]> {
  #shown: string[] = [];

  protected override models(): Model[] {
    return [this.app, this.app.proposals];
  }

  protected async fetch(): Promise<string[]> {
    await this.app.proposals.loadPending();
    return this.app.proposals.pending.map(({ proposal }) => proposal.id);
  }

  /** One that is decided here stays in view with its outcome, until the panel is left. */
  protected content(data: string[]): TemplateResult {
    this.#shown = [...new Set([...this.#shown, ...data])];
    if (!this.#shown.length) return html`<p class="nothing">${this.app.t("noWaiting")}</p>`;
    return html`${this.#shown.map((id) => html`<penny-card .app=${this.app} .proposalId=${id}></penny-card>`)}`;
  }
}

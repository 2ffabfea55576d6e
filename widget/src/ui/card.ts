/** A proposal as a card: what would change, field by field, and the user's decision, sent once. */

import { html, nothing, type PropertyValues, type TemplateResult } from "lit";
import type { Model } from "../state/model.js";
import type { Held } from "../state/proposals.js";
import { byThing, isNew } from "../text/diff.js";
import type { DiffLine } from "../wire.js";
import { icon } from "./icons.js";
import { firstClick, View } from "./view.js";

export class CardView extends View {
  static override properties = { ...View.properties, proposalId: { attribute: false } };
  declare proposalId: string;
  #refocus = false;

  protected override models(): Model[] {
    return [this.app, this.app.proposals];
  }

  protected override render(): TemplateResult | typeof nothing {
    const held = this.app.proposals.get(this.proposalId);
    if (!held) return nothing;
    const { t } = this.app;
    const { proposal, busy } = held;
    const status = held.undone ? "undone" : proposal.status;
    const heading = t(status === "pending" ? "proposedChange" : "change");
    return html`<section class="card ${status}" part="card" tabindex="-1" aria-busy=${busy ? "true" : "false"}
        aria-label="${status === "pending" ? heading : t(status)}: ${proposal.text}">
      <header><h3>${heading}</h3>
        <span class="chip ${status}" part="chip">${status === "applied" ? icon("check") : nothing}${t(status)}</span></header>
      ${proposal.text ? html`<p class="what" dir="auto">${proposal.text}</p>` : nothing}
      ${this.#diff(proposal.diff ?? [])}
      ${proposal.notice && status === "pending" ? html`<p class="note" part="unsaid" dir="auto">${proposal.notice}</p>` : nothing}
      ${held.note ? html`<p class="note" role="status">${held.note === "stale" ? t("stale") : held.note}</p>` : nothing}
      ${this.#actions(held, status)}
    </section>`;
  }

  protected override updated(_: PropertyValues): void {
    if (!this.#refocus || this.app.proposals.get(this.proposalId)?.busy) return;
    this.#refocus = false;
    const next = this.querySelector<HTMLElement>("footer button") ?? this.querySelector<HTMLElement>(".card");
    next?.focus({ preventScroll: true });
  }

  #diff(rows: DiffLine[]): TemplateResult | typeof nothing {
    if (!rows.length) return nothing;
    return html`<div class="diff">${byThing(rows).map(
      (group) =>
        html`<p dir="auto">${String(group[0]?.what ?? "")}</p><dl>${group.map((row) => this.#row(row, isNew(group)))}</dl>`,
    )}</div>`;
  }

  /** A field from what it is to what it would be; of a new thing only what it would be. */
  #row({ field, before, after }: DiffLine, fresh: boolean): TemplateResult {
    const { t, format } = this.app;
    if (fresh)
      return html`<div><dt dir="auto">${String(field ?? "")}</dt><dd><ins dir="auto">${format.shown(after)}</ins></dd></div>`;
    return html`<div><dt dir="auto">${String(field ?? "")}</dt><dd>
      <del><span class="hidden">${t("from")} </span><bdi>${format.shown(before)}</bdi></del>${icon("arrow")}<ins
        ><span class="hidden">${t("to")} </span><bdi>${format.shown(after)}</bdi></ins></dd></div>`;
  }

  #actions({ proposal, busy }: Held, status: string): TemplateResult | typeof nothing {
    const { t, format, proposals } = this.app;
    const act = (what: (id: string) => Promise<void>) =>
      firstClick(() => {
        this.#refocus = true;
        void what.call(proposals, this.proposalId);
      });
    if (status === "pending") {
      const { expires_at: expires } = proposal;
      return html`<footer>
        <button type="button" class="primary" part="apply" ?disabled=${busy} @click=${act(proposals.apply)}>${t(busy ? "working" : "apply")}</button>
        <button type="button" class="plain" part="reject" ?disabled=${busy} @click=${act(proposals.reject)}>${t("reject")}</button>
        ${expires ? html`<time datetime=${expires} title=${format.full(expires)}>${t("expires", { when: format.distance(expires) })}</time>` : nothing}
      </footer>`;
    }
    if (status === "applied") {
      return html`<footer class="after">
        <button type="button" class="plain" part="undo" ?disabled=${busy} @click=${act(proposals.undo)}>${icon("undo")}${t(busy ? "working" : "undo")}</button>
      </footer>`;
    }
    return nothing;
  }
}

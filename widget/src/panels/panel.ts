/** The overview: six panels behind tabs (WAI-ARIA's tab pattern: arrow keys move, one tab stop). */

import { html, nothing, type TemplateResult } from "lit";
import type { Tab } from "../app.js";
import type { Key } from "../lang/en.js";
import type { Model } from "../state/model.js";
import { View } from "../ui/view.js";

const TABS: [Tab, Key][] = [
  ["budgets", "thisMonth"],
  ["waiting", "waiting"],
  ["changes", "changes"],
  ["facts", "remembers"],
  ["links", "appsTab"],
  ["import", "importTab"],
];

export class PanelView extends View {
  protected override models(): Model[] {
    return [this.app, this.app.proposals];
  }

  protected override render(): TemplateResult {
    const { t, tab, proposals } = this.app;
    const waiting = proposals.pending.length;
    return html`<div class="tabs" role="tablist" aria-label=${t("menu")} @keydown=${this.#key}>
        ${TABS.map(
          ([
            name,
            key,
          ]) => html`<button type="button" role="tab" id="tab-${name}" aria-selected=${name === tab ? "true" : "false"}
            aria-controls="panel" tabindex=${name === tab ? 0 : -1} @click=${() => this.app.show("panel", name)}>
            ${t(key)}${name === "waiting" && waiting ? html` <span class="count">${waiting}</span>` : nothing}</button>`,
        )}
      </div>
      <div class="sheet-body" role="tabpanel" id="panel" aria-labelledby="tab-${tab}" tabindex="0">${this.#panel(tab)}</div>`;
  }

  #panel(tab: Tab): TemplateResult {
    switch (tab) {
      case "budgets":
        return html`<penny-budgets .app=${this.app}></penny-budgets>`;
      case "waiting":
        return html`<penny-waiting .app=${this.app}></penny-waiting>`;
      case "changes":
        return html`<penny-changes .app=${this.app}></penny-changes>`;
      case "facts":
        return html`<penny-facts .app=${this.app}></penny-facts>`;
      case "links":
        return html`<penny-links .app=${this.app}></penny-links>`;
      case "import":
        return html`<penny-import .app=${this.app}></penny-import>`;
    }
  }

  async #key(event: KeyboardEvent): Promise<void> {
    const at = TABS.findIndex(([name]) => name === this.app.tab);
    const rtl = getComputedStyle(this).direction === "rtl";
    const step = { ArrowRight: rtl ? -1 : 1, ArrowLeft: rtl ? 1 : -1, Home: -at, End: TABS.length - 1 - at }[event.key];
    if (step === undefined) return;
    event.preventDefault();
    const next = TABS[(at + step + TABS.length) % TABS.length];
    if (!next) return;
    this.app.show("panel", next[0]);
    await this.updateComplete;
    this.querySelector<HTMLElement>(`#tab-${next[0]}`)?.focus();
  }
}

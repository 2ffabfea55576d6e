/** A month's budgets: what was spent of each, as a bar and in words. */

import { html, nothing, svg, type TemplateResult } from "lit";
import { icon } from "../ui/icons.js";
import type { BudgetLine, BudgetMonth, Money } from "../wire.js";
import { LoadedView } from "./loading.js";
import { shifted } from "./month.js";

export class BudgetsView extends LoadedView<BudgetMonth> {
  #month: string | null = null;

  protected fetch(): Promise<BudgetMonth> {
    return this.app.client.get<BudgetMonth>(`/v1/budgets${this.#month ? `?month=${this.#month}` : ""}`);
  }

  protected content(data: BudgetMonth): TemplateResult {
    const { t, format } = this.app;
    const budgeted = data.items.filter((line) => line.budget);
    const others = data.items.filter((line) => !line.budget && line.spent.minor !== 0);
    const step = (by: number) => () => {
      this.#month = shifted(data.month, by);
      void this.load();
    };
    return html`<div class="month">
        <button type="button" class="tool" aria-label=${t("previousMonth")} @click=${step(-1)}>${icon("back")}</button>
        <h3 aria-live="polite">${format.month(data.month)}</h3>
        <button type="button" class="tool" aria-label=${t("nextMonth")} @click=${step(1)}>${icon("next")}</button>
      </div>
      ${data.totals.filter((total) => total.budget.minor).map((total) => this.#total(total))}
      ${budgeted.length ? nothing : html`<p class="nothing">${t("noBudgets")}</p>`}
      <ul class="budgets">${budgeted.map((line) => this.#line(line))}</ul>
      ${
        others.length
          ? html`<h4>${t("withoutBudget")}</h4><ul class="plain-rows">${others.map(
              (line) => html`<li><span dir="auto">${line.category}</span><b>${format.money(line.spent)}</b></li>`,
            )}</ul>`
          : nothing
      }`;
  }

  #total({ budget, spent, left }: { budget: Money; spent: Money; left: Money }): TemplateResult {
    const { t, format } = this.app;
    const over = left.minor < 0;
    return html`<div class="total-card ${over ? "over" : ""}">
      <strong>${t(over ? "over" : "left", { amount: format.money({ ...left, minor: Math.abs(left.minor) }) })}</strong>
      <span>${t("ofBudget", { spent: format.money(spent), budget: format.money(budget) })}</span>
      ${progress(spent, budget, "")}
    </div>`;
  }

  #line({ category, budget, spent, left, available }: BudgetLine): TemplateResult {
    const { t, format } = this.app;
    if (!budget) return html``;
    const rest = available ?? left ?? { ...budget, minor: budget.minor - spent.minor };
    const whole = { ...budget, minor: spent.minor + rest.minor };
    const over = rest.minor < 0;
    const words = t(over ? "over" : "left", { amount: format.money({ ...rest, minor: Math.abs(rest.minor) }) });
    return html`<li class=${over ? "over" : ""}>
      <span class="line-head"><span dir="auto">${category}</span><b>${words}</b></span>
      ${progress(spent, whole.minor > 0 ? whole : budget, `${category}: ${words}`)}
      <span class="line-foot">${t("ofBudget", { spent: format.money(spent), budget: format.money(whole.minor > 0 ? whole : budget) })}</span>
    </li>`;
  }
}

/** A bar that fills from the start of the line; past its end it says so by its colour. */
function progress(spent: Money, budget: Money, label: string): TemplateResult {
  const part = budget.minor > 0 ? spent.minor / budget.minor : spent.minor > 0 ? 1 : 0;
  const width = Math.max(0, Math.min(1, part)) * 100;
  const state = part > 1 ? "over" : part > 0.85 ? "near" : "";
  const bar = svg`<rect class="track" width="100" height="6"></rect><rect class="fill" width=${width.toFixed(2)} height="6"></rect>`;
  const role = label ? "img" : "presentation";
  return html`<svg class="progress ${state}" viewBox="0 0 100 6" preserveAspectRatio="none" role=${role} aria-label=${label || nothing}>${bar}</svg>`;
}

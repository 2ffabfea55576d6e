/** A reply on the screen: what was looked up, the text with its figures marked, charts, and changes to decide on. */

import { html, nothing, type PropertyValues, type TemplateResult } from "lit";
import { repeat } from "lit/directives/repeat.js";
import type { Model } from "../state/model.js";
import type { Reply, Step } from "../state/reply.js";
import { marked } from "../text/figures.js";
import { MarkdownView } from "../text/markdown.js";
import type { Figure } from "../wire.js";
import { icon } from "./icons.js";
import { factContent, linkContent } from "./pops.js";
import { View } from "./view.js";

export class ReplyView extends View {
  static override properties = { ...View.properties, reply: { attribute: false }, copied: { state: true } };
  declare reply: Reply;
  declare copied: boolean;
  #text: MarkdownView | null = null;
  #shown = "";
  #shownFigures: Figure[] | null = null;

  protected override models(): Model[] {
    return [this.app, this.reply];
  }

  /** At most one drawing a frame, however many tokens came since the last. */
  protected override async scheduleUpdate(): Promise<void> {
    if (this.hasUpdated && this.reply.live && document.visibilityState === "visible") {
      await new Promise((resolve) => requestAnimationFrame(resolve));
    }
    super.scheduleUpdate();
  }

  protected override render(): TemplateResult {
    const { t } = this.app;
    const { reply } = this;
    const waiting = reply.live && reply.text === "" && !reply.steps.some((step) => step.state === "running");
    return html`<article class="reply" part="reply" aria-label=${t("title")} aria-busy=${reply.live ? "true" : "false"}>
      ${
        reply.steps.length
          ? html`<ul class="steps">${repeat(
              reply.steps,
              (step) => step.id,
              (step) => this.#step(step),
            )}</ul>`
          : nothing
      }
      <div class="text" part="reply-text" dir="auto"></div>
      ${waiting ? html`<p class="waiting"><span class="hidden">${t("thinking")}</span><i></i><i></i><i></i></p>` : nothing}
      ${reply.charts.map((chart) => html`<penny-chart .app=${this.app} .chart=${chart}></penny-chart>`)}
      ${reply.proposals.map((id) => html`<penny-card .app=${this.app} .proposalId=${id}></penny-card>`)}
      ${this.#outcome()}
      ${reply.live ? nothing : this.#footer()}
    </article>`;
  }

  protected override updated(changed: PropertyValues): void {
    const { reply } = this;
    const element = this.querySelector<HTMLElement>(".text");
    if (!element) return;
    const other = changed.has("reply");
    if (!this.#text || this.#text.element !== element) this.#text = new MarkdownView(element, this.#makers());
    if (!other && this.#shown === reply.text && this.#shownFigures === reply.figures) return;
    const { text, figures } = marked(reply.text, reply.live ? [] : reply.figures);
    this.#figures = figures;
    this.#text.show(text, other || figures.length > 0);
    this.#shown = reply.text;
    this.#shownFigures = reply.live ? null : reply.figures;
  }

  #figures: Figure[] = [];

  #makers() {
    return {
      figure: (text: string, number: number) => this.#figure(text, this.#figures[number]),
      link: (url: string, words: Node[]) => {
        const button = document.createElement("button");
        button.type = "button";
        button.className = "link";
        button.append(...words);
        const host = document.createElement("span");
        host.className = "target";
        host.textContent = ` (${hostOf(url)})`;
        button.append(host);
        button.addEventListener("click", () =>
          this.app.shell.pop(button, this.app.t("linkTo"), linkContent(this.app, url), true),
        );
        return button;
      },
    };
  }

  #figure(text: string, figure: Figure | undefined): Node {
    if (!figure) return document.createTextNode(text);
    const { t } = this.app;
    const button = document.createElement("button");
    button.type = "button";
    button.className = figure.verified ? "figure" : "figure unverified";
    button.part.add(figure.verified ? "figure" : "figure-unverified");
    button.textContent = text;
    const state = document.createElement("span");
    state.className = "hidden";
    state.textContent = ` (${t(figure.verified ? "verified" : "unverified")})`;
    button.append(state);
    const show = (focus: boolean) => {
      const source = this.app.conversation.source(this.reply, figure.fact_id);
      const label = t(figure.verified ? "verified" : "unverified");
      this.app.shell.pop(button, label, factContent(this.app, figure, source), focus);
    };
    button.addEventListener("click", () => show(true));
    button.addEventListener("pointerenter", (event) => event.pointerType === "mouse" && show(false));
    button.addEventListener("pointerleave", (event) => event.pointerType === "mouse" && this.app.shell.unpop());
    return button;
  }

  #step(step: Step): TemplateResult {
    const { t, format } = this.app;
    if (step.state === "running") {
      return html`<li class="running"><span class="spinner" aria-hidden="true"></span><span>${step.label}…</span></li>`;
    }
    const title = html`${icon(step.state === "done" ? "check" : "miss")}<span>${step.label}</span>
      <span class="hidden">, ${t(step.state === "done" ? "done" : "notPossible")}</span>`;
    if (!step.summary && !step.facts.length)
      return html`<li class=${step.state}><span class="line">${title}</span></li>`;
    return html`<li class=${step.state}>
      <details>
        <summary>${title}</summary>
        <div class="found">
          ${step.summary ? html`<p dir="auto">${step.summary}</p>` : nothing}
          ${
            step.facts.length
              ? html`<div class="wide" tabindex="0" role="group" aria-label=${t("figure")}><table>
                  <thead><tr><th scope="col">${t("figure")}</th><th scope="col">${t("value")}</th></tr></thead>
                  <tbody>${step.facts.map(
                    (fact) =>
                      html`<tr><th scope="row" dir="auto">${fact.label}</th><td>${format.measure(fact.value, fact.unit)}</td></tr>`,
                  )}</tbody>
                </table></div>`
              : nothing
          }
        </div>
      </details>
    </li>`;
  }

  #outcome(): TemplateResult | typeof nothing {
    const { t, conversation } = this.app;
    const { failure, state } = this.reply;
    if (state === "stopped") {
      return html`<p class="outcome"><span>${t("stopped")}</span> ${this.reply.question && !conversation.busy ? this.#again() : nothing}</p>`;
    }
    if (!failure) return nothing;
    return html`<p class="outcome failed">
      <span role="alert">${failure.message || t("unanswered")}</span>
      ${failure.retryable && this.reply.question ? this.#again() : nothing}
    </p>`;
  }

  #again(): TemplateResult {
    const retry = () => this.app.conversation.retry(this.reply);
    return html`<button type="button" class="plain" @click=${retry}>${icon("retry")}${this.app.t("tryAgain")}</button>`;
  }

  #footer(): TemplateResult | typeof nothing {
    const { t, format } = this.app;
    const { reply } = this;
    if (!reply.text) return nothing;
    const unsure = reply.figures.filter((figure) => !figure.verified).length;
    return html`<footer class="meta">
      ${reply.at ? html`<time datetime=${reply.at} title=${format.full(reply.at)}>${format.time(reply.at)}</time>` : nothing}
      ${unsure ? html`<span class="unsure">${icon("miss")}${t("unverifiedSome", { n: unsure })}</span>` : nothing}
      <button type="button" class="quiet" @click=${this.#copy}>
        ${icon(this.copied ? "check" : "copy")}<span>${t(this.copied ? "copied" : "copy")}</span>
      </button>
    </footer>`;
  }

  async #copy(): Promise<void> {
    this.copied = await this.app.copy(this.reply.text);
    if (this.copied) setTimeout(() => (this.copied = false), 2000);
  }
}

function hostOf(url: string): string {
  try {
    return new URL(url).host;
  } catch {
    return url;
  }
}

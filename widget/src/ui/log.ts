/** The messages of a conversation, and how their end stays in sight. */

import { html, nothing, type TemplateResult } from "lit";
import { repeat } from "lit/directives/repeat.js";
import type { Item, Question } from "../state/items.js";
import { coin, icon } from "./icons.js";
import { View } from "./view.js";

const NEAR = 48; // px from the end that count as being there

export class LogView extends View {
  static override properties = { ...View.properties, away: { state: true } };
  declare away: boolean;
  #top = 0;
  #resized = new ResizeObserver(() => this.#keep());
  #last: Item | undefined;
  #height = 0;

  get #scroller(): HTMLElement | null {
    return this.querySelector(".scroll");
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.#resized.disconnect();
  }

  toEnd(): void {
    this.away = false;
    const scroller = this.#scroller;
    if (scroller) scroller.scrollTop = scroller.scrollHeight;
  }

  protected override render(): TemplateResult {
    const { t, conversation } = this.app;
    const { items, loading, earlier } = conversation;
    return html`
      <div class="scroll" part="log" tabindex="0" role="log" aria-label=${t("messages")} aria-busy=${loading ? "true" : "false"}
        @scroll=${this.#scrolled}>
        ${conversation.empty ? this.#welcome() : nothing}
        <div class="items">
          ${earlier ? html`<button type="button" class="plain earlier" ?disabled=${loading} @click=${() => this.#earlier()}>${t("earlier")}</button>` : nothing}
          ${loading && !items.length ? html`<p class="loading">${t("loading")}</p>` : nothing}
          ${repeat(items, keyOf, (item, at) => html`${this.#day(items, at)}${this.#item(item)}`)}
        </div>
      </div>
      ${
        this.away
          ? html`<button type="button" class="latest" @click=${() => this.toEnd()}>${icon("down")}${t("latest")}</button>`
          : nothing
      }`;
  }

  protected override updated(): void {
    const scroller = this.#scroller;
    const content = this.querySelector(".items");
    if (!scroller || !content) return;
    this.#resized.observe(content);
    this.#resized.observe(scroller);
    const { items } = this.app.conversation;
    const last = items.at(-1);
    if (last !== this.#last && this.app.conversation.busy) this.toEnd();
    this.#last = last;
    this.#keep();
  }

  #welcome(): TemplateResult {
    const { t, suggestions } = this.app;
    const texts = suggestions ?? [t("suggestion1"), t("suggestion2"), t("suggestion3"), t("suggestion4")];
    return html`<section class="welcome" part="welcome">
      ${coin()}
      <h2>${t("hello")}</h2>
      <p>${t("helloMore")}</p>
      <ul aria-label=${t("suggestions")}>
        ${texts.map((text) => html`<li><button type="button" part="suggestion" @click=${() => this.app.send(text)}>${text}</button></li>`)}
      </ul>
    </section>`;
  }

  #day(items: Item[], at: number): TemplateResult | typeof nothing {
    const now = dateOf(items[at]);
    if (!now) return nothing;
    const before = items.slice(0, at).reverse().map(dateOf).find(Boolean);
    if (before && new Date(before).toDateString() === new Date(now).toDateString()) return nothing;
    if (items[at]?.kind === "reply") return nothing;
    return html`<p class="day"><span>${this.app.format.heading(now)}</span></p>`;
  }

  #item(item: Item): TemplateResult | typeof nothing {
    if (item.kind === "reply") return html`<penny-reply .app=${this.app} .reply=${item}></penny-reply>`;
    if (item.kind === "question") return this.#question(item);
    // A card that says what became of it needs no line that says the same.
    if (item.proposals.some((id) => this.app.proposals.get(id))) return nothing;
    return html`<p class="decision" dir="auto">${item.text}</p>`;
  }

  #question(item: Question): TemplateResult {
    const { t, format, conversation } = this.app;
    return html`<article class="question" part="question" aria-label=${t("you")}>
      <p dir="auto">${item.text}</p>
      <footer class="meta">
        <button type="button" class="quiet" ?disabled=${conversation.busy} @click=${() => this.app.edit(item)}>
          ${icon("edit")}<span>${t("edit")}</span></button>
        <time datetime=${item.at} title=${format.full(item.at)}>${format.time(item.at)}</time>
      </footer>
    </article>`;
  }

  async #earlier(): Promise<void> {
    const scroller = this.#scroller;
    if (!scroller) return;
    this.away = true;
    const below = scroller.scrollHeight - scroller.scrollTop;
    await this.app.conversation.showEarlier();
    await this.updateComplete;
    scroller.scrollTop = scroller.scrollHeight - below;
  }

  #keep(): void {
    const scroller = this.#scroller;
    if (!scroller || this.away) return;
    if (scroller.scrollHeight !== this.#height || scroller.scrollTop + scroller.clientHeight < scroller.scrollHeight) {
      scroller.scrollTop = scroller.scrollHeight;
      this.#height = scroller.scrollHeight;
    }
  }

  /** Only going up lets go of the end: content that grows below does not. */
  #scrolled(): void {
    const scroller = this.#scroller;
    if (!scroller) return;
    const { scrollTop, scrollHeight, clientHeight } = scroller;
    if (scrollHeight - scrollTop - clientHeight < NEAR) this.away = false;
    else if (scrollTop < this.#top) this.away = true;
    this.#top = scrollTop;
  }
}

function keyOf(item: Item): unknown {
  return item.kind === "reply" ? item : item.key;
}

function dateOf(item: Item | undefined): string | null {
  return item?.at ?? null;
}

/** Views live in the widget's one shadow tree, so that its style sheet and ::part reach all of them. */

import { LitElement, type PropertyValues } from "lit";
import type { App } from "../app.js";
import type { Model } from "../state/model.js";

export abstract class View extends LitElement {
  static override properties: Record<string, object> = { app: { attribute: false } };
  declare app: App;
  #watched: Model[] = [];
  #ends: (() => void)[] = [];

  /** What this view shows; it is drawn again when one of them changes. */
  protected models(): Model[] {
    return [this.app];
  }

  protected override createRenderRoot(): HTMLElement {
    return this;
  }

  override connectedCallback(): void {
    super.connectedCallback();
    if (this.hasUpdated) this.#watch();
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.#unwatch();
  }

  protected override willUpdate(_changed: PropertyValues): void {
    if (this.models().some((model, at) => model !== this.#watched[at])) this.#watch();
  }

  #watch(): void {
    this.#unwatch();
    this.#watched = this.models();
    this.#ends = this.#watched.map((model) => model.watch(() => this.requestUpdate()));
  }

  #unwatch(): void {
    for (const end of this.#ends) end();
    this.#ends = [];
    this.#watched = [];
  }
}

/** Registers an element once: the page may hold the script twice. */
export function define(name: string, view: CustomElementConstructor): void {
  if (!customElements.get(name)) customElements.define(name, view);
}

/** A listener for the first click of several in a row: the second must not hit what the first one put in its place. */
export function firstClick(act: () => void): (event: MouseEvent) => void {
  return (event) => {
    if (event.detail <= 1) act();
  };
}

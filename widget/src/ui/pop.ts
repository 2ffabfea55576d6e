/** The one small pop-over of the widget, next to what it is about. */

import { html, type LitElement, type ReactiveController, type TemplateResult } from "lit";

const GAP = 8; // px

export class Pop implements ReactiveController {
  #label = "";
  #content: TemplateResult | null = null;
  #anchor: Element | null = null;
  #held = false;

  constructor(private readonly host: LitElement) {
    host.addController(this);
  }

  hostConnected(): void {}

  hostDisconnected(): void {
    this.#anchor = null;
    this.#content = null;
  }

  /** With `focus` it stays until it is closed, else until the pointer leaves. */
  show(anchor: Element, label: string, content: TemplateResult, focus: boolean): void {
    if (this.#held && !focus) return;
    this.#anchor = anchor;
    this.#label = label;
    this.#content = content;
    this.#held = focus;
    this.host.requestUpdate();
    void this.host.updateComplete.then(() => this.#place(focus));
  }

  leave(): void {
    if (!this.#held) this.close();
  }

  /** Whether there was one to close. */
  close(): boolean {
    const box = this.#box;
    if (!box?.matches(":popover-open")) return false;
    box.hidePopover();
    return true;
  }

  render(): TemplateResult {
    return html`<div class="pop" part="pop" popover="auto" role="dialog" tabindex="-1" aria-label=${this.#label}
      @toggle=${(event: ToggleEvent) => this.#toggled(event)}>${this.#content}</div>`;
  }

  get #box(): HTMLElement | null {
    return this.host.shadowRoot?.querySelector<HTMLElement>(".pop") ?? null;
  }

  #place(focus: boolean): void {
    const box = this.#box;
    if (!box || !this.#anchor) return;
    if (!box.matches(":popover-open")) box.showPopover();
    const at = this.#anchor.getBoundingClientRect();
    const { width, height } = box.getBoundingClientRect();
    const left = Math.min(Math.max(GAP, at.left + at.width / 2 - width / 2), innerWidth - width - GAP);
    const above = at.top - height - GAP;
    box.style.setProperty("left", `${Math.max(GAP, left)}px`);
    box.style.setProperty("top", `${above >= GAP ? above : Math.min(at.bottom + GAP, innerHeight - height - GAP)}px`);
    if (focus) (box.querySelector<HTMLElement>("button") ?? box).focus({ preventScroll: true });
  }

  #toggled(event: ToggleEvent): void {
    if (event.newState !== "closed") return;
    const anchor = this.#anchor;
    const active = this.host.shadowRoot?.activeElement;
    if (this.#held && anchor instanceof HTMLElement && (!active || this.#box?.contains(active))) anchor.focus();
    this.#held = false;
    this.#anchor = null;
  }
}

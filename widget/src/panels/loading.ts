/** A panel that shows something of the user's, loaded when it is opened and again when the conversation changed it. */

import { html, type TemplateResult } from "lit";
import { Problem } from "../api/client.js";
import { View } from "../ui/view.js";

export abstract class LoadedView<T> extends View {
  static override properties = { ...View.properties, data: { state: true }, note: { state: true } };
  declare data: T | null;
  declare note: string;
  #seen = "";
  #loads = 0;

  constructor() {
    super();
    this.data = null;
    this.note = "";
  }

  protected abstract fetch(): Promise<T>;
  protected abstract content(data: T): TemplateResult;

  /** Shows what the server has now; of several loads under way only the last one counts. */
  async load(): Promise<void> {
    this.#loads += 1;
    const load = this.#loads;
    try {
      const data = await this.fetch();
      if (load !== this.#loads) return;
      this.data = data;
      this.note = "";
    } catch (error) {
      if (load !== this.#loads) return;
      const absent = error instanceof Problem && (error.status === 404 || error.status === 405);
      this.note = absent ? this.app.t("notHere") : this.app.describe(error);
    }
  }

  /** Does something to the data on the server and shows what came of it. */
  protected async act(work: () => Promise<unknown>): Promise<boolean> {
    try {
      await work();
      await this.load();
      return true;
    } catch (error) {
      this.note = this.app.describe(error);
      return false;
    }
  }

  protected override updated(): void {
    const { conversation, proposals } = this.app;
    // What may change it: replies that end, and decisions.
    const now = `${conversation.busy} ${proposals.decided}`;
    if (now === this.#seen) return;
    this.#seen = now;
    if (!conversation.busy) void this.load();
  }

  protected override render(): TemplateResult {
    const { t } = this.app;
    return html`${this.note ? html`<p class="note" role="alert">${this.note}</p>` : ""}
      ${this.data === null ? (this.note ? "" : html`<p class="nothing">${t("loading")}</p>`) : this.content(this.data)}`;
  }
}

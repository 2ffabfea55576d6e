/** Messages unasked: which kinds the user wants, and the hours in which none is sent. Each change is saved at once. */

import { html, nothing, type TemplateResult } from "lit";
import { live } from "lit/directives/live.js";
import type { Key } from "../lang/en.js";
import type { Preferences } from "../wire.js";
import { LoadedView } from "./loading.js";

type Kind = "weekly_summary" | "budget_alerts" | "unusual_charges" | "upcoming_bills";

const KINDS: [Kind, Key, Key][] = [
  ["weekly_summary", "noticeWeekly", "noticeWeeklyMore"],
  ["budget_alerts", "noticeBudget", "noticeBudgetMore"],
  ["unusual_charges", "noticeUnusual", "noticeUnusualMore"],
  ["upcoming_bills", "noticeBills", "noticeBillsMore"],
];
const NIGHT = { quiet_from: "22:00", quiet_until: "08:00" };

export class NoticesView extends LoadedView<Preferences> {
  protected fetch(): Promise<Preferences> {
    return this.app.client.get("/v1/preferences");
  }

  protected content(own: Preferences): TemplateResult {
    const { t } = this.app;
    const quiet = own.quiet_from !== null;
    return html`<section class="notices" aria-labelledby="penny-notices">
      <h3 id="penny-notices">${t("notices")}</h3>
      <p class="intro">${t("noticesIntro")}</p>
      ${KINDS.map(([kind, title, more]) =>
        this.#switch(kind, title, more, own[kind], (on) => this.#save({ [kind]: on })),
      )}
      ${this.#switch("quiet", "quietHours", "quietHoursMore", quiet, (on) =>
        this.#save(on ? NIGHT : { quiet_from: null, quiet_until: null }),
      )}
      ${
        quiet
          ? html`<div class="hours">
              ${this.#time("quiet_from", "quietFrom", own)} ${this.#time("quiet_until", "quietUntil", own)}
            </div>`
          : nothing
      }
      ${this.#zone(own.time_zone)}
    </section>`;
  }

  #switch(name: string, title: Key, more: Key, on: boolean, set: (on: boolean) => void): TemplateResult {
    const { t } = this.app;
    return html`<div class="switch">
      <label for="penny-${name}">${t(title)}</label>
      <input type="checkbox" role="switch" id="penny-${name}" aria-describedby="penny-${name}-more" .checked=${live(on)}
        @change=${(event: Event) => set((event.target as HTMLInputElement).checked)} />
      <small id="penny-${name}-more">${t(more)}</small>
    </div>`;
  }

  #time(name: "quiet_from" | "quiet_until", title: Key, own: Preferences): TemplateResult {
    const change = (event: Event) => {
      const { value } = event.target as HTMLInputElement;
      const hours = { quiet_from: own.quiet_from, quiet_until: own.quiet_until, [name]: value };
      if (!value)
        this.requestUpdate(); // what stood there comes back
      else if (hours.quiet_from === hours.quiet_until) {
        this.note = this.app.t("quietSame");
      } else void this.#save(hours);
    };
    return html`<label class="field">${this.app.t(title)}
      <input type="time" required .value=${live(own[name] ?? "")} @change=${change} /></label>`;
  }

  #zone(zone: string): TemplateResult {
    const { t } = this.app;
    const here = Intl.DateTimeFormat().resolvedOptions().timeZone;
    const zones = [...new Set([zone, here, ...Intl.supportedValuesOf("timeZone")])].sort();
    const change = (event: Event) => this.#save({ time_zone: (event.target as HTMLSelectElement).value });
    return html`<label class="field">${t("timeZone")}
        <select dir="ltr" .value=${live(zone)} @change=${change}>
          ${zones.map((name) => html`<option value=${name} ?selected=${name === zone}>${name.replaceAll("_", " ")}</option>`)}
        </select></label>
      ${
        here && here !== zone
          ? html`<button type="button" class="plain" @click=${() => this.#save({ time_zone: here })}>
              ${t("useZone", { zone: here.replaceAll("_", " ") })}</button>`
          : nothing
      }`;
  }

  /** Saves some preferences; what the server refuses is shown as it was. */
  async #save(wanted: Partial<Preferences>): Promise<void> {
    if (await this.act(() => this.app.client.patch("/v1/preferences", wanted))) this.app.say(this.app.t("saved"));
    else this.requestUpdate();
  }
}

/** What the small pop-overs say: the fact behind a figure, and where a link leads. */

import { html, nothing, type TemplateResult } from "lit";
import type { App } from "../app.js";
import type { Source } from "../state/reply.js";
import type { Figure } from "../wire.js";
import { icon } from "./icons.js";

export function factContent({ t, format }: App, figure: Figure, source: Source | null): TemplateResult {
  if (!figure.verified) {
    return html`<p class="pop-head warn">${icon("miss")}${t("unverified")}</p><p>${t("unverifiedWhy")}</p>`;
  }
  return html`<p class="pop-head">${icon("check")}${t("verified")}</p>
    ${
      source
        ? html`<p class="pop-fact"><span dir="auto">${source.fact.label}</span>
            <strong>${format.measure(source.fact.value, source.fact.unit)}</strong></p>
            <p class="pop-tool">${t("verifiedBy", { tool: source.label })}</p>`
        : html`<p>${t("verifiedPlain")}</p>`
    }`;
}

/** Nothing is opened before the user has seen the whole address and presses the button that names its host. */
export function linkContent(app: App, url: string): TemplateResult {
  const { t } = app;
  let target: URL | null = null;
  try {
    target = new URL(url);
  } catch {
    target = null;
  }
  const web = target && /^https?:$/.test(target.protocol) ? target : null;
  return html`<p>${t("linkTo")}</p>
    <p class="address" dir="ltr">${web?.href ?? url}</p>
    <div class="row">
      ${
        web
          ? html`<button type="button" class="primary" @click=${() => window.open(web.href, "_blank", "noopener,noreferrer")}>
              ${t("openLink", { host: web.host })}</button>`
          : nothing
      }
      <button type="button" class="plain" @click=${() => app.copy(url)}>${t("copyLink")}</button>
    </div>`;
}

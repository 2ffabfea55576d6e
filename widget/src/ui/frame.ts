/** The outside of the widget: the launcher, the header, what is told above the messages, and the panels. */

import { html, nothing, type TemplateResult } from "lit";
import type { App } from "../app.js";
import { coin, icon } from "./icons.js";

export interface Handlers {
  toggle(): void;
  close(): void;
  end(): void;
  key(event: KeyboardEvent): void;
}

export function launcher({ t, unread }: App, opened: boolean, handlers: Handlers): TemplateResult {
  const label = unread ? `${t("open")}, ${t("unread", { n: unread })}` : t(opened ? "close" : "open");
  return html`<button type="button" class="launcher" part="launcher" aria-expanded=${opened ? "true" : "false"} aria-label=${label}
      @click=${handlers.toggle}>
    ${opened ? icon("down") : coin()}
    ${unread ? html`<span class="unread" part="unread" aria-hidden="true">${unread > 9 ? "9+" : unread}</span>` : nothing}
  </button>`;
}

export function frame(
  app: App,
  { floating, wide, heading }: { floating: boolean; wide: boolean; heading: string },
  handlers: Handlers,
): TemplateResult {
  const { t, overlay } = app;
  const covered = overlay !== null && !wide;
  const drag = (event: DragEvent) => {
    if (!event.dataTransfer?.types.includes("Files")) return;
    event.preventDefault();
    if (app.overlay !== "panel" || app.tab !== "import") app.show("panel", "import");
  };
  const drop = (event: DragEvent) => {
    const file = event.dataTransfer?.files[0];
    if (!file) return;
    event.preventDefault();
    app.take(file);
  };
  return html`<section class="frame ${wide ? "wide-frame" : ""}" part="frame" role=${floating ? "dialog" : "region"}
      aria-label=${heading || t("title")} @keydown=${handlers.key} @dragover=${drag} @drop=${drop}>
    ${header(app, floating, heading, handlers)}
    ${status(app)}
    <div class="columns ${overlay ? `with-${overlay}` : ""}">
      ${overlay ? sheet(app) : nothing}
      <div class="main" ?inert=${covered}>
        <penny-log .app=${app}></penny-log>
        <penny-composer .app=${app}></penny-composer>
      </div>
    </div>
  </section>`;
}

function header(app: App, floating: boolean, heading: string, handlers: Handlers): TemplateResult {
  const { t, model, overlay } = app;
  const toggle = (which: "chats" | "panel") => () => app.show(overlay === which ? null : which);
  const button = (label: string, glyph: Parameters<typeof icon>[0], act: () => void, pressed?: boolean) =>
    html`<button type="button" class="tool" aria-label=${label} title=${label} aria-expanded=${pressed === undefined ? nothing : pressed ? "true" : "false"}
      @click=${act}>${icon(glyph)}</button>`;
  return html`<header class="head" part="header">
    ${coin()}
    <div class="name"><h1>${heading || t("title")}</h1>
      ${
        model?.small
          ? html`<span class="badge" title=${model.note || t("smallModelNote")}>${t("smallModel")}</span>`
          : html`<span class="subtitle">${t("subtitle")}</span>`
      }</div>
    ${button(t("chats"), "chats", toggle("chats"), overlay === "chats")}
    ${button(t("newChat"), "plus", () => app.newChat())}
    ${button(t("menu"), "menu", toggle("panel"), overlay === "panel")}
    ${floating ? button(t("close"), "close", handlers.close) : nothing}
  </header>`;
}

function status({ t, notice, online, conversation, model }: App): TemplateResult {
  const loading = model?.status === "loading" ? t("modelLoading") : "";
  const failed = model?.status === "failed" ? model.note || t("modelFailed") : "";
  const lost = !conversation.connected ? t("reconnecting") : "";
  const text = (!online && t("offline")) || lost || notice || failed || loading;
  return html`<p class="status ${!online || lost || failed ? "bad" : ""}" role="status" ?hidden=${!text}>${text}</p>`;
}

function sheet(app: App): TemplateResult {
  const { t, overlay } = app;
  const label = t(overlay === "chats" ? "chats" : "menu");
  return html`<aside class="sheet" part="panel" role="dialog" aria-label=${label}>
    <header class="sheet-head"><h2>${label}</h2>
      <button type="button" class="tool" aria-label=${t("back")} title=${t("back")} @click=${() => app.show(null)}>${icon("close")}</button></header>
    ${overlay === "chats" ? html`<penny-chats class="sheet-body" .app=${app}></penny-chats>` : html`<penny-panel .app=${app}></penny-panel>`}
  </aside>`;
}

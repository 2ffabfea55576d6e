/** The state of one widget: who is asked, in which language, what is open, and the conversation. */

import type { TemplateResult } from "lit";
import { Client, type GetToken, NoToken, Problem, Unreachable } from "./api/client.js";
import { Conversation } from "./state/conversation.js";
import type { Question } from "./state/items.js";
import { Model } from "./state/model.js";
import { Proposals } from "./state/proposals.js";
import type { Reply } from "./state/reply.js";
import { Format } from "./text/format.js";
import { english, type Texts } from "./texts.js";
import type { ModelState } from "./wire.js";

export type Tab = "budgets" | "waiting" | "changes" | "facts" | "links" | "import";
const MODEL_LOOK = 2_000; // ms between looks at a model that is loading
const REMEMBERED = "penny.session";

/** What the widget around the state does for it. */
export interface Shell {
  emit(type: string, detail: unknown): void;
  pop(anchor: Element, label: string, content: TemplateResult, focus: boolean): void;
  unpop(): void;
  /** Whether the user can see the conversation now. */
  visible(): boolean;
}

export class App extends Model {
  texts: Texts = english;
  format = formatFor(english);
  suggestions: string[] | null = null;
  client: Client;
  readonly proposals: Proposals;
  readonly conversation: Conversation;
  model: ModelState | null = null;
  overlay: "chats" | "panel" | null = null;
  tab: Tab = "budgets";
  unread = 0;
  draft = "";
  editing: Question | null = null;
  notice = "";
  announcement = "";
  online = navigator.onLine;
  #generation = 0;

  constructor(
    readonly shell: Shell,
    base: string,
    getToken: GetToken,
  ) {
    super();
    this.client = new Client(base, getToken);
    this.proposals = new Proposals(
      () => this.client,
      this.describe,
      (decision) => {
        this.shell.emit("decision", decision);
        this.say(this.t(decision.status as "applied"));
      },
    );
    this.conversation = new Conversation({
      client: () => this.client,
      describe: this.describe,
      proposals: this.proposals,
      onSession: (id) => this.#remember(id),
      onSent: (text) => this.shell.emit("message", { text }),
      onReply: (reply) => this.#replied(reply),
      onNews: () => this.#news(),
    });
    this.conversation.watch(() => this.changed());
  }

  get t(): Texts["t"] {
    return this.texts.t;
  }

  /** Another language, or other words. */
  speak(texts: Texts): void {
    this.texts = texts;
    this.format = formatFor(texts);
    this.changed();
  }

  /** A file that was dropped on the widget. */
  file: File | null = null;

  take(file: File | null): void {
    this.file = file;
    if (file) this.show("panel", "import");
  }

  /** Begins to talk to a service. */
  begin(base: string, getToken: GetToken, session: string | null): void {
    this.client = new Client(base, getToken);
    void this.start(session);
  }

  /** Another service or user: everything known so far is forgotten. */
  connect(base: string, getToken: GetToken): void {
    this.client = new Client(base, getToken);
    this.proposals.clear();
    this.conversation.startNew();
    this.model = null;
    this.overlay = null;
    this.editing = null;
    this.unread = 0;
    void this.start();
  }

  /** Takes up the session that this tab, or the last one, was in. */
  async start(session?: string | null): Promise<void> {
    this.#generation += 1;
    void this.#watchModel(this.#generation);
    const id = session ?? sessionStorage.getItem(this.#key) ?? localStorage.getItem(this.#key);
    if (id) await this.openSession(id);
    else this.conversation.startNew();
  }

  /** Tries again what could not be had without a token. */
  resume(): void {
    const { busy, session, items } = this.conversation;
    if (!busy && items.length === 0) void this.start(session);
    else if (!this.model) void this.#watchModel(this.#generation);
  }

  end(): void {
    this.#generation += 1;
    this.conversation.listen(false);
  }

  async openSession(id: string): Promise<void> {
    this.overlay = null;
    this.editing = null;
    this.notice = "";
    try {
      await this.conversation.open(id);
    } catch (error) {
      if ((error as Error).name === "AbortError") return;
      if (error instanceof Problem && [404, 422].includes(error.status)) this.newChat();
      else this.notice = this.describe(error);
    }
    this.changed();
  }

  newChat(): void {
    this.overlay = null;
    this.editing = null;
    this.notice = "";
    this.conversation.startNew();
    this.changed();
  }

  send(text: string): boolean {
    const words = text.trim();
    if (!words) return false;
    if (this.conversation.busy) {
      this.notice = this.t("busy");
      this.changed();
      return false;
    }
    const editing = this.editing ?? undefined;
    this.editing = null;
    this.notice = "";
    void this.conversation.send(words, editing).catch((error) => {
      this.notice = this.describe(error);
      this.changed();
    });
    return true;
  }

  edit(question: Question | null): void {
    this.editing = question;
    this.draft = question?.text ?? "";
    this.changed();
  }

  show(overlay: App["overlay"], tab: Tab = this.tab): void {
    this.overlay = overlay;
    this.tab = tab;
    this.changed();
  }

  read(): void {
    if (!this.unread) return;
    this.unread = 0;
    this.shell.emit("unread", { count: 0 });
    this.changed();
  }

  /** A sentence for screen readers. */
  say(text: string): void {
    this.announcement = text;
    this.changed();
  }

  network(online: boolean): void {
    this.online = online;
    this.changed();
  }

  /** What went wrong, as a sentence for people. */
  describe = (error: unknown): string => {
    if (error instanceof NoToken) return this.t("noToken");
    if (error instanceof Unreachable) return this.t(navigator.onLine ? "unreachable" : "offline");
    if (error instanceof Problem) return error.status === 401 ? this.t("noToken") : error.message;
    return this.t("somethingWrong");
  };

  /** Bytes that a person wants elsewhere; false when the browser does not let us. */
  async copy(text: string): Promise<boolean> {
    try {
      await navigator.clipboard.writeText(text);
      this.say(this.t("copied"));
      return true;
    } catch {
      return false;
    }
  }

  get #key(): string {
    return `${REMEMBERED}@${this.client.base}`;
  }

  #remember(id: string | null): void {
    for (const storage of [sessionStorage, localStorage]) {
      if (id) storage.setItem(this.#key, id);
      else storage.removeItem(this.#key);
    }
    this.shell.emit("session", { id });
  }

  #replied(reply: Reply): void {
    this.shell.emit("reply", { text: reply.text, runId: reply.runId, status: reply.state, proposals: reply.proposals });
    if (reply.state === "done") this.say(reply.text.slice(0, 500));
    this.#news();
  }

  #news(): void {
    if (this.shell.visible()) return;
    this.unread += 1;
    this.shell.emit("unread", { count: this.unread });
    this.changed();
  }

  async #watchModel(generation: number): Promise<void> {
    while (generation === this.#generation) {
      const model = await this.client.get<ModelState>("/v1/model").catch(() => null);
      if (generation !== this.#generation || !model) return;
      this.model = model;
      this.changed();
      if (model.status !== "loading") return;
      await new Promise((resolve) => setTimeout(resolve, MODEL_LOOK));
    }
  }
}

function formatFor({ t, locale }: Texts): Format {
  const words = { none: t("none"), yes: t("yes"), no: t("no"), justNow: t("justNow"), soon: t("soon") };
  return new Format(locale, words);
}

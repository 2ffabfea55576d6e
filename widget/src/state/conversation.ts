/** The conversation of one session: its history, the reply being made, and what other tabs and channels add to it. */

import { type Client, Problem } from "../api/client.js";
import { follow, say } from "../api/stream.js";
import type { Message, Page, Run, Session, WireEvent } from "../wire.js";
import { type Item, noteOf, type Question, questionOf } from "./items.js";
import { Model } from "./model.js";
import type { Proposals } from "./proposals.js";
import { Reply, type Source } from "./reply.js";

const PAGE = 40; // turns
const ACTIVE = new Set(["queued", "running"]);

/** What a conversation needs of the widget around it. */
export interface Around {
  client(): Client;
  describe(error: unknown): string;
  proposals: Proposals;
  onSession(id: string | null): void;
  onSent(text: string): void;
  onReply(reply: Reply): void;
  /** Something came that the user did not see being made. */
  onNews(): void;
}

export class Conversation extends Model {
  session: string | null = null;
  items: Item[] = [];
  earlier: string | null = null;
  loading = false;
  /** Whether the reply's own stream, or the session's feed, is connected. */
  connected = true;
  live: Reply | null = null;
  #view = new AbortController();
  #runs = new Map<string, Reply>();
  #stopWanted = false;
  #feedAt = 0;
  /** The feed begins with the session; what it tells of before this instant is in the history, or was replaced there. */
  #known = 0;
  #feed: AbortController | null = null;
  #listening = false;

  constructor(private readonly around: Around) {
    super();
  }

  get busy(): boolean {
    return this.live !== null;
  }

  get empty(): boolean {
    return this.items.length === 0 && !this.loading;
  }

  /** The fact behind a figure, from this reply or an earlier one. */
  source(reply: Reply, id: string | null | undefined): Source | null {
    const own = reply.source(id);
    if (own) return own;
    for (const item of [...this.items].reverse()) {
      const found = item.kind === "reply" ? item.source(id) : null;
      if (found) return found;
    }
    return null;
  }

  /** An empty conversation; its session is made with the first message. */
  startNew(): void {
    this.#leave(null);
  }

  /** Shows a session, and goes on with the reply that it may be in the middle of. Throws Problem (404) when it is gone. */
  async open(id: string): Promise<void> {
    const signal = this.#leave(id);
    this.loading = true;
    this.changed();
    try {
      const page = await this.around.client().get<Page<Message>>(this.#path(`/messages?limit=${PAGE}`), { signal });
      const open = this.#restore(page);
      this.#known = Math.max(0, ...page.items.map((item) => Date.parse(item.created_at ?? "") || 0));
      this.loading = false;
      this.changed();
      await this.#loadProposals(page.items, signal);
      this.#listen();
      for (const one of open) await this.#resume(one, signal);
    } finally {
      if (!signal.aborted) {
        this.loading = false;
        this.changed();
      }
    }
  }

  async showEarlier(): Promise<void> {
    if (!this.earlier || this.loading) return;
    this.loading = true;
    const signal = this.#view.signal;
    const query = new URLSearchParams({ limit: String(PAGE), cursor: this.earlier });
    try {
      const page = await this.around.client().get<Page<Message>>(this.#path(`/messages?${query}`), { signal });
      for (const { reply } of this.#restore(page)) reply.fail("", false);
      await this.#loadProposals(page.items, signal);
    } finally {
      this.loading = false;
      this.changed();
    }
  }

  /** Sends a message and shows its reply as it comes; with `editOf` it takes the place of that message and what followed. */
  async send(text: string, editOf?: Question): Promise<void> {
    const signal = this.#view.signal;
    const replaced = editOf ? await this.#idOf(editOf) : null;
    if (editOf) this.items = this.items.slice(0, this.items.indexOf(editOf));
    const { question, reply } = this.#ask(text);
    await this.#running(reply, signal, async () => {
      if (this.session === null) {
        const session = await this.around.client().post<Session>("/v1/sessions", {}, { signal });
        this.session = session.id;
        this.around.onSession(session.id);
      }
      const body = { text, client_id: crypto.randomUUID(), ...(replaced ? { edit_of: replaced } : {}) };
      const { runId, response } = await say(this.around.client(), this.session, body, signal);
      question.runId = runId;
      this.#runs.set(runId, reply);
      this.#listen();
      await this.#play(reply, runId, response, signal);
    });
  }

  /** Has a failed or stopped reply made again. At the end of the conversation the new one takes its place. */
  retry(failed: Reply): void {
    if (this.busy || !failed.question) return;
    if (failed.runId) void this.#again(failed, failed.runId);
    else void this.send(failed.question); // the service never got it
  }

  async #again(failed: Reply, runId: string): Promise<void> {
    const signal = this.#view.signal;
    const [asked, last] = this.items.slice(-2);
    if (last === failed && asked?.kind === "question") this.items = this.items.slice(0, -2);
    const { question, reply } = this.#ask(failed.question);
    reply.runId = runId; // until its own is known: trying again then asks for the same run
    await this.#running(reply, signal, async () => {
      const path = `/v1/runs/${runId}/retry`;
      const { run_id } = await this.around.client().post<{ run_id: string }>(path, {}, { signal });
      question.runId = run_id;
      this.#runs.set(run_id, reply);
      await this.#play(reply, run_id, null, signal);
    });
  }

  #ask(text: string): { question: Question; reply: Reply } {
    const question = questionOf(text);
    const reply = new Reply(text);
    this.items = [...this.items, question, reply];
    this.around.onSent(text);
    return { question, reply };
  }

  /** Asks the server to stop the reply; its stream then ends by itself. */
  async stop(): Promise<void> {
    if (!this.live) return;
    this.#stopWanted = true;
    await this.#cancel(this.live);
  }

  /** Whether to follow what others do in the session; not while nobody looks, as browsers allow few connections. */
  listen(on: boolean): void {
    this.#listening = on;
    if (on) this.#listen();
    else this.#feed?.abort();
  }

  #path(rest: string): string {
    return `/v1/sessions/${this.session}${rest}`;
  }

  #leave(id: string | null): AbortSignal {
    this.#view.abort();
    this.#view = new AbortController();
    this.#feed?.abort();
    this.#feed = null;
    this.#feedAt = 0;
    this.#known = 0;
    this.#runs.clear();
    this.session = id;
    this.items = [];
    this.earlier = null;
    this.live = null;
    this.loading = false;
    this.connected = true;
    this.#stopWanted = false;
    this.around.onSession(id);
    this.changed();
    return this.#view.signal;
  }

  /** Puts a page of messages in front of what is there; gives the turns that may lack a full reply. */
  #restore({ items, next }: Page<Message>): { reply: Reply; runId: string; item?: Message }[] {
    const made: Item[] = [];
    const open: { reply: Reply; runId: string; item?: Message }[] = [];
    const answered = new Map(items.filter((i) => i.role === "assistant" && i.run_id).map((i) => [i.run_id, i]));
    for (const item of items) {
      const at = item.created_at ?? new Date().toISOString();
      if (item.role === "user") {
        made.push(questionOf(item.text, { id: item.id, runId: item.run_id, at }));
        if (!item.run_id) continue;
        const reply = new Reply(item.text);
        reply.runId = item.run_id;
        this.#runs.set(item.run_id, reply);
        made.push(reply);
        const answer = answered.get(item.run_id);
        if (answer && ["finished", "cancelled"].includes(answer.status ?? "finished")) reply.restore(answer);
        else open.push({ reply, runId: item.run_id, ...(answer ? { item: answer } : {}) });
      } else if (item.role === "decision") {
        made.push(noteOf(item));
      } else if (item.role === "assistant" && !(item.run_id && this.#runs.has(item.run_id))) {
        const reply = new Reply("");
        reply.restore(item);
        made.push(reply);
      }
    }
    this.items = [...made, ...this.items];
    this.earlier = next ?? null;
    return open;
  }

  #loadProposals(items: Message[], signal: AbortSignal): Promise<void> {
    const ids = items.flatMap((item) => (item.role === "assistant" ? (item.proposals ?? []) : []));
    return this.around.proposals.load(
      ids.map((one) => (typeof one === "string" ? one : one.id)),
      signal,
    );
  }

  async #resume(
    { reply, runId, item }: { reply: Reply; runId: string; item?: Message },
    signal: AbortSignal,
  ): Promise<void> {
    const run = await this.around.client().get<Run>(`/v1/runs/${runId}`, { signal });
    if (signal.aborted) return;
    if (item && (run.status === "finished" || run.status === "cancelled")) {
      reply.restore({ ...item, status: run.status });
    } else if (ACTIVE.has(run.status) || run.status === "finished") {
      await this.#running(reply, signal, () => this.#play(reply, runId, null, signal));
      await this.around.proposals.refresh(); // the events are from before the user may have decided
    } else if (run.status === "cancelled") {
      reply.apply({ type: "run.cancelled", data: {} });
    } else {
      reply.fail(run.error?.message ?? "", run.error?.retryable ?? true);
    }
  }

  async #running(reply: Reply, signal: AbortSignal, act: () => Promise<void>): Promise<void> {
    this.live = reply;
    this.changed();
    try {
      await act();
    } catch (error) {
      if (!signal.aborted) reply.fail(this.around.describe(error), !(error instanceof Problem) || error.passing);
    }
    if (signal.aborted) return;
    if (this.live === reply) this.live = null;
    this.#stopWanted = false;
    this.connected = true;
    this.changed();
    this.around.onReply(reply);
  }

  async #play(reply: Reply, runId: string, response: Response | null, signal: AbortSignal): Promise<void> {
    reply.runId = runId;
    if (this.#stopWanted) void this.#cancel(reply);
    if (!response) reply.reset();
    const onConnection = (up: boolean) => this.#connection(up);
    for await (const event of follow(this.around.client(), `/v1/runs/${runId}/events`, {
      response,
      signal,
      onConnection,
    })) {
      if (event.type === "proposal") {
        const { call_id: _, ...proposal } = event.data;
        this.around.proposals.put(proposal);
      }
      reply.apply(event);
    }
  }

  #connection(up: boolean): void {
    if (up === this.connected) return;
    this.connected = up;
    this.changed();
  }

  async #cancel(reply: Reply): Promise<void> {
    if (!reply.runId) return; // its number is not known yet; #play comes back to it
    await this.around
      .client()
      .post(`/v1/runs/${reply.runId}/cancel`)
      .catch(() => {});
  }

  /** The id of a message sent from here, which only the history knows. */
  async #idOf(question: Question): Promise<string | null> {
    if (question.id) return question.id;
    const page = await this.around.client().get<Page<Message>>(this.#path(`/messages?limit=${PAGE}`));
    const found = page.items.find((item) => item.role === "user" && item.run_id === question.runId);
    question.id = found?.id ?? null;
    return question.id;
  }

  /** Follows the session's feed from where it was left. */
  #listen(): void {
    if (!this.#listening || !this.session || (this.#feed && !this.#feed.signal.aborted)) return;
    const feed = new AbortController();
    this.#feed = feed;
    this.#view.signal.addEventListener("abort", () => feed.abort(), { once: true });
    void this.#hear(this.session, feed.signal);
  }

  async #hear(session: string, signal: AbortSignal): Promise<void> {
    const options = { after: this.#feedAt, signal, onConnection: (up: boolean) => this.#connection(up) };
    try {
      for await (const event of follow(this.around.client(), `/v1/sessions/${session}/events`, options)) {
        this.#feedAt = event.seq;
        this.#heard(event);
      }
    } catch {
      // The session went away, or the server knows no feed: what the user does here works without it.
    }
  }

  #heard({ type, data }: WireEvent): void {
    if (type === "message.added" && data.role === "user") {
      this.#heardMessage(data);
    } else if (type === "message.added" && data.notice) {
      void this.#heardNotice(data.message_id).catch(() => {});
    } else if (type === "run.started") {
      this.#follow(data.run_id);
    } else if (type === "proposal.decided") {
      void this.around.proposals.refresh(data.proposal_id).then(() => this.around.proposals.markUndone());
    }
  }

  #heardMessage(data: { message_id: string; run_id: string; text: string; at: string; edit_of?: string }): void {
    const questions = this.items.filter((item) => item.kind === "question");
    // Our own comes back here, perhaps before the answer to its POST has told its run.
    const own = questions.find(({ id, runId, text }) =>
      runId ? runId === data.run_id : id === data.message_id || (id === null && text === data.text),
    );
    if (own) own.id = data.message_id;
    if (own || Date.parse(data.at) <= this.#known) return;
    const replaced = this.items.findIndex((item) => item.kind === "question" && item.id === data.edit_of);
    const kept = data.edit_of && replaced >= 0 ? this.items.slice(0, replaced) : this.items;
    this.items = [...kept, questionOf(data.text, { id: data.message_id, runId: data.run_id, at: data.at })];
    this.changed();
    this.#follow(data.run_id); // its run may have been told of before it
  }

  /** Shows what Penny said unasked, with the facts it stands on, which the history has. */
  async #heardNotice(id: string): Promise<void> {
    const shown = () => this.items.some((item) => item.kind === "reply" && item.id === id);
    if (shown()) return;
    const { signal } = this.#view;
    const page = await this.around.client().get<Page<Message>>(this.#path(`/messages?limit=${PAGE}`), { signal });
    const found = page.items.find((item) => item.id === id);
    if (signal.aborted || !found || shown()) return;
    const said = new Reply("");
    said.restore(found);
    this.items = [...this.items, said];
    this.changed();
    this.around.onNews();
  }

  /** Shows a reply that another tab or channel started. */
  #follow(runId: string): void {
    const asked = this.items.find((item) => item.kind === "question" && item.runId === runId) as Question | undefined;
    if (this.#runs.has(runId) || !asked) return;
    const reply = new Reply(asked.text);
    this.#runs.set(runId, reply);
    const at = this.items.indexOf(asked) + 1;
    this.items = [...this.items.slice(0, at), reply, ...this.items.slice(at)];
    this.around.onNews();
    void this.#running(reply, this.#view.signal, () => this.#play(reply, runId, null, this.#view.signal));
  }
}

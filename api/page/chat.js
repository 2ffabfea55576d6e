/** The conversation of one session: its history, the message being answered, and how both stay in sight. */

import { Problem } from "./api.js";
import { el } from "./dom.js";
import { Reply } from "./reply.js";
import { follow, post } from "./run.js";

const PAGE = 40; // turns
const ACTIVE = new Set(["queued", "running"]);

export class Chat {
  #api;
  #hooks;
  #session = null;
  #view = new AbortController();
  #run = null;
  #cards = [];
  #pinned = true;
  #top = 0;

  /**
   * `log` holds the messages and `scroller` scrolls them. Hooks: `onBusy(busy)`, `onNotice(text)`,
   * `onSession(id or null)`, `onEmpty(empty)`, `onPinned(pinned)`.
   */
  constructor(api, { log, scroller }, hooks) {
    this.#api = api;
    this.#hooks = hooks;
    this.log = log;
    this.scroller = scroller;
    scroller.addEventListener("scroll", () => this.#scrolled(), { passive: true });
    new ResizeObserver(() => this.#pinned && this.toEnd()).observe(log);
  }

  get session() {
    return this.#session;
  }

  get busy() {
    return this.#run !== null;
  }

  /** An empty conversation; its session is made with the first message. */
  startNew() {
    this.#leave(null);
    this.#hooks.onEmpty(true);
  }

  /** Shows a session, and goes on with the reply that it may be in the middle of. Throws Problem (404) when it is gone. */
  async open(sessionId) {
    const signal = this.#leave(sessionId);
    this.log.setAttribute("aria-busy", "true");
    const page = await this.#api.get(`/v1/sessions/${sessionId}/messages?limit=${PAGE}`, { signal });
    const unanswered = await this.#show(page, signal);
    this.log.setAttribute("aria-busy", "false");
    if (signal.aborted) return;
    this.#hooks.onEmpty(page.items.length === 0);
    this.toEnd();
    for (const turn of unanswered) await this.#resume(turn, signal);
  }

  /** Sends a message and shows its reply as it comes. */
  async send(text) {
    const signal = this.#view.signal;
    this.#hooks.onEmpty(false);
    this.log.append(this.#question(text));
    const clientId = crypto.randomUUID();
    const reply = this.#newReply(text);
    this.toEnd();
    await this.#running(reply, signal, async (run) => {
      if (this.#session === null) {
        const { id } = await this.#api.post("/v1/sessions");
        if (signal.aborted) return;
        this.#session = id;
        this.#hooks.onSession(id);
      }
      const { runId, response } = await post(this.#api, this.#session, text, clientId, run.signal);
      await this.#play(run, runId, response);
    });
  }

  /** Asks the server to stop the reply; its stream then ends by itself. */
  async stop() {
    const run = this.#run;
    if (!run) return;
    run.stopped = true;
    if (run.id) await this.#cancel(run);
  }

  toEnd() {
    this.#pin(true);
    this.scroller.scrollTop = this.scroller.scrollHeight;
  }

  /** Looks again at proposals that wait: another device may have decided them. */
  async refresh() {
    await Promise.allSettled(this.#cards.map((card) => card.refresh()));
  }

  #leave(sessionId) {
    this.#view.abort();
    this.#view = new AbortController();
    this.#session = sessionId;
    this.#run = null;
    this.#cards = [];
    this.log.replaceChildren();
    this.#hooks.onSession(sessionId);
    this.#hooks.onBusy(false);
    this.#hooks.onNotice("");
    return this.#view.signal;
  }

  #question(text) {
    return el("article", { class: "question", "aria-label": "You" }, el("p", {}, text));
  }

  #newReply(text) {
    const reply = new Reply(this.#api, { onRetry: () => this.busy || this.send(text) });
    this.log.append(reply.element);
    return reply;
  }

  /** Builds a page of messages in front of what is there; gives the turns `{runId, reply, restore?}` that may lack a full reply. */
  async #show({ items, next }, signal) {
    const nodes = [];
    const replies = new Map();
    const unanswered = [];
    const proposals = await this.#proposals(items, signal);
    if (signal.aborted) return [];
    for (const item of items) {
      if (item.role === "user") {
        nodes.push(this.#question(item.text));
        if (!item.run_id) continue;
        const reply = new Reply(this.#api, { onRetry: () => this.busy || this.send(item.text) });
        replies.set(item.run_id, { reply, open: true });
        nodes.push(reply.element);
      } else if (item.role === "assistant") {
        const turn = replies.get(item.run_id);
        const known = (item.proposals ?? []).map((id) => proposals.get(id)).filter(Boolean);
        const restore = () => {
          turn.reply.restore(item, known);
          this.#cards.push(...turn.reply.cards);
        };
        if (!turn) continue;
        if (["open", "failed"].includes(item.status ?? (item === items.at(-1) ? "open" : "finished"))) {
          turn.restore = restore; // whether it is whole, its run knows
        } else {
          turn.open = false;
          restore();
        }
      } else if (item.role === "decision" && !proposals.has(item.proposals?.[0])) {
        nodes.push(el("p", { class: "decision" }, item.text));
      }
    }
    for (const [runId, turn] of replies) if (turn.open) unanswered.push({ runId, ...turn });
    this.log.prepend(...nodes);
    if (next !== null && next !== undefined) this.log.prepend(this.#earlier(next));
    return unanswered;
  }

  #earlier(cursor) {
    const button = el("button", { type: "button", class: "plain earlier" }, "Show earlier messages");
    button.addEventListener("click", async () => {
      button.disabled = true;
      const signal = this.#view.signal;
      const query = new URLSearchParams({ limit: PAGE, cursor });
      const page = await this.#api.get(`/v1/sessions/${this.#session}/messages?${query}`, { signal });
      const below = this.scroller.scrollHeight - this.scroller.scrollTop;
      button.remove();
      for (const { reply } of await this.#show(page, signal)) reply.fail("This message was not answered.", false);
      this.scroller.scrollTop = this.scroller.scrollHeight - below;
    });
    return button;
  }

  async #proposals(items, signal) {
    const wanted = items.filter((item) => item.role === "assistant").flatMap((item) => item.proposals ?? []);
    const known = (await Promise.all(wanted.map((id) => this.#api.get(`/v1/proposals/${id}`, { signal }).catch(() => null))))
      .filter(Boolean);
    if (known.some(({ status }) => status === "applied")) await this.#markUndone(known, signal);
    return new Map(known.map((proposal) => [proposal.id, proposal]));
  }

  /** A proposal stays applied when its change is taken back; the journal knows. */
  async #markUndone(proposals, signal) {
    const { items } = await this.#api.get("/v1/journal?limit=100", { signal });
    const entries = new Map(items.map((entry) => [entry.proposal_id, entry]));
    for (const proposal of proposals) {
      if (entries.get(proposal.id)?.undone_by) proposal.status = "undone";
    }
  }

  async #resume({ runId, reply, restore }, signal) {
    const run = await this.#api.get(`/v1/runs/${runId}`, { signal });
    if (signal.aborted) return;
    if (restore && ["finished", "cancelled"].includes(run.status)) {
      restore();
      if (run.status === "cancelled") reply.apply({ type: "run.cancelled", data: {} });
    } else if (ACTIVE.has(run.status) || run.status === "finished") {
      await this.#running(reply, signal, (now) => this.#play(now, runId, null));
      await this.refresh(); // the events are from before the user may have decided
    } else if (run.status === "cancelled") {
      reply.apply({ type: "run.cancelled", data: {} });
    } else {
      reply.fail(run.error?.message ?? "This message was not answered.", run.error?.retryable ?? true);
    }
  }

  async #running(reply, signal, act) {
    const run = { id: null, reply, signal, stopped: false };
    this.#run = run;
    this.#hooks.onBusy(true);
    try {
      await act(run);
    } catch (error) {
      if (!signal.aborted) reply.fail(error.message, !(error instanceof Problem) || error.passing);
    }
    if (signal.aborted) return;
    this.#cards.push(...reply.cards);
    this.#run = null;
    this.#hooks.onBusy(false);
    this.#hooks.onNotice("");
  }

  async #play(run, runId, response) {
    run.id = runId;
    if (run.stopped) this.#cancel(run);
    const onConnection = (up) => this.#hooks.onNotice(up ? "" : "The connection was lost. Reconnecting…");
    for await (const event of follow(this.#api, runId, { response, signal: run.signal, onConnection })) {
      run.reply.apply(event);
    }
  }

  async #cancel(run) {
    await this.#api.post(`/v1/runs/${run.id}/cancel`).catch((error) => this.#hooks.onNotice(error.message));
  }

  /** Only going up lets go of the end: content that grows below does not. */
  #scrolled() {
    const { scrollTop, scrollHeight, clientHeight } = this.scroller;
    if (scrollHeight - scrollTop - clientHeight < 48) this.#pin(true);
    else if (scrollTop < this.#top) this.#pin(false);
    this.#top = scrollTop;
  }

  #pin(pinned) {
    if (pinned === this.#pinned) return;
    this.#pinned = pinned;
    this.#hooks.onPinned(pinned);
  }
}

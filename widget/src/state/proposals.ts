/** The proposals that the widget knows, each with the user's decision, sent once; cards and panels show the same ones. */

import { type Client, Problem } from "../api/client.js";
import type { JournalEntry, Page, Proposal } from "../wire.js";
import { Model } from "./model.js";

export interface Held {
  proposal: Proposal;
  busy: boolean;
  /** What stands in the way: a sentence of the server, or "stale" or "failed", which the view words. */
  note: string;
  undone: boolean;
}

export type Decision = { id: string; status: string };

export class Proposals extends Model {
  /** How many decisions were made here. */
  decided = 0;
  readonly #held = new Map<string, Held>();

  constructor(
    private readonly client: () => Client,
    private readonly describe: (error: unknown) => string,
    private readonly onDecision: (decision: Decision) => void,
  ) {
    super();
  }

  get(id: string): Held | undefined {
    return this.#held.get(id);
  }

  get pending(): Held[] {
    return [...new Set(this.#held.values())].filter(({ proposal, undone }) => proposal.status === "pending" && !undone);
  }

  /** Forgets everything: another user. */
  clear(): void {
    this.#held.clear();
    this.changed();
  }

  put(proposal: Proposal): void {
    const known = this.#held.get(proposal.id);
    if (known) {
      if (known.busy || (known.proposal.status !== "pending" && proposal.status === "pending")) return;
      known.proposal = { ...known.proposal, ...proposal };
    } else {
      this.#held.set(proposal.id, { proposal, busy: false, note: "", undone: false });
    }
    this.changed();
  }

  /** Loads those that are not known yet, and what the journal says of applied ones. */
  async load(ids: string[], signal?: AbortSignal): Promise<void> {
    const missing = ids.filter((id) => !this.#held.has(id));
    const found = await Promise.all(
      missing.map((id) =>
        this.client()
          .get<Proposal>(`/v1/proposals/${id}`, { signal })
          .catch(() => null),
      ),
    );
    for (const proposal of found) if (proposal) this.put(proposal);
    if (found.some((proposal) => proposal?.status === "applied")) await this.markUndone(signal);
  }

  /** Looks again at one, or at all that wait: another tab, device or channel may have decided. */
  async refresh(id?: string): Promise<void> {
    const ids = id ? [id] : this.pending.map(({ proposal }) => proposal.id);
    const found = await Promise.all(
      ids.map((one) =>
        this.client()
          .get<Proposal>(`/v1/proposals/${one}`)
          .catch(() => null),
      ),
    );
    for (const proposal of found) if (proposal) this.put(proposal);
  }

  async loadPending(): Promise<void> {
    const page = await this.client().get<Page<Proposal>>("/v1/proposals?status=pending&limit=50");
    for (const proposal of page.items) this.put(proposal);
    const waiting = new Set(page.items.map(({ id }) => id));
    for (const { proposal } of this.pending) if (!waiting.has(proposal.id)) await this.refresh(proposal.id);
  }

  /** A proposal stays applied when its change is taken back; the journal knows. */
  async markUndone(signal?: AbortSignal): Promise<void> {
    const page = await this.client()
      .get<Page<JournalEntry>>("/v1/journal?limit=100", { signal })
      .catch(() => null);
    for (const entry of page?.items ?? []) {
      const held = entry.proposal_id ? this.#held.get(entry.proposal_id) : undefined;
      if (!held) continue;
      held.undone = entry.undone_by !== null;
      held.proposal.journal_id ??= entry.id;
    }
    this.changed();
  }

  apply(id: string): Promise<void> {
    return this.#once(id, async (held) => {
      const answer = await this.#confirm(held.proposal);
      held.proposal = { ...held.proposal, status: "applied", journal_id: answer.journal_id };
    });
  }

  reject(id: string): Promise<void> {
    return this.#once(id, async (held) => {
      await this.client().post(`/v1/proposals/${held.proposal.id}/reject`);
      held.proposal = { ...held.proposal, status: "rejected" };
    });
  }

  undo(id: string): Promise<void> {
    return this.#once(id, async (held) => {
      // Of a proposal applied earlier the journal entry is learnt by confirming again: nothing is written twice.
      const entry = held.proposal.journal_id ?? (await this.#confirm(held.proposal)).journal_id;
      await this.client().post(`/v1/journal/${entry}/undo`);
      held.undone = true;
    });
  }

  #confirm({ id, hash }: Proposal): Promise<{ journal_id: string }> {
    return this.client().post(`/v1/proposals/${id}/confirm`, { hash });
  }

  async #once(id: string, act: (held: Held) => Promise<void>): Promise<void> {
    const held = this.#held.get(id);
    if (!held || held.busy) return;
    held.busy = true;
    held.note = "";
    this.changed();
    try {
      await act(held);
      this.decided += 1;
      this.onDecision({ id: held.proposal.id, status: held.undone ? "undone" : held.proposal.status });
    } catch (error) {
      await this.#failed(held, error);
    }
    held.busy = false;
    this.changed();
  }

  async #failed(held: Held, error: unknown): Promise<void> {
    held.note = this.describe(error);
    if (!(error instanceof Problem) || error.status !== 409) return;
    const details = error.body.details as { proposal?: Proposal } | undefined;
    const fresh = (error.body.proposal as Proposal | undefined) ?? details?.proposal;
    if (fresh) {
      held.proposal = fresh;
      held.note = "stale";
      this.#held.set(fresh.id, held);
    } else {
      const now = await this.client()
        .get<Proposal>(`/v1/proposals/${held.proposal.id}`)
        .catch(() => held.proposal);
      held.proposal = { ...held.proposal, ...now };
    }
  }
}

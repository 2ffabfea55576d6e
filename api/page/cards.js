/** A proposal as a card: what would change, field by field, and the user's decision, sent once. */

import { Problem } from "./api.js";
import { el, icon } from "./dom.js";
import { distance, shown } from "./values.js";

const STATUS = {
  pending: "Waiting for you", applied: "Applied", rejected: "Rejected", expired: "Expired",
  superseded: "Replaced", undone: "Undone",
};
const CHECK = "M5 12.5l4.5 4.5L19 7.5";

/** A listener for the first click of several in a row: the second must not hit what the first one put in its place. */
function firstClick(act) {
  return (event) => event.detail > 1 || act();
}

/** The fields of one thing, each from what it is to what it would be; of a new thing only what it would be. */
function fieldList(rows) {
  const fresh = rows.length > 1 && rows.every(({ before }) => before === null);
  return el("dl", {}, ...rows.map(({ field, before, after }) =>
    el("div", {}, el("dt", {}, String(field ?? "")), el("dd", {},
      fresh ? null : el("del", {}, el("span", { class: "hidden" }, "from "), shown(before)),
      fresh ? null : icon("M5 12h14M13 6l6 6-6 6"),
      el("ins", {}, fresh ? null : el("span", { class: "hidden" }, "to "), shown(after))))));
}

/** `proposal` is as GET /v1/proposals/{id} shows it. */
export class ProposalCard {
  #api;
  #proposal;
  #busy = false;
  #note = "";

  constructor(api, proposal) {
    this.#api = api;
    this.#proposal = proposal;
    this.element = el("section", { class: "card", tabindex: "-1" });
    this.#render();
  }

  get id() {
    return this.#proposal.id;
  }

  /** Shows what has become of the proposal elsewhere. */
  async refresh() {
    if (this.#proposal.status !== "pending" || this.#busy) return;
    const now = await this.#api.get(`/v1/proposals/${this.#proposal.id}`);
    if (now.status === this.#proposal.status || this.#busy) return;
    this.#proposal = now;
    this.#render();
  }

  async #once(act) {
    if (this.#busy) return;
    this.#busy = true;
    this.#note = "";
    this.#render();
    try {
      await act();
    } catch (error) {
      await this.#failed(error);
    }
    this.#busy = false;
    this.#render();
    (this.element.querySelector("button") ?? this.element).focus({ preventScroll: true });
  }

  #apply() {
    return this.#once(async () => {
      const answer = await this.#confirm();
      this.#proposal = { ...this.#proposal, status: "applied", journal_id: answer.journal_id };
    });
  }

  #confirm() {
    const { id, hash } = this.#proposal;
    return this.#api.post(`/v1/proposals/${id}/confirm`, { hash });
  }

  #reject() {
    return this.#once(async () => {
      await this.#api.post(`/v1/proposals/${this.#proposal.id}/reject`);
      this.#proposal = { ...this.#proposal, status: "rejected" };
    });
  }

  #undoIt() {
    return this.#once(async () => {
      // Of a proposal applied earlier the journal entry is learnt by confirming again: nothing is written twice.
      const entry = this.#proposal.journal_id ?? (await this.#confirm()).journal_id;
      await this.#api.post(`/v1/journal/${entry}/undo`);
      this.#proposal = { ...this.#proposal, status: "undone" };
    });
  }

  async #failed(error) {
    this.#note = error.message;
    if (!(error instanceof Problem) || error.status !== 409) return;
    const fresh = error.body.proposal ?? error.body.details?.proposal;
    if (fresh) {
      this.#proposal = fresh;
      this.#note = "This changed in the meantime, so nothing was written. Here is the change as it would be now.";
    } else {
      this.#proposal = await this.#api.get(`/v1/proposals/${this.#proposal.id}`).catch(() => this.#proposal);
    }
  }

  #render() {
    const { status, text, diff } = this.#proposal;
    const parts = [
      el("header", {},
        el("h3", {}, status === "pending" ? "Proposed change" : "Change"),
        el("span", { class: `chip ${status}` }, status === "applied" ? icon(CHECK) : null, STATUS[status] ?? status)),
      text ? el("p", { class: "what" }, text) : null,
      this.#diff(diff ?? []),
      el("p", { class: "note", role: "status", hidden: !this.#note }, this.#note),
      this.#actions(status),
    ];
    this.element.className = `card ${status}`;
    this.element.setAttribute("aria-label", `${status === "pending" ? "Proposed change" : STATUS[status]}: ${text ?? ""}`);
    this.element.setAttribute("aria-busy", String(this.#busy));
    this.element.replaceChildren(...parts.filter(Boolean));
  }

  #diff(rows) {
    if (!rows.length) return null;
    const groups = [];
    for (const row of rows) {
      if (groups.at(-1)?.[0].what === row.what) groups.at(-1).push(row);
      else groups.push([row]);
    }
    return el("div", { class: "diff" }, ...groups.map((group) => [el("p", {}, String(group[0].what ?? "")), fieldList(group)]).flat());
  }

  #actions(status) {
    const { expires_at: expires } = this.#proposal;
    if (status === "pending") {
      return el("footer", {},
        el("button", { type: "button", class: "primary", disabled: this.#busy, onclick: firstClick(() => this.#apply()) },
          this.#busy ? "Working…" : "Apply"),
        el("button", { type: "button", class: "plain", disabled: this.#busy, onclick: firstClick(() => this.#reject()) }, "Reject"),
        expires ? el("time", { datetime: expires, title: new Date(expires).toLocaleString() }, `Expires ${distance(expires)}`) : null);
    }
    if (status === "applied") {
      return el("footer", { class: "after" },
        el("button", { type: "button", class: "plain", disabled: this.#busy, onclick: firstClick(() => this.#undoIt()) }, "Undo"));
    }
    return null;
  }
}

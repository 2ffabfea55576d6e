/** One reply on the page: turns the events of a run, or a message of the history, into what people see. */

import { ProposalCard } from "./cards.js";
import { chartFigure } from "./charts.js";
import { el, icon, table } from "./dom.js";
import { MarkdownView } from "./markdown.js";
import { count, measure } from "./values.js";

const DONE = "M5 12.5l4.5 4.5L19 7.5";
const MISSED = "M12 6v7M12 17v.5";

/** A tool's name in words, for calls whose label is not known: "get_spending" is "Get spending". */
function spoken(name) {
  const words = String(name).replaceAll("_", " ");
  return words.charAt(0).toUpperCase() + words.slice(1);
}

export class Reply {
  #api;
  #onRetry;
  #text = "";
  #painted = 0;
  #steps = new Map();
  #usage = null;

  /** `onRetry` is called when the user wants a failed message sent again. */
  constructor(api, { onRetry = null } = {}) {
    this.#api = api;
    this.#onRetry = onRetry;
    this.cards = [];
    this.steps = el("ul", { class: "steps", hidden: true });
    this.body = el("div", { class: "text" });
    this.extras = el("div", { class: "extras" });
    this.outcome = el("div", { class: "outcome" });
    this.waiting = el("p", { class: "waiting" }, el("span", { class: "hidden" }, "Penny is thinking"), el("i"), el("i"), el("i"));
    this.element = el("article", { class: "reply", "aria-label": "Penny", "aria-busy": "true" },
      this.steps, this.body, this.waiting, this.extras, this.outcome);
    this.view = new MarkdownView(this.body);
  }

  /** Applies one event of the run; unknown types are ignored. */
  apply({ type, data }) {
    switch (type) {
      case "text.delta":
        this.#say(this.#text + data.text);
        break;
      case "text.retracted":
        this.#say([...this.#text].slice(0, data.keep).join(""));
        break;
      case "tool.started":
        this.#toolStarted(data);
        break;
      case "tool.finished":
        this.#toolFinished(data);
        break;
      case "chart":
        this.extras.append(chartFigure(data));
        break;
      case "proposal":
        this.#addCard(data);
        break;
      case "usage":
        this.#usage = data;
        break;
      case "run.finished":
        this.#say(data.text);
        this.#end();
        break;
      case "run.failed":
        this.fail(data.message, data.retryable);
        break;
      case "run.cancelled":
        this.#end("Stopped.");
        break;
    }
  }

  /** Shows a message of the history: its `proposals` already loaded, in `proposals`. */
  restore(item, proposals) {
    for (const tool of item.tools ?? []) {
      this.#toolFinished({ ...tool, call_id: tool.call_id ?? tool.name });
      if (tool.chart) this.extras.append(chartFigure(tool.chart));
    }
    proposals.forEach((proposal) => this.#addCard(proposal));
    this.#say(item.text ?? "");
    this.#end(item.status === "cancelled" ? "Stopped." : "");
  }

  /** Ends the reply with a sentence on what went wrong, and a way to try again when that makes sense. */
  fail(message, retryable) {
    this.#end();
    const again = retryable && this.#onRetry
      ? el("button", { type: "button", class: "plain", onclick: (event) => { event.target.remove(); this.#onRetry(); } }, "Try again")
      : null;
    this.outcome.replaceChildren(el("p", { class: "failed", role: "alert" }, message || "Something went wrong."), again ?? "");
  }

  #say(text) {
    this.#text = text;
    this.waiting.hidden = text !== "";
    if (!this.#painted) this.#painted = requestAnimationFrame(() => this.#paint());
  }

  #paint() {
    cancelAnimationFrame(this.#painted);
    this.#painted = 0;
    this.view.show(this.#text);
  }

  #addCard(proposal) {
    const card = new ProposalCard(this.#api, proposal);
    this.cards.push(card);
    this.extras.append(card.element);
  }

  #step(id) {
    if (!this.#steps.has(id)) {
      const item = el("li");
      this.#steps.set(id, { item, label: "" });
      this.steps.append(item);
      this.steps.hidden = false;
    }
    return this.#steps.get(id);
  }

  #toolStarted({ call_id: id, name, label }) {
    const step = this.#step(id);
    step.label = label || spoken(name);
    step.item.className = "running";
    step.item.replaceChildren(el("span", { class: "spinner", "aria-hidden": "true" }), `${step.label}…`);
    this.waiting.hidden = true;
  }

  #toolFinished({ call_id: id, name, label, ok = true, summary, facts }) {
    const step = this.#step(id);
    step.label ||= label || spoken(name);
    step.item.className = ok ? "done" : "missed";
    const figures = facts?.length
      ? el("div", { class: "wide" }, table(["Figure", "Value"], facts.map((fact) => [fact.label, measure(fact.value, fact.unit)])))
      : null;
    const title = [icon(ok ? DONE : MISSED), el("span", {}, step.label), el("span", { class: "hidden" }, ok ? ", done" : ", not possible")];
    step.item.replaceChildren(summary || figures
      ? el("details", {}, el("summary", {}, ...title),
          el("div", { class: "found" }, summary ? el("p", {}, summary) : null, figures))
      : el("span", { class: "line" }, ...title));
    this.waiting.hidden = this.#text !== "";
  }

  #end(outcome = "") {
    this.#paint();
    this.waiting.remove();
    this.element.setAttribute("aria-busy", "false");
    for (const { item } of this.#steps.values()) item.querySelector(".spinner")?.replaceWith(icon(MISSED));
    const spent = this.#usage?.output_tokens
      ? el("p", { class: "spent" }, `${count(this.#usage.input_tokens)} tokens read, ${count(this.#usage.output_tokens)} written`)
      : "";
    this.outcome.replaceChildren(outcome ? el("p", { class: "stopped" }, outcome) : "", spent);
  }
}

/** One reply as it is made: the events of a run, or a message of the history, applied to what people see. */

import type { ChartData, Fact, Figure, Message, ToolCall, WireEvent } from "../wire.js";
import { Model } from "./model.js";

export interface Step {
  id: string;
  name: string;
  label: string;
  state: "running" | "done" | "missed";
  summary: string;
  facts: Fact[];
}

export type ReplyState = "waiting" | "done" | "stopped" | "failed";

/** A fact, and the words of the tool that found it. */
export interface Source {
  fact: Fact;
  label: string;
}

export class Reply extends Model {
  readonly kind = "reply";
  id: string | null = null;
  runId: string | null = null;
  at: string | null = null;
  text = "";
  state: ReplyState = "waiting";
  steps: Step[] = [];
  charts: ChartData[] = [];
  proposals: string[] = [];
  figures: Figure[] = [];
  failure: { message: string; retryable: boolean } | null = null;

  constructor(readonly question: string) {
    super();
  }

  get live(): boolean {
    return this.state === "waiting";
  }

  /** The fact that a figure stands on, with the tool it came from. */
  source(id: string | null | undefined): Source | null {
    if (!id) return null;
    for (const step of this.steps) {
      const fact = step.facts.find((one) => one.id === id);
      if (fact) return { fact, label: step.label };
    }
    return null;
  }

  /** Applies one event of the run; unknown types are ignored. A proposal itself is kept by who calls. */
  apply({ type, data }: Pick<WireEvent, "type" | "data">): void {
    switch (type) {
      case "run.started":
        this.id = data.message_id ?? this.id;
        this.at ??= new Date().toISOString();
        break;
      case "text.delta":
        this.text += data.text;
        break;
      case "text.retracted":
        this.text = [...this.text].slice(0, data.keep).join("");
        break;
      case "tool.started":
        this.#started(data);
        break;
      case "tool.finished":
        this.#finished(data);
        break;
      case "chart":
        this.charts = [...this.charts, data];
        break;
      case "proposal":
        if (!this.proposals.includes(data.id)) this.proposals = [...this.proposals, data.id];
        break;
      case "grounding":
        this.figures = data.figures ?? [];
        break;
      case "run.finished":
        this.text = data.text;
        this.id = data.message_id ?? this.id;
        this.#end("done");
        break;
      case "run.failed":
        this.fail(data.message, data.retryable);
        return;
      case "run.cancelled":
        this.#end("stopped");
        break;
      default:
        return;
    }
    this.changed();
  }

  /** Shows a message of the history. */
  restore(item: Message): void {
    this.id = item.id;
    this.at = item.created_at;
    this.text = item.text ?? "";
    this.steps = [];
    this.charts = [];
    for (const tool of item.tools ?? []) {
      this.#finished({ ...tool, call_id: tool.call_id ?? tool.name });
      if (tool.chart) this.charts.push(tool.chart);
    }
    this.proposals = (item.proposals ?? []).map((one) => (typeof one === "string" ? one : one.id));
    this.figures = item.figures ?? [];
    this.#end(item.status === "cancelled" ? "stopped" : "done");
    this.changed();
  }

  fail(message: string, retryable: boolean): void {
    this.failure = { message, retryable };
    this.#end("failed");
    this.changed();
  }

  /** Forgets what was made so far: the run is read again from its start. */
  reset(): void {
    this.text = "";
    this.state = "waiting";
    this.steps = [];
    this.charts = [];
    this.figures = [];
    this.failure = null;
    this.changed();
  }

  #step(call: ToolCall): Step {
    let step = this.steps.find((one) => one.id === call.call_id);
    if (!step) {
      step = { id: call.call_id, name: call.name, label: "", state: "running", summary: "", facts: [] };
      this.steps = [...this.steps, step];
    }
    step.label ||= call.label || spoken(call.name);
    return step;
  }

  #started(call: ToolCall): void {
    this.#step(call).state = "running";
  }

  #finished(call: ToolCall): void {
    const step = this.#step(call);
    step.state = (call.ok ?? true) ? "done" : "missed";
    step.summary = call.summary ?? "";
    step.facts = call.facts ?? [];
  }

  #end(state: ReplyState): void {
    this.state = state;
    this.at ??= new Date().toISOString();
    for (const step of this.steps) if (step.state === "running") step.state = "missed";
  }
}

/** A tool's name in words, for calls whose label is not known: "get_spending" is "Get spending". */
function spoken(name: string): string {
  const words = String(name).replaceAll("_", " ");
  return words.charAt(0).toUpperCase() + words.slice(1);
}

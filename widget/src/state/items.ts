/** What stands in a conversation: questions, replies, and notes of decisions. */

import type { Message } from "../wire.js";
import type { Reply } from "./reply.js";

export interface Question {
  kind: "question";
  key: string;
  id: string | null;
  runId: string | null;
  text: string;
  at: string;
}

export interface Note {
  kind: "note";
  key: string;
  id: string;
  text: string;
  at: string | null;
  proposals: string[];
}

export type Item = Question | Reply | Note;

export function questionOf(text: string, known: Partial<Question> = {}): Question {
  const at = known.at ?? new Date().toISOString();
  return { kind: "question", key: known.id ?? crypto.randomUUID(), id: null, runId: null, ...known, text, at };
}

export function noteOf(item: Message): Note {
  const proposals = (item.proposals ?? []).map((one) => (typeof one === "string" ? one : one.id));
  return { kind: "note", key: item.id, id: item.id, text: item.text, at: item.created_at, proposals };
}

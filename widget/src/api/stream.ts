/** Server-sent events out of a fetch body, and streams of events that outlive their connections. */

import { createParser, type EventSourceMessage } from "eventsource-parser";
import type { WireEvent } from "../wire.js";
import { type Client, Problem } from "./client.js";

const SILENCE = 45_000; // ms; the server pings every 15 s
const PAUSES = [200, 500, 1_000, 2_000, 4_000, 8_000];
export const TERMINAL: ReadonlySet<string> = new Set(["run.finished", "run.failed", "run.cancelled"]);

function within<T>(promise: Promise<T>, milliseconds: number): Promise<T> {
  let timer: ReturnType<typeof setTimeout>;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error("The stream has gone silent.")), milliseconds);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

/** The frames of a response body. Throws when no byte (pings count) comes for `silence` milliseconds. */
export async function* frames(body: ReadableStream<Uint8Array>, silence = SILENCE): AsyncGenerator<EventSourceMessage> {
  const reader = body.getReader();
  const decoder = new TextDecoder();
  let ready: EventSourceMessage[] = [];
  const parser = createParser({ onEvent: (frame) => ready.push(frame) });
  try {
    for (;;) {
      const { done, value } = await within(reader.read(), silence);
      if (done) return;
      parser.feed(decoder.decode(value, { stream: true }));
      const now = ready;
      ready = [];
      yield* now;
    }
  } finally {
    reader.cancel().catch(() => {});
  }
}

/** Waits before another try, longer each time; ends at once when the network comes back or `signal` aborts. */
export function pause(attempt: number, signal: AbortSignal, leastSeconds = 0): Promise<void> {
  const usual = PAUSES[Math.min(attempt, PAUSES.length - 1)] ?? 0;
  const wait = Math.max(leastSeconds * 1000, usual * (0.75 + Math.random() / 2));
  return new Promise((resolve) => {
    const end = () => {
      clearTimeout(timer);
      removeEventListener("online", end);
      signal.removeEventListener("abort", end);
      resolve();
    };
    const timer = setTimeout(end, wait);
    addEventListener("online", end);
    signal.addEventListener("abort", end);
    if (signal.aborted) end();
  });
}

function lasting(error: unknown): error is Problem {
  return error instanceof Problem && !error.passing;
}

/**
 * Posts a message and answers with the run's id and its open stream. The same `client_id` makes trying again safe, so a
 * broken connection is tried `tries` times. Throws Problem, Unreachable or NoToken.
 */
export async function say(
  client: Client,
  sessionId: string,
  body: { text: string; client_id: string; edit_of?: string },
  signal: AbortSignal,
  tries = 4,
): Promise<{ runId: string; response: Response }> {
  for (let attempt = 0; ; attempt += 1) {
    try {
      const path = `/v1/sessions/${sessionId}/messages`;
      const response = await client.send("POST", path, { body, accept: "text/event-stream", signal });
      return { runId: response.headers.get("Penny-Run-Id") ?? "", response };
    } catch (error) {
      if (signal.aborted || lasting(error) || attempt + 1 >= tries) throw error;
      await pause(attempt, signal, error instanceof Problem ? error.retryAfter : 0);
      if (signal.aborted) throw error;
    }
  }
}

export interface Following {
  response?: Response | null;
  after?: number;
  signal: AbortSignal;
  onConnection?: (up: boolean) => void;
}

/**
 * The events at `path` after `after`, starting on `response` when there is one, each once and in order. A broken or
 * silent stream is continued after the last event seen; `onConnection` tells. It ends after a terminal event of a run,
 * or when `signal` aborts. Throws Problem when the server refuses for good (410: past retention).
 */
export async function* follow(client: Client, path: string, options: Following): AsyncGenerator<WireEvent> {
  const { signal, onConnection = () => {} } = options;
  let last = options.after ?? 0;
  let failures = 0;
  for (let stream = options.response ?? null; !signal.aborted; stream = null) {
    let least = 0;
    try {
      stream ??= await client.send("GET", `${path}?after=${last}`, { accept: "text/event-stream", signal });
      onConnection(true);
      for await (const frame of frames(stream.body as ReadableStream<Uint8Array>)) {
        const seq = Number(frame.id);
        if (!(seq > last)) continue;
        last = seq;
        failures = 0;
        yield { seq, type: frame.event ?? "message", data: JSON.parse(frame.data) };
        if (TERMINAL.has(frame.event ?? "")) return;
      }
    } catch (error) {
      if (signal.aborted) return;
      if (lasting(error)) throw error;
      least = error instanceof Problem ? error.retryAfter : 0;
    }
    if (signal.aborted) return;
    onConnection(false);
    await pause(failures, signal, least);
    failures += 1;
  }
}

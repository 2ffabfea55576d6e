/** One run as a stream of events that outlives its connections: each is seen once, in order, to the terminal one. */

import { Problem } from "./api.js";
import { frames } from "./sse.js";

const SILENCE = 45_000; // the server pings every 15 s
const PAUSES = [200, 500, 1_000, 2_000, 4_000, 8_000];
const TERMINAL = new Set(["run.finished", "run.failed", "run.cancelled"]);

function pause(attempt, signal, least = 0) {
  const wait = Math.max(least * 1000, PAUSES[Math.min(attempt, PAUSES.length - 1)] * (0.75 + Math.random() / 2));
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

function lasting(error) {
  return error instanceof Problem && !error.passing;
}

/**
 * Posts a message and answers `{runId, response}` with the open stream. The same `clientId` makes trying again safe,
 * so a broken connection is tried `tries` times. Throws Problem or Unreachable.
 */
export async function post(api, sessionId, text, clientId, signal, tries = 4) {
  for (let attempt = 0; ; attempt += 1) {
    try {
      const response = await api.send("POST", `/v1/sessions/${sessionId}/messages`, {
        body: { text, client_id: clientId }, accept: "text/event-stream", signal,
      });
      return { runId: response.headers.get("Penny-Run-Id"), response };
    } catch (error) {
      if (signal.aborted || lasting(error) || attempt + 1 >= tries) throw error;
      await pause(attempt, signal, error.retryAfter);
      if (signal.aborted) throw error;
    }
  }
}

/**
 * The events `{seq, type, data}` of a run after `after`, starting on `response` when there is one. A broken or silent
 * stream is continued after the last event seen; `onConnection(up)` tells. Ends early when `signal` aborts. Throws
 * Problem when the server refuses for good (410: past retention).
 */
export async function* follow(api, runId, { response = null, after = 0, signal, onConnection = () => {} }) {
  let last = after;
  let failures = 0;
  for (let stream = response; !signal.aborted; stream = null) {
    let least = 0;
    try {
      stream ??= await api.send("GET", `/v1/runs/${runId}/events?after=${last}`, { accept: "text/event-stream", signal });
      for await (const frame of frames(stream.body, SILENCE)) {
        const seq = Number(frame.id);
        if (!(seq > last)) continue;
        last = seq;
        failures = 0;
        onConnection(true);
        yield { seq, type: frame.event, data: JSON.parse(frame.data) };
        if (TERMINAL.has(frame.event)) return;
      }
    } catch (error) {
      if (signal.aborted) return;
      if (lasting(error)) throw error;
      least = error.retryAfter ?? 0;
    }
    onConnection(false);
    await pause(failures, signal, least);
    failures += 1;
  }
}

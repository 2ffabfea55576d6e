import assert from "node:assert/strict";
import { test } from "node:test";
import { frames } from "../src/api/stream.js";
import { Reply } from "../src/state/reply.js";

function body(chunks: Uint8Array[], close = true): ReadableStream<Uint8Array> {
  return new ReadableStream({
    start(controller) {
      for (const chunk of chunks) controller.enqueue(chunk);
      if (close) controller.close();
    },
  });
}

test("frames survive a cut at every byte, with each line ending", async () => {
  for (const end of ["\n", "\r\n"]) {
    const lines = [": ping", "", "id: 1", "event: text.delta", 'data: {"text":"ü😀"}', "", "id: 2", "data: x", "", ""];
    const bytes = new TextEncoder().encode(lines.join(end));
    for (let cut = 1; cut < bytes.length; cut += 1) {
      const found = [];
      for await (const frame of frames(body([bytes.slice(0, cut), bytes.slice(cut)]))) found.push(frame);
      assert.deepEqual(
        found.map(({ id, event, data }) => [id, event, data]),
        [
          ["1", "text.delta", '{"text":"ü😀"}'],
          ["2", undefined, "x"],
        ],
        `${JSON.stringify(end)} cut at ${cut}`,
      );
    }
  }
});

test("a silent stream is given up", async () => {
  await assert.rejects(async () => {
    for await (const _ of frames(body([], false), 20)) assert.fail();
  }, /silent/);
});

test("a reply takes back text by code points, and the last event has the last word", () => {
  const reply = new Reply("?");
  reply.apply({ type: "text.delta", data: { text: "😀 about 9" } });
  reply.apply({ type: "text.retracted", data: { keep: 8 } });
  assert.equal(reply.text, "😀 about ");
  reply.apply({ type: "something.new", data: {} });
  reply.apply({ type: "run.finished", data: { text: "final", message_id: "m" } });
  assert.deepEqual([reply.text, reply.state, reply.id], ["final", "done", "m"]);
});

test("a tool that was under way when the run ended did not succeed", () => {
  const reply = new Reply("?");
  reply.apply({ type: "tool.started", data: { call_id: "c", name: "get_spending", label: "" } });
  assert.equal(reply.steps[0]?.label, "Get spending");
  reply.apply({ type: "run.cancelled", data: {} });
  assert.deepEqual([reply.steps[0]?.state, reply.state], ["missed", "stopped"]);
});

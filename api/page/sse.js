/** Server-sent events out of a fetch body: frames survive any cut of the bytes into chunks (WHATWG HTML, 9.2.6). */

/** Collects text into frames `{id, event, data}`; comments and unknown fields are dropped. */
export class FrameParser {
  #rest = "";
  #skipLineFeed = false;
  #event = "";
  #data = [];
  #id = "";

  /** The frames that `text` completes. */
  push(text) {
    if (text === "") return [];
    const frames = [];
    const fresh = this.#skipLineFeed && text[0] === "\n" ? text.slice(1) : text;
    this.#skipLineFeed = text.endsWith("\r"); // the LF of this CR LF may stand in the next chunk
    const lines = (this.#rest + fresh).split(/\r\n|\n|\r/);
    this.#rest = lines.pop();
    for (const line of lines) {
      const frame = this.#line(line);
      if (frame) frames.push(frame);
    }
    return frames;
  }

  #line(line) {
    if (line === "") return this.#dispatch();
    const colon = line.indexOf(":");
    if (colon === 0) return null;
    const field = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? "" : line.slice(colon + 1).replace(/^ /, "");
    if (field === "data") this.#data.push(value);
    else if (field === "event") this.#event = value;
    else if (field === "id" && !value.includes("\0")) this.#id = value;
    return null;
  }

  #dispatch() {
    const frame = this.#data.length ? { id: this.#id, event: this.#event || "message", data: this.#data.join("\n") } : null;
    this.#event = "";
    this.#data = [];
    return frame;
  }
}

function within(promise, milliseconds) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error("The stream has gone silent.")), milliseconds);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

/** The frames of a response body. Throws when no byte (pings count) comes for `silence` milliseconds. */
export async function* frames(body, silence) {
  const reader = body.getReader();
  const decoder = new TextDecoder();
  const parser = new FrameParser();
  try {
    for (;;) {
      const { done, value } = await within(reader.read(), silence);
      if (done) return;
      yield* parser.push(decoder.decode(value, { stream: true }));
    }
  } finally {
    reader.cancel().catch(() => {});
  }
}

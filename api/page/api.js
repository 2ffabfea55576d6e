/** Penny's HTTP interface as the page uses it: a development token, JSON, and problems as errors. */

/** An answer outside 2xx: `body` is the problem+json, `message` its sentence for people. */
export class Problem extends Error {
  constructor(status, body, retryAfter) {
    super(body.detail || body.message || body.title || `The server answered ${status}.`);
    this.status = status;
    this.code = body.code ?? "";
    this.body = body;
    this.retryAfter = retryAfter;
  }

  /** Whether the same request may succeed later. */
  get passing() {
    return this.status === 429 || this.status >= 500;
  }
}

/** The server could not be reached at all. */
export class Unreachable extends Error {
  constructor() {
    super("Penny cannot be reached. Is the server running?");
  }
}

async function request(path, init) {
  let response;
  try {
    response = await fetch(path, { ...init, cache: "no-store", credentials: "omit", redirect: "error" });
  } catch (error) {
    if (init.signal?.aborted) throw error;
    throw new Unreachable();
  }
  if (response.ok) return response;
  const body = await response.json().catch(() => ({}));
  throw new Problem(response.status, body, Number(response.headers.get("Retry-After")) || 0);
}

export class Api {
  #token = null;

  /** Sends a request with the token, fetching a new one once when it has expired. Throws Problem or Unreachable. */
  async send(method, path, { body, accept = "application/json", signal } = {}) {
    for (let fresh = false; ; fresh = true) {
      if (this.#token === null) {
        this.#token = (await (await request("/dev/token", { signal })).json()).token;
        fresh = true;
      }
      const headers = { Authorization: `Bearer ${this.#token}`, Accept: accept };
      if (body !== undefined) headers["Content-Type"] = "application/json";
      try {
        return await request(path, { method, headers, signal, body: body === undefined ? undefined : JSON.stringify(body) });
      } catch (error) {
        if (fresh || !(error instanceof Problem) || error.status !== 401) throw error;
        this.#token = null;
      }
    }
  }

  async get(path, options) {
    return (await this.send("GET", path, options)).json();
  }

  async post(path, body = {}) {
    const response = await this.send("POST", path, { body });
    return response.headers.get("Content-Type")?.includes("json") ? response.json() : {};
  }
}

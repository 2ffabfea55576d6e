/** Penny's HTTP interface: a bearer token from the host page, JSON, and problems as errors. */

/** An answer outside 2xx: `body` is the problem+json, `message` its sentence for people. */
export class Problem extends Error {
  readonly code: string;

  constructor(
    readonly status: number,
    readonly body: Record<string, unknown>,
    readonly retryAfter = 0,
  ) {
    super(text(body.detail) || text(body.message) || text(body.title) || `HTTP ${status}`);
    this.code = text(body.code);
  }

  /** Whether the same request may succeed later. */
  get passing(): boolean {
    return this.status === 429 || this.status >= 500;
  }
}

/** The service could not be reached at all. */
export class Unreachable extends Error {}

/** The host page gave no token. */
export class NoToken extends Error {}

function text(value: unknown): string {
  return typeof value === "string" ? value : "";
}

export type GetToken = () => string | Promise<string>;

export interface Request {
  body?: unknown;
  form?: FormData;
  accept?: string;
  signal?: AbortSignal;
}

async function request(url: string, init: RequestInit): Promise<Response> {
  let response: Response;
  try {
    response = await fetch(url, { ...init, cache: "no-store", credentials: "omit", redirect: "error" });
  } catch (error) {
    if (init.signal?.aborted) throw error;
    throw new Unreachable();
  }
  if (response.ok) return response;
  const body = await response.json().catch(() => ({}));
  throw new Problem(response.status, body ?? {}, Number(response.headers.get("Retry-After")) || 0);
}

/** A GetToken for `token-url`: a GET with the host page's own cookies, which answers `{token}`. */
export function tokenFrom(url: string): GetToken {
  return async () => {
    const response = await fetch(url, { credentials: "same-origin", cache: "no-store" }).catch(() => null);
    const body = await response?.json().catch(() => null);
    if (!response?.ok || typeof body?.token !== "string") throw new NoToken();
    return body.token;
  };
}

export class Client {
  #token: string | null = null;

  constructor(
    readonly base: string,
    private readonly getToken: GetToken,
  ) {}

  /** Sends a request with the token, asking for a new one once when it is refused. Throws Problem, Unreachable, NoToken. */
  async send(method: string, path: string, { body, form, accept, signal }: Request = {}): Promise<Response> {
    for (let fresh = false; ; fresh = true) {
      if (this.#token === null) {
        this.#token = await this.#ask();
        fresh = true;
      }
      const headers: Record<string, string> = {
        Authorization: `Bearer ${this.#token}`,
        Accept: accept ?? "application/json",
      };
      if (body !== undefined) headers["Content-Type"] = "application/json";
      const payload = form ?? (body === undefined ? undefined : JSON.stringify(body));
      try {
        return await request(this.base + path, { method, headers, signal: signal ?? null, body: payload ?? null });
      } catch (error) {
        if (fresh || !(error instanceof Problem) || error.status !== 401) throw error;
        this.#token = null;
      }
    }
  }

  async #ask(): Promise<string> {
    try {
      const token = await this.getToken();
      if (typeof token === "string" && token) return token;
    } catch (error) {
      if (error instanceof NoToken) throw error;
    }
    throw new NoToken();
  }

  async get<T>(path: string, options?: Request): Promise<T> {
    return (await this.send("GET", path, options)).json();
  }

  async post<T>(path: string, body: unknown = {}, options?: Request): Promise<T> {
    return json(await this.send("POST", path, { ...options, body }));
  }

  async patch<T>(path: string, body: unknown): Promise<T> {
    return json(await this.send("PATCH", path, { body }));
  }

  async delete(path: string): Promise<void> {
    await this.send("DELETE", path);
  }

  async upload<T>(path: string, form: FormData): Promise<T> {
    return json(await this.send("POST", path, { form }));
  }
}

async function json<T>(response: Response): Promise<T> {
  return response.headers.get("Content-Type")?.includes("json") ? response.json() : ({} as T);
}

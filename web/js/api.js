/** Calls the services. Every failure is a `Problem`, with a title and a sentence to show. */

import { readEvents } from "./sse.js";

/** The service sends a heartbeat every 15 seconds; a stream that is silent for longer than this is dead. */
const SILENCE_MS = 45_000;

/** A failure: a problem document (RFC 9457), or a service that doesn't answer. */
export class Problem extends Error {
  constructor({ title, detail = "", status = 0, requestId = null, retryAfterS = null }) {
    super(detail || title);
    this.title = title;
    this.detail = detail;
    this.status = status;
    this.requestId = requestId;
    this.retryAfterS = retryAfterS;
  }
}

const UNREACHABLE = {
  title: "The service doesn’t answer",
  detail: "The network is down, or the service is. Nothing was lost; try again.",
};
const CUT_OFF = {
  title: "The answer was cut off",
  detail: "The connection ended before the answer was complete. Don’t rely on what is shown.",
};
const SILENT = { title: "The service fell silent", detail: "Nothing arrived for 45 seconds, so the page stopped waiting." };
const TITLES = {
  401: "Sign in again",
  403: "You may not do this",
  413: "The question is too long",
  429: "Too many requests",
  503: "The service is busy",
};

async function problemOf(response) {
  let document = {};
  try {
    document = (await response.json()) ?? {};
  } catch {
    // Not every proxy on the way sends a problem document.
  }
  const said = (value) => (typeof value === "string" ? value : "");
  const seconds = Number.parseInt(response.headers.get("Retry-After") ?? "", 10);
  return new Problem({
    title: TITLES[response.status] ?? (said(document.title) || `The service answered ${response.status}`),
    detail: said(document.detail) || said(document.error), // the local issuer sends no problem documents
    status: response.status,
    requestId: response.headers.get("X-Request-Id"),
    retryAfterS: Number.isFinite(seconds) ? seconds : null,
  });
}

/** `fetch` whose failures are problems. An abort by the caller stays an AbortError. */
async function send(url, options) {
  let response;
  try {
    response = await fetch(url, { cache: "no-store", credentials: "omit", redirect: "error", ...options });
  } catch (error) {
    if (error instanceof DOMException && error.name === "AbortError") throw error;
    throw new Problem(UNREACHABLE);
  }
  if (!response.ok) throw await problemOf(response);
  return response;
}

const json = (body, headers = {}) => ({
  method: "POST",
  headers: { "Content-Type": "application/json", ...headers },
  body: JSON.stringify(body),
});

/** The RAG service, under the token that `token()` returns. */
export class Api {
  constructor(base, token) {
    this.base = base.replace(/\/$/, "");
    this.token = token;
  }

  /** Yields the events of an answer: {type: "sources" | "sentence" | "refusal" | "usage" | "done", …}. */
  async *ask({ question, ticketId }, signal) {
    const silence = new AbortController();
    const watch = { timer: 0 };
    const heard = () => {
      clearTimeout(watch.timer);
      watch.timer = setTimeout(() => silence.abort(), SILENCE_MS);
    };
    heard();
    try {
      const body = ticketId ? { question, ticket_id: ticketId } : { question };
      const response = await send(`${this.base}/api/v1/answers`, {
        ...json(body, { ...this.#who(), Accept: "text/event-stream" }),
        signal: AbortSignal.any([signal, silence.signal]),
      });
      const heartbeat = new TransformStream({
        transform(chunk, out) {
          heard();
          out.enqueue(chunk);
        },
      });
      let complete = false;
      for await (const { event, data } of readEvents(response.body.pipeThrough(heartbeat))) {
        yield { ...JSON.parse(data), type: event };
        complete ||= event === "done";
      }
      if (!complete) throw new Problem(CUT_OFF);
    } catch (error) {
      if (error instanceof Problem || signal.aborted) throw error;
      throw new Problem(silence.signal.aborted ? SILENT : CUT_OFF);
    } finally {
      clearTimeout(watch.timer);
    }
  }

  /** Sends a verdict on an answer. */
  async feedback(answerId, verdict) {
    await send(`${this.base}/api/v1/answers/${encodeURIComponent(answerId)}/feedback`, json(verdict, this.#who()));
  }

  /** Ends the sign-in of a token in every service. */
  async signOut(token) {
    try {
      // It is sent even if the page is left meanwhile.
      await send(`${this.base}/api/v1/session`, { method: "DELETE", keepalive: true, headers: { Authorization: `Bearer ${token}` } });
    } catch (error) {
      if (error.status !== 401) throw error; // it had ended before
    }
  }

  #who() {
    return { Authorization: `Bearer ${this.token()}` };
  }
}

/** A token from the local issuer, for the code that it printed. */
export async function requestToken(url, { code, tenant, user, role }) {
  const body = { tenant_id: tenant, user_id: user, roles: [role] };
  const response = await send(url, json(body, { Authorization: `Bearer ${code}` }));
  return (await response.json()).access_token;
}

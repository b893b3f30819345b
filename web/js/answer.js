/** Shows an answer while it arrives. */

import { Problem } from "./api.js";
import { byId, el, note } from "./dom.js";
import { feedbackForm } from "./feedback.js";
import { counted, duration } from "./text.js";

const REFUSALS = {
  nothing_found: "No solved ticket is about this",
  unsupported: "The tickets don’t support an answer",
  not_relevant: "The closest ticket doesn’t answer this",
  no_model: "No answer could be written",
};

export class Answer {
  #sentences = [];
  #usage = null;
  #began = 0;

  /** `api` sends feedback, `sources` shows what sentences cite, `again` asks the last question again. */
  constructor({ api, sources, again }) {
    this.api = api;
    this.sources = sources;
    this.again = again;
    this.view = byId("result");
    this.title = byId("asked");
    this.state = byId("state");
    this.notices = byId("notices");
    this.prose = byId("prose");
    this.after = byId("after");
  }

  /** A question was asked. */
  begin(question) {
    this.#sentences = [];
    this.#usage = null;
    this.#began = performance.now();
    this.title.textContent = question;
    this.notices.replaceChildren();
    this.prose.replaceChildren();
    const waiting = el("div", { class: "waiting", "aria-hidden": "true" }, el("span"), el("span"), el("span"));
    this.after.replaceChildren(waiting);
    this.sources.clear();
    this.view.hidden = false;
    this.#say("Looking for solved tickets…", true);
  }

  /** The next event of the answer. */
  take(event) {
    switch (event.type) {
      case "sources":
        this.sources.show(event.sources);
        if (event.sources.length > 0) this.#say(`Reading ${counted(event.sources.length, "passage")}…`, true);
        break;
      case "sentence":
        this.after.replaceChildren();
        this.#sentence(event);
        break;
      case "refusal":
        this.after.replaceChildren();
        this.notices.append(note("warn", REFUSALS[event.reason] ?? "There is no answer", event.text));
        this.sources.showNearest(event.nearest ?? []);
        break;
      case "usage":
        this.#usage = event;
        if (event.degraded) this.notices.append(note("warn", "The usual model didn’t write this", event.degraded));
        break;
      case "done":
        this.#done(event);
        break;
      default: // a later version of the service may send more
    }
  }

  /** The reader stopped the answer. */
  stopped() {
    this.after.replaceChildren();
    this.#say("Stopped. The answer is not complete.", false);
  }

  /** The answer failed. */
  failed(problem) {
    this.#say("", false);
    const wait = problem.retryAfterS === null ? "" : ` Try again in ${counted(problem.retryAfterS, "second")}.`;
    const retry = el("button", { type: "button", on: { click: () => this.again() } }, "Try again");
    const id = problem.requestId && el("p", { class: "hint" }, `Request ${problem.requestId}`);
    const shown = note("bad", problem.title, `${problem.detail}${wait}`.trim(), id, retry);
    shown.setAttribute("role", "alert");
    this.after.replaceChildren(shown);
  }

  #sentence({ text, citations }) {
    const cites = el("span", { class: "cites" }, ...citations.map((citation) => this.#cite(citation)).filter(Boolean));
    for (const citation of citations) this.sources.cite(citation);
    this.prose.append(el("p", { class: "sentence" }, text, cites));
    this.#sentences.push(text);
    this.#say("Writing…", true);
  }

  #cite(citation) {
    const title = this.sources.title(citation.source);
    if (title === null) return null; // the service checks its citations; a wrong one leads nowhere
    const click = (event) => this.sources.goTo(citation, event.currentTarget);
    const label = `Source ${citation.source}: ${title}`;
    return el("button", { type: "button", class: "cite", "aria-label": label, title, on: { click } }, String(citation.source));
  }

  #done({ answer_id: id, outcome }) {
    this.after.replaceChildren();
    if (outcome === "refused") {
      this.#say(this.sources.count > 0 ? "No answer. The nearest solved tickets are listed." : "No answer.", false);
      return;
    }
    this.#say(`Answered from ${counted(this.sources.cited, "source")}, every sentence checked.`, false);
    const text = this.#sentences.join(" ");
    this.after.append(this.#meta(text), feedbackForm({ text, send: (verdict) => this.api.feedback(id, verdict) }));
  }

  #meta(text) {
    const usage = this.#usage;
    const tokens = usage ? usage.input_tokens + usage.output_tokens : 0;
    const copy = el("button", { type: "button", class: "link", on: { click: (event) => void copied(event.currentTarget, text) } }, "Copy the answer");
    return el(
      "p",
      { class: "meta" },
      copy,
      usage && el("span", {}, `Written by ${usage.model}`),
      tokens > 0 && el("span", {}, counted(tokens, "token")),
      el("span", {}, duration(performance.now() - this.#began)),
    );
  }

  #say(text, busy) {
    this.state.textContent = text;
    this.state.classList.toggle("busy", busy);
  }
}

async function copied(button, text) {
  try {
    await navigator.clipboard.writeText(text);
    button.textContent = "Copied";
  } catch {
    button.textContent = "The browser doesn’t allow copying";
  }
}

/** Any error as a problem to show. */
export function asProblem(error) {
  if (error instanceof Problem) return error;
  console.error(error);
  return new Problem({ title: "The page made a mistake", detail: "Reload it and try again." });
}

/** The sources of an answer, with the spans that its sentences cite. */

import { ticketUrl } from "./config.js";
import { byId, el } from "./dom.js";
import { counted, cut, day, minute } from "./text.js";

export class Sources {
  #cards = [];

  constructor(config) {
    this.config = config;
    this.view = byId("sources");
    this.list = byId("source-list");
  }

  clear() {
    this.#cards = [];
    this.list.replaceChildren();
    this.view.hidden = true;
  }

  show(sources) {
    this.clear();
    this.#cards = sources.map((source, index) => new Card(source, index + 1, this.config));
    this.list.append(...this.#cards.map((card) => card.item));
    this.view.hidden = sources.length === 0;
    byId("sources-title").textContent = counted(sources.length, "source");
  }

  /** After a refusal: leaves only the sources of these numbers, under a heading that promises no answer. */
  showNearest(numbers) {
    this.show(numbers.map((number) => this.#cards[number - 1]?.source).filter(Boolean));
    byId("sources-title").textContent = this.count === 1 ? "Nearest ticket" : "Nearest tickets";
  }

  get count() {
    return this.#cards.length;
  }

  /** Numbers of the sources that were cited. */
  get cited() {
    return this.#cards.filter((card) => card.citations.length > 0).length;
  }

  /** The heading of source `number`, for the label of a button; null if there is no such source. */
  title(number) {
    const card = this.#cards[number - 1];
    return card ? `${card.source.subject || "no subject"}, ticket ${card.source.ticket_id}` : null;
  }

  cite(citation) {
    this.#cards[citation.source - 1]?.cite(citation);
  }

  /** Goes to what `citation` cites; `from` is the button to come back to. */
  goTo(citation, from) {
    for (const card of this.#cards) card.leave();
    this.#cards[citation.source - 1]?.enter(citation, from);
  }

  /** Goes to the whole source `number`. Returns whether there is one. */
  goToNumber(number) {
    const card = this.#cards[number - 1];
    if (card === undefined) return false;
    for (const other of this.#cards) other.leave();
    card.enter(card.citations[0] ?? null, null);
    return true;
  }

  /** Goes back to the sentence that the reader came from. Returns whether there is one. */
  goBack() {
    const card = this.#cards.find((each) => each.item.contains(document.activeElement));
    return card?.back() ?? false;
  }
}

class Card {
  constructor(source, number, config) {
    this.source = source;
    this.citations = [];
    this.now = null;
    this.from = null;
    this.folded = true; // until it is cited or asked for
    this.passage = el("p", { class: "passage" });
    this.number = number;
    this.unfold = el("button", { type: "button", class: "link", on: { click: () => this.#fold(!this.folded) } });
    this.backButton = el("button", { type: "button", class: "link", hidden: true, on: { click: () => this.back() } }, "Back to the sentence");
    const title = `source-${number}`;
    this.article = el(
      "article",
      { class: "source", "aria-labelledby": title, tabindex: "-1" },
      el("header", {}, el("span", { class: "number", "aria-hidden": "true" }, String(number)), el("h3", { id: title }, source.subject || "No subject"), this.unfold, this.#facts(config)),
      this.passage,
      this.backButton,
    );
    this.item = el("li", {}, this.article);
    this.#draw();
  }

  cite(citation) {
    this.citations.push(citation);
    this.article.classList.add("cited");
    this.folded = false;
    this.#draw();
  }

  enter(citation, from) {
    this.now = citation;
    this.from = from;
    this.folded = false;
    this.article.classList.add("now");
    from?.setAttribute("aria-current", "true");
    this.backButton.hidden = from === null;
    this.#draw();
    const target = this.passage.querySelector("mark.now") ?? this.article;
    target.focus({ preventScroll: true });
    target.scrollIntoView({ block: "nearest" });
  }

  leave() {
    if (!this.article.classList.contains("now")) return;
    this.article.classList.remove("now");
    this.from?.removeAttribute("aria-current");
    this.backButton.hidden = true;
    this.now = this.from = null;
    this.#draw();
  }

  back() {
    const from = this.from;
    if (from === null) return false;
    this.leave();
    from.focus({ preventScroll: true });
    from.scrollIntoView({ block: "nearest" });
    return true;
  }

  #facts(config) {
    const { ticket_id: ticket, message, message_at: at, resolution, reasons } = this.source;
    const url = ticketUrl(config, ticket);
    return el(
      "p",
      { class: "facts" },
      url ? el("a", { href: url, target: "_blank", rel: "noopener noreferrer" }, ticket) : el("span", {}, ticket),
      el("span", {}, message >= 0 ? `message ${message + 1}` : "ticket text"),
      typeof at === "number" && el("time", { datetime: new Date(at).toISOString(), title: minute(at) }, day(at)),
      resolution && el("span", { class: "tag good" }, "solved it"),
      ...(reasons ?? []).map((reason) => el("span", {}, reason)),
    );
  }

  #fold(folded) {
    this.folded = folded;
    this.#draw();
  }

  #draw() {
    const spans = this.now === null ? this.citations : [...this.citations, this.now];
    const last = spans.length - 1;
    const pieces = cut(this.source.text, spans).map(({ text, spans: covering }) => {
      const now = this.now !== null && covering.includes(last);
      if (now) return el("mark", { class: "now", tabindex: "-1" }, text);
      return covering.length > 0 ? el("mark", {}, text) : text;
    });
    this.passage.replaceChildren(...pieces);
    this.passage.hidden = this.folded;
    this.article.classList.toggle("folded", this.folded);
    const verb = this.folded ? "Show" : "Hide";
    this.unfold.textContent = verb;
    this.unfold.setAttribute("aria-label", `${verb} the passage of source ${this.number}`);
    this.unfold.setAttribute("aria-expanded", String(!this.folded));
  }
}

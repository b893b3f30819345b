/** The form for a question. */

import { byId, el, isComposing } from "./dom.js";

export class Ask {
  /** `ask({question, ticketId})` and `stop()` are called for the reader. */
  constructor({ ask, stop, examples }) {
    this.form = byId("ask");
    this.question = byId("question");
    this.about = byId("about");
    this.form.addEventListener("submit", (event) => {
      event.preventDefault();
      const question = this.question.value.trim();
      if (question) ask({ question, ticketId: this.about.value.trim() });
      else this.question.focus();
    });
    this.question.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" || event.shiftKey || isComposing(event)) return;
      event.preventDefault();
      this.form.requestSubmit();
    });
    byId("stop-button").addEventListener("click", stop);
    this.#offer(examples);
  }

  /** While an answer arrives it can be stopped, and no other question asked. */
  set busy(busy) {
    const had = document.activeElement;
    byId("ask-button").hidden = busy;
    byId("stop-button").hidden = !busy;
    this.form.setAttribute("aria-busy", String(busy));
    if (had === byId("ask-button") && busy) byId("stop-button").focus();
    if (had === byId("stop-button") && !busy) byId("ask-button").focus();
  }

  focus() {
    this.question.focus();
    this.question.select();
  }

  #offer(examples) {
    byId("examples").hidden = examples.length === 0;
    const buttons = examples.map((text) => {
      const click = () => {
        this.question.value = text;
        this.form.requestSubmit();
      };
      return el("li", {}, el("button", { type: "button", on: { click } }, text));
    });
    byId("example-list").replaceChildren(...buttons);
  }
}

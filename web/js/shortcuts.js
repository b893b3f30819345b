/** Keys of the page. Single keys can be turned off, because dictation types them (WCAG 2.1.4). */

import { byId, isComposing } from "./dom.js";

const KEY = "ticketstream.single-keys";

export class Shortcuts {
  constructor({ focusQuestion, goToSource, goBack, stop }) {
    this.help = byId("help");
    this.single = byId("single-keys");
    this.single.checked = this.#kept() !== "off";
    this.single.addEventListener("change", () => this.#keep(this.single.checked ? "on" : "off"));
    byId("help-open").addEventListener("click", () => this.help.showModal());
    document.addEventListener("keydown", (event) => {
      if (event.ctrlKey || event.metaKey || event.altKey || isComposing(event) || this.help.open) return;
      if (byId("console").hidden) return;
      if (event.key === "Escape") {
        if (!goBack()) stop();
        return;
      }
      if (!this.single.checked || isTyping(event.target)) return;
      if (event.key === "/") focusQuestion();
      else if (event.key === "?") this.help.showModal();
      else if (/^[1-9]$/.test(event.key)) {
        if (!goToSource(Number(event.key))) return;
      } else return;
      event.preventDefault();
    });
  }

  #kept() {
    try {
      return localStorage.getItem(KEY);
    } catch {
      return null;
    }
  }

  #keep(value) {
    try {
      localStorage.setItem(KEY, value);
    } catch {
      // Storage is blocked: the choice lasts until the page is left.
    }
  }
}

function isTyping(target) {
  return target instanceof HTMLElement && (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName));
}

/** Starts the page and connects its parts. */

import { Answer, asProblem } from "./answer.js";
import { Api } from "./api.js";
import { Ask } from "./ask.js";
import { loadConfig } from "./config.js";
import { byId, note } from "./dom.js";
import { Session } from "./session.js";
import { Shortcuts } from "./shortcuts.js";
import { SignIn } from "./signin.js";
import { Sources } from "./sources.js";

/** One question at a time: asks it, feeds the answer, and can be stopped. */
class Conversation {
  #running = null;
  #last = null;

  constructor({ api, session, sources, onBusy }) {
    this.api = api;
    this.session = session;
    this.onBusy = onBusy;
    this.answer = new Answer({ api, sources, again: () => void this.ask(this.#last) });
  }

  async ask(asked) {
    this.stop();
    const running = new AbortController();
    this.#running = running;
    this.#last = asked;
    byId("empty").hidden = true;
    this.answer.begin(asked.question);
    this.onBusy(true);
    try {
      for await (const event of this.api.ask(asked, running.signal)) {
        if (this.#running !== running) return;
        this.answer.take(event);
      }
    } catch (error) {
      if (this.#running === running) this.#fail(error, running.signal);
    } finally {
      if (this.#running === running) {
        this.#running = null;
        this.onBusy(false);
      }
    }
  }

  stop() {
    this.#running?.abort();
  }

  /** Forgets the question and its answer. */
  clear() {
    this.#running?.abort();
    this.#running = this.#last = null;
    this.answer.view.hidden = true;
    this.answer.begin("");
    this.answer.view.hidden = true;
    byId("empty").hidden = false;
    this.onBusy(false);
  }

  #fail(error, signal) {
    if (signal.aborted) this.answer.stopped();
    else if (error.status === 401) this.session.signOut("Your sign-in is no longer valid. Sign in again.");
    else this.answer.failed(asProblem(error));
  }
}

async function start() {
  const config = await loadConfig();
  const session = new Session();
  const sources = new Sources(config);
  const api = new Api(config.api, () => session.token);
  const signIn = new SignIn(session, config);
  const conversation = new Conversation({ api, session, sources, onBusy: (busy) => (ask.busy = busy) });
  const ask = new Ask({
    ask: (asked) => void conversation.ask(asked),
    stop: () => conversation.stop(),
    examples: config.examples,
  });
  new Shortcuts({
    focusQuestion: () => ask.focus(),
    goToSource: (number) => sources.goToNumber(number),
    goBack: () => sources.goBack(),
    stop: () => conversation.stop(),
  });
  const show = (reason) => {
    const inside = session.token !== null;
    byId("console").hidden = byId("who").hidden = !inside;
    byId("who-user").textContent = session.user;
    byId("who-tenant").textContent = session.tenant;
    if (inside) {
      signIn.hide();
      ask.focus();
    } else {
      conversation.clear();
      ask.question.value = ask.about.value = ""; // the next person at this screen may be another
      signIn.show(reason);
    }
  };
  const leave = async () => {
    const token = session.token;
    session.signOut();
    try {
      await api.signOut(token);
    } catch {
      if (session.token === null) signIn.show("You are signed out of this page, but the service doesn’t answer: your sign-in ends when it expires.");
    }
  };
  byId("sign-out").addEventListener("click", () => void leave());
  session.addEventListener("change", (event) => show(event.detail.reason));
  session.restore();
  show(null);
}

start().catch((error) => {
  console.error(error);
  byId("main").append(note("bad", "The page could not start", "config.json is missing or can’t be read. Reload the page."));
});

/** The sign-in: a code of the local issuer, or a token from elsewhere. */

import { Problem, requestToken } from "./api.js";
import { byId } from "./dom.js";

/** Shows the view when nobody is signed in. */
export class SignIn {
  constructor(session, config) {
    this.session = session;
    this.view = byId("sign-in");
    this.error = byId("sign-in-error");
    const code = byId("code-form");
    const token = byId("token-form");
    code.hidden = config.token_url === null;
    byId("paste").open = config.token_url === null;
    if (config.tenant) byId("tenant").value = config.tenant;
    code.addEventListener("submit", (event) => {
      event.preventDefault();
      void this.#byCode(config.token_url, new FormData(code), code.querySelector("button"));
    });
    token.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#use(String(new FormData(token).get("token")).trim());
    });
  }

  show(reason) {
    this.view.hidden = false;
    this.#say(reason);
    const first = [...this.view.querySelectorAll("input")].find((input) => input.offsetParent !== null && !input.value);
    first?.focus();
  }

  hide() {
    this.view.hidden = true;
    for (const name of ["code", "token"]) byId(name).value = "";
    this.#say(null);
  }

  async #byCode(url, form, button) {
    const given = (name) => String(form.get(name)).trim();
    button.disabled = true;
    try {
      this.#use(await requestToken(url, { code: given("code"), tenant: given("tenant"), user: given("user"), role: given("role") }));
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      const wrong = error.status === 401 || error.status === 403;
      this.#say(wrong ? "The sign-in code is wrong. Look at where the services were started." : `${error.title}. ${error.detail}`);
      byId("code").focus();
    } finally {
      button.disabled = false;
    }
  }

  #use(token) {
    if (!this.session.signIn(token)) this.#say("This is not a valid access token, or it has expired.");
  }

  #say(text) {
    this.error.hidden = !text;
    this.error.textContent = text ?? "";
  }
}

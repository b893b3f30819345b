/** The session of the signed-in user. The token is in this tab only: in sessionStorage, or in memory where that is blocked. */

const KEY = "ticketstream.token";
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** The claims of a token, for display. Only the services verify it. Null if it isn't a token. */
export function claimsOf(token) {
  try {
    const part = token.split(".")[1].replaceAll("-", "+").replaceAll("_", "/");
    const bytes = Uint8Array.from(atob(part), (character) => character.charCodeAt(0));
    const claims = JSON.parse(new TextDecoder().decode(bytes));
    return claims !== null && typeof claims === "object" ? claims : null;
  } catch {
    return null;
  }
}

/** Fires "change" when someone signs in or out; `detail.reason` is a sentence, or null. */
export class Session extends EventTarget {
  #token = null;
  #timer = 0;

  /** Restores the token of this tab. */
  restore() {
    try {
      const kept = sessionStorage.getItem(KEY);
      if (kept !== null) this.#keep(kept);
    } catch {
      // Storage is blocked: the token lasts until the page is left.
    }
  }

  get token() {
    return this.#token;
  }

  get tenant() {
    return this.#claim("custom:tenant_id") ?? "";
  }

  get user() {
    return this.#claim("username") ?? this.#claim("cognito:username") ?? this.#claim("sub") ?? "";
  }

  /** Returns false, and changes nothing, if `token` isn't a token or has expired. */
  signIn(token) {
    const claims = claimsOf(token);
    if (claims === null || (typeof claims.exp === "number" && claims.exp * 1000 <= Date.now())) return false;
    this.#keep(token);
    try {
      sessionStorage.setItem(KEY, token);
    } catch {
      // As above.
    }
    this.#changed(null);
    return true;
  }

  signOut(reason = null) {
    this.#token = null;
    clearTimeout(this.#timer);
    try {
      sessionStorage.removeItem(KEY);
    } catch {
      // As above.
    }
    this.#changed(reason);
  }

  #keep(token) {
    this.#token = token;
    clearTimeout(this.#timer);
    const expires = claimsOf(token)?.exp;
    if (typeof expires === "number") {
      const left = Math.max(0, Math.min(expires * 1000 - Date.now(), LONGEST_TIMER_MS));
      this.#timer = setTimeout(() => this.signOut("Your sign-in has expired."), left);
    }
  }

  #claim(name) {
    const value = this.#token === null ? undefined : claimsOf(this.#token)?.[name];
    return typeof value === "string" ? value : undefined;
  }

  #changed(reason) {
    this.dispatchEvent(new CustomEvent("change", { detail: { reason } }));
  }
}

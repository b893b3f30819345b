/** Builds elements. Text reaches the page as text nodes only, so nothing that a customer wrote is ever markup. */

/** The element of an id that index.html has. */
export function byId(id) {
  const found = document.getElementById(id);
  if (found === null) throw new Error(`index.html has no #${id}`);
  return found;
}

/**
 * A new element. `on` maps events to listeners, `true` is an attribute without a value, and `false`, `null` and
 * `undefined` leave an attribute or child out.
 */
export function el(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (key === "on") {
      for (const [event, listener] of Object.entries(value)) made.addEventListener(event, listener);
    } else if (value === true) {
      made.setAttribute(key, "");
    } else if (value !== false && value !== null && value !== undefined) {
      made.setAttribute(key, String(value));
    }
  }
  made.append(...children.filter((child) => child !== null && child !== undefined && child !== false));
  return made;
}

/** A coloured note. `kind` is "bad", "warn", "good" or "". */
export function note(kind, title, text, ...more) {
  return el("div", { class: `note ${kind}`.trim() }, title && el("strong", {}, title), text && el("p", {}, text), ...more);
}

/**
 * Whether a keydown belongs to an input method. Safari ends the composition before the Enter that confirms it, and marks
 * that key only by its code.
 */
export const isComposing = (event) => event.isComposing || event.keyCode === 229;

/** The feedback form of an answer: sent as it is, sent with edits, or discarded. */

import { Problem } from "./api.js";
import { el } from "./dom.js";

const REASONS = [
  ["wrong", "It is wrong"],
  ["not relevant", "It answers another question"],
  ["outdated", "It is out of date"],
  ["incomplete", "Something is missing"],
  ["other", "Something else"],
];

/** A form whose `send(verdict)` returns a promise. `text` is the answer without citations. */
export function feedbackForm({ text, send }) {
  const status = el("p", { role: "status", class: "hint" });
  const edited = el("textarea", { rows: "5", id: "edited", maxlength: "20000" });
  edited.value = text;
  const reason = el("select", { id: "reason" }, ...REASONS.map(([value, label]) => el("option", { value }, label)));
  const panels = {
    edited: el(
      "div",
      { class: "field", hidden: true },
      el("label", { for: "edited" }, "What you sent"),
      edited,
      el("div", {}, button("Save", () => deliver({ verdict: "edited", text: edited.value.trim() }, edited.value.trim() !== ""), "main")),
    ),
    discarded: el(
      "div",
      { class: "field", hidden: true },
      el("label", { for: "reason" }, "Why not?"),
      reason,
      el("div", {}, button("Save", () => deliver({ verdict: "discarded", reason: reason.value }), "main")),
    ),
  };
  const choices = {
    sent: button("Sent", () => deliver({ verdict: "sent" })),
    edited: button("Edited…", () => open("edited")),
    discarded: button("Discarded…", () => open("discarded")),
  };
  const form = el(
    "fieldset",
    { class: "feedback" },
    el("legend", {}, "What did you do with this answer?"),
    el("div", { class: "choices" }, ...Object.values(choices)),
    ...Object.values(panels),
    status,
  );
  choices.edited.setAttribute("aria-expanded", "false");
  choices.discarded.setAttribute("aria-expanded", "false");

  function open(name) {
    for (const [each, panel] of Object.entries(panels)) {
      panel.hidden = each !== name || !panel.hidden;
      choices[each].setAttribute("aria-expanded", String(!panel.hidden));
    }
    panels[name].querySelector("textarea, select")?.focus();
  }

  async function deliver(verdict, valid = true) {
    if (!valid) {
      status.textContent = "Write what you sent first.";
      return;
    }
    form.disabled = true;
    status.textContent = "Saving…";
    try {
      await send(verdict);
      form.replaceChildren(el("p", { role: "status", tabindex: "-1" }, "Thank you. Your verdict counts in the next searches."));
      form.disabled = false;
      form.querySelector("p").focus();
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      form.disabled = false;
      status.textContent = `It was not saved. ${error.title}. ${error.detail}`.trim();
    }
  }
  return form;
}

function button(label, click, kind = "") {
  return el("button", { type: "button", class: kind || false, on: { click: () => void click() } }, label);
}

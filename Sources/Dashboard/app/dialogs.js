// Dialogs: the token, the keys, and text to copy where the browser does not copy.

import { element } from "../dom/element.js";
import { settings } from "./settings.js";

const keys = [
  ["/", "search devices"], ["↑ ↓ or j k", "move in a table"], ["Enter", "open the row"], ["g f, g s, g i", "fleet, storage, ingest"],
  ["+ −", "on a device: zoom in and out"], ["← →", "on a device: earlier and later"], ["l", "on a device: live again"],
  ["Esc", "back to the fleet"],
];

/// Opens a dialog that is gone from the page when it closes.
export function openDialog(title, ...content) {
  const dialog = element("dialog", { "aria-label": title }, element("h2", {}, title), ...content);
  dialog.addEventListener("close", () => dialog.remove());
  dialog.addEventListener("click", (event) => {
    if (event.target === dialog) dialog.close();
  });
  document.body.append(dialog);
  dialog.showModal();
  return dialog;
}

export const closeButton = (name = "Close") =>
  element("button", { type: "button", onclick: (event) => event.target.closest("dialog").close() }, name);

export function showKeys() {
  if (document.querySelector("dialog[open]")) return;
  const rows = keys.flatMap(([key, meaning]) => [element("kbd", {}, key), element("span", {}, meaning)]);
  openDialog("Keys", element("div", { class: "keys" }, rows), element("div", { class: "actions" }, closeButton()));
}

/// - problem: why the gateway asks; null: a person does.
export function askForToken(problem = null) {
  if (document.querySelector("dialog[open]")) return;
  const input = element("input", {
    type: "password", id: "token-input", autocomplete: "off", spellcheck: "false", value: settings.token,
    "aria-describedby": "token-refusal",
  });
  // Who has not given a token yet needs not be told that it is missing.
  const reason = settings.token && problem ? problem.detail || problem.title : "";
  const refusal = element("p", { class: "bad-text clip", role: "alert", id: "token-refusal", hidden: !reason }, reason);
  const form = element("form", { method: "dialog" },
    element("label", { for: "token-input" }, "Bearer token"), input,
    element("div", { class: "actions" }, closeButton("Cancel"), element("button", { class: "main" }, "Use token")));
  form.addEventListener("submit", () => { settings.token = input.value.trim(); });
  const note = "Kept by this tab only, until it is closed. An empty one is forgotten.";
  openDialog("Token for the API", refusal, element("p", { class: "dim" }, note), form);
}

/// Copies; where the browser does not (a page without TLS that is not on localhost), shows what there is to copy.
export async function copyText(text, title) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    const area = element("textarea", { readonly: true, rows: 5, cols: 80, class: "mono", "aria-label": title });
    area.value = text;
    openDialog(title, area, element("div", { class: "actions" }, closeButton()));
    area.select();
    return false;
  }
}

// Sentences below the bar: what is wrong now. Each has a name, and goes when what it says is no longer so.

import { element } from "../dom/element.js";

const notices = new Map();

/// - problem: a Problem, or `{title, detail}`; null takes the notice away. - level: "bad" or "warn".
export function notice(name, problem, level = "bad") {
  const place = document.getElementById("notices");
  const text = problem ? `${problem.title ?? "Something failed"}\n${problem.detail ?? problem.message ?? ""}` : "";
  if (notices.get(name)?.text === text) return;
  notices.get(name)?.node.remove();
  notices.delete(name);
  if (!problem) return;
  const [title, detail] = text.split("\n", 2);
  const node = element("div", { class: `notice ${level}`, "data-notice": name }, element("strong", {}, title), element("span", {}, detail));
  notices.set(name, { node, text });
  place.append(node);
}

/// Shows why something failed, unless it was given up on purpose. The bar says already that nobody answers, or that a token is missing.
export function report(name, error) {
  if (error.name === "AbortError") return;
  if (error.isUnreachable || error.status === 401) return;
  notice(name, error.title ? error : { title: "The dashboard failed", detail: String(error.message ?? error) });
}

// Parts that more than one page is made of.

import { element } from "./element.js";

/// Not one that sends a form.
export const button = (attributes, ...children) => element("button", { type: "button", ...attributes }, ...children);

/// A box with a title. - note: dim, beside the title; null: none. - end: at the right; null: nothing.
export function panel(title, { note = null, end = null, ...attributes }, ...content) {
  return element("section", { class: "panel", "aria-label": title, ...attributes },
    element("div", { class: "panel-head" },
      element("h2", {}, title), note && element("span", { class: "dim" }, note), end && element("span", { class: "reading" }, end)),
    ...content);
}

/// Instead of figures that are no secret of one device, but no token for some devices may see.
export const notForThisToken = "Not for this token: it takes a token that may read everything.";

export const refusalPanel = (title) =>
  panel(title, { hidden: true, "data-refusal": "" }, element("p", { class: "dim" }, notForThisToken));

/// - heads: titles; one that begins with "#" is of numbers. - rows: lists of texts or nodes.
export function plainTable(heads, rows, attributes = {}) {
  const kinds = heads.map((head) => (head.startsWith("#") ? "number" : null));
  return element("table", { class: "plain", ...attributes },
    element("thead", {}, element("tr", {},
      heads.map((head, index) => element("th", { scope: "col", class: kinds[index] }, head.replace(/^#/, ""))))),
    element("tbody", {}, rows.map((row) => element("tr", {}, row.map((cell, index) => element("td", { class: kinds[index] }, cell))))));
}

/// Scrolls sideways, also by keyboard.
export const scroller = (label, ...content) =>
  element("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": label }, ...content);

/// A details element that closes when the focus leaves it, on Escape, and when one of its items was chosen.
export function menu(attributes, summary, ...content) {
  const node = element("details", { class: "menu", ...attributes },
    element("summary", { class: "button" }, ...summary), element("div", { class: "menu-body" }, ...content));
  node.addEventListener("focusout", (event) => {
    if (event.relatedTarget && !node.contains(event.relatedTarget)) node.open = false;
  });
  node.addEventListener("click", (event) => {
    if (event.target.closest(".item")) node.open = false;
  });
  node.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || !node.open) return;
    event.stopPropagation();
    node.open = false;
    node.firstChild.focus();
  });
  return node;
}

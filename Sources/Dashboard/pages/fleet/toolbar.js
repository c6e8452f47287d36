// Search, states and the choice of fields, above the fleet.

import { element, icon, setText } from "../../dom/element.js";
import { count } from "../../format/numbers.js";

/// A menu of more is searched, not scrolled.
const listedFields = 200;
const states = [[null, "All"], ["online", "Online"], ["stale", "Stale"]];

export class Toolbar {
  /// - on: `search(text)`, `state(name | null)`, `fields(names)`.
  constructor(on) {
    this.on = on;
    this.search = element("input", { type: "search", placeholder: "Search devices", "aria-label": "Search devices", id: "search", autocomplete: "off", spellcheck: "false" });
    this.search.addEventListener("input", () => on.search(this.search.value));
    this.buttons = states.map(([name, title]) => {
      const number = element("span", { class: "count" });
      return { name, number, node: element("button", { type: "button", "aria-pressed": String(name === null), "data-state": name ?? "all", onclick: () => this.#choose(name) }, title, number) };
    });
    this.menu = element("div", { class: "menu-body" });
    this.note = element("span", { class: "dim" });
    this.node = element("div", { class: "toolbar" },
      element("span", { class: "search" }, icon("search"), this.search, element("kbd", { "aria-hidden": "true" }, "/")),
      element("div", { class: "segments", role: "group", "aria-label": "State" }, this.buttons.map((button) => button.node)),
      this.note, element("div", { class: "end" }, this.#fieldsMenu()));
  }

  #choose(name) {
    for (const button of this.buttons) button.node.setAttribute("aria-pressed", String(button.name === name));
    this.on.state(name);
  }

  #fieldsMenu() {
    const menu = element("details", { class: "menu", id: "fields" }, element("summary", { class: "button" }, icon("columns"), "Fields"), this.menu);
    menu.addEventListener("focusout", (event) => {
      if (event.relatedTarget && !menu.contains(event.relatedTarget)) menu.open = false;
    });
    menu.addEventListener("keydown", (event) => {
      if (event.key !== "Escape" || !menu.open) return;
      event.stopPropagation();
      menu.open = false;
      menu.firstChild.focus();
    });
    return menu;
  }

  showCounts(all, online, stale, note) {
    [all, online, stale].forEach((number, index) => setText(this.buttons[index].number, count(number)));
    setText(this.note, note);
  }

  /// - fields: `{name, type}` of the table; - chosen: names.
  showFields(fields, chosen) {
    const filter = element("input", { type: "search", placeholder: "Find a field", "aria-label": "Find a field", hidden: fields.length < 12 });
    const list = element("div", {});
    const marked = new Set(chosen);
    const fill = () => {
      const wanted = fields.filter((field) => field.name.toLowerCase().includes(filter.value.toLowerCase()));
      list.replaceChildren(
        ...wanted.slice(0, listedFields).map((field) => this.#fieldItem(field, marked)),
        wanted.length > listedFields ? element("p", { class: "dim" }, `and ${count(wanted.length - listedFields)} more: type to find them`) : "");
    };
    filter.addEventListener("input", fill);
    fill();
    this.menu.replaceChildren(filter, list);
  }

  #fieldItem(field, marked) {
    const box = element("input", { type: "checkbox", checked: marked.has(field.name) });
    box.addEventListener("change", () => {
      if (box.checked) marked.add(field.name);
      else marked.delete(field.name);
      this.on.fields([...marked]);
    });
    return element("label", {}, box, element("span", {}, field.name), element("span", { class: "kind" }, field.type));
  }
}

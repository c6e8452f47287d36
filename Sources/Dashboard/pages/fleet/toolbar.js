// Search, states and the choice of fields, above the fleet.

import { element, icon, setText } from "../../dom/element.js";
import { button, menu } from "../../dom/parts.js";
import { count } from "../../format/numbers.js";

/// A menu of more is searched, not scrolled.
const listedFields = 200;
const searchedFields = 12;
const states = [[null, "All"], ["online", "Online"], ["stale", "Stale"]];

export class Toolbar {
  /// - on: `search(text)`, `state(name | null)`, `fields(names)`.
  constructor(on) {
    this.on = on;
    this.search = element("input", {
      type: "search", placeholder: "Search devices", "aria-label": "Search devices", id: "search", autocomplete: "off", spellcheck: "false",
    });
    this.search.addEventListener("input", () => on.search(this.search.value));
    this.buttons = states.map(([name, title]) => this.#stateButton(name, title));
    this.fields = element("div", {});
    this.note = element("span", { class: "dim" });
    this.node = element("div", { class: "toolbar" },
      element("span", { class: "search" }, icon("search"), this.search, element("kbd", { "aria-hidden": "true" }, "/")),
      element("div", { class: "segments", role: "group", "aria-label": "State" }, this.buttons.map((button) => button.node)),
      this.note, element("div", { class: "end" }, menu({ id: "fields" }, [icon("columns"), "Fields"], this.fields)));
  }

  #stateButton(name, title) {
    const number = element("span", { class: "count" });
    const attributes = { "aria-pressed": String(name === null), "data-state": name ?? "all", onclick: () => this.#choose(name) };
    return { name, number, node: button(attributes, title, number) };
  }

  #choose(name) {
    for (const button of this.buttons) button.node.setAttribute("aria-pressed", String(button.name === name));
    this.on.state(name);
  }

  /// - counts: of all, online, stale.
  showCounts(counts, note) {
    counts.forEach((number, index) => setText(this.buttons[index].number, count(number)));
    setText(this.note, note);
  }

  /// - fields: `{name, type}` of the table; - chosen: names.
  showFields(fields, chosen) {
    const isLong = fields.length > searchedFields;
    const filter = element("input", { type: "search", placeholder: "Find a field", "aria-label": "Find a field", hidden: !isLong });
    const list = element("div", {});
    const marked = new Set(chosen);
    const fill = () => {
      const wanted = fields.filter((field) => field.name.toLowerCase().includes(filter.value.toLowerCase()));
      list.replaceChildren(
        ...wanted.slice(0, listedFields).map((field) => this.#fieldItem(field, marked)),
        wanted.length > listedFields ? element("p", { class: "dim" }, `and ${count(wanted.length - listedFields)} more`) : "");
    };
    filter.addEventListener("input", fill);
    fill();
    this.fields.replaceChildren(filter, list);
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

// The newest value of each field, kept true by the live stream.

import { element, setText } from "../../dom/element.js";
import { panel, plainTable } from "../../dom/parts.js";
import { value as valueText } from "../../format/numbers.js";
import { setAge } from "../../format/times.js";

export class Values {
  #rows = new Map();

  constructor() {
    const table = plainTable(["Field", "#Value", "#Age"], [], { class: "plain values" });
    this.body = table.tBodies[0];
    this.node = panel("Newest values", {}, table);
  }

  /// - values: `{name: {value, time}}`.
  show(values) {
    for (const [name, { value, time }] of Object.entries(values)) this.#set(name, value, time);
  }

  add(time, values) {
    for (const [name, value] of Object.entries(values)) this.#set(name, value, time);
  }

  #set(name, value, time) {
    const row = this.#rows.get(name) ?? this.#newRow(name);
    if (row.time > time) return;
    row.time = time;
    setText(row.value, valueText(value));
    setAge(row.age, time);
  }

  #newRow(name) {
    const row = { time: -Infinity, value: element("td", { class: "number clip" }), age: element("time", {}) };
    const node = element("tr", { "data-field": name },
      element("td", { class: "clip" }, name), row.value, element("td", { class: "number dim" }, row.age));
    const after = [...this.body.children].find((other) => other.dataset.field > name);
    this.body.insertBefore(node, after ?? null);
    this.#rows.set(name, row);
    return row;
  }
}

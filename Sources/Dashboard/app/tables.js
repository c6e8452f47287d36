// The gateway's tables, and the one that is looked at.

import * as api from "../api/endpoints.js";

class Tables extends EventTarget {
  list = [];
  name = null;

  /// The table that is looked at; null before `load`.
  get current() { return this.list.find((table) => table.name === this.name) ?? this.list[0] ?? null; }

  async load(signal) {
    this.list = await api.tables(signal);
    this.name = this.current?.name ?? null;
    this.dispatchEvent(new Event("load"));
    return this.current;
  }

  choose(name) {
    this.name = name;
    this.dispatchEvent(new Event("choose"));
  }
}

export const tables = new Tables();

export const isNumeric = (field) => field.type === "double" || field.type === "integer";

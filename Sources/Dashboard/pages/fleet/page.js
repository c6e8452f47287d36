// The fleet: every device of a table in one list.

import { isTyping } from "../../app/keys.js";
import { notice, report } from "../../app/notices.js";
import { address, go } from "../../app/router.js";
import { settings } from "../../app/settings.js";
import { isNumeric, tables } from "../../app/tables.js";
import { element } from "../../dom/element.js";
import { VirtualTable } from "../../dom/virtual-table.js";
import { count } from "../../format/numbers.js";
import { DeviceList } from "./device-list.js";
import { OnScreen } from "./on-screen.js";
import { columns, fillRow, makeRow, markFresh } from "./row.js";
import { commonFields } from "./common-fields.js";
import { Toolbar } from "./toolbar.js";
import { Welcome } from "./welcome.js";

const newFieldsMilliseconds = 30000;

export class FleetPage {
  title = "Fleet";

  constructor() {
    this.table = tables.name;
    this.abort = new AbortController();
    this.list = new DeviceList(this.table, { change: () => this.#listChanged(), failure: (error) => this.#failed("devices", error) });
    this.view = new OnScreen(this.table, {
      values: () => this.grid.setCount(this.list.shown.length, this.#emptyText()),
      reading: (id, time, names) => this.#readingCame(id, time, names),
      failure: (name, error) => this.#failed(name, error),
    });
    this.toolbar = new Toolbar({
      search: (text) => this.#filter({ text: text.trim() }), state: (state) => this.#filter({ state }),
      fields: (names) => this.#choose(names),
    });
    this.grid = new VirtualTable({
      label: "Devices", makeRow: () => makeRow(this.fields),
      fillRow: (row, index) => fillRow(row, this.list.shown[index], this.fields, this.view),
      onOpen: (index) => go(address("device", this.list.shown[index].id)),
      onVisible: (first, end) => this.#visible(first, end), onSort: (key) => this.#sort(key),
    });
    this.parts = [element("h1", { class: "unseen" }, "Fleet"), this.toolbar.node, this.grid.node];
    this.node = element("div", { class: "page", "data-page": "fleet" }, this.parts);
    this.keys = (event) => this.#key(event);
    document.addEventListener("keydown", this.keys);
    this.#readFields();
    this.list.load();
    this.timer = setInterval(() => this.#refreshFields(), newFieldsMilliseconds);
  }

  show() {}

  close() {
    document.removeEventListener("keydown", this.keys);
    clearInterval(this.timer);
    this.abort.abort();
    for (const part of [this.list, this.view, this.grid, this.welcome]) part?.close();
    for (const name of ["devices", "latest", "sparklines", "live"]) notice(name, null);
  }

  // Fields

  #readFields() {
    const all = tables.current?.fields ?? [];
    const chosen = settings.fields(this.table) ?? this.common ?? [];
    this.toolbar.showFields(all, chosen);
    this.#showFields(all, chosen);
  }

  /// Until somebody chooses, what most devices on screen have. Asked for once, and again when there are more fields to choose from.
  async #readCommonFields() {
    const all = tables.current?.fields ?? [];
    if (settings.fields(this.table) || !this.list.count || this.commonOf === all.length) return;
    this.commonOf = all.length;
    try {
      this.common = await commonFields(this.table, this.list.shown.map((device) => device.id), all, this.abort.signal);
      this.#readFields();
    } catch (error) {
      this.commonOf = null;
      this.#failed("latest", error);
    }
  }

  #choose(names) {
    settings.setFields(this.table, names);
    this.#showFields(tables.current.fields, names);
  }

  /// Those that the table has: what was chosen once may be gone.
  #showFields(all, names) {
    this.fields = all.filter((field) => names.includes(field.name)).map((field) => ({ ...field, isNumber: isNumeric(field) }));
    this.grid.setColumns(columns(this.fields), this.list.sort);
  }

  /// Devices bring new fields at any time.
  async #refreshFields() {
    const before = tables.current?.fields.length;
    try {
      await tables.load();
      if (tables.current?.fields.length !== before) this.#readFields();
      await this.#readCommonFields();
    } catch (error) {
      report("devices", error);
    }
  }

  // The list

  #filter(change) {
    Object.assign(this.list.filter, change);
    this.list.arrange();
    this.grid.node.scrollTop = 0;
    this.#listChanged();
  }

  #sort(key) {
    const { sort } = this.list;
    // What is newest, or most, is what one looks for first.
    this.list.sort = { key, isDescending: sort.key === key ? !sort.isDescending : key === "last_seen" || key === "readings" };
    this.list.arrange();
    this.grid.setColumns(columns(this.fields), this.list.sort);
    this.#listChanged();
    this.grid.head.querySelector("[aria-sort]:not([aria-sort=none]) button")?.focus();
  }

  #listChanged() {
    const { list } = this;
    const isEmpty = list.isWhole && list.count === 0;
    if (isEmpty !== Boolean(this.welcome)) this.#showWelcome(isEmpty);
    const part = list.shown.length < list.count ? `${count(list.shown.length)} shown` : "";
    const note = list.isWhole ? part : `loading, ${count(list.count)} so far`;
    this.toolbar.showCounts([list.count, list.countOf("online"), list.countOf("stale")], note);
    this.grid.setCount(list.shown.length, this.#emptyText());
    this.#readCommonFields();
  }

  #emptyText() { return this.list.isWhole ? "No device is like that." : "Loading…"; }

  #showWelcome(isEmpty) {
    this.welcome?.close();
    this.welcome = isEmpty ? new Welcome() : null;
    if (isEmpty) this.node.replaceChildren(this.welcome.node);
    else {
      this.node.replaceChildren(...this.parts);
      this.#refreshFields();
    }
  }

  #visible(first, end) {
    const ids = this.list.shown.slice(first, end).map((device) => device.id);
    this.shown = new Map(ids.map((id, index) => [id, first + index]));
    const names = this.fields.map((field) => field.name);
    this.view.show(ids, names, this.fields.filter((field) => field.isNumber).map((field) => field.name));
  }

  #readingCame(id, time, names) {
    this.list.noteReading(id, time);
    const index = this.shown?.get(id);
    if (index === undefined || this.list.shown[index]?.id !== id) return;
    this.grid.refresh(index);
    const row = this.grid.body.querySelector(`[data-index="${index}"]`);
    if (row) markFresh(row, this.fields, names);
  }

  #failed(name, error) {
    if (error) report(name, error);
    else notice(name, null);
  }

  #key(event) {
    if (event.key === "Escape" && event.target === this.toolbar.search) {
      this.toolbar.search.value = "";
      this.#filter({ text: "" });
      return this.grid.focusFirst();
    }
    if (event.target === this.toolbar.search && (event.key === "ArrowDown" || event.key === "Enter")) {
      event.preventDefault();
      return this.grid.focusFirst();
    }
    if (isTyping(event)) return;
    if (event.key === "/") {
      event.preventDefault();
      this.toolbar.search.focus();
    } else if (["ArrowDown", "j"].includes(event.key) && !event.target.closest(".grid-row")) this.grid.focusFirst();
  }
}

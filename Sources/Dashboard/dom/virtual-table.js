// A table of any length with only the rows on screen in the page. Rows have one height; arrow keys move, Enter opens.

import { element } from "./element.js";

/// As in table.css.
const rowHeight = 34;
const spareRows = 6;

export class VirtualTable {
  #rows = new Map();
  #spare = [];
  #count = 0;
  #columns = [];
  #first = 0;
  #focused = 0;

  /// - options: `{label, makeRow(), fillRow(row, index), onOpen(index), onVisible(first, end), onSort(key)}`. `makeRow` gives an element
  ///   whose children are the cells. A click on a link in a row is the link's own.
  constructor(options) {
    this.options = options;
    this.head = element("div", { class: "grid-head", role: "row" });
    this.body = element("div", { class: "grid-body", role: "rowgroup" });
    this.note = element("div", { class: "grid-empty", hidden: true });
    this.node = element("div", { class: "grid", role: "grid", "aria-label": options.label, tabindex: "-1" },
      element("div", { role: "rowgroup", class: "grid-headgroup" }, this.head), this.body, this.note);
    this.node.addEventListener("scroll", () => this.#schedule(), { passive: true });
    this.node.addEventListener("keydown", (event) => this.#move(event));
    this.body.addEventListener("click", (event) => this.#open(event));
    this.node.addEventListener("focusin", (event) => this.#noteFocus(event));
    this.observer = new ResizeObserver(() => this.#schedule());
    this.observer.observe(this.node);
  }

  close() { this.observer.disconnect(); }

  /// - columns: `{key, title, width, isNumber, isSortable}`; width as CSS grid tracks write it. Rows are made anew.
  setColumns(columns, sort) {
    this.#columns = columns;
    const tracks = columns.map((column) => column.width).join(" ");
    this.head.replaceChildren(...columns.map((column) => this.#heading(column, sort)));
    this.head.style.gridTemplateColumns = tracks;
    this.tracks = tracks;
    const least = columns.reduce((sum, column) => sum + column.least, 0) + 16 * columns.length + 32;
    for (const part of [this.head, this.body]) part.style.minWidth = `${least}px`;
    for (const row of this.#rows.values()) row.remove();
    this.#rows.clear();
    this.#spare = [];
    this.#draw();
  }

  #heading(column, sort) {
    const direction = sort?.key === column.key ? (sort.isDescending ? "descending" : "ascending") : column.isSortable ? "none" : null;
    const title = column.isSortable
      ? element("button", { type: "button", onclick: () => this.options.onSort(column.key) }, column.title)
      : column.title;
    const attributes = { role: "columnheader", class: column.isNumber ? "number" : null, "aria-sort": direction, title: column.title };
    return element("div", attributes, title);
  }

  /// The length has changed, or all rows: those on screen are filled anew.
  setCount(count, emptyText = "") {
    this.#count = count;
    this.body.style.height = `${count * rowHeight}px`;
    this.node.setAttribute("aria-rowcount", count + 1);
    this.note.hidden = count > 0;
    this.note.textContent = emptyText;
    this.#focused = Math.min(this.#focused, Math.max(0, count - 1));
    this.#draw(true);
  }

  /// Fills one row anew, if it is on screen.
  refresh(index) {
    const row = this.#rows.get(index);
    if (row) this.options.fillRow(row, index);
  }

  focusFirst() {
    this.node.scrollTop = 0;
    this.#focus(0);
  }

  #schedule() {
    if (this.frame) return;
    this.frame = requestAnimationFrame(() => {
      this.frame = 0;
      this.#draw();
    });
  }

  #draw(isAnew = false) {
    if (!this.#columns.length) return;
    const first = Math.max(0, Math.floor(this.node.scrollTop / rowHeight) - spareRows);
    const end = Math.min(this.#count, Math.ceil((this.node.scrollTop + this.node.clientHeight) / rowHeight) + spareRows);
    for (const [index, row] of this.#rows) {
      if (index >= first && index < end) continue;
      row.remove();
      this.#rows.delete(index);
      this.#spare.push(row);
    }
    for (let index = first; index < end; index += 1) {
      const known = this.#rows.get(index);
      if (known && isAnew) this.options.fillRow(known, index);
      else if (!known) this.#place(index);
    }
    this.#first = first;
    this.options.onVisible?.(first, end);
  }

  #place(index) {
    const row = this.#spare.pop() ?? this.#newRow();
    row.style.top = `${index * rowHeight}px`;
    row.dataset.index = index;
    row.setAttribute("aria-rowindex", index + 2);
    row.tabIndex = index === this.#focused ? 0 : -1;
    this.#rows.set(index, row);
    this.options.fillRow(row, index);
    // In the order of the screen, for those who do not see it.
    const after = this.#rows.get(index + 1);
    this.body.insertBefore(row, after ?? null);
  }

  #newRow() {
    const row = this.options.makeRow();
    row.classList.add("grid-row");
    row.setAttribute("role", "row");
    row.style.gridTemplateColumns = this.tracks;
    for (const cell of row.children) cell.setAttribute("role", "gridcell");
    return row;
  }

  #noteFocus(event) {
    const row = event.target.closest(".grid-row");
    if (!row) return;
    const before = this.#rows.get(this.#focused);
    if (before) before.tabIndex = -1;
    this.#focused = Number(row.dataset.index);
    row.tabIndex = 0;
  }

  #open(event) {
    const row = event.target.closest(".grid-row");
    if (row && !event.target.closest("a, button")) this.options.onOpen?.(Number(row.dataset.index));
  }

  #move(event) {
    if (!event.target.classList.contains("grid-row")) return;
    if (event.key === "Enter") return this.#open(event);
    const page = Math.max(1, Math.floor(this.node.clientHeight / rowHeight) - 2);
    const steps = { ArrowDown: 1, j: 1, ArrowUp: -1, k: -1, PageDown: page, PageUp: -page, Home: -this.#count, End: this.#count };
    const step = steps[event.key];
    if (step === undefined || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    event.stopPropagation();
    this.#focus(Math.min(this.#count - 1, Math.max(0, this.#focused + step)));
  }

  #focus(index) {
    const top = index * rowHeight;
    const room = this.node.clientHeight - 32 - rowHeight;
    if (top < this.node.scrollTop) this.node.scrollTop = top;
    else if (top > this.node.scrollTop + room) this.node.scrollTop = top - room;
    this.#draw();
    this.#rows.get(index)?.focus({ preventScroll: true });
  }
}

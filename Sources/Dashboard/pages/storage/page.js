// Storage: what is kept where: the table's windows of time from open to delivered, their sizes, objects, errors.

import * as api from "../../api/endpoints.js";
import { notice, report } from "../../app/notices.js";
import { pulse } from "../../app/pulse.js";
import { tables } from "../../app/tables.js";
import { element, setText } from "../../dom/element.js";
import { button, refusalPanel } from "../../dom/parts.js";
import { figures } from "../../dom/figures.js";
import { VirtualTable } from "../../dom/virtual-table.js";
import { bytes, count } from "../../format/numbers.js";
import { ageText, lengthText } from "../../format/times.js";
import { DeliveryPanel } from "./deliveries.js";
import { showPartition } from "./objects.js";
import { columns, fillRow, makeRow } from "./row.js";
import { shelf, states } from "./shelf.js";

const refreshMilliseconds = 10000;
const filters = {
  "all": () => true,
  ...Object.fromEntries(states.map((state) => [state, (partition) => partition.state === state])),
  "with errors": (partition) => partition.last_error,
};

export class StoragePage {
  title = "Storage";
  #abort = new AbortController();

  constructor() {
    this.table = tables.name;
    this.partitions = [];
    this.filter = "all";
    this.top = element("div", {});
    this.shelf = element("section", { class: "panel", "aria-label": "Windows by state" });
    this.segments = element("div", { class: "segments", role: "group", "aria-label": "State" });
    this.grid = new VirtualTable({
      label: "Partitions", makeRow, fillRow: (row, index) => fillRow(row, this.shown[index]),
      onOpen: (index) => showPartition(this.shown[index]),
    });
    this.shown = [];
    this.grid.setColumns(columns);
    this.deliveries = new DeliveryPanel();
    this.refusal = refusalPanel("What is stored");
    this.node = element("div", { class: "page", "data-page": "storage" }, element("h1", { class: "unseen" }, "Storage"),
      element("div", { class: "page-top" }, this.refusal, this.top, this.deliveries.node, this.shelf),
      element("div", { class: "toolbar" }, this.segments),
      this.grid.node);
    this.beat = () => this.#showFigures();
    pulse.addEventListener("beat", this.beat);
    this.#load();
  }

  show() { this.#showFigures(); }

  close() {
    this.#abort.abort();
    clearTimeout(this.timer);
    pulse.removeEventListener("beat", this.beat);
    this.grid.close();
    notice("partitions", null);
  }

  async #load() {
    try {
      const { signal } = this.#abort;
      const answers = [api.partitions(this.table, signal), api.deliveries(signal), tables.load(signal)];
      const [partitions, deliveries] = await Promise.all(answers);
      this.partitions = partitions.sort((one, other) => other.start - one.start);
      notice("partitions", null);
      this.#showFigures();
      this.deliveries.show(deliveries);
      this.shelf.replaceChildren(...shelf(this.partitions, showPartition));
      this.#showList();
    } catch (error) {
      if (error.name === "AbortError") return;
      if (error.isForbidden) return this.#showRefusal();
      report("partitions", error);
    }
    this.timer = setTimeout(() => this.#load(), refreshMilliseconds);
  }

  #showRefusal() {
    notice("partitions", null);
    this.refusal.hidden = false;
    for (const part of [this.top, this.deliveries.node, this.shelf, this.segments, this.grid.node]) part.hidden = true;
  }

  #showFigures() {
    const table = tables.current;
    const storage = pulse.stats?.storage;
    // A token for some devices is not shown the rows of all.
    if (table?.rows === undefined) return;
    const failed = this.partitions.filter(filters["with errors"]).length;
    const objects = this.partitions.flatMap((partition) => partition.objects);
    this.top.replaceChildren(figures([
      ["Rows", count(table.rows), table.bytes && table.rows ? `${(table.bytes / table.rows).toFixed(1)} bytes each` : ""],
      ["Segments", bytes(table.bytes), table.oldest ? `since ${ageText(table.oldest)}` : ""],
      storage && ["Commit log", bytes(storage.log_bytes), `heads ${bytes(storage.head_bytes)}`],
      ["Objects", count(objects.length), bytes(objects.reduce((sum, object) => sum + object.bytes, 0))],
      ["Kept for", lengthText(table.ttl_s), `in windows of ${lengthText(table.partition_s)}`],
      storage && ["Disk free", bytes(storage.disk_free_bytes)],
      ["Delivery errors", count(failed), "", failed ? "bad" : null],
    ]));
  }

  #showList() {
    if (!this.segments.children.length) this.segments.append(...Object.keys(filters).map((name) => this.#filterButton(name)));
    for (const node of this.segments.children) {
      const { name } = node.dataset;
      node.setAttribute("aria-pressed", String(name === this.filter));
      setText(node.lastChild, count(this.partitions.filter(filters[name]).length));
    }
    this.shown = this.partitions.filter(filters[this.filter]);
    this.grid.setCount(this.shown.length, this.partitions.length ? "No partition is like that." : "Nothing is stored yet.");
  }

  #filterButton(name) {
    return button({ "data-name": name, onclick: () => this.#choose(name) }, `${name} `, element("span", { class: "count" }));
  }

  #choose(name) {
    this.filter = name;
    this.#showList();
  }
}


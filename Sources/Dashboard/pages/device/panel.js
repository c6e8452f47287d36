// One field of the device over time: its plot, the values under the cursor, and all of it as a table for those who do not see it.

import { hasLibrary, Plot } from "../../charts/plot.js";
import { Windows } from "../../charts/windows.js";
import { element, setText } from "../../dom/element.js";
import { button, plainTable } from "../../dom/parts.js";
import { count, value as valueText } from "../../format/numbers.js";
import { instantText, lengthText } from "../../format/times.js";

const colors = 6;

export class Panel {
  /// - on: `zoom(start, end)`, `out()`.
  constructor(field, index, on) {
    this.field = field;
    this.windows = new Windows(0);
    this.reading = element("span", { class: "reading" });
    const swatch = element("span", { class: "swatch" });
    swatch.style.background = `var(--series-${index % colors})`;
    this.place = element("div", { class: "plot", role: "img" });
    this.none = element("div", { class: "none", hidden: true });
    this.place.append(this.none);
    const name = `${field.name} as a table`;
    this.table = element("div", { class: "table-view", hidden: true, tabindex: "0", role: "region", "aria-label": name });
    const attributes = { class: "quiet as-table", "aria-expanded": "false", "aria-label": name, onclick: () => this.#toggleTable() };
    this.toggle = button(attributes, "Table");
    this.node = element("section", { class: "panel", "aria-label": field.name, "data-field": field.name },
      element("div", { class: "panel-head" }, element("h2", {}, swatch, field.name), this.reading, this.toggle), this.place, this.table);
    this.options = {
      series: [{ name: field.name, color: `series-${index % colors}`, band: true }], sync: "device", onZoom: on.zoom, onZoomOut: on.out,
      onCursor: (place) => this.#showCursor(place),
    };
  }

  /// Once it is in the page: a plot takes its width from there.
  attach() {
    this.plot = new Plot(this.place, this.options);
    if (!hasLibrary()) this.#say("This gateway was built without its chart library: make build fetches it. The table has the values.");
  }

  close() { this.plot?.close(); }

  /// - windows: of this field; - isRaw: every reading by itself.
  load(windows, start, end) {
    this.windows = windows;
    this.options.isDotted = windows.step === 0 && windows.length < 200;
    this.plot.rebuild();
    this.draw(start, end);
    this.#fillTable();
  }

  add(time, value) { this.windows.add(time, value); }

  draw(start, end) {
    this.range = [start, end];
    this.windows.trim(start - this.windows.step);
    const { columns, gaps } = this.windows.columns(start, end);
    this.columns = columns;
    this.plot.show(columns, gaps, start, end);
    if (hasLibrary()) this.#say(this.windows.length ? "" : "No reading in this range");
    this.place.setAttribute("aria-label", this.#description(start, end, gaps.length));
    if (!this.isPointing) this.#showCursor(null);
  }

  #say(text) {
    setText(this.none, text);
    this.none.hidden = !text;
  }

  #description(start, end, gaps) {
    const { summary } = this.windows;
    const span = lengthText((end - start) / 1000);
    if (!summary) return `${this.field.name}, ${span}: no reading`;
    const { least, average, greatest, last } = summary;
    const values = Object.entries({ least, average, greatest, last }).map(([name, value]) => `${name} ${valueText(value)}`).join(", ");
    return `${this.field.name}, ${span}: ${values}${gaps ? `; ${gaps} ${gaps === 1 ? "gap" : "gaps"}` : ""}`;
  }

  #showCursor(place) {
    const [times, greatest, least, average] = this.columns ?? [[], [], [], []];
    this.isPointing = place !== null && average[place] !== null && average[place] !== undefined;
    if (this.isPointing) {
      const isWindow = this.windows.step > 0;
      return this.#showValues(instantText(times[place]), average[place], isWindow ? [least[place], greatest[place]] : null);
    }
    const { summary } = this.windows;
    if (summary) this.#showValues("", summary.last, [summary.least, summary.greatest]);
    else this.reading.replaceChildren();
  }

  #showValues(when, value, ends) {
    const node = (text) => element("b", {}, text);
    const name = (text) => element("span", {}, text);
    this.reading.replaceChildren(
      name(when), node(valueText(value)), ...(ends ? [name("min"), node(valueText(ends[0])), name("max"), node(valueText(ends[1]))] : []));
  }

  #toggleTable() {
    this.table.hidden = !this.table.hidden;
    this.toggle.setAttribute("aria-expanded", String(!this.table.hidden));
    this.#fillTable();
  }

  /// As of when it was opened, or of the last fetch: rows that move while they are read help nobody.
  #fillTable() {
    if (this.table.hidden) return this.table.replaceChildren();
    const { times, average, least, greatest, counts } = this.windows;
    const rows = times.map((time, index) => [
      instantText(time), valueText(average[index]), valueText(least[index]), valueText(greatest[index]), count(counts[index]),
    ]);
    this.table.replaceChildren(plainTable(["Time", "#Average", "#Least", "#Greatest", "#Readings"], rows.reverse()));
  }
}

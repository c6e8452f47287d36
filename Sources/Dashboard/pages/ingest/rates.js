// A figure of the pulse over the last ten minutes.

import { hasLibrary, Plot } from "../../charts/plot.js";
import { element, setText } from "../../dom/element.js";
import { panel } from "../../dom/parts.js";

const spanMilliseconds = 600000;
const leastSpanMilliseconds = 60000;
/// A pause of the page, or of the gateway, is a gap.
const gapMilliseconds = 12000;

export class RateChart {
  /// - measure(stats, statsBefore) → number or null. - text: how it is written.
  constructor(title, note, measure, color, text) {
    this.title = title;
    this.measure = measure;
    this.text = text;
    this.reading = element("b", {});
    this.place = element("div", { class: "plot", role: "img", "aria-label": title });
    this.node = panel(title, { note, end: this.reading }, this.place);
    this.options = { series: [{ name: title, color }], zero: true };
  }

  attach() {
    this.plot = new Plot(this.place, this.options);
    if (!hasLibrary()) this.place.append(element("div", { class: "none" }, "This gateway was built without its chart library."));
  }

  close() { this.plot?.close(); }

  draw(samples) {
    const end = Date.now();
    const start = Math.max(end - spanMilliseconds, Math.min(samples[0]?.time ?? end, end - leastSpanMilliseconds));
    const columns = [[], []];
    samples.forEach(({ time, stats }, index) => {
      const before = samples[index - 1];
      if (before && time - before.time > gapMilliseconds) {
        columns[0].push(before.time + 1);
        columns[1].push(null);
      }
      columns[0].push(time);
      columns[1].push(this.measure(stats, before?.stats));
    });
    const last = columns[1].findLast((value) => value !== null);
    setText(this.reading, last === undefined ? "" : this.text(last));
    const values = columns[1].filter((value) => value !== null);
    if (values.length) {
      const [least, greatest] = [this.text(Math.min(...values)), this.text(Math.max(...values))];
      this.place.setAttribute("aria-label", `${this.title}, last ten minutes: from ${least} to ${greatest}, now ${this.text(last)}`);
    }
    this.plot?.show(columns, [], start, end);
  }
}

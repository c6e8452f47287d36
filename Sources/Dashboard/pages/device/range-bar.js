// Which time is shown, and what one can take along: presets, a time of one's own, live, CSV, curl.

import { closeButton, copyText, openDialog } from "../../app/dialogs.js";
import { announce, element, icon, setText } from "../../dom/element.js";
import { button, menu } from "../../dom/parts.js";
import { inputText, inputTime, zoneName } from "../../format/times.js";
import { presets, seconds, TimeRange } from "./range.js";

export class RangeBar {
  /// - on: `range(TimeRange)`, `out()`, `csv(isRaw)`, `curl()` → text.
  constructor(on) {
    this.on = on;
    this.presets = presets.map((text) => button({ "data-range": text, onclick: () => on.range(new TimeRange({ range: text })) }, text));
    this.live = button({ id: "live", onclick: () => on.live() }, element("span", { class: "dot" }), "Live");
    this.step = element("span", { class: "dim", id: "step" });
    this.custom = button({ onclick: () => this.#askForTimes() }, "From…");
    this.node = element("div", { class: "range-bar" },
      element("div", { class: "segments", role: "group", "aria-label": "Range" }, this.presets, this.custom),
      this.live,
      button({ id: "zoom-out", title: "Zoom out (−)", onclick: () => on.out() }, icon("zoomOut"), "Out"),
      this.step, element("div", { class: "end" }, this.#csvMenu(), this.#curlButton()));
  }

  /// - state: "open", "connecting" or "lost" of the stream; null when it is not live.
  show(range, stepText, state) {
    this.range = range;
    for (const button of this.presets) {
      button.setAttribute("aria-pressed", String(range.isLive && seconds(button.dataset.range) === range.seconds));
    }
    this.custom.setAttribute("aria-pressed", String(!range.isLive));
    this.live.setAttribute("aria-pressed", String(range.isLive));
    this.live.dataset.state = state ?? "off";
    this.live.firstChild.className = `dot ${{ open: "good", lost: "bad" }[state] ?? ""}`;
    this.live.title = state === "lost" ? "The live stream is cut; trying again" : "Readings as they come (l)";
    setText(this.step, stepText);
  }

  #askForTimes() {
    const [start, end] = this.range.bounds(Date.now());
    const input = (name, time) =>
      element("input", { type: "datetime-local", step: "1", id: `custom-${name}`, value: inputText(time), required: true });
    const [from, to] = [input("from", start), input("to", end)];
    const error = element("p", { class: "pill bad", role: "alert" });
    const form = element("form", {},
      element("label", { for: "custom-from" }, `From (${zoneName()})`), from, element("label", { for: "custom-to" }, "To"), to, error,
      element("div", { class: "actions" }, closeButton("Cancel"), element("button", { class: "main" }, "Show")));
    const dialog = openDialog("A range of your own", form);
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      const [first, last] = [inputTime(from.value), inputTime(to.value)];
      if (!(last > first)) return setText(error, "The end must be later than the start.");
      dialog.close();
      this.on.range(TimeRange.between(first, last));
    });
  }

  #csvMenu() {
    const item = (name, text, note) => {
      const attributes = { class: "item", "data-csv": name, onclick: () => this.on.csv(name === "raw") };
      return button(attributes, text, element("span", { class: "kind" }, note));
    };
    return menu({ id: "csv" }, [icon("download"), "CSV"],
      item("raw", "Readings", "as they were stored"), item("shown", "What is shown", "average, min, max"));
  }

  #curlButton() {
    const label = element("span", {}, "Copy curl");
    return button({ id: "curl", onclick: () => this.#copyCurl(label) }, icon("copy"), label);
  }

  async #copyCurl(label) {
    if (!(await copyText(this.on.curl(), "curl"))) return;
    announce("Copied");
    setText(label, "Copied");
    setTimeout(() => setText(label, "Copy curl"), 1500);
  }
}

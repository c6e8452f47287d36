// One device: its fields over time, its newest values.

import * as api from "../../api/endpoints.js";
import { LiveStream } from "../../api/live.js";
import { isTyping } from "../../app/keys.js";
import { notice, report } from "../../app/notices.js";
import { address, go } from "../../app/router.js";
import { isNumeric, tables } from "../../app/tables.js";
import { announce, element, icon, setText } from "../../dom/element.js";
import { count } from "../../format/numbers.js";
import { visible } from "../../format/names.js";
import { durationText, setAge } from "../../format/times.js";
import { load, parameters } from "./data.js";
import { Panel } from "./panel.js";
import { RangeBar } from "./range-bar.js";
import { TimeRange } from "./range.js";
import { saveCSV, curl } from "./take-along.js";
import { Values } from "./values.js";

/// Plots of a page; further fields are in the table of newest values.
const panelLimit = 24;
/// What live readings cannot tell, late and rewritten ones, is fetched so often.
const refreshMilliseconds = 60000;
const drawMilliseconds = 1000;
const csvLimit = 1e9;

export class DevicePage {
  #abort = new AbortController();
  #panels = new Map();

  constructor({ id }) {
    this.id = id;
    this.title = id;
    this.table = tables.name;
    this.range = new TimeRange();
    this.bar = new RangeBar({
      range: (range) => this.#goTo(range), out: () => this.#zoomOut(), live: () => this.#goTo(this.#liveRange()),
      csv: (isRaw) => this.#save(isRaw), curl: () => curl(this.id, this.#parameters()),
    });
    this.values = new Values();
    this.panelsNode = element("div", { class: "panels" });
    this.node = element("div", { class: "page scrolling", "data-page": "device" }, this.#head(), this.bar.node,
      element("div", { class: "device-columns" }, this.panelsNode, element("div", { class: "side" }, this.values.node)));
    this.keys = (event) => this.#key(event);
    document.addEventListener("keydown", this.keys);
    this.timer = setInterval(() => this.#draw(), drawMilliseconds);
    this.loaded = this.#loadDevice();
  }

  /// The address has changed: another range of the same device.
  async show({ parameters: wanted }) {
    this.range = new TimeRange(wanted);
    await this.loaded;
    if (!this.isClosed) this.#reload();
  }

  close() {
    this.isClosed = true;
    document.removeEventListener("keydown", this.keys);
    clearInterval(this.timer);
    clearTimeout(this.reloadTimer);
    this.#abort.abort();
    this.stream?.close();
    for (const panel of this.#panels.values()) panel.close();
    for (const name of ["range", "live", "values"]) notice(name, null);
  }

  #head() {
    this.state = element("span", { class: "pill" }, element("span", { class: "dot" }), element("span", {}));
    this.seen = element("time", {});
    this.readings = element("b", {});
    this.first = element("time", {});
    const fact = (...content) => element("span", {}, ...content);
    this.facts = element("div", { class: "facts" },
      fact("last seen ", this.seen), fact("first seen ", this.first), fact(this.readings, " readings"));
    return element("div", { class: "device-head" },
      element("a", { href: "#/", class: "button", title: "Back to the fleet (Esc)" }, icon("back"), "Fleet"),
      element("h1", {}, this.id), this.state, this.facts);
  }

  // Loading

  async #loadDevice() {
    try {
      const { signal } = this.#abort;
      const [device, latest] = await Promise.all([api.device(this.table, this.id, signal), api.latest(this.table, this.id, signal)]);
      if (this.isClosed) return;
      this.device = device;
      this.#showFacts();
      setAge(this.first, device.first_seen);
      this.values.show(latest.values);
      device.fields.filter(isNumeric).slice(0, panelLimit).forEach((field, index) => this.#addPanel(field, index));
    } catch (error) {
      if (error.status === 404) this.#showMissing();
      else report("page", error);
    }
  }

  /// What would ask for its readings is out of use; the way back is not.
  #showMissing() {
    const text = `There is no device ${visible(this.id)} in table ${this.table}.`;
    for (const part of [this.state, this.facts, this.values.node]) part.hidden = true;
    this.bar.node.inert = true;
    this.panelsNode.append(element("section", { class: "panel", id: "missing", role: "status" }, text));
  }

  #showFacts() {
    const { state, last_seen, readings } = this.device;
    this.state.className = state === "online" ? "pill good" : "pill warn";
    setText(this.state.lastChild, state);
    setAge(this.seen, last_seen);
    setText(this.readings, count(readings));
  }

  #addPanel(field, index) {
    const panel = new Panel(field, index, {
      zoom: (start, end) => this.#goTo(TimeRange.between(start, end)), out: () => this.#zoomOut(),
    });
    this.#panels.set(field.name, panel);
    this.panelsNode.append(panel.node);
    panel.attach();
  }

  get #fields() { return [...this.#panels.values()].map((panel) => panel.field); }
  get #step() { return this.range.step(this.panelsNode.clientWidth || 900); }
  #parameters() { return parameters(this.table, this.range, this.#fields, this.#step); }

  async #reload() {
    clearTimeout(this.reloadTimer);
    this.#abort.abort();
    this.#abort = new AbortController();
    const { signal } = this.#abort;
    const { range } = this;
    if (!this.device) return;
    this.#showBar();
    if (!this.#panels.size) return this.#listen();
    const step = this.#step;
    for (const panel of this.#panels.values()) panel.node.classList.add("loading");
    try {
      const { end, windows } = await load(this.id, this.table, range, this.#fields, step, signal);
      // The gateway's clock and this one may differ.
      if (range.isLive) this.clockAhead = (end ?? Date.now()) - Date.now();
      const bounds = range.bounds(this.#now);
      for (const [name, panel] of this.#panels) panel.load(windows.get(name), ...bounds);
      this.shownStep = step;
      this.panelsNode.dataset.step = step;
      notice("range", null);
      announce(`Range of ${durationText(range.seconds)} shown`);
    } catch (error) {
      report("range", error);
    }
    if (signal.aborted) return;
    for (const panel of this.#panels.values()) panel.node.classList.remove("loading");
    if (range.isLive) this.reloadTimer = setTimeout(() => this.#reload(), refreshMilliseconds);
    this.#listen();
  }

  // Live

  #listen() {
    if (this.stream) return;
    if (this.id.includes(",")) return;
    this.stream = new LiveStream({ table: this.table, devices: this.id }, {
      reading: (reading) => this.#take(reading),
      // Some readings were left out: what was stored is fetched.
      gap: () => this.range.isLive && this.#reload(),
      state: (state, error) => {
        const wasLost = this.streamState === "lost" || this.wasLost;
        this.wasLost = state === "connecting" ? wasLost : false;
        this.streamState = state;
        this.#showBar();
        if (error) report("live", error);
        if (state !== "open") return;
        notice("live", null);
        if (wasLost && this.range.isLive) this.#reload();
      },
    });
  }

  #take({ device, time, values }) {
    if (device !== this.id) return;
    this.values.add(time, values);
    Object.assign(this.device, { state: "online", last_seen: Math.max(this.device.last_seen, time), readings: this.device.readings + 1 });
    this.#showFacts();
    if (!this.range.isLive) return;
    for (const [name, value] of Object.entries(values)) if (typeof value === "number") this.#panels.get(name)?.add(time, value);
    this.#draw();
  }

  get #now() { return Date.now() + (this.clockAhead ?? 0); }

  #draw() {
    if (!this.range.isLive || this.shownStep === undefined || document.hidden) return;
    const bounds = this.range.bounds(this.#now);
    for (const panel of this.#panels.values()) if (panel.windows.step === this.shownStep * 1000) panel.draw(...bounds);
  }

  // Moving

  #goTo(range) { go(address("device", this.id, range.parameters)); }
  #zoomOut() { this.#goTo(this.range.scaled(2, this.#now)); }
  #liveRange() { return this.range.isLive ? this.range : new TimeRange({ range: durationText(Math.max(60, this.range.seconds)) }); }

  #showBar() {
    const step = this.#step;
    const text = step ? `${durationText(step)} windows` : "every reading";
    this.bar.show(this.range, text, this.range.isLive ? this.streamState ?? "connecting" : null);
  }

  #save(isRaw) {
    const { fields, ...raw } = parameters(this.table, this.range, this.#fields, 0);
    // Of CSV a page may be as long as it likes.
    raw.limit = csvLimit;
    saveCSV(this.id, isRaw ? raw : this.#parameters()).catch((error) => report("range", error));
  }

  #key(event) {
    if (isTyping(event)) return;
    const now = this.#now;
    const ranges = {
      "+": () => this.range.scaled(0.5, now), "=": () => this.range.scaled(0.5, now), "-": () => this.range.scaled(2, now),
      ArrowLeft: () => this.range.moved(-0.5, now), ArrowRight: () => this.range.moved(0.5, now), l: () => this.#liveRange(),
    };
    if (ranges[event.key]) {
      event.preventDefault();
      this.#goTo(ranges[event.key]());
    } else if (event.key === "Escape") go("#/");
  }
}

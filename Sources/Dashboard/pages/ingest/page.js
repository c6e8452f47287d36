// Ingest: what comes in now, how far behind it is, what is refused and why, and how the broker is.

import * as api from "../../api/endpoints.js";
import { notice, report } from "../../app/notices.js";
import { pulse } from "../../app/pulse.js";
import { tables } from "../../app/tables.js";
import { element } from "../../dom/element.js";
import { refusalPanel } from "../../dom/parts.js";
import { figures } from "../../dom/figures.js";
import { count, milliseconds, rate } from "../../format/numbers.js";
import { lengthText } from "../../format/times.js";
import { Broker } from "./broker.js";
import { refused, Rejects } from "./rejects.js";
import { RateChart } from "./rates.js";

const refreshMilliseconds = 5000;
/// A fleet whose newest reading is older than this has most likely fallen silent.
const lateSeconds = 120;

export class IngestPage {
  title = "Ingest";
  #abort = new AbortController();

  constructor() {
    this.top = element("div", {});
    this.rates = new RateChart("Readings a second", "what was stored", (stats) => stats.readings_per_s, "series-0", rate);
    this.commits = new RateChart("Commit", "mean time of a sync, each second", syncMilliseconds, "series-2", milliseconds);
    this.rejects = new Rejects();
    this.broker = new Broker();
    const pair = (one, other) => element("div", { class: "two" }, one.node, other.node);
    this.parts = [this.top, pair(this.rates, this.commits), pair(this.rejects, this.broker)];
    this.refusal = refusalPanel("Rates, refusals and the broker");
    this.node = element("div", { class: "page scrolling", "data-page": "ingest" }, element("h1", { class: "unseen" }, "Ingest"),
      this.refusal, this.parts);
    this.beat = () => this.#show();
    pulse.addEventListener("beat", this.beat);
    pulse.isKeen = true;
    pulse.ask();
    requestAnimationFrame(() => [this.rates, this.commits].forEach((chart) => !this.#abort.signal.aborted && chart.attach()));
    this.#load();
  }

  show() { this.#show(); }

  close() {
    pulse.isKeen = false;
    pulse.removeEventListener("beat", this.beat);
    this.#abort.abort();
    clearTimeout(this.timer);
    for (const chart of [this.rates, this.commits]) chart.close();
    for (const name of ["ingest", "dead-letters"]) notice(name, null);
  }

  /// What changes less often than the pulse: the newest reading, the configuration, samples of what was refused.
  async #load() {
    const { signal } = this.#abort;
    if (pulse.refusal) return;
    try {
      await Promise.all([this.#loadConfiguration(signal), tables.load(signal)]);
      notice("ingest", null);
      this.#show();
    } catch (error) {
      report("ingest", error);
    }
    await this.rejects.load(signal);
    if (!signal.aborted) this.timer = setTimeout(() => this.#load(), refreshMilliseconds);
  }

  /// Of the operator's alone: without it the page says less. A refusal is not asked for twice.
  async #loadConfiguration(signal) {
    if (this.configuration === null) return;
    try {
      this.configuration = await api.configuration(signal);
    } catch (error) {
      if (!error.isForbidden) throw error;
      this.configuration = null;
    }
  }

  #show() {
    const { stats, problem, refusal } = pulse;
    this.refusal.hidden = !refusal;
    for (const part of this.parts) part.hidden = Boolean(refusal);
    if (!stats || problem) return;
    this.top.replaceChildren(figures([
      ["Messages", rate(stats.messages_per_s), "a second"], ["Readings", rate(stats.readings_per_s), "a second"], this.#lag(),
      ["Sync", milliseconds(stats.commit.mean_sync_ms), `at most ${milliseconds(stats.commit.max_sync_ms)}`],
      ["In hand", count(stats.queue.commits), `commits, ${count(stats.queue.writes)} HTTP writes`],
      ["Stored", count(stats.readings), "since the start"], ["Duplicates", count(stats.duplicates), "changed nothing"],
      this.#refused(stats),
    ]));
    for (const chart of [this.rates, this.commits]) chart.draw(pulse.samples);
    this.rejects.show(refused(stats));
    this.broker.show(stats.mqtt, this.configuration);
  }

  #lag() {
    const newest = Math.max(...tables.list.map((table) => table.newest ?? -Infinity));
    if (!Number.isFinite(newest)) return ["Newest reading", "–"];
    const lag = (Date.now() - newest) / 1000;
    return ["Behind now", lag < 1 ? "< 1 s" : lengthText(lag), "the newest reading", lag > lateSeconds ? "warn" : null];
  }

  #refused(stats) {
    const total = Object.values(refused(stats)).reduce((sum, number) => sum + number, 0);
    return ["Refused", count(total), "since the start", total ? "warn" : null];
  }
}

/// The mean of the syncs since the sample before; without any there is none.
function syncMilliseconds({ commit }, before) {
  if (!before) return null;
  const groups = commit.groups - before.commit.groups;
  const total = commit.mean_sync_ms * commit.groups - before.commit.mean_sync_ms * before.commit.groups;
  return groups > 0 ? Math.max(0, total / groups) : null;
}

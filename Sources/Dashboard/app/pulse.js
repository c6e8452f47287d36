// The gateway's statistics, asked for again and again while the page is looked at: what the bar shows, and the ingest page plots.

import * as api from "../api/endpoints.js";

const calmMilliseconds = 5000;
const keenMilliseconds = 1000;
/// Ten minutes of the keen pace.
const keptSamples = 600;

class Pulse extends EventTarget {
  /// The last answer, and when it came.
  stats = null;
  /// Why there is none; null while there is.
  problem = null;
  /// `{time, stats}`, oldest first.
  samples = [];
  isKeen = false;

  start() {
    document.addEventListener("visibilitychange", () => this.ask());
    addEventListener("tokenchange", () => this.ask());
    this.ask();
  }

  async ask() {
    clearTimeout(this.timer);
    if (document.hidden) return;
    // One that overtakes another ends it.
    const turn = (this.turn = (this.turn ?? 0) + 1);
    try {
      const stats = await api.stats(AbortSignal.timeout(10000));
      if (turn !== this.turn) return;
      this.#keep(stats);
    } catch (error) {
      if (turn !== this.turn) return;
      this.problem = error;
    }
    this.dispatchEvent(new Event("beat"));
    this.timer = setTimeout(() => this.ask(), this.isKeen || this.problem ? keenMilliseconds : calmMilliseconds);
  }

  #keep(stats) {
    this.stats = stats;
    this.problem = null;
    this.samples.push({ time: Date.now(), stats });
    if (this.samples.length > keptSamples) this.samples.shift();
  }
}

export const pulse = new Pulse();

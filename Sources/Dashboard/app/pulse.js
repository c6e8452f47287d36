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
  /// Why this token gets no statistics; null: it gets them. The gateway answers all the same.
  refusal = null;
  /// `{ready, not_ready_reasons}` of the last answer; null without one.
  readiness = null;
  /// `{time, stats}`, oldest first.
  samples = [];
  isKeen = false;

  constructor() {
    super();
    // Heard before the pages hear it: what one token may see is not another's.
    addEventListener("tokenchange", () => this.#forget());
  }

  start() {
    document.addEventListener("visibilitychange", () => this.ask());
    this.ask();
  }

  #forget() {
    [this.stats, this.refusal, this.samples] = [null, null, []];
    this.ask();
  }

  async ask() {
    clearTimeout(this.timer);
    if (document.hidden) return;
    // One that overtakes another ends it.
    const turn = (this.turn = (this.turn ?? 0) + 1);
    try {
      const answer = await this.#answer(AbortSignal.timeout(10000));
      if (turn !== this.turn) return;
      this.#keep(answer);
    } catch (error) {
      if (turn !== this.turn) return;
      this.problem = error;
    }
    this.dispatchEvent(new Event("beat"));
    this.timer = setTimeout(() => this.ask(), this.isKeen || this.problem ? keenMilliseconds : calmMilliseconds);
  }

  /// Statistics, or, for a token that they are refused to, whether the gateway is ready. A refusal is not asked for twice.
  async #answer(signal) {
    if (this.refusal) return { readiness: await api.readiness(signal), refusal: this.refusal };
    try {
      const stats = await api.stats(signal);
      return { stats, readiness: stats, refusal: null };
    } catch (error) {
      if (!error.isForbidden) throw error;
      return { readiness: await api.readiness(signal), refusal: error };
    }
  }

  #keep({ stats = null, readiness, refusal }) {
    [this.stats, this.readiness, this.refusal, this.problem] = [stats, readiness, refusal, null];
    if (!stats) return;
    this.samples.push({ time: Date.now(), stats });
    if (this.samples.length > keptSamples) this.samples.shift();
  }
}

export const pulse = new Pulse();

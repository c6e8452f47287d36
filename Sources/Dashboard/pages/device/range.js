// A range of time and the step that shows it: relative to now, which moves, or from one time to another.

import { durationText } from "../../format/times.js";

export const presets = ["15m", "1h", "6h", "24h", "7d", "30d"];
const unitSeconds = { s: 1, m: 60, h: 3600, d: 86400, w: 604800 };

/// Steps that people know; windows begin at whole multiples.
const steps = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200, 86400, 172800, 604800, 2592000];
/// A window for each two or three pixels: finer cannot be seen.
const pixelsPerWindow = 2.5;
const fewestWindows = 160;
/// Up to here every reading is shown by itself.
const rawSeconds = 120;
const shortestSeconds = 5;
const longestSeconds = 20 * 365 * 86400;

/// "1h30m" → seconds; null when it is not a duration.
export function seconds(text) {
  if (!/^(\d+[smhdw])+$/.test(text ?? "")) return null;
  return [...text.matchAll(/(\d+)([smhdw])/g)].reduce((sum, [, number, unit]) => sum + Number(number) * unitSeconds[unit], 0);
}

export class TimeRange {
  /// - parameters: of the address: `range`, or `start` and `end` in ms.
  constructor({ range, start, end } = {}) {
    const [from, to] = [Number(start), Number(end)];
    this.isLive = !(start && end && Number.isFinite(from) && Number.isFinite(to) && to > from);
    const length = seconds(range);
    this.seconds = this.isLive ? Math.min(longestSeconds, Math.max(shortestSeconds, length ?? 3600)) : (to - from) / 1000;
    [this.start, this.end] = this.isLive ? [null, null] : [from, to];
  }

  get parameters() {
    return this.isLive ? { range: durationText(this.seconds) } : { start: this.start, end: this.end };
  }

  /// In ms, with the clock of `now`.
  bounds(now) { return this.isLive ? [now - this.seconds * 1000, now] : [this.start, this.end]; }

  /// As the API takes them.
  get request() {
    return this.isLive ? { start: `-${durationText(this.seconds)}`, end: "now" } : { start: this.start, end: this.end };
  }

  /// Seconds of a window for a plot of so many pixels; 0: every reading.
  step(pixels) {
    if (this.seconds <= rawSeconds) return 0;
    const windows = Math.max(fewestWindows, pixels / pixelsPerWindow);
    return steps.find((step) => this.seconds / step <= windows) ?? steps.at(-1);
  }

  /// A part of it, or more than it, around the middle: 0.5 is half of it.
  scaled(factor, now) {
    const [start, end] = this.bounds(now);
    const length = Math.min(longestSeconds, Math.max(shortestSeconds, this.seconds * factor)) * 1000;
    if (this.isLive) return new TimeRange({ range: durationText(length / 1000) });
    const middle = (start + end) / 2;
    const last = Math.min(middle + length / 2, Math.max(end, now));
    return TimeRange.between(last - length, last);
  }

  /// Earlier or later by a share of its length.
  moved(share, now) {
    const [start, end] = this.bounds(now);
    const distance = share * (end - start);
    return TimeRange.between(start + distance, end + distance);
  }

  static between(start, end) {
    const least = Math.max(end, start + shortestSeconds * 1000);
    return new TimeRange({ start: Math.round(start), end: Math.round(least) });
  }
}

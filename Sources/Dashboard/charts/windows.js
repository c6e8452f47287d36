// What a plot of one field shows: a time, and average, least, greatest value and count of the window that begins there (or one reading).

/// More than so many usual distances without a reading is a gap.
const gapDistances = 2.5;

export class Windows {
  times = [];
  average = [];
  least = [];
  greatest = [];
  counts = [];

  /// - step: milliseconds of a window; 0: every reading by itself.
  constructor(step) { this.step = step; }

  /// The newest reading that came live; null: none has.
  newest = null;

  get length() { return this.times.length; }

  /// Appends a window; one without a value is left out: gaps are found by distance.
  append(time, average, least, greatest, count) {
    if (average === null || average === undefined) return;
    this.times.push(time);
    this.average.push(average);
    this.least.push(least);
    this.greatest.push(greatest);
    this.counts.push(count);
  }

  /// Adds a live reading to its window. One that is older than the last window waits for the next fetch.
  add(time, value) {
    const start = this.step ? Math.floor(time / this.step) * this.step : time;
    const last = this.length - 1;
    if (last >= 0 && start < this.times[last]) return;
    this.newest = value;
    if (last < 0 || start > this.times[last]) return this.append(start, value, value, value, 1);
    if (!this.step) return;
    this.counts[last] += 1;
    this.average[last] += (value - this.average[last]) / this.counts[last];
    this.least[last] = Math.min(this.least[last], value);
    this.greatest[last] = Math.max(this.greatest[last], value);
  }

  /// Forgets windows before a time.
  trim(start) {
    let count = 0;
    while (count < this.length && this.times[count] < start) count += 1;
    if (count) for (const list of [this.times, this.average, this.least, this.greatest, this.counts]) list.splice(0, count);
  }

  /// Milliseconds between two windows beyond which a line would claim what nobody measured.
  get gapLength() {
    const distances = this.times.slice(1).map((time, index) => time - this.times[index]);
    const usual = median(distances) || this.step || 60000;
    return this.step && median(this.counts) >= 2 ? this.step * 1.5 : Math.max(this.step * 1.5, usual * gapDistances);
  }

  /// uPlot's columns [times, greatest, least, average], interrupted at gaps, and the gaps within start...end.
  columns(start, end) {
    const columns = [[], [], [], []];
    const gaps = [];
    const limit = this.gapLength;
    let before = start - this.step;
    this.times.forEach((time, index) => {
      if (time - before > limit) {
        gaps.push([index ? before + this.step : start, time]);
        if (index) columns.forEach((column, place) => column.push(place ? null : (before + time) / 2));
      }
      [time, this.greatest[index], this.least[index], this.average[index]].forEach((value, place) => columns[place].push(value));
      before = time;
    });
    if (this.length && end - before - this.step > limit) gaps.push([before + this.step, end]);
    return { columns, gaps };
  }

  /// Of all that is shown; null without any.
  get summary() {
    if (!this.length) return null;
    const readings = this.counts.reduce((sum, count) => sum + count, 0);
    const total = this.average.reduce((sum, average, index) => sum + average * this.counts[index], 0);
    const [least, greatest] = [Math.min(...this.least), Math.max(...this.greatest)];
    return { least, greatest, average: total / readings, readings, last: this.newest ?? this.average.at(-1) };
  }
}

function median(values) {
  if (!values.length) return 0;
  return [...values].sort((one, other) => one - other)[values.length >> 1];
}

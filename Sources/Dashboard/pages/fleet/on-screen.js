// Newest values and the last hour of the devices on screen, and of no others: fetched when they come into view, then live.

import * as api from "../../api/endpoints.js";
import { LiveStream } from "../../api/live.js";
import { places } from "../../format/numbers.js";

/// The view must rest this long before it is asked for: nobody reads while scrolling.
const restMilliseconds = 150;
const refreshMilliseconds = 60000;
const keptDevices = 400;
export const spanText = "1h";
const spanMilliseconds = 3600000;
const stepText = "2m";
const stepMilliseconds = 120000;

export class OnScreen {
  #latest = new Map();
  #lines = new Map();
  #places = new Map();
  #ids = [];
  #fields = [];
  #lineFields = [];
  #abort = new AbortController();

  /// - on: `values(ids)`, `reading(id, time, names)`, `failure(name, error)` with null when it works again.
  constructor(table, on) {
    this.table = table;
    this.on = on;
  }

  /// `{value, time}` or undefined.
  value(id, field) { return this.#latest.get(id)?.[field]; }

  /// Decimal places that the values of a field were seen with.
  places(field) { return this.#places.get(field) ?? 0; }

  /// Pairs [time, value or null], or undefined.
  line(id, field) { return this.#lines.get(id)?.get(field); }

  /// - lineFields: those of the fields that are numbers.
  show(ids, fields, lineFields) {
    const isSame = ids.join("\n") === this.#ids.join("\n") && fields.join("\n") === this.#fields.join("\n");
    if (isSame) return;
    [this.#ids, this.#fields, this.#lineFields] = [ids, fields, lineFields];
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.#fetch(), restMilliseconds);
  }

  close() {
    clearTimeout(this.timer);
    this.#abort.abort();
    this.stream?.close();
  }

  async #fetch() {
    this.#abort.abort();
    this.#abort = new AbortController();
    const signal = this.#abort.signal;
    this.stream?.close();
    const ids = this.#ids;
    if (!ids.length || !this.#fields.length) return;
    this.#forget(ids);
    this.#listen(ids);
    const work = { latest: () => this.#fetchLatest(ids, signal), sparklines: () => this.#fetchLines(ids, signal) };
    await Promise.all(Object.entries(work).map(([name, step]) => this.#try(name, step)));
    if (!signal.aborted) this.timer = setTimeout(() => this.#fetch(), refreshMilliseconds);
  }

  async #try(name, work) {
    try {
      await work();
      this.on.failure(name, null);
    } catch (error) {
      if (error.name !== "AbortError") this.on.failure(name, error);
    }
  }

  async #fetchLatest(ids, signal) {
    const rows = await api.latestOfMany(this.table, ids, this.#fields, signal);
    for (const row of rows) {
      this.#latest.set(row.device, { ...row.values });
      for (const [name, { value }] of Object.entries(row.values)) this.#notePlaces(name, value);
    }
    this.on.values(ids);
  }

  async #fetchLines(ids, signal) {
    const fields = this.#lineFields;
    if (!fields.length) return;
    const series = await api.query(this.table, ids, fields, `-${spanText}`, stepText, signal);
    for (const { device, columns, rows } of series) {
      const lines = new Map();
      for (const field of fields) {
        const place = columns.findIndex((column) => column.name === `${field}_avg`);
        if (place > 0) lines.set(field, joined(rows.map((row) => [row[0], row[place]])));
      }
      this.#lines.set(device, lines);
    }
    this.on.values(ids);
  }

  #notePlaces(name, value) { this.#places.set(name, Math.max(this.places(name), places(value))); }

  #listen(ids) {
    // A list in an address ends at commas; such a device is shown as of the last fetch.
    const devices = ids.filter((id) => !id.includes(","));
    if (!devices.length) return;
    this.stream = new LiveStream({ table: this.table, devices, max_hz: 1 }, {
      reading: (reading) => this.#take(reading),
      state: (state, error) => {
        if (state === "open") this.on.failure("live", null);
        else if (error) this.on.failure("live", error);
      },
    });
  }

  #take({ device, time, values }) {
    const latest = this.#latest.get(device) ?? {};
    const names = [];
    for (const [name, value] of Object.entries(values)) {
      if (latest[name] && latest[name].time > time) continue;
      latest[name] = { value, time };
      this.#notePlaces(name, value);
      names.push(name);
      if (typeof value === "number") this.#extend(this.#lines.get(device)?.get(name), time, value);
    }
    this.#latest.set(device, latest);
    this.on.reading(device, time, names);
  }

  /// The last point moves until its step is over.
  #extend(points, time, value) {
    if (!points) return;
    const last = points.at(-1);
    if (last && time - last[0] < stepMilliseconds) last[1] = value;
    else points.push([time, value]);
    while (points.length && points[0][0] < time - spanMilliseconds) points.shift();
  }

  #forget(ids) {
    if (this.#latest.size <= keptDevices) return;
    const wanted = new Set(ids);
    for (const map of [this.#latest, this.#lines]) for (const id of map.keys()) if (!wanted.has(id)) map.delete(id);
  }
}

/// A line is interrupted only where more than two steps in a row are empty: many devices send less often than a step is long.
function joined(points) {
  return points.filter(([, value], index) => value !== null || isInGap(points, index));
}

function isInGap(points, index) {
  let start = index;
  let end = index;
  while (start > 0 && points[start - 1][1] === null) start -= 1;
  while (end < points.length - 1 && points[end + 1][1] === null) end += 1;
  return end - start >= 2;
}

// All devices of a table, loaded page by page, kept up to date, searched and sorted here: ten thousand are a megabyte.

import * as api from "../../api/endpoints.js";

const pageLength = 2000;
/// Enough for any fleet that a person scrolls through; the API holds more.
const deviceLimit = 100000;
const refreshMilliseconds = 30000;

const orders = {
  id: (one, other) => compare(one.id, other.id),
  last_seen: (one, other) => one.last_seen - other.last_seen || compare(one.id, other.id),
  readings: (one, other) => one.readings - other.readings || compare(one.id, other.id),
  state: (one, other) => compare(one.state, other.state) || compare(one.id, other.id),
};

const compare = (one, other) => (one < other ? -1 : one > other ? 1 : 0);

export class DeviceList {
  /// Those that are searched for, in order.
  shown = [];
  isWhole = false;
  filter = { text: "", state: null };
  sort = { key: "id", isDescending: false };
  #known = new Map();
  #abort = new AbortController();

  /// - on: `change()` when the list did; `failure(error)`.
  constructor(table, on) {
    this.table = table;
    this.on = on;
  }

  get count() { return this.#known.size; }
  device(id) { return this.#known.get(id); }

  countOf(state) {
    let count = 0;
    for (const device of this.#known.values()) if (device.state === state) count += 1;
    return count;
  }

  close() {
    this.#abort.abort();
    clearTimeout(this.timer);
  }

  /// Loads all pages, shows each as it comes, and comes back for what has changed.
  async load() {
    clearTimeout(this.timer);
    const seen = new Set();
    try {
      let token;
      do {
        const page = await api.devicePage(this.table, pageLength, token, this.#abort.signal);
        for (const device of page.devices) {
          seen.add(device.id);
          this.#take(device);
        }
        token = page.next_page_token;
        if (!this.isWhole) this.#changed();
      } while (token && seen.size < deviceLimit);
      for (const id of this.#known.keys()) if (!seen.has(id)) this.#known.delete(id);
      this.isWhole = true;
      this.#changed();
      this.on.failure(null);
    } catch (error) {
      if (error.name === "AbortError") return;
      this.on.failure(error);
    }
    this.timer = setTimeout(() => this.load(), this.count ? refreshMilliseconds : 2000);
  }

  /// A reading that came live.
  noteReading(id, time) {
    const device = this.#known.get(id);
    if (!device) return;
    device.last_seen = Math.max(device.last_seen, time);
    device.state = "online";
  }

  arrange() {
    const { text, state } = this.filter;
    const wanted = text.toLowerCase();
    const order = orders[this.sort.key];
    const sign = this.sort.isDescending ? -1 : 1;
    this.shown = [...this.#known.values()]
      .filter((device) => (!state || device.state === state) && (!wanted || device.id.toLowerCase().includes(wanted)))
      .sort((one, other) => sign * order(one, other));
  }

  #take(device) {
    const known = this.#known.get(device.id);
    if (known) Object.assign(known, device, { last_seen: Math.max(known.last_seen, device.last_seen) });
    else this.#known.set(device.id, device);
  }

  #changed() {
    this.arrange();
    this.on.change();
  }
}

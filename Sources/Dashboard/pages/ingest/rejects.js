// What was refused, by reason, with the newest messages that were.

import * as api from "../../api/endpoints.js";
import { notice, report } from "../../app/notices.js";
import { element, setText } from "../../dom/element.js";
import { panel, plainTable, scroller } from "../../dom/parts.js";
import { count } from "../../format/numbers.js";
import { ageElement } from "../../format/times.js";

const sampleLimit = 200;
const samplesOfReason = 2;
const shownPayload = 400;

/// What each reason means to the one who sends.
const meanings = {
  "late": "older than the table keeps readings",
  "future": "further ahead of the clock than allowed: a wrong clock?",
  "undecodable": "not what its subscription expects: JSON, CBOR, a line",
  "bad-time": "the time cannot be read, or is out of all bounds",
  "bad-value": "a value that no field can hold",
  "no-fields": "a message without any value",
  "unmatched-topic": "no subscription's topic is like this",
  "unknown-table": "the topic names a table that is not configured",
  "no-device": "neither topic nor payload name a device",
  "device-too-long": "the name of the device is too long",
  "field-name-too-long": "a field's name is too long",
  "too-many-fields": "too many fields in a reading",
  "value-too-long": "a text is too long",
  "payload-too-long": "the message is too long",
  "device-limit": "the table has as many devices as it may",
  "field-limit": "the table has as many fields as it may",
  "rate-limited": "faster than the table allows",
};

/// Counts by reason. The store's and MQTT's overlap: what the store refuses of a message stands in both.
export function refused({ rejected, mqtt }) {
  const counts = { ...rejected };
  for (const [reason, number] of Object.entries(mqtt?.rejected ?? {})) counts[reason] = Math.max(number, counts[reason] ?? 0);
  return counts;
}

export class Rejects {
  #rows = new Map();
  #samples = [];

  constructor() {
    this.table = plainTable(["Reason", "#Readings", "Newest messages"], [], { hidden: true });
    this.none = element("p", { class: "dim" }, "Nothing was refused since the start.");
    this.node = panel("Refused", { note: "acked, counted, kept as dead letters" }, this.none, scroller("Refused, by reason", this.table));
  }

  async load(signal) {
    try {
      this.#samples = await api.deadLetters({ limit: sampleLimit }, signal);
      notice("dead-letters", null);
      for (const [reason, row] of this.#rows) this.#showSamples(reason, row);
    } catch (error) {
      if (!error.isForbidden) report("dead-letters", error);
    }
  }

  /// - rejected: count by reason, over MQTT and HTTP.
  show(rejected) {
    const reasons = Object.entries(rejected).filter(([, number]) => number > 0).sort((one, other) => other[1] - one[1]);
    const most = reasons[0]?.[1] ?? 1;
    this.none.hidden = reasons.length > 0;
    this.table.hidden = reasons.length === 0;
    for (const [reason, number] of reasons) {
      const row = this.#rows.get(reason) ?? this.#newRow(reason);
      setText(row.number, count(number));
      row.share.style.width = `${(100 * number) / most}%`;
    }
  }

  #newRow(reason) {
    const row = { number: element("span", {}), share: element("span", { class: "share" }), samples: element("td", { class: "samples" }) };
    this.table.tBodies[0].append(element("tr", { "data-reason": reason },
      element("td", {}, element("b", {}, reason), element("div", { class: "dim" }, meanings[reason] ?? "")),
      element("td", { class: "number" }, row.number, row.share), row.samples));
    this.#rows.set(reason, row);
    this.#showSamples(reason, row);
    return row;
  }

  #showSamples(reason, row) {
    const letters = this.#samples.filter((letter) => letter.reason === reason).slice(0, samplesOfReason);
    const text = letters.map((letter) => `${letter.time} ${letter.topic}`).join("\n");
    if (row.text === text) return;
    row.text = text;
    row.samples.replaceChildren(...letters.map(sample));
  }
}

function sample(letter) {
  const payload = letter.payload ?? `base64: ${letter.payload_base64}`;
  const rest = payload.length > shownPayload ? "…" : "";
  return element("div", { class: "sample" },
    element("div", {}, element("code", { class: "clip" }, letter.topic), " ", element("span", { class: "dim" }, ageElement(letter.time))),
    element("div", { class: "dim clip" }, letter.detail), element("pre", {}, payload.slice(0, shownPayload) + rest));
}

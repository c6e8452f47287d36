// All there is to know of a partition: its objects with their checksums, and why delivery failed.

import { closeButton, openDialog } from "../../app/dialogs.js";
import { element } from "../../dom/element.js";
import { plainTable, scroller } from "../../dom/parts.js";
import { bytes, count } from "../../format/numbers.js";
import { instantText } from "../../format/times.js";

export function showPartition(partition) {
  const { start, end, state, rows, segments, objects, last_error: error } = partition;
  const size = segments ? bytes(partition.bytes) : "in memory";
  openDialog(`${instantText(start)} – ${instantText(end)}`,
    element("p", { class: "legend" }, element("span", {}, element("i", { class: `state-mark state-${state}` }), state),
      `${count(rows)} rows, ${size}, ${count(segments)} ${segments === 1 ? "segment" : "segments"}`),
    error ? element("p", { class: "bad-text clip" }, `Delivery failed: ${error}`) : null,
    objects.length ? objectTable(objects) : element("p", { class: "dim" }, hint(state)),
    element("div", { class: "actions" }, closeButton()));
}

function hint(state) {
  if (state === "open") return "Readings still come. It is sealed when its time is over.";
  if (state === "sealed") return "No object yet. A delivery takes it when it is old enough.";
  return "No object.";
}

function objectTable(objects) {
  const code = (text) => element("code", { class: "clip" }, text);
  const rows = objects.map((object) => [code(object.key), count(object.rows), bytes(object.bytes), code(object.sha256)]);
  return scroller("Objects", plainTable(["Object", "#Rows", "#Size", "SHA-256"], rows));
}

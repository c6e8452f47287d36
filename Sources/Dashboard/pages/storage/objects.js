// All there is to know of a partition: its objects with their checksums, and why delivery failed.

import { closeButton, openDialog } from "../../app/dialogs.js";
import { element } from "../../dom/element.js";
import { bytes, count } from "../../format/numbers.js";
import { instantText } from "../../format/times.js";

export function showPartition(partition) {
  const { start, end, state, rows, segments, objects, last_error: error } = partition;
  const size = segments ? bytes(partition.bytes) : "in memory";
  openDialog(`${instantText(start)} – ${instantText(end)}`,
    element("p", {}, element("span", { class: "pill" }, element("i", { class: `state-mark state-${state}` }), state), `   ${count(rows)} rows, ${size}, ${count(segments)} ${segments === 1 ? "segment" : "segments"}`),
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
  const heads = ["Object", "Rows", "Size", "SHA-256"];
  return element("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": "Objects" }, element("table", { class: "plain" },
    element("thead", {}, element("tr", {}, heads.map((head, index) => element("th", { scope: "col", class: index === 1 || index === 2 ? "number" : null }, head)))),
    element("tbody", {}, objects.map((object) => element("tr", {},
      element("td", { class: "mono clip" }, object.key), element("td", { class: "number" }, count(object.rows)),
      element("td", { class: "number" }, bytes(object.bytes)), element("td", { class: "mono clip" }, object.sha256))))));
}

// One row of the fleet.

import { address } from "../../app/router.js";
import { drawSparkline, sparkline } from "../../charts/sparkline.js";
import { element, setText } from "../../dom/element.js";
import { count, fixed, value as valueText } from "../../format/numbers.js";
import { setAge } from "../../format/times.js";
import { spanText } from "./on-screen.js";

/// Columns of the table: three that every device has, then the chosen fields.
export function columns(fields) {
  return [
    { key: "id", title: "Device", width: "minmax(190px, 1.6fr)", least: 190, isSortable: true },
    { key: "state", title: "State", width: "86px", least: 86, isSortable: true },
    { key: "last_seen", title: "Last seen", width: "92px", least: 92, isSortable: true },
    ...fields.map((field) => ({
      key: `field ${field.name}`, title: field.name, width: field.isNumber ? "minmax(164px, 1fr)" : "minmax(96px, 0.6fr)",
      least: field.isNumber ? 164 : 96, isNumber: field.isNumber,
    })),
    { key: "readings", title: "Readings", width: "96px", least: 96, isNumber: true, isSortable: true },
  ];
}

export function makeRow(fields) {
  return element("div", {},
    element("div", {}, element("a", { class: "name", tabindex: "-1" })),
    element("div", {}, element("span", { class: "pill" }, element("span", { class: "dot" }), element("span"))),
    element("div", { class: "dim" }, element("time")),
    fields.map((field) => (field.isNumber
      ? element("div", { class: "value" }, sparkline(), element("b"))
      : element("div", {}, element("span")))),
    element("div", { class: "number dim" }));
}

/// - show: the `OnScreen` that has the values.
export function fillRow(row, device, fields, show) {
  const [name, state, seen, ...rest] = row.children;
  setText(name.firstChild, device.id);
  name.firstChild.href = address("device", device.id);
  name.title = device.id;
  const isOnline = device.state === "online";
  state.firstChild.className = isOnline ? "pill good" : "pill warn";
  setText(state.firstChild.lastChild, device.state);
  setAge(seen.firstChild, device.last_seen);
  setText(rest.pop(), count(device.readings));
  fields.forEach((field, index) => fillValue(rest[index], device.id, field, show));
}

function fillValue(cell, id, field, show) {
  const known = show.value(id, field.name);
  const text = known ? (field.isNumber ? fixed(known.value, show.places(field.name)) : valueText(known.value)) : "";
  setText(cell.lastChild, text);
  if (!field.isNumber) {
    cell.title = text;
    return;
  }
  drawSparkline(cell.firstChild, show.line(id, field.name) ?? [], field.name, `last ${spanText}`);
}

/// A moment of colour for values that came this moment.
export function markFresh(row, fields, names) {
  fields.forEach((field, index) => {
    if (!field.isNumber || !names.includes(field.name)) return;
    const cell = row.children[3 + index];
    cell.classList.remove("fresh");
    void cell.offsetWidth;
    cell.classList.add("fresh");
  });
}

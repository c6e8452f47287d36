// One partition in the list.

import { element, setText } from "../../dom/element.js";
import { bytes, count } from "../../format/numbers.js";
import { dateText, clockText } from "../../format/times.js";

export const columns = [
  { key: "window", title: "Window", width: "minmax(210px, 1fr)", least: 210 },
  { key: "state", title: "State", width: "110px", least: 110 },
  { key: "rows", title: "Rows", width: "100px", least: 100, isNumber: true },
  { key: "bytes", title: "Size", width: "90px", least: 90, isNumber: true },
  { key: "each", title: "B/row", width: "64px", least: 64, isNumber: true },
  { key: "segments", title: "Segments", width: "76px", least: 76, isNumber: true },
  { key: "objects", title: "Objects", width: "76px", least: 76, isNumber: true },
  { key: "parquet", title: "Parquet", width: "90px", least: 90, isNumber: true },
  { key: "error", title: "Last error", width: "minmax(160px, 2fr)", least: 160 },
];

export function makeRow() {
  const state = element("span", { class: "pill" }, element("i", {}), element("span", {}));
  return element("div", {}, element("div", { class: "name" }), element("div", {}, state),
    Array.from({ length: 6 }, () => element("div", { class: "number" })), element("div", { class: "bad-text" }));
}

export function fillRow(row, partition) {
  const [window, state, ...rest] = row.children;
  const isWithinDay = dateText(partition.start) === dateText(partition.end - 1);
  const end = isWithinDay ? clockText(partition.end) : `${dateText(partition.end)} ${clockText(partition.end)}`;
  setText(window, `${dateText(partition.start)}  ${clockText(partition.start)} – ${end}`);
  state.firstChild.firstChild.className = `state-mark state-${partition.state}`;
  setText(state.firstChild.lastChild, partition.state);
  const size = partition.objects.reduce((sum, object) => sum + object.bytes, 0);
  const texts = [
    count(partition.rows), partition.segments ? bytes(partition.bytes) : "in memory",
    partition.segments && partition.rows ? (partition.bytes / partition.rows).toFixed(1) : "–",
    count(partition.segments), count(partition.objects.length), partition.objects.length ? bytes(size) : "–", partition.last_error ?? "",
  ];
  texts.forEach((text, index) => setText(rest[index], text));
  rest.at(-1).title = partition.last_error ?? "";
}

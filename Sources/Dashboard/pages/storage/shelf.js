// The windows of time side by side, as high as they are big, in the colour of their state.

import { element } from "../../dom/element.js";
import { bytes, count } from "../../format/numbers.js";
import { instantText } from "../../format/times.js";

export const states = ["open", "sealed", "delivering", "delivered", "dropped"];
/// More bars than pixels say nothing: the newest.
const barLimit = 240;

/// - partitions: newest first.
export function shelf(partitions, onOpen) {
  const bars = partitions.slice(0, barLimit).reverse();
  const rows = Math.max(1, ...bars.map((partition) => partition.rows));
  const title = partitions.length > barLimit ? `The newest ${barLimit} of ${count(partitions.length)} windows` : "Windows of time";
  const present = states.filter((state) => bars.some((partition) => partition.state === state));
  return [
    element("div", { class: "panel-head" }, element("h2", {}, title), element("span", { class: "dim" }, "as high as they have rows"),
      element("span", { class: "legend reading" }, present.map(mark))),
    element("div", { class: "windows", role: "img", "aria-label": description(bars, present) },
      bars.map((partition) => bar(partition, rows, onOpen))),
  ];
}

const mark = (state) => element("span", {}, element("i", { class: `state-mark state-${state}` }), state);

/// For the mouse: the table below has the same rows for the keyboard.
function bar(partition, most, onOpen) {
  const title = `${instantText(partition.start)}: ${partition.state}, ${count(partition.rows)} rows, ${bytes(partition.bytes)}`;
  const node = element("span", { class: `bar state-${partition.state}`, title, onclick: () => onOpen(partition) });
  node.style.height = `${Math.max(4, (100 * partition.rows) / most)}%`;
  return node;
}

function description(bars, present) {
  const parts = present.map((state) => `${count(bars.filter((partition) => partition.state === state).length)} ${state}`);
  return bars.length ? `${bars.length} windows: ${parts.join(", ")}` : "No windows";
}

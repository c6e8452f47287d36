// A line as big as a word.

import { svg } from "../dom/element.js";
import { value as valueText } from "../format/numbers.js";

const width = 76;
const height = 20;
const inset = 2.5;

export function sparkline() {
  const attributes = { class: "sparkline", width, height, viewBox: `0 0 ${width} ${height}`, role: "img" };
  return svg("svg", attributes, svg("path"), svg("circle", { r: 1.6 }));
}

/// - points: pairs [time, value or null], by time. Nulls interrupt the line.
export function drawSparkline(node, points, name, span) {
  const values = points.map((point) => point[1]).filter((value) => value !== null);
  const [path, dot] = node.children;
  node.toggleAttribute("hidden", !values.length);
  if (!values.length) return;
  const [least, greatest] = [Math.min(...values), Math.max(...values)];
  const [start, end] = [points[0][0], points.at(-1)[0]];
  const x = (time) => inset + ((time - start) / Math.max(1, end - start)) * (width - 2 * inset);
  // A field that does not move is a line in the middle.
  const y = (value) => (greatest > least ? height - inset - ((value - least) / (greatest - least)) * (height - 2 * inset) : height / 2);
  let commands = "";
  let isDown = false;
  for (const [time, value] of points) {
    if (value !== null) commands += `${isDown ? "L" : "M"}${x(time).toFixed(1)} ${y(value).toFixed(1)}`;
    isDown = value !== null;
  }
  path.setAttribute("d", commands);
  const last = points.findLast((point) => point[1] !== null);
  dot.setAttribute("cx", x(last[0]).toFixed(1));
  dot.setAttribute("cy", y(last[1]).toFixed(1));
  node.setAttribute("aria-label", `${name}, ${span}: from ${valueText(least)} to ${valueText(greatest)}`);
}

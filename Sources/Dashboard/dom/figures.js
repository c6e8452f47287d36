// A row of figures with their names.

import { element } from "./element.js";

/// - items: `[name, value, note?, level?]`; level: "warn" or "bad".
export function figures(items) {
  return element("dl", { class: "figures" }, items.filter((item) => item).map(([name, value, note, level]) =>
    element("div", { class: level ?? null }, element("dt", {}, name), element("dd", {}, value, element("small", {}, note ?? "")))));
}

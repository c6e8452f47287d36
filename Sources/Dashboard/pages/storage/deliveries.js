// The deliveries of all tables: what each is doing, how far behind it is, what it failed with. Those that need somebody stand first.

import { element } from "../../dom/element.js";
import { button, panel, plainTable, scroller } from "../../dom/parts.js";
import { bytes, count } from "../../format/numbers.js";
import { lengthText } from "../../format/times.js";
import { showDelivery } from "./delivery.js";

const heads = ["Delivery", "Table", "Mode", "State", "Phase", "Behind", "#Objects", "#Rows", "#Size", "Error"];

export class DeliveryPanel {
  constructor() {
    this.content = element("div", {});
    this.node = panel("Deliveries", { id: "deliveries", note: "tables as Parquet objects", hidden: true }, this.content);
  }

  show(deliveries) {
    this.node.hidden = !deliveries.length;
    const order = [...deliveries].sort((one, other) => urgency(other) - urgency(one));
    this.content.replaceChildren(scroller("Deliveries", plainTable(heads, order.map(row))));
  }
}

/// 2: somebody must look at it; 1: it waits for somebody; 0: all is well.
const urgency = (delivery) => (delivery.error !== "OK" || delivery.late ? 2 : delivery.state === "paused" ? 1 : 0);

/// Its state, coloured.
export function stateMark(delivery) {
  const level = ["good", "warn", "bad"][urgency(delivery)];
  return element("span", { class: `pill ${level}`, "data-state": delivery.state }, element("span", { class: "dot" }), delivery.state);
}

/// For how long rows have been due.
export const behindText = ({ lag_s: seconds, late }) => (seconds > 0 ? `${lengthText(seconds)}${late ? ", late" : ""}` : "–");

function row(delivery) {
  const { name, table, mode, phase, objects, rows, bytes: size, error, detail } = delivery;
  const behind = element("span", { class: delivery.late ? "bad-text" : null }, behindText(delivery));
  const trouble = error === "OK" ? "" : element("span", { class: "bad-text clip" }, detail ? `${error}: ${detail}` : error);
  return [
    button({ "data-delivery": name, onclick: () => showDelivery(name) }, name), table ?? "–", mode ?? "–", stateMark(delivery), phase,
    behind, count(objects), count(rows), bytes(size), trouble,
  ];
}

// The MQTT side: connected or why not, and what is subscribed.

import { element } from "../../dom/element.js";
import { panel } from "../../dom/parts.js";
import { bytes, count } from "../../format/numbers.js";

export class Broker {
  constructor() {
    this.content = element("div", {});
    this.node = panel("MQTT", { id: "mqtt" }, this.content);
  }

  /// - mqtt: of the statistics; null when it is not configured.
  /// - configuration: undefined until it is known; null: this token may not read it.
  show(mqtt, configuration) {
    if (!mqtt) return this.content.replaceChildren(element("p", { class: "dim" }, "Not configured: readings come over HTTP alone."));
    const several = mqtt.brokers?.length > 1 ? mqtt.brokers : [];
    const rows = [
      ["State", state(mqtt)], ...several.map((broker) => [broker.broker, state(broker)]),
      mqtt.last_error && ["Last error", element("span", { class: mqtt.connected ? "dim" : "bad-text" }, mqtt.last_error)],
      ["Messages", count(mqtt.messages)], ["Received", bytes(mqtt.bytes)], ["Reconnects", count(mqtt.reconnects)],
      ...[configuration?.mqtt ?? []].flat().flatMap(brokerRows),
      configuration === null && ["Subscriptions", element("span", { class: "dim" }, "in the configuration, which is for admin tokens")],
    ];
    this.content.replaceChildren(element("table", { class: "plain" }, element("tbody", {}, rows.filter((row) => row).map(([name, value]) =>
      element("tr", {}, element("th", { scope: "row" }, name), element("td", { class: "clip" }, value))))));
  }
}

function state({ connected }) {
  return element("span", { class: connected ? "pill good" : "pill bad", "data-connected": String(connected) },
    element("span", { class: "dot" }), connected ? "connected" : "not connected");
}

function brokerRows(broker) {
  const subscriptions = (broker.subscription ?? []).map(({ filter, format, qos, table }) => element("div", {},
    element("code", {}, filter), element("span", { class: "dim" }, `  ${format}, QoS ${qos}${table ? `, table ${table}` : ""}`)));
  return [["Broker", `${broker.host}:${broker.port} as ${broker.client_id}`], ["Subscriptions", element("div", {}, subscriptions)]];
}

// The fleet without a device: how to make the first one, with this gateway's own broker and topics where the token may read them.

import { target } from "../../api/client.js";
import * as api from "../../api/endpoints.js";
import { copyText } from "../../app/dialogs.js";
import { report } from "../../app/notices.js";
import { pulse } from "../../app/pulse.js";
import { tables } from "../../app/tables.js";
import { announce, element, icon, setText } from "../../dom/element.js";

/// Of a gateway that does not tell its own.
const exampleBroker = { host: "BROKER", port: 1883 };
const exampleSubscription = { topic: "devices/{device}/telemetry" };
const exampleNote = "An example: this gateway's broker and topics are in its configuration, which is for admin tokens.";
const payload = `'{"temperature":21.5,"status":"ok"}'`;

export class Welcome {
  constructor() {
    this.steps = element("ol", {});
    this.wait = element("span", {}, "Waiting for the first reading…");
    this.node = element("div", { class: "welcome" },
      element("h1", {}, "No device has sent anything yet"),
      element("p", { class: "lead" }, "A device is there as soon as its first reading is. Nothing has to be set up before."),
      this.steps, element("div", { class: "waiting" }, element("span", { class: "dot" }), this.wait));
    this.beat = () => this.#showState();
    pulse.addEventListener("beat", this.beat);
    this.#load();
  }

  close() { pulse.removeEventListener("beat", this.beat); }

  async #load() {
    try {
      this.#showSteps(await api.configuration());
    } catch (error) {
      if (!error.isForbidden) report("page", error);
      this.#showSteps(error.isForbidden ? null : {});
    }
    this.#showState();
  }

  /// - configuration: null: this token may not read it.
  #showSteps(configuration) {
    const publish = configuration ? publishStep(configuration) : exampleStep();
    const write = [publish ? "Or write it over HTTP" : "Write a reading over HTTP", writeCommand()];
    const item = ([title, text, note]) => element("li", {},
      element("div", {}, element("h2", {}, title), command(text), note && element("p", { class: "dim" }, note)));
    this.steps.replaceChildren(...[publish, write, ["Read it back", readCommand()]].filter((step) => step).map(item));
  }

  #showState() {
    if (!pulse.stats) return setText(this.wait, "Waiting for the first reading…");
    const mqtt = pulse.stats.mqtt;
    if (!mqtt) return setText(this.wait, "Waiting for the first reading… MQTT is not configured here.");
    const error = mqtt.last_error ? ` (${mqtt.last_error})` : "";
    const state = mqtt.connected ? "The broker is connected." : `The broker is not connected${error}.`;
    const rejected = Object.values(mqtt.rejected).reduce((sum, count) => sum + count, 0);
    const refused = rejected ? ` ${rejected} messages were refused: see Ingest.` : "";
    setText(this.wait, `Waiting for the first reading… ${state}${refused}`);
  }
}

/// Null without a broker, and where no subscription fills the table that is looked at.
function publishStep(configuration) {
  for (const broker of [configuration.mqtt ?? []].flat()) {
    const subscription = broker.subscription?.find(fillsTable);
    if (subscription) return ["Publish a reading to the broker", publishCommand(broker, subscription)];
  }
  return null;
}

/// A topic may name the table itself.
const fillsTable = ({ topic, table }) => topic?.includes("{table}") || (table || tables.list[0]?.name) === tables.name;

function exampleStep() {
  if (pulse.stats && !pulse.stats.mqtt) return null;
  return ["Publish a reading to the broker", publishCommand(exampleBroker, exampleSubscription), exampleNote];
}

/// What a person would type who is logged in on this box, or beside it.
function publishCommand(broker, subscription) {
  const isLoopback = ["127.0.0.1", "localhost", "::1", ""].includes(broker.host);
  const parts = ["mosquitto_pub"];
  if (!isLoopback) parts.push(`-h ${quoted(broker.host)}`);
  if (broker.port !== 1883) parts.push(`-p ${broker.port}`);
  if (broker.tls_ca_file) parts.push(`--cafile ${quoted(broker.tls_ca_file)}`);
  if (broker.username) parts.push(`-u ${quoted(broker.username)} -P '…'`);
  return `${parts.join(" ")} -q 1 \\\n  -t ${quoted(topic(subscription))} \\\n  -m ${payload}`;
}

/// A topic that the subscription takes, for the device `dev-1`.
function topic(subscription) {
  const pattern = subscription.topic || subscription.filter;
  return pattern.replaceAll("{device}", "dev-1").replaceAll("{table}", tables.name).replace(/\{[^}]*\}|\+/g, "any").replace(/\/#$/, "");
}

const tokenText = () => " \\\n  -H \"Authorization: Bearer $TOKEN\"";

function writeCommand() {
  const reading = `'{"device":"dev-1","fields":{"temperature":21.5}}'`;
  const type = "-H 'Content-Type: application/json'";
  return `curl ${address("/api/v1/write")} \\\n  ${type}${needsToken() ? tokenText() : ""} \\\n  -d ${reading}`;
}

function readCommand() {
  return `curl ${address("/api/v1/devices/dev-1/latest")}${needsToken() ? tokenText() : ""}`;
}

/// The first table is the one that is meant where none is named.
function address(path) {
  const isDefault = tables.name === tables.list[0]?.name;
  return quoted(location.origin + target(path, { table: isDefault ? null : tables.name }));
}

const needsToken = () => sessionStorage.getItem("gaugehouse.token") !== null;

function quoted(text) {
  return /^[\w./:@-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}

function command(text) {
  const copy = element("button", { type: "button", class: "quiet" }, icon("copy"), "Copy");
  copy.addEventListener("click", async () => {
    if (await copyText(text, "Command")) announce("Copied");
  });
  return element("div", { class: "command" }, element("pre", {}, text), copy);
}

// The fleet without a device: how to make the first one, with this gateway's own broker and topics.

import * as api from "../../api/endpoints.js";
import { copyText } from "../../app/dialogs.js";
import { report } from "../../app/notices.js";
import { pulse } from "../../app/pulse.js";
import { announce, element, icon, setText } from "../../dom/element.js";

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
      report("page", error);
      this.#showSteps({});
    }
    this.#showState();
  }

  #showSteps(configuration) {
    const broker = [configuration.mqtt ?? []].flat()[0];
    const subscription = broker?.subscription?.[0];
    const steps = [];
    if (broker && subscription) steps.push(["Publish a reading to the broker", publishCommand(broker, subscription)]);
    steps.push([steps.length ? "Or write it over HTTP" : "Write a reading over HTTP", writeCommand()], ["Read it back", readCommand()]);
    const item = ([title, text]) => element("li", {}, element("div", {}, element("h2", {}, title), command(text)));
    this.steps.replaceChildren(...steps.map(item));
  }

  #showState() {
    const mqtt = pulse.stats?.mqtt;
    if (!mqtt) return setText(this.wait, "Waiting for the first reading… MQTT is not configured here.");
    const error = mqtt.last_error ? ` (${mqtt.last_error})` : "";
    const state = mqtt.connected ? "The broker is connected." : `The broker is not connected${error}.`;
    const rejected = Object.values(mqtt.rejected).reduce((sum, count) => sum + count, 0);
    const refused = rejected ? ` ${rejected} messages were refused: see Ingest.` : "";
    setText(this.wait, `Waiting for the first reading… ${state}${refused}`);
  }
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
  return pattern.replaceAll("{device}", "dev-1").replace(/\{[^}]*\}|\+/g, "any").replace(/\/#$/, "");
}

const tokenText = () => " \\\n  -H \"Authorization: Bearer $TOKEN\"";

function writeCommand() {
  const reading = `'{"device":"dev-1","fields":{"temperature":21.5}}'`;
  const type = "-H 'Content-Type: application/json'";
  return `curl ${location.origin}/api/v1/write \\\n  ${type}${needsToken() ? tokenText() : ""} \\\n  -d ${reading}`;
}

function readCommand() {
  return `curl ${location.origin}/api/v1/devices/dev-1/latest${needsToken() ? tokenText() : ""}`;
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

// All there is to know of a delivery: where to, how far, what it went through, and the commands that change it. The page itself changes
// nothing.

import * as api from "../../api/endpoints.js";
import { closeButton, copyText, openDialog } from "../../app/dialogs.js";
import { report } from "../../app/notices.js";
import { announce, element, icon } from "../../dom/element.js";
import { button, plainTable, scroller } from "../../dom/parts.js";
import { bytes, count } from "../../format/numbers.js";
import { ageText, instantText } from "../../format/times.js";
import { behindText, stateMark } from "./deliveries.js";

/// Asks for it and opens a dialog.
export async function showDelivery(name) {
  try {
    const delivery = await api.delivery(name);
    openDialog(`Delivery ${name}`, facts(delivery), history(delivery.history), commands(delivery),
      element("div", { class: "actions" }, closeButton()));
  } catch (error) {
    report("page", error);
  }
}

function facts(delivery) {
  const { error, detail, sync_point: synced, objects, rows, bytes: size, dirty_fields: dirty, last_object: last } = delivery;
  const code = (text) => element("code", { class: "clip" }, text);
  const lines = [
    ["State", stateMark(delivery)],
    error !== "OK" && ["Error", element("span", { class: "bad-text" }, detail ? `${error}: ${detail}` : error)],
    delivery.table !== null && ["Table", `${delivery.table}, mode ${delivery.mode}, phase ${delivery.phase}`],
    delivery.destination !== null && ["Destination", code(delivery.destination)], delivery.prefix && ["Folders", code(delivery.prefix)],
    ["Defined by", delivery.origin === "api" ? "the API" : "the configuration"],
    synced !== null && ["Delivered up to", `${instantText(synced)}, ${ageText(synced)}`], ["Behind", behindText(delivery)],
    ["Delivered", `${count(objects)} objects, ${count(rows)} rows, ${bytes(size)}`],
    dirty > 0 && ["Dirty fields", `${count(dirty)} values that the schema had no place for`], last && ["Last object", code(last)],
  ];
  return element("table", { class: "plain" }, element("tbody", {}, lines.filter((line) => line).map(([name, value]) =>
    element("tr", {}, element("th", { scope: "row" }, name), element("td", { class: "clip" }, value)))));
}

function history(events) {
  if (!events.length) return null;
  const rows = events.map(({ time, event, error, detail }) =>
    [instantText(time), event, element("span", { class: "clip" }, [error, detail].filter((text) => text).join(": "))]);
  return scroller("History", plainTable(["Time", "Event", "Detail"], rows, { id: "delivery-history" }));
}

/// With the rights of whoever runs them.
function commands({ name, state, origin }) {
  // Nothing is offered to a shell that is more than a word.
  if (!/^[a-z0-9-]+$/.test(name)) return null;
  const verbs = state === "invalid" ? [] : [state === "paused" ? "resume" : "pause", "restart"];
  if (origin === "api") verbs.push("delete");
  return element("div", { class: "verbs" }, verbs.map((verb) => command(`gaugehouse deliver ${verb} ${name}`)));
}

function command(text) {
  const copy = button({ class: "quiet" }, icon("copy"), "Copy");
  copy.addEventListener("click", async () => {
    if (await copyText(text, "Command")) announce("Copied");
  });
  return element("div", { class: "command" }, element("pre", {}, text), copy);
}

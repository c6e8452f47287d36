// Times in the zone that was chosen, UTC or the browser's; ages and lengths in words.

import { element } from "../dom/element.js";
import { settings } from "../app/settings.js";

const two = (number) => String(number).padStart(2, "0");
const months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// The parts of a time (ms since the epoch) in the chosen zone.
function parts(milliseconds) {
  const date = new Date(milliseconds);
  return settings.isUTC
    ? [date.getUTCFullYear(), date.getUTCMonth(), date.getUTCDate(), date.getUTCHours(), date.getUTCMinutes(), date.getUTCSeconds()]
    : [date.getFullYear(), date.getMonth(), date.getDate(), date.getHours(), date.getMinutes(), date.getSeconds()];
}

export const zoneName = () => (settings.isUTC ? "UTC" : Intl.DateTimeFormat().resolvedOptions().timeZone || "local");

export function dateText(milliseconds) {
  const [year, month, day] = parts(milliseconds);
  return `${year}-${two(month + 1)}-${two(day)}`;
}

/// 20:36, or 20:36:05 when asked for.
export function clockText(milliseconds, hasSeconds = false) {
  const [, , , hour, minute, second] = parts(milliseconds);
  return `${two(hour)}:${two(minute)}${hasSeconds ? `:${two(second)}` : ""}`;
}

export function instantText(milliseconds) {
  const fraction = Math.floor(milliseconds % 1000);
  const places = fraction ? `.${String(fraction).padStart(3, "0")}` : "";
  return `${dateText(milliseconds)} ${clockText(milliseconds, true)}${places}`;
}

/// `2026-11-21T20:36` for an input of type datetime-local, and back.
export const inputText = (milliseconds) => `${dateText(milliseconds)}T${clockText(milliseconds, true)}`;
export const inputTime = (text) => Date.parse(settings.isUTC ? `${text}Z` : text);

/// A tick of an axis: as much of it as the distance of ticks asks for; the day where a day begins.
export function tickText(milliseconds, distance, isFirst) {
  const [year, month, day, hour, minute] = parts(milliseconds);
  const date = `${day} ${months[month]}`;
  if (distance >= 28 * 86400e3) return `${months[month]} ${year}`;
  if (distance >= 86400e3) return date;
  if (isFirst || (hour === 0 && minute === 0 && milliseconds % 60000 === 0)) return `${clockText(milliseconds, distance < 60000)}\n${date}`;
  return clockText(milliseconds, distance < 60000);
}

const lengths = [[604800, "w"], [86400, "d"], [3600, "h"], [60, "m"], [1, "s"]];

/// 90 → "1m30s"; also how the API writes a duration.
export function durationText(seconds) {
  let rest = Math.round(seconds);
  let text = "";
  for (const [length, name] of lengths) {
    const times = Math.floor(rest / length);
    if (times) text += `${times}${name}`;
    rest -= times * length;
  }
  return text || "0s";
}

/// "now", "12 s", "3 min", "2 h", "5 d"; what lies ahead says so.
export function ageText(milliseconds, now = Date.now()) {
  const seconds = (now - milliseconds) / 1000;
  if (seconds < -2) return `${lengthText(-seconds)} ahead`;
  return seconds < 1.5 ? "now" : `${lengthText(seconds)} ago`;
}

export function lengthText(seconds) {
  if (seconds < 90) return `${Math.round(seconds)} s`;
  if (seconds < 3600) return `${Math.round(seconds / 60)} min`;
  if (seconds < 172800) return `${Math.round(seconds / 360) / 10} h`.replace(/(\d\d)\.\d/, "$1");
  return `${Math.round(seconds / 86400)} d`;
}

/// A `time` element: an age that is kept true by `refreshAges`, with the exact time as its title.
export function ageElement(milliseconds) {
  const node = element("time", {});
  setAge(node, milliseconds);
  return node;
}

export function setAge(node, milliseconds) {
  if (milliseconds === null || milliseconds === undefined) {
    node.textContent = "–";
    delete node.dataset.time;
    return;
  }
  if (node.dataset.time !== String(milliseconds)) {
    node.dataset.time = milliseconds;
    node.dateTime = new Date(milliseconds).toISOString();
    node.title = `${instantText(milliseconds)} ${zoneName()}`;
  }
  node.textContent = ageText(milliseconds);
}

export function refreshAges(root) {
  const now = Date.now();
  for (const node of root.querySelectorAll("time[data-time]")) {
    const text = ageText(Number(node.dataset.time), now);
    if (node.textContent !== text) node.textContent = text;
  }
}

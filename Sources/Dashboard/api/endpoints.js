// The endpoints that the dashboard asks, by name. What they take and give: /openapi.yaml.

import { get, post, target } from "./client.js";

const base = "/api/v1";
/// The most that the API gives at once.
const pageLimit = 100000;

export const tables = (signal) => get(`${base}/tables`, {}, signal).then((answer) => answer.tables);
export const stats = (signal) => get(`${base}/stats`, {}, signal);
/// Whether it is ready, in the words of the statistics; asked by those who may not read them.
export const readiness = (signal) => get("/-/ready", {}, signal).then(() => ({ ready: true, not_ready_reasons: [] }), notReady);
export const configuration = (signal) => get(`${base}/config`, {}, signal);
export const partitions = (table, signal) => get(`${base}/partitions`, { table }, signal).then((answer) => answer.partitions);
export const deliveries = (signal) => get(`${base}/deliveries`, {}, signal).then((answer) => answer.deliveries);
export const delivery = (name, signal) => get(`${base}/deliveries/${encodeURIComponent(name)}`, {}, signal);
export const devicePage = (table, limit, token, signal) => get(`${base}/devices`, { table, limit, page_token: token }, signal);
export const device = (table, id, signal) => get(devicePath(id), { table }, signal);
export const latest = (table, id, signal) => get(devicePath(id, "/latest"), { table }, signal);
export const range = (id, parameters, signal) => get(devicePath(id, "/range"), parameters, signal);
export const rangeTarget = (id, parameters) => target(devicePath(id, "/range"), parameters);
export const deadLetters = (parameters, signal) =>
  get(`${base}/dead-letters`, parameters, signal).then((answer) => answer.dead_letters);

/// The newest values of some devices: rows of `{device, time, values}`.
export async function latestOfMany(table, devices, fields, signal) {
  const parameters = { table, limit: Math.max(1, devices.length), fields: list(fields) };
  return (await post(`${base}/latest`, { devices }, parameters, signal)).rows;
}

/// Averages per step of some devices: a list of `{device, columns, rows}`.
export async function query(table, devices, fields, start, step, signal) {
  const series = [];
  let token;
  do {
    const body = { table, devices, fields, start, step, agg: ["avg"], order: "asc", limit: pageLimit, page_token: token };
    const answer = await post(`${base}/query`, body, {}, signal);
    series.push(...answer.series);
    token = answer.next_page_token;
  } while (token);
  return series;
}

/// Names for a parameter. Its commas separate: where a name holds one, all fields are asked for.
export const list = (names) => (names.some((name) => name.includes(",")) || !names.length ? null : names);

function notReady(error) {
  if (error.status !== 503) throw error;
  return { ready: false, not_ready_reasons: [error.detail.replace(/^Not ready: /, "")] };
}

/// An id may hold any character, `/` too.
function devicePath(id, rest = "") {
  return `${base}/devices/${encodeURIComponent(id)}${rest}`;
}

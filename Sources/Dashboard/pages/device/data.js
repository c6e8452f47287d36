// What the panels show: windows of all numeric fields in one request.

import * as api from "../../api/endpoints.js";
import { Windows } from "../../charts/windows.js";
import { durationText } from "../../format/times.js";

const functions = ["avg", "min", "max", "count"];
const rawLimit = 10000;
const windowLimit = 11000;

/// Parameters of the range request for what is shown; `step` in seconds, 0: readings.
export function parameters(table, range, fields, step) {
  const common = { table, ...range.request, fields: api.list(fields.map((field) => field.name)), order: "asc" };
  return step ? { ...common, step: durationText(step), agg: functions, fill: "null", limit: windowLimit } : { ...common, limit: rawLimit };
}

/// `{start, end, windows: Map of field name → Windows}`. Pages are followed to the end.
export async function load(id, table, range, fields, step, signal) {
  const asked = parameters(table, range, fields, step);
  const windows = new Map(fields.map((field) => [field.name, new Windows(step * 1000)]));
  let answer;
  let token;
  do {
    answer = await api.range(id, { ...asked, page_token: token }, signal);
    take(answer, windows, step);
    token = answer.next_page_token;
  } while (token);
  return { start: answer.start, end: answer.end, windows };
}

function take({ columns, rows }, windows, step) {
  const places = new Map(columns.map((column, index) => [column.name, index]));
  for (const [field, target] of windows) {
    const [average, least, greatest, number] = step
      ? functions.map((name) => places.get(`${field}_${name}`))
      : [places.get(field), places.get(field), places.get(field), undefined];
    for (const row of rows) target.append(row[0], row[average], row[least], row[greatest], number === undefined ? 1 : row[number]);
  }
}

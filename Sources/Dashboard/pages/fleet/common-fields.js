// Which fields a fleet shows before anybody has chosen: one odd device is not to leave all others with blank columns.

import * as api from "../../api/endpoints.js";

const shownFields = 5;
/// As many as a tall screen has rows.
const sampledDevices = 60;

/// Names of the fields that most of the first of these devices have; ties go by name.
export async function commonFields(table, ids, fields, signal) {
  const names = fields.map((field) => field.name).sort();
  if (names.length <= shownFields) return names;
  const rows = await api.latestOfMany(table, ids.slice(0, sampledDevices), [], signal);
  const counts = new Map(names.map((name) => [name, 0]));
  for (const name of rows.flatMap((row) => Object.keys(row.values))) counts.set(name, (counts.get(name) ?? 0) + 1);
  return names.sort((one, other) => (counts.get(other) ?? 0) - (counts.get(one) ?? 0)).slice(0, shownFields);
}

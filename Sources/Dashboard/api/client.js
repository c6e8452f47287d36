// Asks the gateway. Every failure becomes a Problem with the gateway's own title and detail (RFC 9457).

import { settings } from "../app/settings.js";

export class Problem extends Error {
  constructor(status, title, detail, param) {
    super(detail ? `${title}: ${detail}` : title);
    this.status = status;
    this.title = title;
    this.detail = detail;
    this.param = param;
  }

  /// The gateway did not answer at all.
  get isUnreachable() { return this.status === 0; }

  /// The token is known, but not for this.
  get isForbidden() { return this.status === 403; }
}

/// `/api/v1/devices?limit=10`; parameters that are null or undefined are left out, lists are joined by commas.
export function target(path, parameters = {}) {
  const pairs = Object.entries(parameters)
    .filter(([, value]) => value !== null && value !== undefined)
    .map(([name, value]) => `${encodeURIComponent(name)}=${encodeURIComponent(String(value)).replaceAll("%2C", ",")}`);
  return pairs.length ? `${path}?${pairs.join("&")}` : path;
}

export function headers(more = {}) {
  return settings.token ? { Authorization: `Bearer ${settings.token}`, ...more } : more;
}

/// A response with status 200…299.
export async function send(url, options = {}) {
  let response;
  try {
    response = await fetch(url, { ...options, headers: headers(options.headers) });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Problem(0, "The gateway does not answer", "It may be restarting, or the network is down.");
  }
  if (!response.ok) throw await problem(response);
  return response;
}

export async function get(path, parameters, signal) {
  return (await send(target(path, parameters), { signal })).json();
}

export async function post(path, body, parameters, signal) {
  const options = { method: "POST", body: JSON.stringify(body), headers: { "Content-Type": "application/json" }, signal };
  return (await send(target(path, parameters), options)).json();
}

async function problem(response) {
  const found = await described(response);
  if (found.status === 401) dispatchEvent(new CustomEvent("tokenwanted", { detail: found }));
  return found;
}

async function described(response) {
  try {
    const { title, detail, param } = await response.json();
    return new Problem(response.status, title ?? `HTTP ${response.status}`, detail ?? "", param);
  } catch {
    return new Problem(response.status, `HTTP ${response.status}`, response.statusText);
  }
}

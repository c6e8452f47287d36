// CSV and curl: the same request as the panels', for other tools.

import { headers, send } from "../../api/client.js";
import { rangeTarget } from "../../api/endpoints.js";
import { settings } from "../../app/settings.js";
import { element } from "../../dom/element.js";

/// Saves an answer as a file. The browser writes it as it comes; only a token forces it through memory, since links carry no headers.
export async function saveCSV(id, parameters) {
  const address = rangeTarget(id, { ...parameters, format: "csv" });
  const name = `${id.replaceAll(/[^\w.-]+/g, "_")}.csv`;
  if (!settings.token) return follow(address, name);
  const blob = await (await send(address, { headers: headers() })).blob();
  const url = URL.createObjectURL(blob);
  follow(url, name);
  setTimeout(() => URL.revokeObjectURL(url), 60000);
}

export function curl(id, parameters) {
  const token = settings.token ? `-H "Authorization: Bearer $TOKEN" ` : "";
  return `curl -s ${token}${quoted(location.origin + rangeTarget(id, parameters))}`;
}

function follow(href, download) {
  const link = element("a", { href, download });
  document.body.append(link);
  link.click();
  link.remove();
}

const quoted = (text) => `'${text.replaceAll("'", `'\\''`)}'`;

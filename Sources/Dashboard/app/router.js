// Where in the dashboard we are: `#/`, `#/device/ID?range=6h`, `#/storage`, `#/ingest`. Back and forward are the browser's own.

const names = new Set(["fleet", "device", "storage", "ingest"]);

/// `{page, id, parameters}`; what is not known is the fleet.
export function route(hash = location.hash) {
  const [path, query = ""] = hash.replace(/^#\/?/, "").split("?", 2);
  const [name, rawID = ""] = path.split("/", 2);
  const parameters = Object.fromEntries(new URLSearchParams(query));
  const id = decoded(rawID);
  if (!names.has(name) || (name === "device" && !id)) return { page: "fleet", id: "", parameters };
  return { page: name, id, parameters };
}

export function address(page, id = "", parameters = {}) {
  const query = new URLSearchParams(Object.entries(parameters).filter(([, value]) => value !== null && value !== undefined)).toString();
  const path = page === "fleet" ? "" : id ? `${page}/${encodeURIComponent(id)}` : page;
  return `#/${path}${query ? `?${query}` : ""}`;
}

/// Goes there; `isReplacing` leaves no step for the back button.
export function go(to, isReplacing = false) {
  if (!isReplacing) {
    location.hash = to;
    return;
  }
  history.replaceState(null, "", to);
  dispatchEvent(new Event("hashchange"));
}

function decoded(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return "";
  }
}

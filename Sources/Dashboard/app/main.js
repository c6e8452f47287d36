// Starts the dashboard: the bar, and the page that the address names.

import { visible } from "../format/names.js";
import { refreshAges } from "../format/times.js";
import { DevicePage } from "../pages/device/page.js";
import { FleetPage } from "../pages/fleet/page.js";
import { IngestPage } from "../pages/ingest/page.js";
import { StoragePage } from "../pages/storage/page.js";
import { askForToken } from "./dialogs.js";
import { buildFrame, markSection } from "./frame.js";
import { listenForKeys } from "./keys.js";
import { notice, report } from "./notices.js";
import { pulse } from "./pulse.js";
import { route } from "./router.js";
import { tables } from "./tables.js";

/// A page: `title`, `node`, `show(route)` each time the address changes within it, `close()`.
const pages = { fleet: FleetPage, device: DevicePage, storage: StoragePage, ingest: IngestPage };

let current = null;
let name = null;

function show() {
  const to = route();
  // Another device is another page: nothing of the one before may show through.
  const identity = `${to.page}/${to.id}`;
  if (identity !== name) {
    current?.close();
    notice("page", null);
    name = identity;
    current = new pages[to.page](to);
    document.getElementById("main").replaceChildren(current.node);
    markSection(to.page === "device" ? "fleet" : to.page);
  }
  document.title = `${visible(current.title)} · Gaugehouse`;
  current.show(to);
}

/// The tables must be known first; until they are, it is tried again each time the gateway answers.
async function begin() {
  try {
    await tables.load();
    notice("tables", null);
    pulse.removeEventListener("beat", begin);
    if (!current) show();
  } catch (error) {
    report("tables", error);
  }
}

function again() {
  name = null;
  if (current) show();
}

buildFrame();
listenForKeys();
addEventListener("hashchange", () => current && show());
addEventListener("zonechange", again);
addEventListener("tokenwanted", (event) => askForToken(event.detail));
addEventListener("tokenchange", () => (current ? again() : begin()));
tables.addEventListener("choose", again);
setInterval(() => refreshAges(document), 1000);
pulse.addEventListener("beat", begin);
pulse.start();

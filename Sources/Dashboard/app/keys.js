// Keys that work everywhere. Pages listen for theirs themselves.

import { showKeys } from "./dialogs.js";

const sections = { f: "#/", s: "#/storage", i: "#/ingest" };
const secondKeyMilliseconds = 1200;

export const isTyping = (event) =>
  event.ctrlKey || event.metaKey || event.altKey || event.target.closest("input, select, textarea, dialog") !== null;

export function listenForKeys() {
  let wentAt = 0;
  document.addEventListener("keydown", (event) => {
    if (isTyping(event)) return;
    if (event.key === "?") showKeys();
    else if (event.key === "g") wentAt = event.timeStamp;
    else if (event.timeStamp - wentAt < secondKeyMilliseconds && sections[event.key]) {
      wentAt = 0;
      location.hash = sections[event.key];
    }
  });
}

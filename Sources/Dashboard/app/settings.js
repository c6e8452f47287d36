// What this browser remembers: the looks in localStorage, the token only as long as the tab lives.

const prefix = "gaugehouse.";

function stored(name, fallback) {
  try {
    return JSON.parse(localStorage.getItem(prefix + name)) ?? fallback;
  } catch {
    return fallback;
  }
}

function store(name, value) {
  localStorage.setItem(prefix + name, JSON.stringify(value));
}

export const settings = {
  /// "auto", "light" or "dark"; read by theme.js as plain text.
  get theme() { return localStorage.getItem(prefix + "theme") ?? "auto"; },
  set theme(name) {
    localStorage.setItem(prefix + "theme", name);
    dispatchEvent(new Event("gaugehouse.theme"));
  },

  get isUTC() { return stored("utc", false); },
  set isUTC(flag) {
    store("utc", flag);
    dispatchEvent(new Event("zonechange"));
  },

  /// The fields that the fleet shows of a table; null: not chosen yet.
  fields(table) { return stored("fields." + table, null); },
  setFields(table, names) { store("fields." + table, names); },

  get token() { return sessionStorage.getItem(prefix + "token") ?? ""; },
  set token(text) {
    if (text) sessionStorage.setItem(prefix + "token", text);
    else sessionStorage.removeItem(prefix + "token");
    dispatchEvent(new Event("tokenchange"));
  },
};

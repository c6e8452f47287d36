// The bar: where one can go, how the gateway is, table, zone, theme, token.

import { element, icon, setText } from "../dom/element.js";
import { rate } from "../format/numbers.js";
import { zoneName } from "../format/times.js";
import { askForToken, showKeys } from "./dialogs.js";
import { notice } from "./notices.js";
import { pulse } from "./pulse.js";
import { settings } from "./settings.js";
import { tables } from "./tables.js";

const sections = [["fleet", "Fleet", "#/"], ["storage", "Storage", "#/storage"], ["ingest", "Ingest", "#/ingest"]];
const themes = { auto: "light", light: "dark", dark: "auto" };

export function buildFrame() {
  document.getElementById("frame").append(
    element("a", { class: "brand", href: "#/" }, element("img", { src: "/dashboard/icon.svg", alt: "" }), "Gaugehouse"),
    element("nav", { class: "sections", "aria-label": "Sections" },
      sections.map(([name, title, href]) => element("a", { href, "data-section": name }, title))),
    element("div", { class: "frame-end" }, pulseElement(), tableChooser(), zoneButton(), themeButton(), tokenButton(), keysButton()));
  pulse.addEventListener("beat", showProblem);
}

export function markSection(name) {
  for (const link of document.querySelectorAll("[data-section]")) {
    if (link.dataset.section === name) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
}

function pulseElement() {
  const dot = element("span", { class: "dot" });
  const word = element("b", {}, "connecting");
  const speed = element("span", { class: "rate" });
  const node = element("span", { class: "pulse", id: "pulse" }, dot, word, speed);
  pulse.addEventListener("beat", () => {
    const { stats, problem } = pulse;
    const [level, text] = problem ? ["bad", "no answer"] : stats.ready ? ["good", "ready"] : ["warn", "not ready"];
    dot.className = `dot ${level}`;
    setText(word, text);
    setText(speed, stats && !problem ? `${rate(stats.readings_per_s)} readings/s` : "");
  });
  return node;
}

function showProblem() {
  const { stats, problem } = pulse;
  notice("gateway", problem?.status === 401 ? { title: "A token is needed", detail: "This gateway asks for a bearer token." } : problem);
  const reasons = !problem && stats && !stats.ready ? { title: "Not ready", detail: stats.not_ready_reasons.join("; ") } : null;
  notice("readiness", reasons, "warn");
}

function tableChooser() {
  const select = element("select", { "aria-label": "Table", id: "table", hidden: true, onchange: () => tables.choose(select.value) });
  tables.addEventListener("load", () => {
    select.hidden = tables.list.length < 2;
    const names = tables.list.map((table) => table.name);
    if (names.join("\n") === [...select.options].map((option) => option.value).join("\n")) return;
    select.replaceChildren(...names.map((name) => element("option", { value: name, selected: name === tables.name }, name)));
  });
  return select;
}

function zoneButton() {
  const label = () => (settings.isUTC ? "UTC" : "Local");
  const button = element("button", { type: "button", class: "quiet", id: "zone", title: `Times in ${zoneName()}; press to change` }, label());
  button.addEventListener("click", () => {
    settings.isUTC = !settings.isUTC;
    button.textContent = label();
    button.title = `Times in ${zoneName()}; press to change`;
  });
  return button;
}

function themeButton() {
  const button = element("button", { type: "button", class: "quiet", id: "theme" }, icon("sun"), element("span", {}));
  const show = () => {
    const name = settings.theme;
    button.lastChild.textContent = name === "auto" ? "Auto" : name === "dark" ? "Dark" : "Light";
    button.title = `Colours: ${name}; press for ${themes[name]}`;
  };
  button.addEventListener("click", () => {
    settings.theme = themes[settings.theme] ?? "auto";
    show();
  });
  show();
  return button;
}

function tokenButton() {
  const button = element("button", { type: "button", class: "quiet", id: "token", title: "Token for the API" }, icon("key"), element("span", { class: "unseen" }, "Token"));
  button.addEventListener("click", () => askForToken());
  const show = () => button.setAttribute("aria-pressed", String(settings.token !== ""));
  addEventListener("tokenchange", show);
  show();
  return button;
}

function keysButton() {
  return element("button", { type: "button", class: "quiet", title: "Keys", "aria-label": "Keys", onclick: () => showKeys() }, element("kbd", { "aria-hidden": "true" }, "?"));
}

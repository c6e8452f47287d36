// The bar: where one can go, how the gateway is, table, zone, theme, token.

import { element, icon, setText } from "../dom/element.js";
import { button, notForThisToken } from "../dom/parts.js";
import { rate } from "../format/numbers.js";
import { zoneName } from "../format/times.js";
import { askForToken, showKeys } from "./dialogs.js";
import { notice } from "./notices.js";
import { pulse } from "./pulse.js";
import { settings } from "./settings.js";
import { tables } from "./tables.js";

const sections = [["fleet", "Fleet", "#/"], ["storage", "Storage", "#/storage"], ["ingest", "Ingest", "#/ingest"]];
const shownWarnings = 3;
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
    const [level, text] = pulse.problem ? failure(pulse.problem) : readyMark(pulse.readiness);
    dot.className = `dot ${level}`;
    setText(word, text);
    setText(speed, speedText());
    node.title = pulse.refusal ? notForThisToken : "";
  });
  return node;
}

/// Ready is ready: what lags besides colours the dot.
function readyMark({ ready, warnings = [] }) {
  return ready ? [warnings.length ? "warn" : "good", "ready"] : ["warn", "not ready"];
}

/// A gateway that refuses has answered.
function failure(problem) {
  if (problem.isUnreachable || problem.status === undefined) return ["bad", "no answer"];
  return problem.status === 401 ? ["warn", "token needed"] : ["bad", `error ${problem.status}`];
}

function speedText() {
  if (pulse.problem) return "";
  return pulse.refusal ? "figures: not for this token" : `${rate(pulse.stats.readings_per_s)} readings/s`;
}

function showProblem() {
  const { readiness, problem } = pulse;
  notice("gateway", problem?.status === 401 ? { title: "A token is needed", detail: missingToken(problem) } : problem);
  const reasons = !problem && !readiness.ready ? { title: "Not ready", detail: readiness.not_ready_reasons.join("; ") } : null;
  notice("readiness", reasons, "warn");
  const warnings = (!problem && readiness.warnings) || [];
  notice("warnings", warnings.length ? { title: titleOf(warnings), detail: reasonsOf(warnings) } : null, "warn");
}

/// The first few: where there are more, the page that has them all is asked for.
function reasonsOf(warnings) {
  const reasons = warnings.slice(0, shownWarnings).map(({ reason }) => reason);
  return [...reasons, warnings.length > shownWarnings && "all of them: Storage"].filter((text) => text).join("; ");
}

const titleOf = (warnings) => (warnings.length === 1 ? "A delivery needs attention" : `${warnings.length} deliveries need attention`);

const missingToken = (problem) => (settings.token ? problem.detail : "This gateway asks for a bearer token.");

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
  const node = button({ class: "quiet", id: "zone" });
  const show = () => {
    node.textContent = settings.isUTC ? "UTC" : "Local";
    node.title = `Times in ${zoneName()}; press to change`;
  };
  node.addEventListener("click", () => {
    settings.isUTC = !settings.isUTC;
    show();
  });
  show();
  return node;
}

function themeButton() {
  const node = button({ class: "quiet", id: "theme" }, icon("sun"), element("span", {}));
  const show = () => {
    const name = settings.theme;
    node.lastChild.textContent = name === "auto" ? "Auto" : name === "dark" ? "Dark" : "Light";
    node.title = `Colours: ${name}; press for ${themes[name]}`;
  };
  node.addEventListener("click", () => {
    settings.theme = themes[settings.theme] ?? "auto";
    show();
  });
  show();
  return node;
}

function tokenButton() {
  const node = button({ class: "quiet", id: "token", title: "Token for the API", "aria-label": "Token for the API" }, icon("key"));
  node.addEventListener("click", () => askForToken());
  const show = () => node.setAttribute("aria-pressed", String(settings.token !== ""));
  addEventListener("tokenchange", show);
  show();
  return node;
}

function keysButton() {
  const attributes = { class: "quiet", title: "Keys", "aria-label": "Keys", onclick: () => showKeys() };
  return button(attributes, element("kbd", { "aria-hidden": "true" }, "?"));
}

// Builds elements. There is no way in here to set HTML: names of devices, fields and topics are strangers' text, and stay text.

const svgNamespace = "http://www.w3.org/2000/svg";

/// `element("a", {href: "#/", onclick: f}, "text", node, null)`. Attributes that are null, undefined or false are left out.
export function element(tag, attributes = {}, ...children) {
  return filled(document.createElement(tag), attributes, children);
}

export function svg(tag, attributes = {}, ...children) {
  return filled(document.createElementNS(svgNamespace, tag), attributes, children);
}

function filled(node, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else node.setAttribute(name, value === true ? "" : value);
  }
  node.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
  return node;
}

/// Sets text only when it differs: rows are updated many times a second.
export function setText(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

const circle = (x, y, radius) => `M${x - radius} ${y}a${radius} ${radius} 0 1 0 ${2 * radius} 0a${radius} ${radius} 0 1 0 ${-2 * radius} 0`;
const lens = `${circle(7, 7, 5)}M11 11l3.5 3.5`;

const paths = {
  search: lens,
  zoomOut: `${lens}M4.8 7h4.4`,
  sun: `${circle(8, 8, 2.8)}M8 1v1.5M8 13.5V15M1 8h1.5M13.5 8H15M3 3l1.1 1.1M11.9 11.9 13 13M3 13l1.1-1.1M11.9 4.1 13 3`,
  key: `${circle(5, 8.5, 3)}M8 7.5h7v3M12 7.5v2`,
  columns: "M2 3h12v10H2zM6 3v10M10 3v10",
  download: "M8 2v8M4.5 7 8 10.5 11.5 7M2.5 13.5h11",
  copy: "M5.5 5.5h8v8h-8zM10.5 5.5v-3h-8v8h3",
  back: "M10 3 5 8l5 5",
};

/// An icon that says nothing by itself: its button has a name.
export function icon(name) {
  return svg("svg", { class: "icon", viewBox: "0 0 16 16", "aria-hidden": "true" }, svg("path", { d: paths[name] }));
}

/// For screen readers: said once, politely.
export function announce(text) {
  document.getElementById("announcer").textContent = text;
}

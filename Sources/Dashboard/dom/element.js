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

const paths = {
  search: "M7 12.200a5.2 5.2 0 1 0 0-10.4 5.2 5.2 0 0 0 0 10.400M11 11l3.5 3.5",
  sun: "M8 10.800a2.8 2.8 0 1 0 0-5.6 2.8 2.8 0 0 0 0 5.600M8 1v1.500M8 13.500V15M1 8h1.500M13.5 8H15M3 3l1.1 1.100M11.9 11.9 13 13M3 13l1.1-1.100M11.9 4.1 13 3",
  key: "M5 11.500a3 3 0 1 0 0-6 3 3 0 0 0 0 6M7.8 7.500H15v3M12 7.500v2",
  columns: "M2 3h12v10H2zM6 3v10M10 3v10",
  download: "M8 2v8M4.5 7 8 10.5 11.5 7M2.5 13.500h11",
  copy: "M5.5 5.500h8v8h-8zM10.5 5.500v-3h-8v8h3",
  back: "M10 3 5 8l5 5",
  zoomOut: "M7 12.200a5.2 5.2 0 1 0 0-10.4 5.2 5.2 0 0 0 0 10.400M11 11l3.5 3.500M4.8 7h4.4",
};

/// An icon that says nothing by itself: its button has a name.
export function icon(name) {
  return svg("svg", { class: "icon", viewBox: "0 0 16 16", "aria-hidden": "true" }, svg("path", { d: paths[name] }));
}

/// For screen readers: said once, politely.
export function announce(text) {
  document.getElementById("announcer").textContent = text;
}

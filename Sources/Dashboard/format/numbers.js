// Numbers as people read them. The narrow blank between groups of digits is the project's (10 000).

const narrowBlank = "\u202f";
const whole = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });
const short = new Intl.NumberFormat("en", { maximumSignificantDigits: 6 });

const grouped = (text) => text.replaceAll(",", narrowBlank);

export function count(value) { return grouped(whole.format(value)); }

/// A rate: one decimal below ten.
export function rate(value) { return value < 10 ? value.toFixed(1).replace(/\.0$/, "") : count(value); }

/// A field's value, any type; what is missing is a dash.
export function value(any) {
  if (any === null || any === undefined) return "–";
  if (typeof any === "number") {
    const size = Math.abs(any);
    if (Number.isInteger(any) && size < 1e15) return count(any);
    return size !== 0 && (size < 1e-4 || size >= 1e12) ? any.toExponential(4) : grouped(short.format(any));
  }
  return String(any);
}

/// Decimal places of a number as it is written, at most three.
export function places(any) {
  if (typeof any !== "number" || Number.isInteger(any) || Math.abs(any) >= 1e6) return 0;
  return Math.min(3, String(any).split(".")[1]?.length ?? 0);
}

/// With so many places, so that a column's points stand below one another.
export function fixed(any, count) {
  const size = Math.abs(any);
  if (typeof any !== "number" || size >= 1e12 || (size !== 0 && size < 1e-3)) return value(any);
  return grouped(any.toLocaleString("en", { minimumFractionDigits: count, maximumFractionDigits: count }));
}

const units = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"];

export function bytes(value) {
  if (value === null || value === undefined) return "–";
  let power = 0;
  while (Math.abs(value) >= 1024 && power < units.length - 1) {
    value /= 1024;
    power += 1;
  }
  return `${power === 0 || value >= 100 ? Math.round(value) : value.toFixed(1)} ${units[power]}`;
}

export function milliseconds(value) { return `${value < 10 ? value.toFixed(1) : count(value)} ms`; }

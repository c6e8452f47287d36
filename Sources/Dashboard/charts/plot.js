// One plot with uPlot: average line, band from least to greatest, gaps hatched, a selection that asks for a zoom.
/* global uPlot */

import { tickText } from "../format/times.js";
import { value as valueText } from "../format/numbers.js";
import { settings } from "../app/settings.js";

const height = 168;
const tickDistances = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200, 86400, 172800, 604800, 2592000];
const shortestSelection = 6;

export const hasLibrary = () => typeof uPlot === "function";

export class Plot {
  #plot = null;
  #gaps = [];

  /// - container: an element in the page; the plot takes its width.
  /// - options: `{series: [{name, color, band}], onZoom(start, end), onZoomOut(), onCursor(index | null), sync}`; colours are names of CSS
  ///   variables; a series with a band has three columns: greatest, least, average.
  constructor(container, options) {
    this.container = container;
    this.options = options;
    this.data = [[], ...options.series.flatMap((series) => (series.band ? [[], [], []] : [[]]))];
    this.range = [Date.now() - 60000, Date.now()];
    this.rebuild = this.rebuild.bind(this);
    this.observer = new ResizeObserver(() => this.#resize());
    this.observer.observe(container);
    document.addEventListener("themechange", this.rebuild);
    addEventListener("zonechange", this.rebuild);
    this.rebuild();
  }

  close() {
    this.observer.disconnect();
    document.removeEventListener("themechange", this.rebuild);
    removeEventListener("zonechange", this.rebuild);
    this.#plot?.destroy();
  }

  /// - columns: times in ms, then the columns of each series. - gaps: pairs of times.
  show(columns, gaps, start, end) {
    this.data = columns;
    this.#gaps = gaps;
    this.range = [start, end];
    this.#plot?.batch(() => {
      this.#plot.setData(columns, false);
      this.#plot.setScale("x", { min: start, max: end });
    });
  }

  /// Anew, in the colours and the zone of now.
  rebuild() {
    this.#plot?.destroy();
    this.#plot = null;
    const width = this.container.clientWidth;
    if (!hasLibrary() || !width) return;
    this.colors = (name) => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
    this.#plot = new uPlot(this.#options(width), this.data, this.container);
    this.show(this.data, this.#gaps, ...this.range);
  }

  #resize() {
    const width = this.container.clientWidth;
    if (!width) return;
    if (!this.#plot) this.rebuild();
    else if (this.#plot.width !== width) this.#plot.setSize({ width, height });
  }

  #options(width) {
    return {
      width, height, ms: 1, legend: { show: false }, padding: [8, 18, 0, 0],
      tzDate: (time) => (settings.isUTC ? uPlot.tzDate(new Date(time), "Etc/UTC") : new Date(time)),
      cursor: {
        y: false, drag: { x: true, y: false, setScale: false }, points: { size: 7 },
        sync: this.options.sync ? { key: this.options.sync, setSeries: false } : undefined,
        bind: { dblclick: () => () => this.options.onZoomOut?.() },
      },
      scales: { x: { time: true, range: (_, min, max) => [min, max] }, y: { range: (_, min, max) => this.#valueRange(min, max) } },
      series: [{}, ...this.options.series.flatMap((series) => this.#lines(series))],
      bands: this.#bands(), axes: [this.#timeAxis(), this.#valueAxis()],
      hooks: {
        drawClear: [(plot) => this.#drawGaps(plot)],
        setSelect: [(plot) => this.#select(plot)],
        setCursor: [(plot) => this.options.onCursor?.(plot.cursor.idx ?? null)],
      },
    };
  }

  /// A little room around the values; a field that does not move lies in the middle.
  #valueRange(min, max) {
    if (min === null || max === null) return [0, 1];
    if (this.options.zero) return [0, max > 0 ? max * 1.15 : 1];
    if (min === max) return [min - (Math.abs(min) * 0.05 || 1), max + (Math.abs(max) * 0.05 || 1)];
    const room = (max - min) * 0.08;
    return [min - room, max + room];
  }

  #lines(series) {
    const color = this.colors(series.color);
    const points = { show: Boolean(this.options.isDotted), filter: lonely, size: 4, fill: color };
    const line = { label: series.name, stroke: color, width: 1.5, points, spanGaps: false };
    const edge = { stroke: "transparent", points: { show: false } };
    return series.band ? [{ ...edge }, { ...edge }, line] : [line];
  }

  #bands() {
    let column = 1;
    const bands = [];
    for (const series of this.options.series) {
      if (series.band) bands.push({ series: [column, column + 1], fill: this.colors(series.color) + "40" });
      column += series.band ? 3 : 1;
    }
    return bands;
  }

  #axis() {
    const grid = { stroke: this.colors("line"), width: 1 };
    return { font: "11px Inter, system-ui, sans-serif", stroke: this.colors("dim"), grid, ticks: { show: false } };
  }

  #timeAxis() {
    return {
      ...this.#axis(), size: 34, space: 80, gap: 6, incrs: tickDistances.map((seconds) => seconds * 1000),
      values: (_, ticks, __, ___, distance) => ticks.map((tick, index) => tickText(tick, distance, index === 0)),
    };
  }

  #valueAxis() {
    return { ...this.#axis(), size: 58, space: 34, gap: 8, values: (_, ticks) => ticks.map((tick) => valueText(tick)) };
  }

  #select(plot) {
    const { left, width } = plot.select;
    if (width < shortestSelection) return;
    const [start, end] = [plot.posToVal(left, "x"), plot.posToVal(left + width, "x")];
    plot.setSelect({ left: 0, width: 0, top: 0, height: 0 }, false);
    // A selection is told to all plots that share a cursor; the one under the pointer speaks.
    if (plot.cursor.event) this.options.onZoom?.(Math.round(start), Math.round(end));
  }

  #drawGaps(plot) {
    const { ctx, bbox } = plot;
    ctx.save();
    ctx.beginPath();
    ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height);
    ctx.clip();
    for (const [start, end] of this.#gaps) {
      const left = Math.max(bbox.left, plot.valToPos(start, "x", true));
      const right = Math.min(bbox.left + bbox.width, plot.valToPos(end, "x", true));
      if (right > left) hatch(ctx, left, bbox.top, right - left, bbox.height, this.colors("gap"), this.colors("gap-line"));
    }
    ctx.restore();
  }
}

/// Values between gaps, which no line would show; where every point is drawn there is nothing to add.
function lonely(plot, index, isDotted) {
  if (isDotted) return null;
  const values = plot.data[index];
  const isMissing = (place) => values[place] === null || values[place] === undefined;
  const places = [...values.keys()].filter((place) => !isMissing(place) && isMissing(place - 1) && isMissing(place + 1));
  return places.length ? places : null;
}

function hatch(ctx, left, top, width, height, color, lineColor) {
  const distance = 7 * devicePixelRatio;
  ctx.save();
  ctx.beginPath();
  ctx.rect(left, top, width, height);
  ctx.clip();
  ctx.fillStyle = color;
  ctx.fillRect(left, top, width, height);
  ctx.strokeStyle = lineColor;
  ctx.lineWidth = devicePixelRatio;
  ctx.beginPath();
  for (let x = left - height - ((left - height) % distance); x < left + width; x += distance) {
    ctx.moveTo(x, top + height);
    ctx.lineTo(x + height, top);
  }
  ctx.stroke();
  ctx.restore();
}

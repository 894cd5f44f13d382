// One chart: the readings of one metric of one sensor, the expected band, and the anomalies in place.

import { text, attribute, clone, arrange, create } from "./dom.js";
import { Series } from "./series.js";
import * as format from "./format.js";
import * as tip from "./tip.js";

const { Dygraph } = window;
// The page has its own read-out; the legend would also write inline styles, which the content security policy refuses.
Dygraph.PLUGINS = Dygraph.PLUGINS.filter((plugin) => ![Dygraph.Plugins.Legend, Dygraph.Plugins.Annotations].includes(plugin));
const LANE = 26; // pixels of chart that share one marker; WCAG 2.5.8 wants 24 between targets
const DESCRIBE_EVERY = 15_000;

export class Plot {
  series = new Series();
  graph = null;
  flags = new Map();
  range = null;
  isVisible = true;
  described = 0;

  constructor(sensor, metric, unit, palette) {
    Object.assign(this, { sensor, metric, unit, palette });
    this.element = clone("t-plot");
    this.element.dataset.metric = metric;
    this.part = (name) => this.element.querySelector(`.${name}`);
    text(this.part("metric"), format.words(metric));
    this.frame = this.part("canvas");
    this.lane = this.part("flags");
    this.frame.setAttribute("aria-label", `${format.words(metric)} of ${sensor}`);
    this.lane.setAttribute("aria-label", `Anomalies of ${metric} of ${sensor}`);
    this.lane.addEventListener("keydown", (event) => this.onKey(event));
    this.part("now").dataset.count = "0";
  }

  destroy() {
    this.graph?.destroy();
    this.graph = null;
  }

  /** Draws again with the colours of another theme. */
  recolour(palette) {
    this.palette = palette;
    this.destroy();
  }

  /** `from…to` in milliseconds of event time; `anomalies` those that concern this metric, oldest first. */
  draw(from, to, anomalies) {
    this.drawHead();
    this.part("waiting").hidden = this.series.length > 0;
    if (!this.isVisible || this.series.length === 0) return;
    const width = this.frame.clientWidth;
    if (width < 40) return;
    const view = this.series.view(from, to, width * 2);
    this.visible = { ...view, from, to };
    this.anomalies = anomalies.filter((anomaly) => anomaly.at >= from && anomaly.began <= to);
    const rows = view.rows.length ? view.rows : [[from, null], [to, null]];
    const options = { file: rows, dateWindow: [from, to], valueRange: this.fit(view) };
    if (this.graph) {
      this.graph.resize();
      this.graph.updateOptions(options);
    } else {
      this.graph = new Dygraph(this.frame, rows, { ...this.options(), ...options, file: undefined });
    }
    this.drawFlags();
    this.describe(from, to);
  }

  options() {
    const rem = parseFloat(getComputedStyle(document.documentElement).fontSize);
    const { trace, grid } = this.palette;
    return {
      labels: ["time", "value"], interactionModel: {}, color: trace, strokeWidth: 1.5, rightGap: 10,
      highlightCircleSize: 3.5, gridLineColor: grid, gridLineWidth: 1, axisLineColor: grid, axisLabelFontSize: Math.round(rem * 0.72),
      drawHighlightPointCallback: Dygraph.Circles.DEFAULT,
      axes: {
        x: { ticker: Dygraph.dateTicker, drawGrid: false, pixelsPerLabel: 64, axisLabelFormatter: Dygraph.dateAxisLabelFormatter },
        y: { axisLabelWidth: Math.round(rem * 2.6), pixelsPerLabel: 24, axisLabelFormatter: (value) => axisLabel(value) },
      },
      underlayCallback: (context, area, graph) => this.drawBand(context, area, graph),
      plotter: [Dygraph.Plotters.linePlotter, (event) => this.drawMarks(event)],
      highlightCallback: (_, x, points) => this.hover(x, points[0]?.yval),
      unhighlightCallback: () => { this.hovered = null; this.drawHead(); },
    };
  }

  drawHead() {
    const last = this.series.last;
    const value = this.part("value");
    text(value, format.reading(last?.value));
    text(this.part("unit"), format.unit(this.unit));
    if (!last) return;
    attribute(value, "data-value", last.value);
    attribute(value, "data-time", last.time);
    const hasBand = last.low !== null && last.high !== null;
    const side = !hasBand ? "" : last.value > last.high ? "above" : last.value < last.low ? "below" : "inside";
    attribute(this.part("now"), "data-side", side);
    if (this.hovered) return text(this.part("readout"), this.hovered);
    const band = hasBand ? `${format.reading(last.low)} to ${format.reading(last.high)}` : "";
    text(this.part("readout"), !hasBand ? "" : side === "inside" ? `expected ${band}` : `${side === "above" ? "▲" : "▼"} ${side} the expected ${band}`);
  }

  hover(time, value) {
    if (!format.isNumber(value)) return;
    const index = this.series.indexOf(time);
    const [low, high] = [this.series.low[index], this.series.high[index]];
    const band = format.isNumber(low) && format.isNumber(high) ? `, expected ${format.reading(low)} to ${format.reading(high)}` : "";
    this.hovered = `${format.clock(time)}: ${format.reading(value)} ${format.unit(this.unit)}${band}`;
    text(this.part("readout"), this.hovered);
  }

  // Room for the readings and their band; it moves only when it must, so that the picture stays calm.
  fit(view) {
    let [least, most] = [Infinity, -Infinity];
    for (const [, value] of view.rows) {
      if (value === null) continue;
      least = Math.min(least, value);
      most = Math.max(most, value);
    }
    if (least > most) return this.range ?? [0, 1];
    const reach = 1.5 * (most - least || Math.abs(most) * 0.02 || 1);
    const [floor, ceiling] = [least - reach, most + reach];
    for (let index = view.start; index < view.end; index += view.stride) {
      const [low, high] = [this.series.low[index], this.series.high[index]];
      if (low !== null) least = Math.min(least, Math.max(low, floor));
      if (high !== null) most = Math.max(most, Math.min(high, ceiling));
    }
    const size = most - least || Math.abs(most) * 0.02 || 1;
    const wanted = [least - 0.1 * size, most + 0.1 * size];
    const now = this.range;
    const margin = 0.04 * size;
    const isRoomy = now && now[0] <= least - margin && now[1] >= most + margin && now[1] - now[0] < 1.5 * (wanted[1] - wanted[0]);
    if (!isRoomy) this.range = wanted;
    return this.range;
  }

  drawBand(context, area, graph) {
    if (!this.visible) return;
    context.save();
    context.beginPath();
    context.rect(area.x, area.y, area.w, area.h);
    context.clip();
    context.fillStyle = this.palette.band;
    const { start, end, stride } = this.visible;
    let run = [];
    const fill = () => {
      if (run.length > 1) {
        context.beginPath();
        for (const [x, , high] of run) context.lineTo(x, high);
        for (const [x, low] of run.reverse()) context.lineTo(x, low);
        context.fill();
      }
      run = [];
    };
    for (let index = start; index < end; index += stride) {
      const [low, high] = [this.series.low[index], this.series.high[index]];
      if (low === null || high === null) fill();
      else run.push([graph.toDomXCoord(this.series.points[index][0]), graph.toDomYCoord(low), graph.toDomYCoord(high)]);
    }
    fill();
    context.restore();
  }

  // A ring around each anomalous reading, a stem up to its letter, and a bar for as long as a condition lasted.
  drawMarks(event) {
    const { drawingContext: context, dygraph: graph, plotArea: area } = event;
    const { mark, ground } = this.palette;
    const reach = 4 * (this.series.interval || 1000);
    context.save();
    context.strokeStyle = mark;
    for (const anomaly of this.anomalies ?? []) {
      const x = graph.toDomXCoord(anomaly.at);
      const began = graph.toDomXCoord(anomaly.began);
      if (x - began > 3) {
        context.fillStyle = mark;
        context.fillRect(Math.max(began, area.x), area.y, x - Math.max(began, area.x), 2);
      }
      const value = anomaly.kind === "silence" ? null : this.series.near(anomaly.at, reach);
      const y = value === null ? area.y + area.h : graph.toDomYCoord(value);
      context.globalAlpha = 0.45;
      context.lineWidth = 1;
      context.beginPath();
      context.moveTo(x, area.y);
      context.lineTo(x, value === null ? y : y - 4);
      context.stroke();
      context.globalAlpha = 1;
      if (value === null) continue;
      context.beginPath();
      context.arc(x, y, 3.5, 0, 2 * Math.PI);
      context.fillStyle = ground;
      context.fill();
      context.lineWidth = 2;
      context.stroke();
    }
    context.restore();
  }

  // Markers that would overlap share one. The lane is cut by time, not by pixels, so a marker keeps its companions as it moves.
  drawFlags() {
    const { graph, visible } = this;
    const area = graph.getArea();
    const slice = ((visible.to - visible.from) * LANE) / area.w;
    const groups = new Map();
    for (const anomaly of this.anomalies) {
      const x = graph.toDomXCoord(anomaly.at);
      if (x < area.x || x > area.x + area.w + 1) continue;
      const key = Math.floor(anomaly.at / slice);
      const group = groups.get(key);
      if (group) group.list.push(anomaly);
      else groups.set(key, { x, list: [anomaly] });
    }
    const ordered = [...groups].sort((left, right) => left[0] - right[0]);
    const kept = new Map();
    const places = spread(ordered.map(([, group]) => group.x), LANE - 1, area.x + area.w);
    for (const [index, [key, group]] of ordered.entries()) {
      const flag = this.flags.get(key) ?? this.flag();
      kept.set(key, flag);
      flag.anomalies = group.list;
      flag.style.transform = `translateX(${Math.round(places[index])}px)`;
      const kinds = [...new Set(group.list.map((anomaly) => anomaly.kind))];
      text(flag.firstChild, kinds.length === 1 ? format.letter(kinds[0]) : "∗");
      text(flag.lastChild, group.list.length > 1 ? Math.min(group.list.length, 99) : "");
      const newest = group.list[group.list.length - 1];
      attribute(flag, "aria-label", `${format.plural(group.list.length, "anomaly", "anomalies")}: ${kinds.map(format.words).join(", ")}. ${newest.sentence ?? ""}`);
    }
    this.flags = kept;
    const flags = [...kept.values()];
    arrange(this.lane, flags);
    const focused = flags.find((flag) => flag === document.activeElement) ?? flags[flags.length - 1];
    for (const flag of flags) flag.tabIndex = flag === focused ? 0 : -1;
    attribute(this.part("now"), "data-count", this.anomalies.length);
    tip.follow();
  }

  flag() {
    const flag = create("button", "flag");
    flag.type = "button";
    flag.append(create("span", "letter"), create("span", "number"));
    const show = () => tip.show(flag, flag.anomalies);
    for (const name of ["pointerenter", "focus", "click"]) flag.addEventListener(name, show);
    for (const name of ["pointerleave", "blur"]) flag.addEventListener(name, () => tip.hide(flag));
    return flag;
  }

  onKey(event) {
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    const flags = [...this.flags.values()];
    const next = flags[flags.indexOf(document.activeElement) + (step ?? 0)];
    if (!step || !next) return;
    event.preventDefault();
    next.focus();
  }

  // What a screen reader says of the picture; renewed seldom.
  describe(from, to) {
    const now = Date.now();
    if (now - this.described < DESCRIBE_EVERY) return;
    this.described = now;
    const last = this.series.last;
    const unit = format.unit(this.unit);
    const band = last && last.low !== null && last.high !== null ? `, expected ${format.reading(last.low)} to ${format.reading(last.high)}` : "";
    attribute(this.frame, "aria-label", `${format.words(this.metric)} of ${this.sensor} over ${format.span(to - from)}: `
      + `last ${format.reading(last?.value)} ${unit}${band}; ${format.plural(this.anomalies.length, "anomaly", "anomalies")} in view.`);
  }
}

// Moves ascending places apart by at least `step`, none beyond `limit`.
function spread(places, step, limit) {
  let edge = -Infinity;
  const moved = places.map((place) => { edge = Math.max(place, edge + step); return edge; });
  let end = limit + step;
  for (let index = moved.length - 1; index >= 0; index -= 1) {
    end = Math.min(moved[index], end - step);
    moved[index] = end;
  }
  return moved;
}

function axisLabel(value) {
  if (Math.abs(value) >= 10_000) return format.short(value);
  return format.reading(value);
}

// One chosen sensor: its head line, its charts, its recent anomalies, and the history they start from.

import { text, attribute, clone, glyph } from "./dom.js";
import { items } from "./api.js";
import { Plot } from "./plot.js";
import * as format from "./format.js";
import * as sensors from "./sensors.js";

const PLOTS = 24;
const ANOMALIES = 300;
const HISTORY = 1000;

export class Card {
  plots = new Map();
  anomalies = new Map();
  sorted = null;
  isDrawn = false;

  /** `environment`: `palette()`, `remove(sensor)`, `changed()`, `watch(plot)`, `unwatch(plot)`. */
  constructor(sensor, environment) {
    this.sensor = sensor;
    this.environment = environment;
    this.element = clone("t-card");
    this.element.dataset.sensor = sensor;
    text(this.element.querySelector("h3"), sensor);
    const remove = this.element.querySelector(".remove");
    remove.setAttribute("aria-label", `Remove ${sensor} from the charts`);
    remove.title = "Remove from the charts";
    remove.addEventListener("click", () => environment.remove(sensor));
  }

  get latest() { return Math.max(...[...this.plots.values()].map((plot) => plot.series.latest), -Infinity); }

  destroy() {
    for (const plot of this.plots.values()) {
      this.environment.unwatch(plot);
      plot.destroy();
    }
    this.plots.clear();
    this.element.remove();
  }

  plot(metric, unit) {
    let plot = this.plots.get(metric);
    if (!plot) {
      if (this.plots.size >= PLOTS) return null;
      plot = new Plot(this.sensor, metric, unit ?? "", this.environment.palette());
      this.plots.set(metric, plot);
      this.element.querySelector(".plots").append(plot.element);
      this.environment.watch(plot);
    }
    if (unit) plot.unit = unit;
    return plot;
  }

  /** Points as the stream sends them: `[milliseconds, value, low or null, high or null]`. */
  add(metric, unit, points) {
    const plot = this.plot(String(metric), unit);
    if (!plot || !Array.isArray(points)) return 0;
    for (const [at, value, low, high] of points) plot.series.add(at, value, low ?? null, high ?? null);
    return points.length;
  }

  addAnomaly(anomaly) {
    const at = format.time(anomaly?.time);
    if (!Number.isFinite(at) || typeof anomaly.id !== "string") return;
    const began = format.time(anomaly.start);
    this.anomalies.set(anomaly.id, { ...anomaly, at, began: Number.isFinite(began) ? Math.min(began, at) : at });
    this.sorted = null;
    if (this.anomalies.size > ANOMALIES) this.anomalies.delete(this.ordered()[0].id);
  }

  ordered() {
    this.sorted ??= [...this.anomalies.values()].sort((left, right) => left.at - right.at);
    return this.sorted;
  }

  /** Reads what the server remembers of the sensor; called again after a gap. */
  async load() {
    const parameters = { sensor_id: this.sensor, limit: HISTORY };
    const [events, anomalies] = await Promise.allSettled([items("events/latest", parameters), items("anomalies", { ...parameters, limit: ANOMALIES })]);
    const timed = (events.value ?? []).map((event) => [format.time(event.timestamp), event.readings ?? {}]).sort((left, right) => left[0] - right[0]);
    for (const [at, readings] of timed) {
      for (const [metric, value] of Object.entries(readings)) this.plot(metric)?.series.add(at, value);
    }
    for (const anomaly of anomalies.value ?? []) this.addAnomaly(anomaly);
    this.environment.changed();
  }

  draw(from, to) {
    const entry = sensors.sensor(this.sensor);
    const metrics = Array.isArray(entry?.metrics) ? entry.metrics : [];
    for (const metric of metrics) this.plot(String(metric.metric), metric.unit);
    const word = sensors.state(entry);
    attribute(this.element, "data-state", word);
    glyph(this.element, word);
    text(this.element.querySelector(".state"), word === "unknown" ? "" : word);
    text(this.element.querySelector(".zone"), entry?.zone);
    const latest = this.latest;
    text(this.element.querySelector(".seen"), Number.isFinite(latest) ? `last ${format.moment(latest, to)}` : "");
    this.isDrawn = Number.isFinite(latest);
    for (const plot of this.plots.values()) {
      plot.draw(from, to, this.ordered().filter((anomaly) => concerns(anomaly, plot.metric)));
    }
  }
}

// An anomaly of the whole sensor stands on the charts of the metrics that contributed most, or on all of them.
function concerns(anomaly, metric) {
  if (anomaly.metric) return anomaly.metric === metric;
  const parts = (Array.isArray(anomaly.contributions) ? anomaly.contributions : []).filter((part) => part?.share >= 0.25);
  return parts.length === 0 || parts.some((part) => String(part.name).split("/").includes(metric));
}

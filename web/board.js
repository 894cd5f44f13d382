// The board of charts: which sensors stand on it, the time window they share, pause.

import { byId, text, attribute, arrange } from "./dom.js";
import { Card } from "./card.js";
import { remembered, remember } from "./api.js";
import * as format from "./format.js";
import * as sensors from "./sensors.js";
import * as alarms from "./alarms.js";

const defaultSensors = () => (innerWidth >= 2000 ? 6 : 4);
const DEFAULT_CHARTS = 12;
const AUTOMATIC = 6;
const MOST = 12;
const POINTS_IN_VIEW = 240;
const MINUTE = 60_000;
const SPANS = [1, 2, 5, 10, 15, 30, 60, 120, 180, 360, 720, 1440, 2880, 10_080, 20_160, 43_200, 129_600].map((minutes) => minutes * MINUTE);

const cards = new Map();
let pins = [];
let automatic = [];
let visitor = null; // the sensor of the alarm that a link names: shown as long as this page is open
const dismissed = new Set();
let span = remembered("window", "auto");
let autoSpan = MINUTE;
let paused = null;
let palette = {};
let options = { changed: () => {}, follow: () => {}, say: () => {} };
let followed = "";
let pace = { wall: 0, data: 0, rate: 1 };

const visibility = new IntersectionObserver((entries) => {
  for (const entry of entries) {
    if (entry.target.plot) entry.target.plot.isVisible = entry.isIntersecting;
  }
  options.changed();
}, { rootMargin: "200px" });

/** `given`: `changed()` asks for a redraw, `follow(sensors)` for the stream of these sensors, `say(text)` speaks. */
export function start(given) {
  options = given;
  const stored = remembered("pins", []);
  pins = Array.isArray(stored) ? stored.filter((id) => typeof id === "string").slice(0, MOST) : [];
  byId("follow").checked = remembered("follow", true) !== false;
  byId("follow").addEventListener("change", () => { remember("follow", byId("follow").checked); reconcile(); });
  const choice = [...document.querySelectorAll("#window input")];
  if (!choice.some((input) => input.value === String(span))) span = "auto";
  for (const input of choice) {
    input.checked = input.value === String(span);
    input.addEventListener("change", () => { span = input.value; remember("window", span); draw(true); });
  }
  byId("pause").addEventListener("click", () => setPaused(!paused));
  new ResizeObserver(() => options.changed()).observe(byId("board"));
  recolour();
}

export const shown = () => [...new Set([...(visitor === null ? [] : [visitor]), ...pins, ...automatic])];
export const isShown = (id) => cards.has(id);

/** Shows or hides a sensor because a person asked. */
export function toggle(id) {
  if (cards.has(id)) {
    pins = pins.filter((other) => other !== id);
    automatic = automatic.filter((other) => other !== id);
    if (visitor === id) visitor = null;
    dismissed.add(id);
    options.say(`${id} removed from the charts.`);
  } else {
    if (pins.length >= MOST) return options.say(`At most ${MOST} sensors fit on the board. Remove one first.`);
    pins = [...pins, id];
    dismissed.delete(id);
    options.say(`${id} added to the charts.`);
  }
  remember("pins", pins);
  reconcile();
}

/** Shows a sensor if it is not on the board, and brings it into view. */
export function reveal(id) {
  if (!cards.has(id)) toggle(id);
  const reduced = matchMedia("(prefers-reduced-motion: reduce)").matches;
  cards.get(id)?.element.scrollIntoView({ block: "center", behavior: reduced ? "auto" : "smooth" });
}

/** Shows a sensor because a link leads to it: whoever follows many links has not chosen all of them for ever. */
export function visit(id) {
  if (!cards.has(id)) {
    visitor = id;
    reconcile();
  }
  cards.get(id)?.element.scrollIntoView({ block: "nearest" });
}

/** Decides who stands on the board: pinned sensors, those in alarm, and the first few so that it is never empty. */
export function reconcile() {
  const taken = (id) => id === visitor || pins.includes(id) || automatic.includes(id) || dismissed.has(id);
  automatic = automatic.filter((id) => !pins.includes(id) && !dismissed.has(id));
  if (byId("follow").checked) {
    for (const id of alarms.troubled().slice(0, AUTOMATIC)) {
      if (taken(id)) continue;
      if (pins.length + automatic.length >= AUTOMATIC) {
        const calm = automatic.findIndex((other) => !alarms.isOpen(other));
        if (calm < 0) break;
        automatic.splice(calm, 1);
      }
      automatic.push(id);
    }
  }
  if (pins.length === 0) fill(taken);
  apply();
}

function fill(taken) {
  const candidates = sensors.all().map((entry) => entry.sensor_id).sort(format.naturally);
  let charts = automatic.reduce((sum, id) => sum + chartsOf(id), 0);
  for (const id of candidates) {
    if (automatic.length >= defaultSensors() || (charts > 0 && charts + chartsOf(id) > DEFAULT_CHARTS)) return;
    if (taken(id)) continue;
    automatic.push(id);
    charts += chartsOf(id);
  }
}

const chartsOf = (id) => sensors.sensor(id)?.metrics?.length || 1;

function apply() {
  const ids = shown();
  for (const [id, card] of cards) {
    if (ids.includes(id)) continue;
    card.destroy();
    cards.delete(id);
  }
  for (const id of ids) {
    if (cards.has(id)) continue;
    const card = new Card(id, environment);
    cards.set(id, card);
    card.load();
    if (!sensors.sensor(id)) sensors.fetchOne(id).then(options.changed, () => {});
  }
  const ordered = [...ids].sort(format.naturally);
  arrange(byId("board"), ordered.map((id) => cards.get(id).element));
  byId("board-empty").hidden = ids.length > 0;
  const key = JSON.stringify(ordered);
  if (key !== followed) {
    followed = key;
    options.follow(ordered);
  }
  options.changed();
}

const environment = {
  palette: () => palette,
  remove: (id) => toggle(id),
  changed: () => options.changed(),
  watch: (plot) => { plot.element.plot = plot; visibility.observe(plot.element); },
  unwatch: (plot) => { visibility.unobserve(plot.element); plot.element.plot = null; },
};

export function add(batch) {
  const number = cards.get(batch?.sensor_id)?.add(batch.metric, batch.unit, batch.points) ?? 0;
  if (paused) paused.waiting += number;
}

export function addAnomaly(anomaly) { cards.get(anomaly?.sensor_id)?.addAnomaly(anomaly); }

/** Reads the history of everything on the board again. */
export function reload() { for (const card of cards.values()) card.load(); }

// The time the readings themselves show: the middle of the sensors' newest, so that one wrong clock moves nothing.
function dataClock() {
  const newest = [...cards.values()].map((card) => card.latest).filter(Number.isFinite).sort((left, right) => left - right);
  return newest.length ? newest[newest.length >> 1] : Date.now();
}

function currentSpan() {
  if (span !== "auto") return Number(span);
  const series = [...cards.values()].flatMap((card) => [...card.plots.values()]).map((plot) => plot.series).filter((one) => one.interval > 0);
  if (series.length === 0) return autoSpan;
  const middle = (values) => values.sort((left, right) => left - right)[values.length >> 1];
  const extent = middle(series.map((one) => one.latest - one.points[0][0]));
  const needed = Math.min(POINTS_IN_VIEW * middle(series.map((one) => one.interval)), extent);
  if (needed > autoSpan || needed < 0.3 * autoSpan) autoSpan = SPANS.find((candidate) => candidate >= needed) ?? SPANS[SPANS.length - 1];
  return autoSpan;
}

export function draw(isForced = false) {
  if (paused) {
    text(byId("paused"), `Paused at ${format.clock(paused.at)}. ${format.plural(paused.waiting, "new reading")} since.`);
  }
  const now = paused ? paused.data : dataClock();
  const width = currentSpan();
  for (const card of cards.values()) {
    if (paused && card.isDrawn && !isForced) continue;
    const own = card.latest;
    const isElsewhere = Number.isFinite(own) && (own > now || own < now - width);
    const end = isElsewhere && !paused ? own : now;
    card.draw(end - width, end);
  }
  drawClock(now, width);
}

// Says so when the readings' time is not the wall's: a replay, a simulation, a device with a wrong clock.
function drawClock(now, width) {
  const wall = performance.now();
  if (wall - pace.wall > 5000) {
    if (pace.wall) pace.rate = (now - pace.data) / (wall - pace.wall);
    pace = { wall, data: now, rate: pace.rate };
  }
  const isOdd = Math.abs(Date.now() - now) > 2 * MINUTE;
  const rate = pace.rate >= 1.5 ? `, ${format.short(Math.round(pace.rate))}× real time` : "";
  const view = `${format.span(width)} in view`;
  text(byId("data-clock"), cards.size === 0 ? "" : isOdd || rate ? `readings of ${format.moment(now)}${rate} · ${view}` : view);
}

function setPaused(isPaused) {
  paused = isPaused ? { at: Date.now(), data: dataClock(), waiting: 0 } : null;
  attribute(byId("pause"), "aria-pressed", isPaused);
  text(byId("pause"), isPaused ? "Resume" : "Pause");
  byId("paused").hidden = !isPaused;
  options.changed();
}

/** Reads the colours of the theme again. */
export function recolour() {
  const style = getComputedStyle(document.documentElement);
  const colour = (name) => style.getPropertyValue(`--${name}`).trim();
  palette = { trace: colour("trace"), band: colour("band"), grid: colour("grid"), mark: colour("mark"), ground: colour("panel") };
  for (const card of cards.values()) for (const plot of card.plots.values()) plot.recolour(palette);
  draw(true);
}

// Open and recently cleared alarms, the one-sentence situation above them, and what a screen reader is told.

import { byId, text, attribute, clone, glyph, arrange } from "./dom.js";
import { overview } from "./overview.js";
import * as format from "./format.js";
import { post } from "./api.js";

const SHOWN = 60;
const HELD = 1000;

/** As many open alarms as are asked for at once; below this the list itself is the count. */
export const LISTED = 200;

const CLEARED = 12;
const QUIET_BETWEEN_ANNOUNCEMENTS = 10_000;

const open = new Map();
let cleared = [];
const elements = new Map();
let total = null;
let isLoaded = false;
let unspoken = [];
let nextAnnouncement = 0;
let choose = () => {};

/** `chosen(sensor)` is called when a person asks for the charts of an alarm's sensor. */
export function start(chosen) { choose = chosen; }

export const openCount = () => open.size;
export const isOpen = (sensor) => [...open.values()].some((alarm) => alarm.sensor_id === sensor);

/** Sensors with open alarms, the most recently raised first. */
export function troubled() {
  const newest = [...open.values()].sort((left, right) => format.time(right.raised) - format.time(left.raised));
  return [...new Set(newest.map((alarm) => alarm.sensor_id))];
}

export function setTotal(number) {
  total = format.isNumber(number) ? number : null;
}

/** Replaces everything with what the server holds now. */
export function replace(openAlarms, clearedAlarms) {
  isLoaded = true;
  open.clear();
  for (const alarm of openAlarms) hold(alarm);
  cleared = clearedAlarms.filter(valid).slice(0, CLEARED);
}

/** One step of one alarm's life from the stream. */
export function apply(change) {
  const alarm = change?.alarm;
  if (!valid(alarm)) return;
  if (change.step === "cleared" || alarm.state === "cleared") {
    open.delete(alarm.id);
    cleared = [alarm, ...cleared.filter((other) => other.id !== alarm.id)].slice(0, CLEARED);
    return;
  }
  if (!open.has(alarm.id)) {
    unspoken.push(alarm);
    if (unspoken.length > 50) unspoken.shift();
    alarm.isNew = true;
  }
  cleared = cleared.filter((other) => other.id !== alarm.id);
  hold(alarm);
}

const valid = (alarm) => alarm && typeof alarm.id === "string" && typeof alarm.sensor_id === "string";

function hold(alarm) {
  if (!valid(alarm)) return;
  open.set(alarm.id, alarm);
  if (open.size > HELD) open.delete(open.keys().next().value);
}

const isCritical = (alarm) => alarm.severity === "critical";

function order(left, right) {
  return isCritical(right) - isCritical(left) || format.time(right.raised) - format.time(left.raised) || (left.id < right.id ? -1 : 1);
}

export function draw(connected) {
  // Members of a summary stand behind it.
  const sorted = [...open.values()].filter((alarm) => !alarm.summary || !open.has(alarm.summary)).sort(order);
  const number = sorted.length < LISTED ? sorted.length : Math.max(sorted.length, total ?? 0);
  const shown = sorted.slice(0, SHOWN);
  arrange(byId("alarm-list"), shown.map(openElement));
  const ids = new Set(shown.map((alarm) => alarm.id));
  for (const id of elements.keys()) if (!ids.has(id)) elements.delete(id);
  text(byId("alarms-tally"), number > shown.length ? `newest ${shown.length} of ${format.count(number)}` : "");
  byId("alarms-empty").hidden = shown.length > 0 || !isLoaded;
  drawCleared();
  drawSituation(sorted, number, connected);
  text(byId("c-alarms"), format.short(number));
  const critical = sorted.filter(isCritical).length;
  text(byId("c-alarms-note"), number === 0 ? "" : `${format.count(critical)} critical`);
  attribute(byId("c-alarms"), "data-level", number === 0 ? "quiet" : critical ? "critical" : "warning");
  document.title = number ? `(${number}) Tocsin: ${format.plural(number, "open alarm")}` : "Tocsin";
  announce();
}

function openElement(alarm) {
  let element = elements.get(alarm.id);
  if (!element) {
    element = clone("t-alarm");
    element.querySelector("button.sensor").addEventListener("click", () => choose(element.dataset.sensor));
    for (const button of element.querySelectorAll("[data-word]")) button.addEventListener("click", () => answer(element, button));
    if (alarm.isNew) element.classList.add("new");
    elements.set(alarm.id, element);
  }
  if (element.alarm === alarm) return element;
  element.alarm = alarm;
  element.dataset.sensor = alarm.sensor_id;
  element.dataset.severity = isCritical(alarm) ? "critical" : "warning";
  glyph(element, element.dataset.severity);
  const raised = format.time(alarm.raised);
  const lasting = format.time(alarm.last_seen) - raised;
  text(element.querySelector(".severity"), isCritical(alarm) ? "Critical" : "Warning");
  text(element.querySelector(".kind"), [format.words(alarm.kind), alarm.metric && format.words(alarm.metric)].filter(Boolean).join(" · "));
  text(element.querySelector(".count"), alarm.verdicts > 1 ? `× ${format.count(alarm.verdicts)}` : "");
  attribute(element.querySelector(".count"), "title", format.plural(alarm.verdicts ?? 1, "verdict"));
  text(element.querySelector(".sentence"), alarm.sentence);
  const cause = element.querySelector(".cause");
  text(cause, alarm.cause ?? "");
  cause.hidden = !alarm.cause;
  const button = element.querySelector("button.sensor");
  text(button, alarm.sensor_id);
  attribute(button, "title", `Show the charts of ${alarm.sensor_id}`);
  text(element.querySelector(".since"), `since ${format.moment(raised, format.time(alarm.last_seen))}${lasting >= 1000 ? `, for ${format.span(lasting)}` : ""}`);
  return element;
}

// What a person says of an alarm. The alarm itself changes through the stream, as for everybody else.
async function answer(element, button) {
  const said = element.querySelector(".said");
  const buttons = element.querySelectorAll("[data-word]");
  for (const other of buttons) other.disabled = true;
  try {
    await post(`alarms/${encodeURIComponent(element.alarm.id)}/feedback`, { feedback: button.dataset.word });
    for (const other of buttons) attribute(other, "aria-pressed", other === button ? "true" : "false");
    text(said, "Noted");
  } catch (error) {
    text(said, `Not taken: ${error.message}`);
  }
  for (const other of buttons) other.disabled = false;
}

function drawCleared() {
  const list = byId("cleared-list");
  arrange(list, cleared.map((alarm, index) => {
    const element = list.children[index] ?? clone("t-cleared");
    const end = format.time(alarm.cleared ?? alarm.last_seen);
    text(element.querySelector(".sentence"), alarm.sentence);
    text(element.querySelector(".meta"), `cleared ${format.moment(end, end)} after ${format.span(end - format.time(alarm.raised))}`);
    return element;
  }));
  byId("cleared-empty").hidden = cleared.length > 0;
}

function drawSituation(sorted, number, connected) {
  const critical = sorted.filter(isCritical).length;
  const level = connected === false ? "unknown" : number === 0 ? "quiet" : critical ? "critical" : "warning";
  const panel = byId("situation");
  attribute(panel, "data-level", level);
  glyph(panel, level);
  const headline = byId("situation-heading");
  text(byId("situation-sentence"), connected && sorted.length ? sorted[0].sentence : "");
  const detail = byId("situation-detail");
  if (connected === false) {
    text(headline, "No connection");
    text(detail, "What you see is the last that was received. The page keeps trying.");
  } else if (connected === null || !isLoaded) {
    return; // never "all quiet" before the list has been read
  } else if (number === 0) {
    text(headline, "All quiet");
    const watched = overview()?.sensors;
    text(detail, format.isNumber(watched) ? `No alarm is open on ${format.plural(watched, "sensor")}.` : "No alarm is open.");
  } else {
    const sensors = troubled();
    const names = sensors.slice(0, 2).join(", ");
    const more = sensors.length > 2 ? ` and ${format.plural(sensors.length - 2, "other")}` : "";
    text(headline, headlineOf(critical, number - critical));
    text(detail, `On ${names}${more}.`);
  }
}

function headlineOf(critical, warnings) {
  if (critical === 0) return format.plural(warnings, "warning");
  return warnings === 0 ? format.plural(critical, "critical alarm") : `${format.count(critical)} critical, ${format.plural(warnings, "warning")}`;
}

// At most one message in ten seconds: the newest sentence and how many others there are.
function announce() {
  const now = Date.now();
  if (unspoken.length === 0 || now < nextAnnouncement) return;
  const newest = unspoken[unspoken.length - 1];
  const others = unspoken.length - 1;
  text(byId("announce"), `New alarm. ${newest.sentence}${others ? ` And ${format.plural(others, "other new alarm")}.` : ""}`);
  unspoken = [];
  nextAnnouncement = now + QUIET_BETWEEN_ANNOUNCEMENTS;
}

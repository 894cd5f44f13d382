// Open and recently cleared alarms, the one-sentence situation above them, and what a screen reader is told.

import { byId, text, attribute, clone, glyph, arrange } from "./dom.js";
import { overview } from "./overview.js";
import * as history from "./alarm-history.js";
import * as linked from "./linked.js";
import * as format from "./format.js";
import { post, remember, remembered } from "./api.js";

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

/** As the server's overview counts them: those of sensors, without summaries, whose ids begin with "s". */
export const openCount = () => [...open.values()].filter((alarm) => alarm.kind !== "system" && !alarm.id.startsWith("s")).length;
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
  linked.replace(openAlarms);
}

/** One step of one alarm's life from the stream. */
export function apply(change) {
  const alarm = change?.alarm;
  if (!valid(alarm)) return;
  linked.apply(alarm);
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
  const ids = new Set(shown.map((alarm) => alarm.id));
  if (isLoaded) linked.draw(ids, openElement);
  arrange(byId("alarm-list"), shown.map(openElement));
  for (const id of elements.keys()) if (!ids.has(id) && !linked.isMeant(id)) elements.delete(id);
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
    startMore(element, alarm.id);
    for (const button of element.querySelectorAll("[data-act]")) button.addEventListener("click", () => act(element, button));
    for (const button of element.querySelectorAll("[data-word]")) button.addEventListener("click", () => answer(element, button));
    if (alarm.isNew) element.classList.add("new");
    elements.set(alarm.id, element);
  }
  if (element.alarm === alarm) return element;
  element.alarm = alarm;
  element.dataset.sensor = alarm.sensor_id;
  element.dataset.severity = isCritical(alarm) ? "critical" : "warning";
  const isOver = alarm.state === "cleared";
  attribute(element, "data-state", alarm.state);
  glyph(element, isOver ? "cleared" : element.dataset.severity);
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
  const fate = element.querySelector(".fate");
  text(fate, isOver ? `Cleared ${ended(alarm)}` : "");
  fate.hidden = !isOver;
  drawCare(element, alarm);
  const past = element.querySelector(".history");
  if (!past.hidden) history.show(past, alarm.id);
  const button = element.querySelector("button.sensor");
  text(button, alarm.sensor_id);
  // The program's own alarms have no charts, and teach no detector.
  const isSystem = alarm.kind === "system";
  button.disabled = isSystem;
  attribute(button, "title", isSystem ? "Tocsin itself" : `Show the charts of ${alarm.sensor_id}`);
  element.querySelector(".answer").hidden = isSystem;
  text(element.querySelector(".since"), `since ${format.moment(raised, format.time(alarm.last_seen))}${lasting >= 1000 ? `, for ${format.span(lasting)}` : ""}`);
  return element;
}

// What is rarely done stands behind a button; Escape leads back to it.
function startMore(element, id) {
  const more = element.querySelector("button.more");
  const rare = element.querySelector(".rare");
  const past = element.querySelector(".history");
  rare.id = `rare-${id}`;
  past.id = `history-${id}`;
  more.setAttribute("aria-controls", `${rare.id} ${past.id}`);
  const show = async (isOpen) => {
    rare.hidden = past.hidden = !isOpen;
    attribute(more, "aria-expanded", isOpen);
    if (isOpen) await history.show(past, id);
  };
  element.openMore = () => show(true);
  more.addEventListener("click", () => show(rare.hidden));
  for (const part of [more, rare, past]) part.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || rare.hidden) return;
    show(false);
    more.focus();
  });
}

// What people have done with it, and what can be done next.
function drawCare(element, alarm) {
  const words = [];
  if (alarm.life_state === "latched") words.push("its condition is over; it stays until somebody acknowledges it");
  if (alarm.life_state === "suppressed") words.push("told in a summary, nobody hears of it singly");
  if (alarm.life_state === "returned_unacknowledged") words.push("nobody has acknowledged it");
  if (alarm.acknowledged_by) {
    const at = history.acknowledgedAt(alarm, () => drawCare(element, element.alarm));
    words.push(`acknowledged by ${alarm.acknowledged_by}${at === null ? "" : ` at ${format.moment(at)}`}`);
  }
  if (alarm.assignee) words.push(`${alarm.assignee} looks after it`);
  if (alarm.shelved_until) words.push(`shelved until ${format.moment(format.time(alarm.shelved_until))}`);
  if (alarm.life_state === "out_of_service") words.push("out of service");
  const line = element.querySelector(".care");
  text(line, words.join("; "));
  attribute(line, "title", alarm.shelved_until ? "A shelf ends by the time of the readings" : "");
  line.hidden = words.length === 0;
  attribute(element, "data-life", alarm.life_state ?? "");
  const isShelved = Boolean(alarm.shelved_until);
  const isOut = alarm.life_state === "out_of_service";
  element.querySelector('[data-act="acknowledge"]').hidden = Boolean(alarm.acknowledged_by);
  label(element, "shelve", isShelved ? "unshelve" : "shelve", isShelved ? "Unshelve" : "Shelve");
  label(element, "out-of-service", isOut ? "in-service" : "out-of-service", isOut ? "Back in service" : "Out of service");
}

function label(element, act, next, words) {
  const button = element.querySelector(`[data-act="${act}"], [data-act="${next}"], [data-base="${act}"]`);
  button.dataset.base = act;
  button.dataset.act = next;
  text(button, words);
}

// Asks for what an action needs; null = the person thought better of it.
function details(act) {
  let by = remembered("person", "");
  if (!by) {
    by = (prompt("Your name, for the record of who did what:") ?? "").trim();
    if (!by) return null;
    remember("person", by);
  }
  if (act === "comment") {
    const comment = (prompt("Comment:") ?? "").trim();
    return comment ? { by, comment } : null;
  }
  if (act === "assign") {
    const to = prompt("Who looks after it? (empty: nobody)");
    return to === null ? null : { by, to: to.trim() };
  }
  if (act === "shelve") {
    const span = (prompt("Tell nobody for how long? (30m, 2h, 8h)", "2h") ?? "").trim();
    return span ? { by, for: span } : null;
  }
  return { by };
}

async function act(element, button) {
  const done = element.querySelector(".done");
  const body = details(button.dataset.act);
  if (!body) return;
  button.disabled = true;
  try {
    await post(`alarms/${encodeURIComponent(element.alarm.id)}/${button.dataset.act}`, body);
    text(done, "Noted");
    const past = element.querySelector(".history");
    if (!past.hidden) history.show(past, element.alarm.id);
  } catch (error) {
    text(done, `Not taken: ${error.message}`);
  }
  button.disabled = false;
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
    text(element.querySelector(".sentence"), alarm.sentence);
    text(element.querySelector(".meta"), `cleared ${ended(alarm)}`);
    return element;
  }));
  byId("cleared-empty").hidden = cleared.length > 0;
}

function ended(alarm) {
  const end = format.time(alarm.cleared ?? alarm.last_seen);
  return `${format.moment(end, end)} after ${format.span(end - format.time(alarm.raised))}`;
}

/** Brokers and channels that do not work. */
const broken = () => (overview()?.connectors ?? []).filter((one) => one.healthy === false);

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
  } else if (number === 0 && broken().length > 0) {
    // Nothing can be quiet of which nothing is heard.
    attribute(panel, "data-level", "warning");
    glyph(panel, "warning");
    const [first] = broken();
    text(headline, broken().length === 1 ? `No connection to ${first.name}` : `${format.plural(broken().length, "connection")} down`);
    text(detail, `${first.name} (${first.kind}): ${first.text ?? "no reason given"}`);
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

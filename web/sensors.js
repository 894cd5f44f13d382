// The list of sensors: their states, newest values, search, and the choice of what is charted.

import { byId, text, attribute, clone, glyph, arrange } from "./dom.js";
import { items, get } from "./api.js";
import * as format from "./format.js";

const SHOWN = 200;
const HELD = 1000;
const STATES = new Set(["normal", "learning", "anomalous", "silent", "stale"]);

const known = new Map();
const rows = new Map();
let found = null; // ids that answer the search; null = no search
let total = 0;
let active = null;
let sorted = [];
let options = { isShown: () => false, toggle: () => {}, changed: () => {} };
let searchTimer = 0;
let searchNumber = 0;
let isHeld = false;

export function start(given) {
  options = given;
  const search = byId("search");
  const list = byId("sensor-list");
  search.addEventListener("input", () => {
    clearTimeout(searchTimer);
    searchTimer = setTimeout(() => find(search.value.trim()), 200);
  });
  for (const element of [search, list]) {
    element.addEventListener("keydown", onKey);
    element.addEventListener("focus", () => { if (!active) move(0); });
  }
  list.addEventListener("click", (event) => {
    const row = event.target.closest("[role=option]");
    if (row) pick(row.dataset.sensor);
  });
  // The order stays as it is while somebody points at it.
  list.addEventListener("pointerenter", () => { isHeld = true; });
  list.addEventListener("pointerleave", () => { isHeld = false; options.changed(); });
}

export const sensor = (id) => known.get(id) ?? null;
export const all = () => [...known.values()];

/** State of a sensor as a word that has a glyph. */
export const state = (entry) => (STATES.has(entry?.state) ? entry.state : "unknown");

function learn(entry) {
  if (!entry || typeof entry.sensor_id !== "string") return;
  known.set(entry.sensor_id, entry);
  if (known.size <= HELD) return;
  for (const id of known.keys()) {
    if (id !== entry.sensor_id && !options.isShown(id)) { known.delete(id); break; }
  }
}

/**
 * The first sensors and those of open alarms, as the server holds them now. `isAnew`: the stream was away, so that what is
 * known of others may be old: they are forgotten or asked for again.
 */
export async function refresh(wanted, isAnew = false) {
  const answer = await get("sensors", { limit: SHOWN });
  total = format.isNumber(answer?.total) ? answer.total : 0;
  const listed = new Set();
  for (const entry of Array.isArray(answer?.items) ? answer.items : []) {
    learn(entry);
    listed.add(entry.sensor_id);
  }
  const isOld = (id) => isAnew && !listed.has(id);
  const missing = wanted.filter((id) => !known.has(id) || isOld(id)).slice(0, 20);
  for (const id of [...known.keys()]) if (isOld(id) && !options.isShown(id) && !wanted.includes(id)) known.delete(id);
  await Promise.allSettled(missing.map(fetchOne));
  if (isAnew && found) await find(found.query);
  options.changed();
}

export async function fetchOne(id) {
  for (const entry of await items("sensors", { q: id, limit: 20 })) learn(entry);
}

export function apply(change) {
  for (const entry of Array.isArray(change?.changed) ? change.changed : []) {
    if (known.has(entry?.sensor_id) || known.size < HELD || state(entry) === "anomalous") learn(entry);
  }
}

async function find(query) {
  searchNumber += 1;
  const number = searchNumber;
  if (!query) {
    found = null;
    active = null;
    return options.changed();
  }
  try {
    const answer = await get("sensors", { q: query, limit: SHOWN });
    if (number !== searchNumber) return;
    for (const entry of answer.items ?? []) learn(entry);
    found = { ids: (answer.items ?? []).map((entry) => entry.sensor_id), total: answer.total ?? 0, query };
  } catch {
    if (number !== searchNumber) return;
    const word = query.toLowerCase();
    const ids = all().filter((entry) => `${entry.sensor_id} ${entry.zone ?? ""}`.toLowerCase().includes(word)).map((entry) => entry.sensor_id);
    found = { ids, total: ids.length, query };
  }
  if (!found.ids.includes(active)) active = found.ids[0] ?? null;
  options.changed();
}

const inTrouble = (entry) => Number((entry.alarms_open ?? 0) > 0 || entry.state === "silent");

export function draw() {
  const list = byId("sensor-list");
  if (!isHeld || sorted.length === 0 || found) {
    const entries = found ? found.ids.map((id) => known.get(id)).filter(Boolean) : all();
    sorted = entries
      .sort((left, right) => inTrouble(right) - inTrouble(left) || format.naturally(left.sensor_id, right.sensor_id))
      .slice(0, SHOWN).map((entry) => entry.sensor_id);
  }
  const visible = sorted.map((id) => known.get(id)).filter(Boolean);
  arrange(list, visible.map(row));
  const ids = new Set(sorted);
  for (const id of rows.keys()) if (!ids.has(id)) rows.delete(id);
  const number = found ? found.total : Math.max(total, known.size);
  text(byId("sensors-tally"), tally(number));
  text(byId("sensors-note"), note(visible.length, number));
  const id = active && rows.has(active) ? rows.get(active).id : "";
  for (const element of [list, byId("search")]) {
    if (id) attribute(element, "aria-activedescendant", id);
    else element.removeAttribute("aria-activedescendant");
  }
}

// How many are in which unusual state; only where the page knows all of them.
function tally(number) {
  if (found || number > known.size) return format.count(number);
  const parts = ["anomalous", "silent", "stale", "learning"].map((word) => [word, all().filter((entry) => entry.state === word).length]);
  return [...parts.filter(([, some]) => some > 0).map(([word, some]) => `${some} ${word}`), `${format.count(number)} in all`].join(" · ");
}

function note(shown, number) {
  if (found && shown === 0) return `No sensor is called “${found.query}”.`;
  if (shown === 0) return "No sensor has sent a reading yet.";
  return number > shown ? `${format.count(shown)} of ${format.count(number)} are listed: search to find the others.` : "";
}

let serial = 0;

function row(entry) {
  let element = rows.get(entry.sensor_id);
  if (!element) {
    element = clone("t-sensor");
    serial += 1;
    element.id = `sensor-${serial}`;
    element.dataset.sensor = entry.sensor_id;
    rows.set(entry.sensor_id, element);
  }
  attribute(element, "aria-selected", options.isShown(entry.sensor_id));
  element.classList.toggle("active", entry.sensor_id === active);
  if (element.entry === entry) return element;
  element.entry = entry;
  const word = state(entry);
  attribute(element, "data-state", word);
  glyph(element, word);
  text(element.querySelector(".name"), entry.sensor_id);
  text(element.querySelector(".zone"), entry.zone);
  text(element.querySelector(".state"), word === "normal" ? "" : word);
  const metrics = Array.isArray(entry.metrics) ? entry.metrics : [];
  const values = metrics.slice(0, 3).map((metric) => `${format.reading(metric.value)} ${format.unit(metric.unit)}`.trim());
  text(element.querySelector(".values"), values.join("   "));
  return element;
}

function onKey(event) {
  const steps = { ArrowDown: 1, ArrowUp: -1, PageDown: 10, PageUp: -10 };
  if (event.key in steps) move(steps[event.key]);
  else if (event.key === "Home" && event.currentTarget.id !== "search") move(-Infinity);
  else if (event.key === "End" && event.currentTarget.id !== "search") move(Infinity);
  else if (event.key === "Enter" || (event.key === " " && event.currentTarget.id !== "search")) { if (active) pick(active); }
  else if (event.key === "Escape" && byId("search").value) { byId("search").value = ""; find(""); }
  else return;
  event.preventDefault();
}

function move(step) {
  if (sorted.length === 0) return;
  const from = sorted.indexOf(active);
  const to = from < 0 ? 0 : Math.min(sorted.length - 1, Math.max(0, from + step));
  active = sorted[to];
  draw();
  rows.get(active)?.scrollIntoView({ block: "nearest" });
}

function pick(id) {
  active = id;
  options.toggle(id);
}

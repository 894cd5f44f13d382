// Joins the parts: what the stream brings goes to its part, one frame draws what changed, a gap reads everything again.

import { byId, text, attribute, paint, create } from "./dom.js";
import { get, items } from "./api.js";
import { LiveStream } from "./live.js";
import * as format from "./format.js";
import * as overview from "./overview.js";
import * as alarms from "./alarms.js";
import * as linked from "./linked.js";
import * as sensors from "./sensors.js";
import * as board from "./board.js";
import * as channels from "./channels.js";
import * as alarmFigures from "./alarm-figures.js";
import * as tip from "./tip.js";

const RESYNC_AT_MOST_EVERY = 3000;
const REFRESH_AT_MOST_EVERY = 5000;
const DISAGREEMENT = 10_000;
const RESYNC_AFTER_FAILURE = 5000;
const AWAY = 60_000;

let connected = null; // null before the first answer, then whether the stream stands
let retryAt = 0;
let lastHeard = 0;
let lastSync = -Infinity;
let syncTimer = 0;
let hiddenSince = 0;
let agreedAt = Date.now();
let sensorsAtRefresh = null;
let refreshedAt = 0;

const drawBoard = () => paint("board", () => board.draw());
const drawSensors = () => paint("sensors", sensors.draw);
const drawAlarms = () => paint("alarms", () => alarms.draw(connected));
const drawOverview = () => paint("overview", overview.draw);

const stream = new LiveStream({
  event: receive,
  opened: (isRetry) => { if (isRetry) resync(); },
  state: (name, wait) => {
    connected = name === "live";
    retryAt = wait ? Date.now() + wait : 0;
    drawAlarms();
    drawLink();
  },
});

const receivers = {
  stats(data) {
    overview.show(data);
    alarms.setTotal(data.alarms_open);
    drawOverview();
    drawAlarms();
    drawLink();
    catchUp(data);
  },
  readings(data) { for (const batch of Array.isArray(data) ? data : [data]) board.add(batch); drawBoard(); },
  anomaly(data) { board.addAnomaly(data); drawBoard(); },
  alarm(data) { alarms.apply(data); board.reconcile(); drawAlarms(); },
  sensors(data) { sensors.apply(data); drawSensors(); if (board.shown().length === 0) board.reconcile(); },
  gap() { resync(); },
};

function receive(name, data) {
  lastHeard = Date.now();
  if (data && Object.hasOwn(receivers, name)) receivers[name](data);
}

// The statistics tell of sensors and alarms that the stream did not bring: read the lists again, seldom.
function catchUp(stats) {
  const now = Date.now();
  const alarmsDiffer = stats.alarms_open !== alarms.openCount() && alarms.openCount() < alarms.LISTED;
  if (!alarmsDiffer) agreedAt = now;
  if (now - agreedAt > DISAGREEMENT) {
    agreedAt = now;
    resync();
  } else if (stats.sensors !== sensorsAtRefresh && now - refreshedAt > REFRESH_AT_MOST_EVERY) {
    sensorsAtRefresh = stats.sensors;
    refreshedAt = now;
    sensors.refresh([]).then(board.reconcile, () => {});
  }
}

/** Reads everything again: at the start, after a reconnection or a gap, and when the page was out of sight for long. */
function resync() {
  clearTimeout(syncTimer);
  const wait = lastSync + RESYNC_AT_MOST_EVERY - Date.now();
  if (wait > 0) {
    syncTimer = setTimeout(resync, wait);
    return;
  }
  const isFirst = lastSync === -Infinity;
  lastSync = Date.now();
  load(isFirst);
}

async function load(isFirst) {
  const [stats, open, cleared] = await Promise.allSettled([
    get("api/overview"), items("alarms", { state: "open", limit: alarms.LISTED }), items("alarms", { state: "cleared", limit: 12 }),
  ]);
  if (stats.value) {
    overview.show(stats.value);
    alarms.setTotal(stats.value.alarms_open);
    lastHeard = Date.now();
  }
  if (open.status === "fulfilled") alarms.replace(open.value, cleared.value ?? []);
  else syncTimer = setTimeout(resync, RESYNC_AFTER_FAILURE);
  await sensors.refresh([...board.shown(), ...alarms.troubled()], true).catch(() => {});
  board.reconcile();
  if (!isFirst) board.reload();
  drawOverview();
  drawAlarms();
  drawSensors();
  drawBoard();
}

function drawLink() {
  const state = overview.overview()?.state;
  const stale = Date.now() - lastHeard > 5000;
  const name = connected === null ? "connecting" : !connected ? "reconnecting" : stale ? "stalled" : "live";
  const seconds = Math.max(1, Math.ceil((retryAt - Date.now()) / 1000));
  const heard = lastHeard ? `, last data ${format.clock(lastHeard)}` : "";
  const sentence = {
    connecting: "Connecting…",
    live: state === "learning" ? "Live, learning" : state === "draining" ? "Live, shutting down" : "Live",
    stalled: `Connected, no data since ${format.clock(lastHeard)}`,
    reconnecting: `Reconnecting${heard}`,
  }[name];
  attribute(byId("link"), "data-state", name);
  text(byId("link-text"), sentence);
  byId("link").title = name === "reconnecting" && retryAt > Date.now() ? `Next try in ${seconds} s` : "";
  document.body.classList.toggle("stale", name === "reconnecting" || name === "stalled");
}

const ZONE = new Intl.DateTimeFormat("en", { timeZoneName: "short" });

function tick() {
  const now = Date.now();
  text(byId("clock"), format.clock(now));
  const zone = ZONE.formatToParts(now).find((part) => part.type === "timeZoneName")?.value ?? "";
  text(byId("clock-date"), `${format.day(now)} ${zone}`);
  drawLink();
}

// Auto follows the system; a chosen theme is kept in this browser.
function startTheme() {
  const names = ["auto", "light", "dark"];
  const button = byId("theme");
  let theme = names.includes(document.documentElement.dataset.theme) ? document.documentElement.dataset.theme : "auto";
  const show = () => {
    if (theme === "auto") delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = theme;
    text(button, `Theme: ${theme}`);
    board.recolour();
    drawOverview();
  };
  button.addEventListener("click", () => {
    theme = names[(names.indexOf(theme) + 1) % names.length];
    try { localStorage.setItem("tocsin.theme", theme); } catch { /* the choice lasts as long as the page */ }
    show();
  });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", show);
  show();
}

function startKey() {
  byId("key-list").append(...Object.entries(format.KINDS).map(([kind, [letter, meaning]]) => {
    const item = create("li");
    item.append(create("span", "letter", letter), create("strong", "", kind), create("span", "", meaning));
    return item;
  }));
  const band = create("li");
  band.append(create("span", "swatch"), create("strong", "", "shaded"), create("span", "", "where the next reading is expected"));
  byId("key-list").append(band);
  // A panel closes when the focus or a click goes elsewhere, or on Escape.
  const open = () => document.querySelectorAll("details.pop[open]");
  const leave = (target) => { for (const panel of open()) if (!panel.contains(target)) panel.open = false; };
  document.addEventListener("pointerdown", (event) => leave(event.target));
  document.addEventListener("focusin", (event) => leave(event.target));
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    for (const panel of open()) {
      panel.open = false;
      panel.querySelector("summary").focus();
    }
  });
}

function start() {
  tip.start();
  startKey();
  alarms.start((id) => board.reveal(id));
  linked.start({ changed: drawAlarms, visit: board.visit });
  sensors.start({ isShown: board.isShown, toggle: board.toggle, changed: drawSensors });
  board.start({
    changed: () => { drawBoard(); drawSensors(); },
    follow: (ids) => stream.follow(ids),
    say: (sentence) => text(byId("announce"), sentence),
  });
  channels.start();
  alarmFigures.start();
  startTheme();
  document.addEventListener("visibilitychange", () => {
    if (document.hidden) hiddenSince = Date.now();
    else if (Date.now() - hiddenSince > AWAY) resync();
    else drawBoard();
  });
  setInterval(tick, 1000);
  tick();
  resync();
  stream.follow([]);
}

start();

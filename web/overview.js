// The counters, the state of the connection, and the system panel.

import { byId, create, text, attribute, arrange, addRow } from "./dom.js";
import * as format from "./format.js";
import * as connections from "./connections.js";

const RATES = 120;
const rates = [];
let latest = null;

export const overview = () => latest;

export function show(stats) {
  if (!stats || typeof stats !== "object") return;
  latest = stats;
  rates.push(format.isNumber(stats.readings_per_second) ? stats.readings_per_second : 0);
  if (rates.length > RATES) rates.shift();
}

export function draw() {
  if (!latest) return;
  const value = latest;
  text(byId("c-rate"), format.short(value.readings_per_second));
  attribute(byId("c-rate"), "data-total", value.readings_total ?? 0);
  text(byId("c-total"), `${format.short(value.readings_total)} in all`);
  text(byId("c-sensors"), format.short(value.sensors));
  text(byId("c-series"), `${format.short(value.series)} series`);
  text(byId("c-anomalies"), format.short(value.anomalies_total));
  text(byId("c-windows"), `${format.short(value.windows_total)} windows`);
  text(byId("c-p50"), format.milliseconds(value.latency_ms?.p50));
  text(byId("c-p99"), `median · p99 ${format.milliseconds(value.latency_ms?.p99)}`);
  text(byId("c-inference"), format.microseconds(value.inference_us?.mean));
  text(byId("c-inference-p99"), `mean · p99 ${format.microseconds(value.inference_us?.p99)}`);
  drawDeadLetters(value.dead_letters ?? {});
  drawLearning(Array.isArray(value.learning) ? value.learning : []);
  drawSystem(value);
  connections.draw(Array.isArray(value.connectors) ? value.connectors : []);
  drawSpark();
}

function drawDeadLetters(letters) {
  text(byId("c-dead"), format.short(letters.total));
  const reasons = Object.entries(letters.by_reason ?? {}).sort((left, right) => right[1] - left[1]);
  byId("dead").hidden = reasons.length === 0;
  rows(byId("dead-rows"), reasons.map(([reason, number]) => [format.words(reason), format.count(number)]));
}

// One row per entry: the first cell is its header.
function rows(body, table) {
  while (body.rows.length > table.length) body.deleteRow(-1);
  table.forEach((cells, index) => {
    const row = body.rows[index] ?? addRow(body, cells.length);
    cells.forEach((cell, column) => text(row.cells[column], cell));
  });
}

function drawLearning(models) {
  const panel = byId("learning");
  panel.hidden = models.length === 0;
  arrange(panel, models.slice(0, 6).map((entry, index) => {
    const element = panel.children[index] ?? learningRow();
    const share = Math.min(1, Math.max(0, Number(entry.progress) || 0));
    text(element.querySelector(".model"), `Learning: ${entry.model}`);
    element.querySelector("progress").value = share;
    text(element.querySelector(".share"), `${Math.round(share * 100)} %`);
    return element;
  }));
}

function learningRow() {
  const row = create("label", "learning-row");
  const bar = document.createElement("progress");
  bar.max = 1;
  row.append(create("span", "model"), bar, create("span", "share"));
  return row;
}

function drawSystem(value) {
  const facts = [
    ["State", value.state ?? "–"],
    ["Version", value.version ?? "–"],
    ["Up for", format.span((value.uptime_seconds ?? NaN) * 1000)],
    ["Store", format.bytes(value.store_bytes)],
    ["Late readings", format.count(value.late_total)],
    ["Duplicates", format.count(value.duplicates_total)],
    ...lakeFacts(value.lake),
  ];
  const list = byId("system");
  while (list.children.length > facts.length) list.lastChild.remove();
  facts.forEach(([name, fact], index) => {
    let row = list.children[index];
    if (!row) {
      row = create("div");
      row.append(create("dt", "", name), create("dd"));
      list.append(row);
    }
    text(row.firstChild, name);
    text(row.lastChild, fact);
  });
  const sources = Array.isArray(value.sources) ? value.sources.slice(0, 50) : [];
  byId("sources-table").hidden = sources.length === 0;
  rows(byId("sources"), sources.map((source) => [source.name, format.words(source.state), format.count(source.readings_total)]));
}

function lakeFacts(lake) {
  if (!lake) return [];
  const layers = Array.isArray(lake.layers) ? lake.layers : [];
  const etl = lake.last_etl;
  const facts = layers.map((layer) => [`Lake, ${layer.name}`, format.bytes(layer.bytes)]);
  facts.push(["Lake", lake.state === "ok" ? "up to date" : `${format.words(lake.state)}: ${lake.reason ?? "no reason given"}`]);
  if (lake.waiting_files) facts.push(["Waiting for S3", `${format.count(lake.waiting_files)} files, ${format.bytes(lake.waiting_bytes)}`]);
  if (etl) facts.push(["Last ETL", `${format.words(etl.state)}, ${format.moment(Date.parse(etl.finished ?? etl.started))}`]);
  return facts;
}

function drawSpark() {
  const canvas = byId("c-spark");
  const ratio = devicePixelRatio || 1;
  const width = Math.round(canvas.clientWidth * ratio);
  const height = Math.round(canvas.clientHeight * ratio);
  if (!width || !height) return;
  if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
  const context = canvas.getContext("2d");
  context.clearRect(0, 0, width, height);
  const most = Math.max(1, ...rates);
  context.beginPath();
  rates.forEach((rate, index) => {
    const x = width - (rates.length - 1 - index) * (width / (RATES - 1));
    const y = height - 2 * ratio - (rate / most) * (height - 4 * ratio);
    if (index === 0) context.moveTo(x, y);
    else context.lineTo(x, y);
  });
  context.strokeStyle = getComputedStyle(canvas).color;
  context.lineWidth = 1.5 * ratio;
  context.stroke();
}

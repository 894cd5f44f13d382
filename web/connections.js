// Brokers: how each connection stands, and how far behind its partitions are.

import { byId, text, attribute, create, addRow } from "./dom.js";
import * as format from "./format.js";

const LAG = "kafka_consumer_lag";
const PAUSED = "kafka_consumer_paused";
const WAITING = ["tocsin_kafka_output_waiting", "tocsin_mqtt_unacknowledged"];

/** `connectors`: those of the overview. Alert channels have a table of their own. */
export function draw(connectors) {
  const shown = connectors.filter((one) => one.kind !== "alerts").slice(0, 50);
  byId("connections").hidden = shown.length === 0;
  const body = byId("connections-rows");
  while (body.rows.length > shown.length) body.deleteRow(-1);
  shown.forEach((connector, index) => drawRow(body.rows[index] ?? newRow(body), connector));
}

function newRow(body) {
  const row = addRow(body, 4);
  row.cells[2].append(create("span", "behind"), partitions());
  return row;
}

function partitions() {
  const panel = create("details", "pop partitions");
  const sheet = create("div", "sheet");
  const table = document.createElement("table");
  table.append(create("caption", "", "Messages behind, by partition"), document.createElement("tbody"));
  sheet.append(table, create("p", "note"));
  panel.append(create("summary"), sheet);
  return panel;
}

function drawRow(row, connector) {
  attribute(row, "data-healthy", connector.healthy === true);
  text(row.cells[0], `${connector.name} (${connector.kind})`);
  text(row.cells[1], connector.text ?? "–");
  const parts = (Array.isArray(connector.parts) ? connector.parts : []).filter((part) => part.figures && LAG in part.figures);
  const lag = parts.reduce((sum, part) => sum + (Number(part.figures[LAG]) || 0), 0);
  const waiting = WAITING.map((name) => connector.figures?.[name]).find(format.isNumber);
  text(row.querySelector(".behind"), parts.length > 0 ? format.count(lag) : waiting === undefined ? "–" : format.count(waiting));
  drawPartitions(row.querySelector(".partitions"), parts, connector.parts_total ?? parts.length);
  const heard = Date.parse(connector.last_message ?? "");
  text(row.cells[3], Number.isNaN(heard) ? "none yet" : format.moment(heard));
}

function drawPartitions(panel, parts, total) {
  panel.hidden = parts.length === 0;
  if (parts.length === 0) return;
  text(panel.querySelector("summary"), `in ${format.plural(parts.length, "partition")}`);
  const sorted = [...parts].sort((left, right) => right.figures[LAG] - left.figures[LAG] || format.naturally(nameOf(left), nameOf(right)));
  const body = panel.querySelector("tbody");
  while (body.rows.length > sorted.length) body.deleteRow(-1);
  sorted.forEach((part, index) => {
    const row = body.rows[index] ?? addRow(body, 2);
    text(row.cells[0], nameOf(part));
    text(row.cells[1], `${format.count(part.figures[LAG])}${part.figures[PAUSED] ? ", paused" : ""}`);
  });
  text(panel.querySelector(".note"), total > parts.length ? `The first ${format.count(parts.length)} of ${format.count(total)}; all are in /metrics.` : "");
}

const nameOf = (part) => Object.values(part.labels ?? {}).join("/");

// How well the alarms of the last day do by what the guides ask for (EEMUA 191, ISA-18.2).

import { byId, text, attribute, addRow } from "./dom.js";
import { get } from "./api.js";
import * as format from "./format.js";

const EVERY = 60_000;

const percent = (value) => (format.isNumber(value) ? `${format.reading(value * 100)} %` : "–");
const number = (value) => (value > 0 && value < 0.01 ? "< 0.01" : format.isNumber(value) ? format.reading(Math.round(value * 100) / 100) : "–");

/** The figures of the answer's `targets`: words, and how a value is written. */
const FIGURES = {
  average_per_10_minutes: ["New in ten minutes, on average", number],
  peak_in_10_minutes: ["New in the worst ten minutes", number],
  overloaded_share: ["Spans of ten minutes with more than ten", percent],
  flood_share: ["Time in flood", percent],
  bad_actor_share: ["From the ten worst sensors", percent],
  chattering: ["Chattering", number],
  newly_stale_per_day: ["Open for more than a day, a day", number],
  critical_share: ["Critical", percent],
  warning_share: ["Warning", percent],
  info_share: ["Info", percent],
};

const BOUNDS = { below: "below", at_most: "at most", at_least: "at least" };

export function start() {
  refresh();
  setInterval(() => { if (!document.hidden) refresh(); }, EVERY);
}

async function refresh() {
  const answer = await get("alarms/performance").catch(() => null);
  const targets = (Array.isArray(answer?.targets) ? answer.targets : []).filter((target) => Object.hasOwn(FIGURES, target.figure));
  byId("alarm-figures").hidden = targets.length === 0;
  const body = byId("alarm-figures-rows");
  while (body.rows.length > targets.length) body.deleteRow(-1);
  targets.forEach((target, index) => draw(body.rows[index] ?? addRow(body, 4), target));
  text(byId("alarm-figures-worst"), worst(answer));
}

function draw(row, target) {
  const [words, write] = FIGURES[target.figure];
  const asked = `${BOUNDS[target.bound] ?? target.bound} ${write(target.acceptable)}`;
  const cells = [words, write(target.value), asked, target.rating ?? "too few alarms"];
  cells.forEach((cell, column) => text(row.cells[column], cell));
  attribute(row, "data-rating", target.rating ?? "");
  attribute(row.cells[2], "title", target.manageable === target.acceptable ? "" : `manageable: ${BOUNDS[target.bound] ?? target.bound} ${write(target.manageable)}`);
}

function worst(answer) {
  const told = format.isNumber(answer?.alarms) ? format.plural(answer.alarms, "alarm") : "";
  const actors = Array.isArray(answer?.bad_actors) ? answer.bad_actors.slice(0, 3) : [];
  if (actors.length === 0) return told;
  return `${told}, most of ${actors.map((actor) => `${actor.sensor_id} (${format.words(actor.kind)}, ${format.count(actor.alarms)})`).join(", ")}`;
}

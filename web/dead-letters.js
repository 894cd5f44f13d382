// Alerts that were given up: which, to whom, why and since when, and what is to become of each.

import { byId, text, attribute, clone, arrange } from "./dom.js";
import { get, post } from "./api.js";
import * as format from "./format.js";

const SHOWN = 50;
const SENTENCE = 200;
const REASON = 240;

let changed = () => {};

/** `done` is called when a letter is gone. */
export function start(done) {
  changed = done;
  byId("dead-list").addEventListener("click", (event) => {
    const button = event.target.closest("[data-letter]");
    // Not `disabled`: that would take the focus away.
    if (button && !button.hasAttribute("aria-disabled")) act(button);
  });
}

/** Reads the newest; how many there are in all, or null where that cannot be known now. */
export async function refresh() {
  const answer = await get("alerts/dead", { limit: SHOWN }).catch(() => null);
  if (!Array.isArray(answer?.items)) return null;
  const total = format.isNumber(answer.total) ? answer.total : answer.items.length;
  draw(answer.items.filter((letter) => letter?.alarm), total);
  return total;
}

function draw(letters, total) {
  const list = byId("dead-list");
  const place = [...list.children].findIndex((row) => row.contains(document.activeElement));
  const known = new Map([...list.children].map((row) => [row.dataset.number, row]));
  // A letter does not change; what is sent again and given up again is another one.
  arrange(list, letters.map((letter) => known.get(String(letter.id)) ?? rowOf(letter)));
  byId("dead-letters").hidden = letters.length === 0;
  const more = total - letters.length;
  text(byId("dead-letters-more"), more > 0 ? `The newest ${format.count(letters.length)}; ${format.count(more)} more are listed by “tocsin alert dead”.` : "");
  if (place >= 0 && !list.contains(document.activeElement)) keepPlace(list, place);
}

// The row with the focus is gone: the next one gets it, so that a keyboard need not begin at the top of the page.
function keepPlace(list, place) {
  const row = list.children[Math.min(place, list.children.length - 1)];
  (row?.querySelector("button") ?? byId("dead-said")).focus();
}

function rowOf(letter) {
  const { alarm } = letter;
  const row = clone("t-letter");
  row.dataset.number = letter.id;
  const sensor = row.querySelector(".sensor");
  text(sensor, format.shortened(alarm.sensor_id, 80));
  attribute(sensor, "title", alarm.sensor_id);
  attribute(sensor, "href", `?${new URLSearchParams({ alarm: alarm.id })}`);
  text(row.querySelector(".what"), `${format.words(alarm.kind)} · ${format.words(letter.step)}`);
  text(row.querySelector(".to"), `to ${format.shortened(letter.channel, 60)}`);
  cut(row.querySelector(".sentence"), alarm.sentence, SENTENCE);
  cut(row.querySelector(".why"), letter.reason, REASON);
  const attempts = format.isNumber(letter.attempts) ? ` after ${format.plural(letter.attempts, "attempt")}` : "";
  const [recorded, end] = [format.time(letter.recorded), format.time(letter.given_up)];
  text(row.querySelector(".meta"), `since ${format.moment(recorded)}, given up ${format.moment(end, recorded)}${attempts}`);
  for (const button of row.querySelectorAll("[data-letter]")) attribute(button, "aria-label", `${button.textContent}: ${nameOf(letter)}`);
  return row;
}

function cut(element, whole, limit) {
  text(element, format.shortened(whole, limit));
  attribute(element, "title", whole ?? "");
}

const nameOf = ({ step, alarm, channel }) => `${format.words(step)} ${format.shortened(alarm.sensor_id, 40)} to ${format.shortened(channel, 40)}`;

async function act(button) {
  const verb = button.dataset.letter;
  const row = button.closest("li");
  const name = button.getAttribute("aria-label").replace(/^[^:]*: /, "");
  if (verb === "discard" && !confirm(`Throw this alert away? (${name}) The alarm itself stays stored.`)) return;
  const buttons = row.querySelectorAll("button");
  for (const other of buttons) attribute(other, "aria-disabled", "true");
  try {
    await post(`alerts/dead/${verb}`, { ids: [Number(row.dataset.number)] });
    text(byId("dead-said"), `${verb === "resend" ? "Sent again" : "Thrown away"}: ${name}`);
  } catch (error) {
    text(byId("dead-said"), `Not taken: ${format.shortened(error.message, 200)}`);
  }
  for (const other of buttons) other.removeAttribute("aria-disabled");
  changed();
}

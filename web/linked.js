// The alarm that the page's address names (`?alarm=<id>`): links in messages lead here, often when all is over.

import { byId, text, attribute, arrange } from "./dom.js";
import { get } from "./api.js";
import * as format from "./format.js";

const AGAIN_AFTER = 5000;

let wanted = new URLSearchParams(location.search).get("alarm");
let alarm = null; // as it was last told
let problem = "";
let isAsked = false;
let isRevealed = false;
let isSaid = false;
let options = { changed: () => {}, visit: () => {} };

/** `given`: `changed()` asks for a redraw, `visit(sensor)` shows the charts of a sensor. */
export function start(given) {
  options = given;
  byId("linked-close").addEventListener("click", close);
}

export const isMeant = (id) => id === wanted;

/** Everything has been read anew: what is not among the open ones may have changed unseen. */
export function replace(openAlarms) {
  isAsked = false;
  openAlarms.forEach(apply);
}

export function apply(told) {
  if (!wanted || told?.id !== wanted) return;
  alarm = told;
  problem = "";
}

/** `listed`: the ids that will stand in the list of open alarms; `elementOf(alarm)` is the card of an alarm. */
export function draw(listed, elementOf) {
  if (!wanted) return;
  const isListed = listed.has(wanted);
  if (!isListed && !isAsked) ask();
  byId("linked").hidden = isListed || !(alarm || problem);
  text(byId("linked-note"), isListed ? "" : alarm ? standing() : problem);
  place(alarm && !isListed ? elementOf(alarm) : null);
  if (isRevealed) return;
  if (alarm) reveal(elementOf(alarm));
  else if (problem && !isSaid) {
    isSaid = true; // once: whoever scrolls on is not brought back
    byId("linked").scrollIntoView({ block: "nearest" });
  }
}

// Whoever is at the card goes with it when it leaves the list.
function place(element) {
  const isLeaving = element && element.parentElement !== byId("linked-list") && element.contains(document.activeElement);
  arrange(byId("linked-list"), element ? [element] : []);
  if (!isLeaving) return;
  element.focus({ preventScroll: true });
  bringUp(element);
}

function standing() {
  if (alarm.state === "cleared") return "This alarm is over.";
  if (alarm.summary) return "This alarm is open; it was told in a summary and stands behind it.";
  return "This alarm is open, further down than the list goes.";
}

async function ask() {
  isAsked = true;
  const id = wanted;
  try {
    const answer = isPlausible(id) ? await get(`alarms/${id}`) : null;
    // Other addresses under /alarms answer with something else.
    if (answer?.id === id) apply(answer);
    else if (wanted === id) problem = unknown(id);
  } catch (error) {
    if (wanted !== id) return;
    if (error.status === 404) problem = unknown(id);
    else {
      if (!alarm) problem = `The alarm of the link cannot be read now: ${error.message}`;
      setTimeout(() => { isAsked = false; options.changed(); }, AGAIN_AFTER);
    }
  }
  options.changed();
}

// Nothing that leads to another address.
const isPlausible = (id) => /^[\w:-]{1,100}$/.test(id);

const unknown = (id) => `There is no alarm “${format.shortened(id, 40)}”. It was never raised here, or the store no longer holds it.`;

// The card counts more than the charts, which stand far below it on a small screen.
async function reveal(element) {
  isRevealed = true;
  await null; // the list is put in order after this
  element.classList.add("linked");
  attribute(element, "aria-current", "true");
  element.tabIndex = -1;
  if (alarm.kind !== "system") options.visit(alarm.sensor_id);
  if (document.activeElement === document.body) element.focus({ preventScroll: true });
  bringUp(element);
  await element.openMore();
  bringUp(element);
}

function bringUp(element) {
  element.scrollIntoView({ block: "nearest" });
  if (!byId("linked").hidden) byId("linked-heading").scrollIntoView({ block: "nearest" });
}

function close() {
  wanted = null;
  byId("linked").hidden = true;
  arrange(byId("linked-list"), []);
  const address = new URL(location.href);
  address.searchParams.delete("alarm");
  history.replaceState(null, "", address);
  byId("alarms").focus();
  options.changed();
}

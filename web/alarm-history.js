// Who did what with an alarm, and when: the audit trail of one alarm in its card.

import { create, arrange } from "./dom.js";
import { items } from "./api.js";
import * as format from "./format.js";

const SHOWN = 20;

const VERBS = {
  acknowledge: "acknowledged", comment: "commented", assign: "assigned", shelve: "shelved", unshelve: "unshelved",
  out_of_service: "took out of service", in_service: "put back in service",
};

const RECENT = 200;
const SEARCHED = 100;
const HELD = 1000;
// Told before it is stored: the trail may lag behind the alarm.
const WAITS = [0, 1000, 5000, 20_000];
const times = new Map();

const actionsOf = (id, limit) => items(`alarms/${encodeURIComponent(id)}/actions`, { limit });

// What was done last with any alarm: a page full of cards asks once.
let recent = null;

function recentActions() {
  recent ??= items("alarms/actions", { limit: RECENT }).catch(() => []).finally(() => setTimeout(() => { recent = null; }, 500));
  return recent;
}

/**
 * When somebody acknowledged `alarm`, by the clock on the wall; the alarm itself has only the readings' time of it. Null
 * as long as that is not known: `found` is called when it is.
 */
export function acknowledgedAt(alarm, found) {
  const key = `${alarm.id} ${alarm.acknowledged}`;
  if (!times.has(key)) {
    times.set(key, null);
    if (times.size > HELD) times.delete(times.keys().next().value);
    findAcknowledgement(alarm, key, found);
  }
  return times.get(key);
}

async function findAcknowledgement(alarm, key, found) {
  // A member of a summary is acknowledged with it.
  const isIt = (action) => action.action === "acknowledge" && action.given === alarm.acknowledged
    && (action.alarm_id === alarm.id || action.alarm_id === alarm.summary);
  for (const wait of WAITS) {
    if (wait) await new Promise((done) => { setTimeout(done, wait); });
    const action = (await recentActions()).find(isIt) ?? (await actionsOf(alarm.id, SEARCHED).catch(() => [])).find(isIt);
    if (!action) continue;
    times.set(key, format.time(action.at));
    return found();
  }
  times.delete(key); // asked for again when the alarm is read the next time
}

/** Reads the list anew; an older answer never overwrites a newer one. */
export async function show(list, id) {
  const turn = (list.turn ?? 0) + 1;
  list.turn = turn;
  let actions = null;
  try {
    actions = await actionsOf(id, SHOWN);
  } catch { /* said below */ }
  if (list.turn !== turn) return;
  if (!actions || actions.length === 0) {
    arrange(list, [create("li", "none", actions ? "Nobody has done anything yet." : "The history cannot be read now.")]);
    return;
  }
  const known = new Map([...list.children].map((line) => [line.dataset.action, line]));
  arrange(list, actions.map((action) => known.get(action.id) ?? lineOf(action)));
}

function lineOf(action) {
  const line = create("li");
  line.dataset.action = action.id;
  const at = format.time(action.at);
  const time = create("time", "", format.moment(at));
  time.dateTime = action.at;
  line.append(time, create("strong", "", action.person), create("span", "verb", words(action, at)));
  if (action.text && action.action !== "assign") line.append(create("q", "", action.text));
  return line;
}

function words(action, at) {
  const verb = VERBS[action.action] ?? format.words(action.action);
  if (action.action === "assign") return action.text ? `assigned it to ${action.text}` : "assigned it to nobody";
  return action.until ? `${verb} until ${format.moment(format.time(action.until), at)}` : verb;
}

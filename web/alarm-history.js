// Who did what with an alarm, and when: the audit trail of one alarm in its card.

import { create, arrange } from "./dom.js";
import { items } from "./api.js";
import * as format from "./format.js";

const SHOWN = 20;

const VERBS = {
  acknowledge: "acknowledged", comment: "commented", assign: "assigned", shelve: "shelved", unshelve: "unshelved",
  out_of_service: "took out of service", in_service: "put back in service",
};

/** Reads the list anew; an older answer never overwrites a newer one. */
export async function show(list, id) {
  const turn = (list.turn ?? 0) + 1;
  list.turn = turn;
  let actions = null;
  try {
    actions = await items(`alarms/${encodeURIComponent(id)}/actions`, { limit: SHOWN });
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

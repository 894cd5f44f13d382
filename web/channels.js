// How the alert channels stand, and what is to become of the alerts that were given up.

import { byId, text, attribute, addRow } from "./dom.js";
import { items, post } from "./api.js";
import * as format from "./format.js";

const EVERY = 15_000;

export function start() {
  for (const button of document.querySelectorAll("[data-dead]")) button.addEventListener("click", () => act(button));
  refresh();
  setInterval(() => { if (!document.hidden) refresh(); }, EVERY);
}

async function refresh() {
  const channels = await items("alerts/channels").catch(() => []);
  byId("channels").hidden = channels.length === 0;
  const body = byId("channels-rows");
  while (body.rows.length > channels.length) body.deleteRow(-1);
  channels.forEach((channel, index) => draw(body.rows[index] ?? addRow(body, 4), channel));
  byId("dead-act").hidden = !channels.some((channel) => channel.dead > 0);
}

function draw(row, channel) {
  const isFailing = channel.failures > 0;
  const state = isFailing ? `${format.plural(channel.failures, "failure")} in a row` : "ok";
  const cells = [channel.channel, state, format.count(channel.waiting), format.count(channel.dead)];
  cells.forEach((cell, column) => text(row.cells[column], cell));
  attribute(row.cells[1], "title", isFailing ? channel.last_error ?? "" : "");
}

async function act(button) {
  const verb = button.dataset.dead;
  if (verb === "discard" && !confirm("Throw away all alerts that were given up? The alarms themselves stay stored.")) return;
  const buttons = document.querySelectorAll("[data-dead]");
  for (const other of buttons) other.disabled = true;
  try {
    const answer = await post(`alerts/dead/${verb}`, { all: true });
    text(byId("dead-said"), verb === "resend" ? `${format.count(answer.resent)} sent again` : `${format.count(answer.discarded)} thrown away`);
  } catch (error) {
    text(byId("dead-said"), `Not taken: ${error.message}`);
  }
  for (const other of buttons) other.disabled = false;
  refresh();
}

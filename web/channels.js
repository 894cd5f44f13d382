// How the alert channels stand, and what is to become of the alerts that were given up.

import { byId, text, attribute, addRow, create } from "./dom.js";
import { items, post } from "./api.js";
import * as deadLetters from "./dead-letters.js";
import * as format from "./format.js";

const EVERY = 15_000;
const NAME = 60;
const REASON = 160;

export function start() {
  for (const button of document.querySelectorAll("[data-dead]")) button.addEventListener("click", () => act(button));
  deadLetters.start(refresh);
  refresh();
  setInterval(() => { if (!document.hidden) refresh(); }, EVERY);
}

async function refresh() {
  // What cannot be read now stays as it was.
  const [channels, dead] = await Promise.all([items("alerts/channels").catch(() => null), deadLetters.refresh()]);
  if (channels) drawChannels(channels);
  // Channels that are no longer configured may have letters too.
  if (dead !== null) byId("dead-act").hidden = dead === 0;
  if (channels && dead !== null) byId("channels").hidden = channels.length === 0 && dead === 0;
}

function drawChannels(channels) {
  byId("channels-table").hidden = channels.length === 0;
  const body = byId("channels-rows");
  while (body.rows.length > channels.length) body.deleteRow(-1);
  channels.forEach((channel, index) => draw(body.rows[index] ?? newRow(body), channel));
}

function newRow(body) {
  const row = addRow(body, 4);
  row.cells[1].append(create("span", "how"), create("span", "why"));
  return row;
}

function draw(row, channel) {
  const isFailing = channel.failures > 0;
  attribute(row, "data-failing", isFailing);
  text(row.cells[0], format.shortened(channel.channel, NAME));
  attribute(row.cells[0], "title", channel.channel);
  text(row.querySelector(".how"), isFailing ? `${format.plural(channel.failures, "failure")} in a row` : "ok");
  const error = isFailing ? channel.last_error ?? "" : "";
  text(row.querySelector(".why"), format.shortened(error, REASON));
  attribute(row.querySelector(".why"), "title", error);
  text(row.cells[2], format.count(channel.waiting));
  text(row.cells[3], format.count(channel.dead));
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
  await refresh();
  if (byId("dead-act").hidden) byId("dead-said").focus();
}

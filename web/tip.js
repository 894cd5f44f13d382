// The one tooltip of the page: what a marker on a chart says. It follows focus and pointer, Escape closes it.

import { byId, create } from "./dom.js";
import * as format from "./format.js";

const SHOWN = 4;
let owner = null;

export function start() {
  addEventListener("keydown", (event) => { if (event.key === "Escape") hide(); });
  addEventListener("scroll", follow, { passive: true, capture: true });
}

export function show(marker, anomalies) {
  const tip = byId("tip");
  owner?.removeAttribute("aria-describedby");
  owner = marker;
  tip.replaceChildren(...anomalies.slice(-SHOWN).reverse().map(paragraph));
  if (anomalies.length > SHOWN) tip.append(create("p", "more", `and ${format.count(anomalies.length - SHOWN)} more here`));
  tip.hidden = false;
  marker.setAttribute("aria-describedby", "tip");
  place();
}

/** Moves the tooltip after its marker; away with it when the marker is gone. */
export function follow() {
  if (!owner) return;
  const anchor = owner.getBoundingClientRect();
  if (owner.isConnected && anchor.bottom > 0 && anchor.top < innerHeight) place();
  else hide();
}

function place() {
  const tip = byId("tip");
  const marker = owner;
  const anchor = marker.getBoundingClientRect();
  const box = tip.getBoundingClientRect();
  const left = Math.min(Math.max(8, anchor.left + anchor.width / 2 - box.width / 2), innerWidth - box.width - 8);
  const below = anchor.bottom + 8;
  const top = below + box.height > innerHeight - 8 ? Math.max(8, anchor.top - box.height - 8) : below;
  tip.style.left = `${left}px`;
  tip.style.top = `${top}px`;
}

/** Hides the tooltip, or only if it belongs to `marker`. */
export function hide(marker) {
  if (!owner || (marker instanceof Element && marker !== owner)) return;
  owner.removeAttribute("aria-describedby");
  owner = null;
  byId("tip").hidden = true;
}

function paragraph(anomaly) {
  const element = create("div", "entry");
  const head = `${format.words(anomaly.kind)} · ${format.moment(anomaly.at, anomaly.at)}`;
  const shares = (Array.isArray(anomaly.contributions) ? anomaly.contributions : []).filter((part) => part?.share > 0.005).slice(0, 3)
    .map((part) => `${format.words(part.name)} ${Math.round(part.share * 100)} %`).join(", ");
  const facts = [
    format.isNumber(anomaly.score) ? `score ${anomaly.score.toFixed(2)}` : "", format.probability(anomaly.p_value), anomaly.detector, shares,
  ].filter(Boolean).join(" · ");
  element.append(create("strong", "", head), create("p", "", anomaly.sentence ?? ""), create("p", "facts", facts));
  return element;
}

// Small helpers over the document. Names come from outside: text goes in by `textContent` only, never as markup.

export const byId = (id) => document.getElementById(id);

/** Sets text only when it differs, so that a quiet page costs no layout. */
export function text(element, value) {
  const string = String(value ?? "");
  if (element.textContent !== string) element.textContent = string;
}

export function attribute(element, name, value) {
  const string = String(value);
  if (element.getAttribute(name) !== string) element.setAttribute(name, string);
}

export function create(tag, className, content) {
  const element = document.createElement(tag);
  if (className) element.className = className;
  if (content !== undefined) element.textContent = content;
  return element;
}

export const clone = (id) => byId(id).content.firstElementChild.cloneNode(true);

export const glyph = (element, name) => attribute(element.querySelector(".glyph use"), "href", `#g-${name}`);

/** Puts `elements` into `parent` in this order, moving only what stands elsewhere, removing the rest. */
export function arrange(parent, elements) {
  const wanted = new Set(elements);
  for (const child of [...parent.children]) if (!wanted.has(child)) child.remove();
  elements.forEach((element, index) => {
    if (parent.children[index] !== element) parent.insertBefore(element, parent.children[index] ?? null);
  });
}

/** A row with an empty head and so many empty cells in all. */
export function addRow(body, columns) {
  const row = body.insertRow();
  const name = document.createElement("th");
  name.scope = "row";
  row.append(name);
  for (let column = 1; column < columns; column += 1) row.insertCell();
  return row;
}

const work = new Map();
let frame = 0;
let lastFrame = 0;
const calm = matchMedia("(prefers-reduced-motion: reduce)");

/** Runs `job` in the next frame, at most four times a second (once, where motion is to be reduced); one job per key. */
export function paint(key, job) {
  work.set(key, job);
  if (frame) return;
  const wait = Math.max(0, lastFrame + (calm.matches ? 1000 : 240) - performance.now());
  frame = setTimeout(() => requestAnimationFrame(flush), wait);
}

function flush() {
  frame = 0;
  lastFrame = performance.now();
  const jobs = [...work.values()];
  work.clear();
  for (const job of jobs) {
    try { job(); } catch (error) { console.error(error); }
  }
}

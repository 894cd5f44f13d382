// Words and figures for people. Every function takes outside data and answers with plain text.

const UNITS = {
  celsius: "°C", fahrenheit: "°F", kelvin: "K", percent: "%", percent_rh: "%", hectopascal: "hPa", pascal: "Pa",
  kilopascal: "kPa", bar: "bar", volt: "V", ampere: "A", watt: "W", kilowatt: "kW", hertz: "Hz", lux: "lx",
  second: "s", "millimeters_per_second": "mm/s", "mm_per_s": "mm/s",
};

export const KINDS = {
  spike: ["S", "a single value far from what was expected"],
  drift: ["D", "the level moved away and stayed away"],
  stuck: ["K", "the same value again and again"],
  noise: ["N", "spreads more than it should"],
  silence: ["Q", "quiet: no readings when some were due"],
  range: ["R", "outside the limits that were set"],
  pattern: ["P", "the shape of the last minutes is unusual"],
  multivariate: ["M", "metrics that no longer fit together"],
  fire: ["F", "looks like a fire"],
};

export const letter = (kind) => (Object.hasOwn(KINDS, kind) ? KINDS[kind][0] : String(kind ?? "?").charAt(0).toUpperCase() || "?");

/** The time of an ISO 8601 text or of milliseconds, in milliseconds; NaN when it is neither. */
export const time = (value) => (typeof value === "number" ? value : Date.parse(value));

export const isNumber = (value) => typeof value === "number" && Number.isFinite(value);

const grouped = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });
const digits = [3, 2, 1].map((count) => new Intl.NumberFormat("en", { maximumFractionDigits: count }));
const significant = new Intl.NumberFormat("en", { maximumSignificantDigits: 3 });

/** A measured value with about four meaningful digits: 21.43, 1,013.2, 0.00213. */
export function reading(value) {
  if (!isNumber(value)) return "–";
  const size = Math.abs(value);
  if (size !== 0 && (size < 0.01 || size >= 1e9)) return value.toExponential(2).replace("e+", "e");
  if (size < 1) return digits[0].format(value);
  if (size < 100) return digits[1].format(value);
  if (size < 10_000) return digits[2].format(value);
  return grouped.format(value);
}

export const count = (value) => (isNumber(value) ? grouped.format(value) : "–");

/** Large counts shortened for a figure read from across the room: 12,345 then 1.23 M. */
export function short(value) {
  if (!isNumber(value)) return "–";
  if (Math.abs(value) < 100_000) return Math.abs(value) < 10 && value % 1 ? digits[2].format(value) : grouped.format(value);
  for (const [unit, word] of [[1e12, "T"], [1e9, "G"], [1e6, "M"], [1e3, "k"]]) {
    if (Math.abs(value) >= unit) return `${significant.format(value / unit)} ${word}`;
  }
  return grouped.format(value);
}

export function milliseconds(value) {
  if (!isNumber(value)) return "–";
  if (value >= 10_000) return `${digits[2].format(value / 1000)} s`;
  return `${value < 10 ? digits[2].format(value) : grouped.format(value)} ms`;
}

export function microseconds(value) {
  if (!isNumber(value)) return "–";
  if (value >= 1000) return milliseconds(value / 1000);
  return `${value < 10 ? digits[1].format(value) : grouped.format(value)} µs`;
}

export function bytes(value) {
  if (!isNumber(value)) return "–";
  for (const [unit, word] of [[2 ** 40, "TiB"], [2 ** 30, "GiB"], [2 ** 20, "MiB"], [2 ** 10, "KiB"]]) {
    if (value >= unit) return `${significant.format(value / unit)} ${word}`;
  }
  return `${grouped.format(value)} B`;
}

/** "45 s", "3 min", "2 h 10 min", "4 d 3 h". */
export function span(ms) {
  if (!isNumber(ms) || ms < 0) return "–";
  const seconds = Math.round(ms / 1000);
  if (seconds < 90) return `${seconds} s`;
  const minutes = Math.round(seconds / 60);
  if (minutes < 90) return `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  if (hours < 48) return minutes % 60 ? `${hours} h ${minutes % 60} min` : `${hours} h`;
  return hours % 24 ? `${Math.floor(hours / 24)} d ${hours % 24} h` : `${hours / 24} d`;
}

const two = (value) => String(value).padStart(2, "0");

export function clock(ms) {
  const at = new Date(ms);
  return Number.isNaN(at.getTime()) ? "–" : `${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}`;
}

const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

export function day(ms) {
  const at = new Date(ms);
  return Number.isNaN(at.getTime()) ? "–" : `${at.getDate()} ${MONTHS[at.getMonth()]} ${at.getFullYear()}`;
}

/** The clock time, with the day when it is not the day of `reference`. */
export function moment(ms, reference = Date.now()) {
  return day(ms) === day(reference) ? clock(ms) : `${day(ms)}, ${clock(ms)}`;
}

export function unit(name) {
  if (typeof name !== "string") return "";
  return Object.hasOwn(UNITS, name) ? UNITS[name] : name;
}

/** The beginning of a text, with an ellipsis where it goes on. */
export function shortened(value, limit) {
  const string = String(value ?? "").trim();
  // By code points, so that no half of a pair is left.
  const letters = [...string.slice(0, 2 * limit + 2)];
  return letters.length > limit ? `${letters.slice(0, limit).join("").trimEnd()}…` : string;
}

export const words = (name) => String(name ?? "").replaceAll("_", " ");

export function probability(value) {
  if (!isNumber(value)) return "";
  if (value < 0.0001) return "p < 0.0001";
  return `p = ${value < 0.001 ? value.toFixed(4) : value.toFixed(3)}`;
}

export const plural = (number, one, many = `${one}s`) => `${count(number)} ${number === 1 ? one : many}`;

export const naturally = new Intl.Collator("en", { numeric: true }).compare;

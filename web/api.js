// Requests to the server that served this page. Addresses are relative, so that a proxy may put the page under any path.

const TIMEOUT = 10_000;

/** The JSON answer of `path`; throws with the server's own words (RFC 9457 `detail`) and `status` when it refuses. */
export async function get(path, parameters = {}) {
  const query = new URLSearchParams(parameters).toString();
  const response = await fetch(query ? `${path}?${query}` : path, {
    headers: { Accept: "application/json" }, cache: "no-store", signal: AbortSignal.timeout(TIMEOUT),
  });
  if (response.ok) return response.json();
  const problem = await response.json().catch(() => ({}));
  throw Object.assign(new Error(`${path}: ${problem.detail ?? problem.title ?? response.status}`), { status: response.status });
}

/** Sends a JSON object; throws with the server's own words when it refuses. */
export async function post(path, body) {
  const response = await fetch(path, {
    method: "POST", headers: { "Content-Type": "application/json", Accept: "application/json" },
    body: JSON.stringify(body), signal: AbortSignal.timeout(TIMEOUT),
  });
  if (response.ok) return response.json();
  const problem = await response.json().catch(() => ({}));
  throw new Error(problem.detail ?? problem.title ?? String(response.status));
}

/** The `items` of a list answer; an empty list when the answer has another form. */
export async function items(path, parameters) {
  const answer = await get(path, parameters);
  return Array.isArray(answer?.items) ? answer.items : [];
}

export function remembered(name, fallback) {
  try {
    const text = localStorage.getItem(`tocsin.${name}`);
    return text === null ? fallback : JSON.parse(text);
  } catch {
    return fallback;
  }
}

export function remember(name, value) {
  try {
    localStorage.setItem(`tocsin.${name}`, JSON.stringify(value));
  } catch { /* storage is full or blocked: the choice lasts as long as the page */ }
}

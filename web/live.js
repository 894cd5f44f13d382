// The live stream: server-sent events over fetch. EventSource cannot send Last-Event-ID on a connection it did not
// open itself, cannot be timed out, and hides the back-off; all three matter on a page that stays open for weeks.

const BACKOFF = [500, 1000, 2000, 4000, 8000, 15_000];
const SILENCE = 25_000; // the server sends statistics every second and a heartbeat every 15 s
const LONGEST_LINE = 8 << 20;

export class LiveStream {
  /** `handlers`: `event(name, data)`, `opened(isRetry)`, `state(name, secondsToRetry)`. */
  constructor(handlers) {
    this.handlers = handlers;
    this.sensors = [];
    this.lastID = null;
    this.attempt = 0;
    this.current = null;
    this.timer = 0;
    addEventListener("online", () => this.hurry());
    document.addEventListener("visibilitychange", () => { if (!document.hidden) this.hurry(); });
  }

  /** Opens a stream for these sensors. The old one ends when the new one stands, so nothing is missed between. */
  follow(sensors) {
    this.sensors = [...sensors];
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.connect(), this.current ? 250 : 0);
  }

  /** Tries again now if a retry is being waited for. */
  hurry() {
    if (this.waiting) {
      clearTimeout(this.timer);
      this.connect();
    }
  }

  async connect() {
    this.waiting = false;
    const previous = this.current;
    const connection = { controller: new AbortController(), watchdog: 0 };
    this.current = connection;
    try {
      await this.read(connection, previous);
      throw new Error("the server closed the stream");
    } catch {
      clearTimeout(connection.watchdog);
      previous?.controller.abort();
      if (this.current === connection) this.retry();
    }
  }

  async read(connection, previous) {
    const query = this.sensors.map((name) => `sensor_id=${encodeURIComponent(name)}`).join("&");
    const headers = { Accept: "text/event-stream" };
    if (this.lastID !== null) headers["Last-Event-ID"] = this.lastID;
    this.watch(connection);
    const response = await fetch(query ? `live?${query}` : "live", { headers, cache: "no-store", signal: connection.controller.signal });
    if (!response.ok || !response.body) throw new Error(`status ${response.status}`);
    previous?.controller.abort();
    const parser = new EventParser();
    const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
    const isRetry = this.attempt > 0;
    this.attempt = 0;
    this.handlers.state("live");
    this.handlers.opened(isRetry);
    for (;;) {
      const { value, done } = await reader.read();
      if (done) return;
      this.watch(connection);
      if (this.current !== connection) return void connection.controller.abort();
      for (const event of parser.feed(value)) {
        if (event.id !== null) this.lastID = event.id;
        this.deliver(event);
      }
    }
  }

  deliver(event) {
    let data;
    try { data = JSON.parse(event.data); } catch { return; }
    this.handlers.event(event.name, data);
  }

  watch(connection) {
    clearTimeout(connection.watchdog);
    connection.watchdog = setTimeout(() => connection.controller.abort(), SILENCE);
  }

  retry() {
    this.current = null;
    const wait = BACKOFF[Math.min(this.attempt, BACKOFF.length - 1)] * (0.75 + Math.random() / 2);
    this.attempt += 1;
    this.waiting = true;
    this.handlers.state("reconnecting", wait);
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.connect(), wait);
  }
}

/** Splits a text stream into events (WHATWG HTML, "Server-sent events", 9.2.6). */
class EventParser {
  rest = "";
  name = "";
  data = "";
  id = null;

  feed(text) {
    const events = [];
    const lines = (this.rest + text).split(/\r\n|\n|\r(?!$)/);
    this.rest = lines.pop();
    if (this.rest.length > LONGEST_LINE) throw new Error("a line without end");
    for (const line of lines) {
      if (line === "") {
        if (this.data) events.push({ name: this.name || "message", data: this.data, id: this.id });
        this.name = "";
        this.data = "";
        continue;
      }
      const colon = line.indexOf(":");
      if (colon === 0) continue;
      const field = colon < 0 ? line : line.slice(0, colon);
      const value = colon < 0 ? "" : line.slice(line[colon + 1] === " " ? colon + 2 : colon + 1);
      if (field === "event") this.name = value;
      else if (field === "data") this.data += this.data ? `\n${value}` : value;
      else if (field === "id") this.id = value;
    }
    return events;
  }
}

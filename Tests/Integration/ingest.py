"""`POST /ingest`, the queries, the live stream and the life cycle of `tocsin run`."""

import contextlib
import html.parser
import json
import random
import re
import sys
import threading
import time
import urllib.parse

sys.dont_write_bytecode = True
from support.harness import (
    Live, Server, check, equal, expect, folder, iso, line, main, shortened, stored_events)

NOW = int(time.time())
LIMIT = 65536


@contextlib.contextmanager
def server(*options):
    with folder() as data, Server(data, "--set", f"server.maxBodyBytes={LIMIT}", *options) as running:
        yield running


def accepted(answer, count, duplicate=0, dead_lettered=0):
    equal(answer.status, 202, f"status ({answer})")
    if answer.json.get("spooled"):
        # Under load the answer does not wait for the verdict: what becomes of the readings is counted in /metrics.
        equal(answer.json["accepted"] + answer.json["duplicate"] + answer.json["dead_lettered"], count + duplicate + dead_lettered, "readings in the answer")
        return
    got = {name: answer.json[name] for name in ("accepted", "duplicate", "dead_lettered")}
    equal(got, {"accepted": count, "duplicate": duplicate, "dead_lettered": dead_lettered}, "counts of the answer")


def problem(answer, status, *words, parameter=None):
    """RFC 9457."""
    equal(answer.status, status, f"status ({answer})")
    kind = answer.headers.get("Content-Type", "")
    expect(kind.startswith("application/problem+json"), f"content type '{kind}' of {answer}")
    document = answer.json
    equal(document["status"], status, "status in the document")
    expect(document["title"] and document["type"] and document["detail"], f"{document}")
    for word in words:
        expect(word in document["detail"], f"no '{word}' in: {document['detail']}")
    if parameter:
        equal(document.get("parameter"), parameter, "parameter at fault")


# MARK: Ingest and queries

@check("ingest: every form is answered with 202 and its counts, and can be read at once")
def forms():
    with server() as running:
        lines = "".join(line("lines", NOW - 60 + n, temperature=20 + n, humidity=40) for n in range(10))
        array = json.dumps([{"sensor_id": "array", "timestamp": NOW - 60 + n, "temperature": 20 + n} for n in range(10)])
        table = "sensor_id,timestamp,temperature\n" + "".join(f"table,{iso(NOW - 60 + n)},{20 + n}\n" for n in range(10))
        narrow = "".join(json.dumps({"sensor_id": "narrow", "timestamp": (NOW - 60 + n) * 1000, "metric": "pressure", "value": n,
                                     "meta": {"unit": "bar"}}) + "\n" for n in range(10))
        accepted(running.post(lines), 20)
        accepted(running.post(array, "application/json"), 10)
        accepted(running.post(table, "text/csv; charset=utf-8"), 10)
        accepted(running.post(narrow, "application/x-www-form-urlencoded"), 10)
        accepted(running.post(line("plain", NOW, temperature=1), "text/plain"), 1)
        for sensor, readings in (("lines", {"temperature": 29, "humidity": 40}), ("array", {"temperature": 29}),
                                 ("table", {"temperature": 29}), ("narrow", {"pressure": 9})):
            page = running.get(f"/events/latest?sensor_id={sensor}&limit=3").json
            equal((len(page["items"]), page["limit"], page["offset"]), (3, 3, 0), "items, limit, offset")
            newest = page["items"][0]
            equal((newest["sensor_id"], newest["readings"]), (sensor, readings), "newest event")
            expect(newest["timestamp"].startswith(iso(NOW - 51)[:19]), f"time {newest['timestamp']}")
            later = running.get(f"/events/latest?sensor_id={sensor}&limit=3&offset=3").json["items"]
            equal(later[0]["readings"].get("temperature", later[0]["readings"].get("pressure")), list(readings.values())[0] - 3, "offset 3")
        equal(running.get("/events/latest?sensor_id=narrow").json["items"][0]["units"], {"pressure": "bar"}, "units")
        equal(running.get("/events/latest?sensor_id=nobody").json["items"], [], "unknown sensor")
        sensors = running.get("/sensors").json
        equal((sensors["total"], sorted(item["sensor_id"] for item in sensors["items"])), (5, ["array", "lines", "narrow", "plain", "table"]), "sensors")


@check("ingest: names of every alphabet")
def names():
    with server() as running:
        for sensor in ("Kessel-Süd", "温度/1", 'quote"back\\slash', "a b&c=d?", "<script>alert(1)</script>"):
            accepted(running.post(line(sensor, NOW, temperature=20)), 1)
            found = running.get("/events/latest?" + urllib.parse.urlencode({"sensor_id": sensor})).json["items"]
            equal([event["sensor_id"] for event in found], [sensor], "sensor")


@check("ingest: what was sent before is a duplicate")
def duplicates():
    with server() as running:
        body = "".join(line("d", NOW - 50 + n, event_id=f"id-{n}", temperature=20, humidity=50) for n in range(20))
        accepted(running.post(body), 40)
        accepted(running.post(body), 0, duplicate=40)
        plain = "".join(line("e", NOW - 4 + n, temperature=20) for n in range(4))
        accepted(running.post(plain), 4)
        accepted(running.post(plain), 0, duplicate=4)
        accepted(running.post(line("d", NOW + 1, event_id="id-19", temperature=99)), 0, duplicate=1)
        equal(len(running.get("/events/latest?limit=100").json["items"]), 24, "events stored")


@check("ingest: good and bad readings of one body")
def mixed():
    with server() as running:
        body = (line("m", NOW - 3, temperature=20, humidity=50) + '{"sensor_id":"m","timestamp"\n'
                + line("m", NOW - 2, temperature="hot", humidity=51) + line("m", NOW - 1, temperature=500, humidity=52)
                + line("m", NOW + 3600, temperature=20))
        answer = running.post(body)
        accepted(answer, 4, dead_lettered=4)
        expect(answer.json["problems"], "no problems are named")
        readings = [event["readings"] for event in running.get("/events/latest?sensor_id=m").json["items"]]
        equal(readings, [{"humidity": 52}, {"humidity": 51}, {"temperature": 20, "humidity": 50}], "readings")


@check("ingest: what cannot be taken is refused with a problem document")
def refusals():
    with server() as running:
        problem(running.post('{"sensor_id": "x", "timest'), 400, "not valid JSON", "quote")
        problem(running.post("[1, 2, 3]", "application/json"), 400)
        problem(running.post(b""), 400, "empty")
        problem(running.post(b"\n\n"), 400)
        problem(running.post(b"\x00\xff\xfe" * 100, "application/octet-stream"), 400)
        problem(running.post(b"x" * (LIMIT + 1)), 413, str(LIMIT))
        chunks = (line("x", NOW, temperature=20).encode() * 20 for _ in range(200))
        problem(running.request("POST", "/ingest", chunks, {"Content-Type": "application/x-ndjson"}, encode_chunked=True), 413)
        problem(running.post(b"<a/>", "application/xml"), 415, "application/xml")
        problem(running.request("POST", "/ingest", b"x", {"Content-Type": "application/json", "Content-Encoding": "br"}), 415)
        problem(running.request("GET", "/nowhere"), 404, "/nowhere")
        problem(running.request("POST", "/events/latest", b"{}"), running.request("POST", "/events/latest", b"{}").status)
        expect(running.request("DELETE", "/ingest").status in (404, 405), "DELETE /ingest")
        accepted(running.post(line("x", NOW, temperature=20)), 1)


@check("ingest: bad parameters are named")
def parameters():
    with server() as running:
        for path, name in (
            ("/events/latest?limit=0", "limit"), ("/events/latest?limit=ten", "limit"), ("/events/latest?limit=99999999999999999999", "limit"),
            ("/events/latest?offset=-1", "offset"), ("/events/latest?sensor=x", "sensor"), ("/anomalies?start_time=yesterday", "start_time"),
            ("/anomalies?end_time=2025-13-01T00:00:00Z", "end_time"), ("/anomalies/latest?limit=1.5", "limit"), ("/alarms?state=loud", "state"),
            ("/anomalies?start_time=2025-10-02T00:00:00Z&end_time=2025-10-01T00:00:00Z", "end_time"), ("/windows?metrics=x", "metrics"),
            ("/sensors?limit=100000", "limit"), ("/live?sensor=x", "sensor"),
        ):
            problem(running.request("GET", path), 400, name, parameter=name)
        equal(running.get("/anomalies?start_time=2025-10-01T00:00:00%2B02:00&end_time=1893456000").json["items"], [], "good times")


# MARK: Detection, live

def normal(sensors, end, count=200):
    """Readings of every sensor at every second before `end`."""
    generator = random.Random(1)
    return "".join(line(sensor, end - count + n, temperature=round(25 + generator.gauss(0, 0.3), 2))
                   for n in range(count) for sensor in sensors)


@check("ingest: /live brings the chosen sensor's readings, and an anomaly and an alarm after a spike; it resumes")
def live():
    with server("--set", "server.live.heartbeat=1s") as running:
        accepted(running.post(normal(("chosen", "other"), NOW - 100)), 400)
        with Live(running, "/live?sensor_id=chosen") as stream:
            accepted(running.post(line("chosen", NOW - 99, temperature=25.1) + line("other", NOW - 99, temperature=25.1)), 2)
            event = stream.wait(lambda s: s.named("readings"), 5, "a readings event")[0]["data"]
            equal((event["sensor_id"], event["metric"], event["points"][-1][1]), ("chosen", "temperature", 25.1), "readings event")
            time_, value, low, high = event["points"][-1]
            equal(time_, (NOW - 99) * 1000, "time of the point")
            expect(low < value < high and high - low < 10, f"expected band {low} to {high}")
            accepted(running.post(line("chosen", NOW - 98, temperature=80)), 1)
            accepted(running.post(line("other", NOW - 98, temperature=75)), 1)
            stream.wait(lambda s: len(s.named("anomaly")) >= 2 and len(s.named("alarm")) >= 2, 5, "two anomalies and two alarms")
            anomaly = next(item for item in stream.named("anomaly") if item["data"]["sensor_id"] == "chosen")["data"]
            equal((anomaly["kind"], anomaly["metric"], anomaly["value"]), ("spike", "temperature", 80), "anomaly")
            expect("chosen" in anomaly["sentence"] and "80" in anomaly["sentence"], f"sentence: {anomaly['sentence']}")
            stream.wait(lambda s: s.named("stats"), 5, "the figures")
            expect(not [item for item in stream.named("readings") if item["data"]["sensor_id"] != "chosen"], "readings of a sensor that was not chosen")
            numbered = [item for item in stream.events if item.get("id")]
            numbers = [int(item["id"].split("-")[-1]) for item in numbered]
            expect(numbers == sorted(set(numbers)), f"the ids do not increase: {numbers}")
        with Live(running, "/live", last_event_id=numbered[0]["id"]) as resumed:
            again = resumed.wait(lambda s: len([e for e in s.events if e.get("id")]) >= len(numbered) - 1, 5, "the missed events")
            expect(again, "resume")
            equal([item["id"] for item in resumed.events if item.get("id")], [item["id"] for item in numbered[1:]], "ids after resuming")
        with Live(running, "/live", last_event_id="0-1") as stranger:
            stranger.wait(lambda s: s.named("gap"), 5, "a gap event for an id of another process")
        listed = running.get("/anomalies/latest?sensor_id=chosen").json["items"]
        equal([item["kind"] for item in listed], ["spike"], "kinds of stored anomalies")
        equal(len(running.get(f"/anomalies?sensor_id=chosen&start_time={NOW - 98}&end_time={NOW}").json["items"]), 1, "anomalies in a range of time")
        equal(len(running.get(f"/anomalies?sensor_id=chosen&start_time={NOW - 90}").json["items"]), 0, "anomalies after it")
        open_ = running.get("/alarms?state=open").json["items"]
        equal(sorted(item["sensor_id"] for item in open_), ["chosen", "other"], "open alarms")
        windows = running.get("/windows?sensor_id=chosen&metric=temperature&limit=5").json["items"]
        expect(windows and windows[0]["statistics"]["count"] > 0 and "median" in windows[0]["statistics"], f"windows: {shortened(windows)}")


@check("ingest: /live follows a sensor from its first reading")
def live_unknown():
    with server() as running, Live(running, "/live?sensor_id=newcomer") as stream:
        accepted(running.post(line("newcomer", NOW, temperature=20)), 1)
        deadline = time.monotonic() + 3
        while time.monotonic() < deadline and not stream.named("readings"):
            accepted(running.post(line("newcomer", time.time(), temperature=20)), 1)
            time.sleep(0.2)
        expect(stream.named("readings"), "no readings of a sensor that was unknown when the stream was opened")


@check("ingest: /live sends heartbeats as configured")
def heartbeat():
    with server("--set", "server.live.heartbeat=1s") as running, Live(running) as stream:
        stream.wait(lambda s: sum("heartbeat" in comment for comment in s.comments) >= 2, 30, "two heartbeats")


# MARK: Health and metrics

SAMPLE = re.compile(r'^([a-zA-Z_:][a-zA-Z0-9_:]*)(\{(?:[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\n]|\\["\\n])*",?)*\})? (-?[0-9.eE+-]+|[+-]Inf|NaN)$')


def samples(text):
    """Every sample of a Prometheus exposition by name and labels; fails on a line that is not in the format."""
    found, typed = {}, {}
    expect(text.endswith("\n"), "the last line has no end")
    for row in text.splitlines():
        if row.startswith("# "):
            _, word, name, rest = row.split(" ", 3)
            expect(word in ("HELP", "TYPE") and rest, f"bad comment: {row}")
            if word == "TYPE":
                expect(name not in typed, f"two TYPE lines of {name}")
                typed[name] = rest
            continue
        match = SAMPLE.match(row)
        expect(match, f"not in the text format: {row!r}")
        base = re.sub(r"_(bucket|sum|count)$", "", match[1])
        expect(match[1] in typed or typed.get(base) == "histogram", f"no TYPE before: {row}")
        key = match[1] + (match[2] or "")
        expect(key not in found, f"twice: {key}")
        found[key] = float(match[3])
    return found


def total(found, name):
    return sum(value for key, value in found.items() if key == name or key.startswith(name + "{"))


def identity(found):
    fates = {fate: total(found, f"tocsin_readings_{fate}") for fate in ("stored_total", "late_total", "duplicate_total", "dead_lettered_total", "spooled")}
    equal(total(found, "tocsin_readings_received_total"), sum(fates.values()), f"received, and the sum of {fates}")


@check("ingest: /health, /livez, /readyz, /api/overview")
def health():
    with server() as running:
        for path in ("/health", "/livez", "/readyz"):
            equal(running.get(path).json["status"], "ok", path)
        running.post(line("a", NOW, temperature=20))
        overview = running.get("/api/overview").json
        equal((overview["readings_total"], overview["sensors"], overview["dead_letters"]["total"]), (1, 1, 0), "overview")


@check("ingest: /metrics is valid, and in = out at every moment of a load from 8 threads; all is stored exactly once")
def load():
    with server() as running:
        failures, polls, done = [], [], threading.Event()

        def poll():
            while not done.is_set():
                try:
                    found = samples(running.get("/metrics").text)
                    identity(found)
                    polls.append(found["tocsin_readings_spooled"])
                except Exception as error:
                    failures.append(f"/metrics: {error}")
                    return

        def send(number):
            try:
                for batch in range(25):
                    body = "".join(line(f"t{number}", NOW - 600 + 20 * batch + n, event_id=f"{number}-{batch}-{n}", temperature=20 + n / 10, humidity=50) for n in range(20))
                    accepted(running.post(body), 40)
                    if batch % 5 == 0:
                        accepted(running.post(body[: body.index("\n") + 1]), 0, duplicate=2)
                        accepted(running.post(line(f"t{number}", NOW - 600 + batch, temperature=999) + line(f"t{number}", NOW + batch, pressure=1)), 1, dead_lettered=1)
            except Exception as error:
                failures.append(f"thread {number}: {error}")

        threads = [threading.Thread(target=send, args=(number,)) for number in range(8)]
        poller = threading.Thread(target=poll)
        for thread in [poller, *threads]:
            thread.start()
        for thread in threads:
            thread.join()
        done.set()
        poller.join()
        expect(not failures, failures[0] if failures else "")
        expect(len(polls) > 3, f"only {len(polls)} polls")
        found = samples(running.get("/metrics").text)
        equal((total(found, "tocsin_readings_stored_total") + total(found, "tocsin_readings_late_total"),
               total(found, "tocsin_readings_duplicate_total"), total(found, "tocsin_readings_dead_lettered_total")),
              (8 * (25 * 40 + 5), 8 * 10, 8 * 5), "stored, duplicate, dead-lettered")
        buckets = [value for key, value in found.items() if key.startswith("tocsin_latency_seconds_bucket")]
        expect(buckets == sorted(buckets) and buckets[-1] == found["tocsin_latency_seconds_count"], f"histogram: {buckets}")
        events = stored_events(running.data)
        equal((len(events), len({(sensor, at, text) for sensor, at, text in events})), (8 * 505, 8 * 505), "rows, different rows")


# MARK: Dashboard

class References(html.parser.HTMLParser):
    def __init__(self):
        super().__init__()
        self.found = []

    def handle_starttag(self, tag, attributes):
        self.found += [value for name, value in attributes if name in ("src", "href", "action", "data", "poster", "srcset") and value]


@check("ingest: the dashboard refers to nothing outside, and all its files are there")
def dashboard():
    with server() as running:
        page = running.get("/")
        expect(page.headers["Content-Type"].startswith("text/html"), "content type of /")
        seen, waiting = set(), ["/"]
        while waiting:
            path = waiting.pop()
            if path in seen:
                continue
            seen.add(path)
            text = re.sub(r"/\*.*?\*/", "", running.get(path).text, flags=re.S)
            parser = References()
            if path == "/":
                parser.feed(text)
            found = parser.found + re.findall(r"url\(['\"]?([^'\")]+)", text) + re.findall(r"(?:from|import)\s*\(?['\"]([^'\"]+)['\"]", text)
            for reference in found:
                if reference.startswith(("#", "data:")):
                    continue
                expect(not re.match(r"([a-z]+:)?//", reference), f"{path} refers to {reference}")
                waiting.append(urllib.parse.urljoin(path, reference).split("#")[0].split("?")[0])
            outside = set(re.findall(r"https?://[\w.-]+", text)) - {"http://www.w3.org"}
            expect(not outside, f"{path} names {outside}")
        expect(len(seen) > 3, f"only {seen}")


main()

"""Readings over HTTP in others' forms: InfluxDB's line protocol as Telegraf sends it, OpenTelemetry as a Collector does, and
`POST /ingest` packed, repeated, over quota and in trouble. Whatever is answered, in = stored + duplicates + dead letters.
"""

import contextlib
import ctypes
import ctypes.util
import gzip
import http.client
import json
import socket
import sqlite3
import sys
import threading
import time
import zlib

sys.dont_write_bytecode = True
from support import otlp
from support.disk import small_disk
from support.figures import Balance, figure, figures, settled
from support.harness import (
    DATABASE, Live, Server, Skip, check, equal, expect, folder, iso, line, main, rows, shortened, soon, tocsin)

NOW = int(time.time()) - 600
KEY = "telegraf-0123456789"
LIMIT = 1 << 20


# MARK: Parts

@contextlib.contextmanager
def serving(*options, key=False, rate=None, data=None):
    """The program; its readings are watched all the time, and add up at the end."""
    settings = [f"server.maxBodyBytes={LIMIT}", *options]
    if key or rate:
        settings += ["server.ingest.keys.0.name=plant", f"server.ingest.keys.0.key={KEY}"]
    if rate:
        settings.append(f"server.ingest.keys.0.readingsPerSecond={rate}")
    with contextlib.ExitStack() as stack:
        place = data or stack.enter_context(folder())
        arguments = [word for setting in settings for word in ("--set", setting)]
        with Server(place, *arguments) as server, Balance(server):
            yield server
            settled(server)


def counted(server, stored, duplicate=0, dead=0):
    """What has become of everything so far."""
    settled(server)
    found = figures(server)
    got = [figure(found, f"tocsin_readings_{name}_total") for name in ("received", "stored", "late", "duplicate", "dead_lettered")]
    equal([got[0], got[1] + got[2], got[3], got[4]], [stored + duplicate + dead, stored, duplicate, dead],
          "readings received, stored, known already, dead letters")


def readings(data):
    """{sensor: [(nanoseconds, {metric: value})]} of all that is stored."""
    found = {}
    for sensor, at, text in rows(data, "SELECT s.name, e.time, e.readings FROM sensor_events e JOIN sensors s ON s.id = e.sensor_id ORDER BY e.time, e.id"):
        found.setdefault(sensor, []).append((at, json.loads(text)))
    return found


def letters(data):
    return rows(data, "SELECT reason, detail, payload FROM dead_letters ORDER BY id")


def retry_after(answer):
    value = answer.headers.get("Retry-After")
    expect(value and value.isdigit(), f"Retry-After is {value!r} ({answer})")
    return int(value)


def zstd(data):
    name = ctypes.util.find_library("zstd")
    if not name:
        raise Skip("libzstd is not installed")
    library = ctypes.CDLL(name)
    library.ZSTD_compressBound.restype = library.ZSTD_compress.restype = ctypes.c_size_t
    room = ctypes.create_string_buffer(library.ZSTD_compressBound(ctypes.c_size_t(len(data))))
    size = library.ZSTD_compress(room, ctypes.c_size_t(len(room)), data, ctypes.c_size_t(len(data)), 3)
    return room.raw[:size]


# MARK: InfluxDB

def telegraf(server, body, precision="ns", key=KEY, path="/api/v2/write", query="org=plant&bucket=telegraf", **headers):
    """As Telegraf's influxdb_v2 output sends: packed, in chunks, with a token."""
    packed = gzip.compress(body.encode())
    found = {
        "User-Agent": "Telegraf/1.36.2 Go/1.25.1", "Content-Type": "text/plain; charset=utf-8", "Content-Encoding": "gzip",
        "Accept": "application/json", "Authorization": f"Token {key}"} | headers
    chunks = (packed[place:place + 1000] for place in range(0, len(packed), 1000))
    return server.request("POST", f"{path}?{query}&precision={precision}", chunks, found, encode_chunked=True)


@check("influx: what Telegraf sends is answered with 204 and stored, in every precision; sent again it is known")
def influx_telegraf():
    with serving(key=True) as server:
        for number, (precision, factor) in enumerate((("ns", 10**9), ("us", 10**6), ("ms", 1000), ("s", 1))):
            body = "".join(
                f'boiler,host=edge-{precision},line=a\\ 1 temperature={20 + n}.5,load={n}i,on=true,note="a, b=c" {(NOW + n) * factor}\n'
                for n in range(50))
            for _ in range(2):
                answer = telegraf(server, body, precision)
                equal((answer.status, answer.body), (204, b""), f"answer at precision {precision} ({answer})")
            counted(server, stored=150 * (number + 1), duplicate=150 * (number + 1))
            found = readings(server.data)[f"edge-{precision}"]
            equal(found, [((NOW + n) * 10**9, {"temperature": 20.5 + n, "load": n, "on": 1}) for n in range(50)], "events")
        equal(figures(server)['tocsin_values_skipped_total{source="http"}'], 400, "texts that were left out")


@check("influx: of a partly bad body the good is stored and the bad named with its line, as InfluxDB does, and kept alone")
def influx_partly_bad():
    with serving(key=True) as server:
        lines = [f"boiler,host=e temperature={20 + n} {(NOW + n) * 10**9}" for n in range(6)]
        lines[2], lines[4] = "boiler,host=e temperature=", "boiler,host=e temperature=hot 5"
        answer = telegraf(server, 'note,host=n text="two\nlines" 1\n' + "\n".join(lines) + "\n")
        equal(answer.status, 400, f"status ({answer})")
        equal((answer.json["code"], answer.json["line"]), ("invalid", 5), f"code and line ({answer})")
        for word in ("partial write", "line 5", "2 dead letter(s)", "4 reading(s)"):
            expect(word in answer.json["message"], f"no '{word}' in: {answer.json['message']}")
        counted(server, stored=4, dead=2)
        equal([payload.decode() for _, _, payload in letters(server.data)], [lines[2], lines[4]], "what the dead letters hold")
        equal([reason for reason, _, _ in letters(server.data)], ["malformed", "not_a_number"], "reasons")
        # A row keeps its own line, not the whole body.
        payloads = [bytes(payload).decode() for payload, in rows(server.data, "SELECT payload FROM sensor_events ORDER BY time")]
        equal(payloads, [lines[0], lines[1], lines[3], lines[5]], "what the events hold")


@check("influx: lines that can be read and cannot be, of a time to come or beyond a limit, are answered with 400 and the reason")
def influx_refused():
    with serving() as server:
        sent = 0

        def refused(fields, at, word):
            nonlocal sent
            # 204 where the verdict was not known in time.
            for _ in range(20):
                sent += 1
                answer = telegraf(server, f"m,host=r{sent} {fields} {at}\n", "s")
                if answer.status != 204:
                    break
            equal((answer.status, answer.json["code"]), (400, "invalid"), f"answer ({answer})")
            for text in (word, "partial write", "dead letter(s)"):
                expect(text in answer.json["message"], f"no '{text}' in: {answer.json['message']}")
        refused("v=1", NOW + 10**6, "in the future")
        refused("temperature=900", NOW, "outside its valid range")
        counted(server, stored=0, dead=sent)
        answer = telegraf(server, "m v=1 -9223372036854775808\n")
        expect(answer.status == 400 and '"-9223372036854775808"' in answer.json["message"], f"{answer}")


@check("influx: wrong and missing keys, odd parameters, the forms of version 1; refusals are in InfluxDB's form")
def influx_manners():
    with serving(key=True) as server:
        body = f"boiler,host=e temperature=20 {NOW * 10**9}\n"
        for answer in (telegraf(server, body, key="wrong"), telegraf(server, body, Authorization="")):
            equal((answer.status, answer.json["code"]), (401, "unauthorized"), f"answer ({answer})")
            equal(answer.headers["WWW-Authenticate"], "Bearer", "WWW-Authenticate")
        answer = telegraf(server, body, precision="fortnight")
        equal((answer.status, answer.json["code"]), (400, "invalid"), f"a bad precision ({answer})")
        expect("fortnight" in answer.json["message"], f"the message of {answer}")
        counted(server, stored=0)
        equal(telegraf(server, body, query="org=x&bucket=y&pretty=true&epoch=1").status, 204, "unknown parameters")
        # Version 1: a user and a password, in a header or in the query.
        for number, (path, query, header) in enumerate((
            ("/write", "db=plant&rp=autogen&consistency=any", "Basic " + "dXNlcjp0ZWxlZ3JhZi0wMTIzNDU2Nzg5"),
            ("/write", f"db=plant&u=user&p={KEY}", ""))):
            text = f"boiler,host=v1 temperature=20 {(NOW + number) // 60}\n"
            equal(telegraf(server, text, "m", path=path, query=query, Authorization=header).status, 204, f"{path}?{query}")
        equal(server.request("GET", "/ping").status, 204, "/ping")
        equal(telegraf(server, "", "s").status, 400, "a body that holds nothing")
        answer = telegraf(server, "boiler,host=big v=" + "1" * LIMIT * 2)
        equal((answer.status, answer.json["code"]), (413, "request too large"), f"a body that is too large ({answer})")
        broken = telegraf(server, body, **{"Content-Encoding": "zstd"})
        equal((broken.status, broken.json["code"]), (400, "invalid"), f"a body that is packed otherwise ({broken})")
        # Both moments of version 1 may lie in the same minute.
        counted(server, stored=1 + len({(NOW + n) // 60 for n in range(2)}), duplicate=2 - len({(NOW + n) // 60 for n in range(2)}))


@check("influx: which tags name sensors and metrics can be chosen, so that a host's metrics of one name stay apart")
def influx_names():
    tags = ("server.ingest.influxSensorTags=machine,host", "server.ingest.influxMetricTags=_measurement,cpu,device")
    with serving(*tags) as server:
        at = NOW * 10**9
        answer = telegraf(server, (
            f"cpu,cpu=cpu0,host=h usage_idle=90 {at}\ncpu,cpu=cpu1,host=h usage_idle=80 {at}\nmem,host=h used=1 {at}\n"
            f"disk,device=sda,host=h used=2 {at}\nvalve,machine=m7,host=h value=3 {at}\n"))
        equal(answer.status, 204, f"status ({answer})")
        counted(server, stored=5)
        found = {sensor: {name: value for _, event in events for name, value in event.items()}
                 for sensor, events in readings(server.data).items()}
        equal(found, {"h": {"cpu.usage_idle{cpu=cpu0}": 90, "cpu.usage_idle{cpu=cpu1}": 80, "mem.used": 1, "disk.used{device=sda}": 2},
                      "m7": {"valve": 3}}, "sensors and metrics")


# MARK: OpenTelemetry

def collector(server, resources, form="protobuf", body=None, **headers):
    """As the Collector's otlphttp exporter sends."""
    if body is None:
        body = otlp.protobuf(resources) if form == "protobuf" else otlp.as_json(resources)
    kind = "application/x-protobuf" if form == "protobuf" else "application/json"
    found = {"User-Agent": "OpenTelemetry Collector Contrib/0.136.0 (linux/amd64)", "Content-Type": kind, "Content-Encoding": "gzip"} | headers
    return server.request("POST", "/v1/metrics", gzip.compress(body) if found["Content-Encoding"] == "gzip" else body, found)


def every_kind(at, host):
    """A request with each kind of metric, and what it is to give."""
    points = {
        "gauge": [otlp.point(at, 21.5), otlp.point(at, -3, {"state": "idle", "cpu": 2})],
        "sum": [otlp.point(at, 7)],
        "histogram": [otlp.point(at, count=3, sum=12.5, min=1.5, max=9.0)],
        "exponentialHistogram": [otlp.point(at, count=4, sum=20.5, min=2.5, max=8.5)],
        "summary": [otlp.point(at, count=2, sum=5.0, quantiles=[(0.5, 4.0), (0.99, 6.0)])],
    }
    metrics = [otlp.metric(f"m.{kind}", kind, found, "Cel" if kind == "gauge" else "1") for kind, found in points.items()]
    # A point without a value: the series has ended.
    metrics.append(otlp.metric("m.gone", "gauge", [otlp.point(at, flags=1)]))
    wanted = {
        "m.gauge": 21.5, "m.gauge{state=idle,cpu=2}": -3, "m.sum": 7,
        "m.histogram.count": 3, "m.histogram.sum": 12.5, "m.histogram.min": 1.5, "m.histogram.max": 9,
        "m.exponentialHistogram.count": 4, "m.exponentialHistogram.sum": 20.5, "m.exponentialHistogram.min": 2.5,
        "m.exponentialHistogram.max": 8.5, "m.summary.count": 2, "m.summary.sum": 5, "m.summary.p50": 4, "m.summary.p99": 6}
    return [otlp.resource({"service.name": "otelcol", "host.name": host}, metrics)], wanted


@check("otlp: gauges, sums, histograms and summaries of a Collector are stored, in protobuf and JSON; sent again they are known")
def otlp_kinds():
    with serving(key=True) as server:
        for number, form in enumerate(("protobuf", "json")):
            at = NOW * 10**9 + 1
            resources, wanted = every_kind(at, form)
            for _ in range(2):
                answer = collector(server, resources, form, **{"X-API-Key": KEY})
                equal(answer.status, 200, f"status ({answer})")
                equal((otlp.partial_success(answer), answer.body), ((0, ""), b"" if form == "protobuf" else b"{}"), "answer")
            counted(server, stored=15 * (number + 1), duplicate=15 * (number + 1))
            equal(readings(server.data)[form], [(at, wanted)], f"what is stored of {form}")
        equal(figures(server)['tocsin_values_skipped_total{source="http"}'], 4, "points without a value")
        equal(collector(server, [], **{"X-API-Key": KEY}).status, 200, "a request without a metric: no bytes in protobuf")
        equal(collector(server, [], "json", **{"X-API-Key": KEY}).status, 200, "a request without a metric in JSON")


@check("otlp: of a partly bad request the good is stored: 200 with a partial success that counts the others")
def otlp_partial():
    with serving() as server:
        for number, form in enumerate(("protobuf", "json")):
            at = NOW * 10**9 + number
            bad = [
                otlp.metric("", "gauge", [otlp.point(at, 1.0)]), otlp.metric("t", "gauge", [otlp.point((1 << 63) + 5, 2.0)]),
                otlp.metric("n", "gauge", [otlp.point(at, float("nan"))])]
            good = [otlp.metric("a", "gauge", [otlp.point(at, 3.0)]), otlp.metric("b", "sum", [otlp.point(at, 4)])]
            answer = collector(server, [otlp.resource({"host.name": form}, [good[0], *bad, good[1]])], form)
            equal(answer.status, 200, f"status ({answer})")
            rejected, message = otlp.partial_success(answer)
            equal(rejected, 3, f"rejected data points ({message})")
            expect(message.strip(), "the partial success says nothing")
            counted(server, stored=2 * (number + 1), dead=3 * (number + 1))
            equal(readings(server.data)[form], [(at, {"a": 3, "b": 4})], f"what is stored of {form}")


@check("otlp: refusals are google.rpc.Status in the request's form: 400, 401, 413, 415, 429 with a Retry-After that holds")
def otlp_refusals():
    with serving(rate=10) as server:
        key = {"Authorization": f"Bearer {KEY}"}

        def refused(answer, status, code, *words):
            equal(answer.status, status, f"status ({answer})")
            got, message = otlp.status(answer)
            equal(got, code, f"google.rpc.Code ({message})")
            for word in words:
                expect(word in message, f"no '{word}' in: {message}")

        for form in ("protobuf", "json"):
            garbage = collector(server, None, form, b"\x0a\xff\xff\xff no request at all", **key)
            refused(garbage, 400, 3)
            equal(garbage.headers["Content-Type"], "application/x-protobuf" if form == "protobuf" else "application/json", "content type")
            refused(collector(server, [], form, Authorization="Bearer wrong"), 401, 16, "key")
            refused(collector(server, None, form, b"x" * (LIMIT + 1), **key), 413, 8, str(LIMIT))
            refused(collector(server, None, form, b"{}", **key, **{"Content-Encoding": "br"}), 415, 3, "br")
        refused(collector(server, None, "json", b"{}", **key, **{"Content-Type": "text/plain"}), 415, 3, "text/plain")
        counted(server, stored=0, dead=2)

        def many(start):
            return [otlp.resource({"host.name": "q"}, [otlp.metric("m", "gauge", [otlp.point((NOW + start + n) * 10**9, 1.0) for n in range(90)])])]
        equal(collector(server, many(0), **key).status, 200, "the first 90")
        answer = collector(server, many(90), **key)
        refused(answer, 429, 8, "plant", "10 readings a second")
        waiting = retry_after(answer)
        expect(6 <= waiting <= 9, f"Retry-After {waiting} s for 90 readings at 10 a second, of which 8 are left")
        counted(server, stored=90, dead=2)


# MARK: Sent again, decoded again

TAGS = ("server.ingest.influxSensorTags=machine,host",)


def influx_body(start, temperature):
    """Three lines in milliseconds; without the tag `machine` the sensor would be another one."""
    return "".join(f"boiler,host=h,machine=m-{n} temperature={temperature + n},load={n}i {(NOW + start + n) * 1000}\n" for n in range(3))


def otlp_body(start, temperature, host):
    """Two resources, points with labels and a histogram: what a point says alone is not enough."""
    at = (NOW + start) * 10**9
    metrics = [
        otlp.metric("temperature", "gauge", [otlp.point(at + n, float(temperature + n)) for n in range(3)], "Cel"),
        otlp.metric("load", "histogram", [otlp.point(at, count=3, sum=12.5, min=1.5, max=float(temperature))])]
    return [otlp.resource({"host.name": host}, metrics), otlp.resource({"host.name": host + "-b"}, metrics)]


@check("letters: Influx and OTLP, refused by a limit or a clock, are sent again in the form in which they came")
def letters_again():
    with folder() as data:
        with serving(*TAGS, "input.validRanges=load.max=0..100", data=data) as server:
            # 204 where the answer does not wait for the verdict.
            expect(telegraf(server, influx_body(0, 500), "ms").status in (204, 400), "lines beyond a limit")
            # Ahead of every clock until the next check: another refusal of the whole line.
            expect(telegraf(server, influx_body(7200, 20), "ms").status in (204, 400), "lines of the future")
            for form in ("protobuf", "json"):
                equal(collector(server, otlp_body(0, 500, form), form).status, 200, f"points in {form}")
            counted(server, stored=3 + 2 * 2 * 3, dead=3 + 6 + 2 * 2 * 4)
            kept = letters(data)
            equal(sorted({reason for reason, _, _ in kept}), ["future", "out_of_range"], "reasons")
        wider = ("input.validRanges=temperature=-50..900,load.max=0..900", "input.allowedClockSkew=1d", *TAGS)
        ended = tocsin("dead-letters", "replay", "--data-dir", data, *(word for one in wider for word in ("--set", one))).ended(0)
        expect(f"sent {len(kept)}: {len(kept)} accepted" in ended.out, shortened(ended.text))
        equal(letters(data), [], "letters left")
        found = {}
        for sensor, events in readings(data).items():
            for at, values in events:
                found.setdefault((sensor, at), {}).update(values)
        wanted = {(f"m-{n}", (NOW + start + n) * 10**9): {"temperature": base + n, "load": n} for start, base in ((0, 500), (7200, 20)) for n in range(3)}
        for host in ("protobuf", "protobuf-b", "json", "json-b"):
            at = NOW * 10**9
            for n in range(3):
                wanted[host, at + n] = {"temperature": 500 + n}
            wanted[host, at] |= {"load.count": 3, "load.sum": 12.5, "load.min": 1.5, "load.max": 500}
        equal(found, wanted, "what is stored")


@check("letters: a line and a point that are broken stay as they were when they are sent again, and say the same")
def letters_stay():
    with folder() as data:
        with serving(data=data) as server:
            equal(telegraf(server, "boiler,host=e temperature=hot 5\nboiler,host=e temperature=1 x\n").status, 400, "broken lines")
            sent = [otlp.metric(name, "gauge", [otlp.point(NOW * 10**9, value)]) for name, value in (("", 1.0), ("n", float("nan")), ("good", 1.0))]
            for form in ("protobuf", "json"):
                equal(collector(server, [otlp.resource({"host.name": form}, sent)], form).status, 200, form)
            counted(server, stored=2, dead=6)
        before = rows(data, "SELECT id, reason, detail, source, payload FROM dead_letters ORDER BY id")
        equal(len(before), 6, f"letters: {shortened(before)}")
        ended = tocsin("dead-letters", "replay", "--data-dir", data).ended(1)
        expect("6 refused again" in ended.out, shortened(ended.text))
        equal(rows(data, "SELECT id, reason, detail, source, payload FROM dead_letters ORDER BY id"), before, "letters after that")


@check("letters: one of Kafka's backlog is sent again with the time of its message, which its source says")
def letters_of_a_backlog():
    with folder() as data:
        with serving(data=data):
            pass
        with contextlib.closing(sqlite3.connect(data / DATABASE)) as database, database:
            database.execute(
                "INSERT INTO dead_letters (reason, detail, source, position, received, payload, readings, content_key) VALUES (?, ?, ?, ?, ?, ?, 1, 7)",
                ("out_of_range", "too much", "plant:sensor-events/3@1760000000000#p1", 12, NOW * 10**9, b'{"temperature": 50}'))
        path = data / "kafka.yaml"
        path.write_text(json.dumps({"kafka": {"bootstrapServers": "127.0.0.1:1"}, "sources": [{"kind": "kafka", "name": "plant"}]}))
        ended = tocsin("dead-letters", "replay", "--config", path, "--data-dir", data).ended(0)
        expect("sent 1: 1 accepted" in ended.out, shortened(ended.text))
        equal(readings(data), {"p1": [(1_760_000_000_000 * 10**6, {"temperature": 50})]}, "what is stored")


@check("letters: readings without a time keep that of their arrival when they are sent again; their neighbours are not there twice")
def letters_untimed():
    with folder() as data:
        with serving(data=data) as server:
            expect(telegraf(server, "boiler,host=u temperature=500,x=1\n").status in (204, 400), "line protocol")
            at = NOW * 10**9
            points = [otlp.metric("temperature", "gauge", [otlp.point(at, 500.0)]), otlp.metric("x", "gauge", [otlp.point(at, 1.0)])]
            equal(collector(server, [otlp.resource({"host.name": "o"}, points)]).status, 200, "OTLP")
            counted(server, stored=2, dead=2)
        before = {sensor: {time for time, _ in events} for sensor, events in readings(data).items()}
        ended = tocsin("dead-letters", "replay", "--data-dir", data, "--set", "input.validRanges.temperature=-50..900").ended(0)
        expect("2 accepted" in ended.out, shortened(ended.text))
        after = readings(data)
        equal({sensor: {time for time, _ in events} for sensor, events in after.items()}, before, "times")
        for sensor, events in after.items():
            equal(sorted((name, value) for _, values in events for name, value in values.items()), [("temperature", 500), ("x", 1)], f"readings of {sensor}")


@check("letters: rows of a folder's file that names their sensor are sent again under its name")
def letters_of_folder():
    with folder() as path:
        (path / "loggers").mkdir()
        (path / "loggers" / "pump-9.csv").write_text("timestamp,temperature,x\n" + "".join(f"{NOW + n},{500 + n},1\n" for n in range(5)))
        (path / "tocsin.yaml").write_text(json.dumps({"sources": [{"kind": "folder", "name": "loggers", "path": str(path / "loggers")}]}))
        with Server(path / "data", "--config", path / "tocsin.yaml") as server:
            soon(lambda: figure(figures(server), "tocsin_readings_dead_lettered_total") == 5, 20, "five readings are refused")
            settled(server)
        equal({source for source, in rows(path / "data", "SELECT source FROM dead_letters")}, {"loggers:pump-9.csv"}, "source")
        ended = tocsin(
            "dead-letters", "replay", "--data-dir", path / "data", "--config", path / "tocsin.yaml",
            "--set", "input.validRanges.temperature=-50..900").ended(0)
        expect("5 accepted" in ended.out, shortened(ended.text))
        equal(readings(path / "data"), {"pump-9": [((NOW + n) * 10**9, {"temperature": 500 + n, "x": 1}) for n in range(5)]}, "what is stored")


def peak(server):
    """The most memory that it has had, in MB."""
    for text in open(f"/proc/{server.process.pid}/status"):
        if text.startswith("VmHWM:"):
            return int(text.split()[1]) // 1024
    raise AssertionError("/proc tells no VmHWM")


@check("letters: 2,000 refused points under a resource of 300 KB take little memory, also after kill -9, and are one letter")
def letters_large():
    with folder() as data:
        options = ("--set", "checkpoint.interval=1h", "--set", f"server.maxBodyBytes={LIMIT}")
        at = (NOW + 7200) * 10**9
        with Server(data, *options) as server:
            before = peak(server)
            for form in ("protobuf", "json"):
                points = [otlp.point(at + n, 1.0) for n in range(2000)]
                large = [otlp.resource({"host.name": form, "note": "x" * 300_000}, [otlp.metric("t", "gauge", points)])]
                equal(collector(server, large, form).status, 200, form)
            settled(server)
            grown = peak(server) - before
            expect(grown < 150, f"it has grown by {grown} MB")
            server.kill()
        for file in (data / DATABASE).parent.glob(f"{DATABASE}*"):
            file.unlink()
        with Server(data, *options) as server:
            settled(server)
            soon(lambda: len(letters(data)) == 2, 20, "the letters are there again")
            expect(peak(server) < before + 150, f"{peak(server)} MB after the restart, {before} MB before the requests")
        equal(rows(data, "SELECT source, readings FROM dead_letters ORDER BY source"), [("http:otlp-json", 2000), ("http:otlp-protobuf", 2000)], "letters")
        ended = tocsin("dead-letters", "replay", "--data-dir", data, "--set", "input.allowedClockSkew=1d").ended(0)
        expect("2 accepted" in ended.out, shortened(ended.text))
        equal({sensor: len(events) for sensor, events in readings(data).items()}, {"protobuf": 2000, "json": 2000}, "events")


@check("spool: input whose names are lost is decoded again in the form in which it came")
def decoded_again():
    with folder() as data:
        with Server(data, *(word for one in (*TAGS, "checkpoint.interval=1h") for word in ("--set", one))) as server:
            # The first record has the names, and is damaged below.
            equal(telegraf(server, "first,machine=marker temperature=1 1000\n" + influx_body(0, 20), "ms").status, 204, "first")
            for start in (0, 60, 120):
                equal(telegraf(server, influx_body(start, 20), "ms").status, 204, "lines")
                for form in ("protobuf", "json"):
                    equal(collector(server, otlp_body(start, 20, form), form).status, 200, form)
            settled(server)
            before = readings(data)
            server.kill()
        for segment in sorted((data / "spool").iterdir()):
            content = segment.read_bytes()
            if (place := content.find(b"first,machine=marker")) >= 0:
                segment.write_bytes(content[:place] + b"X" + content[place + 1:])
                break
        else:
            raise AssertionError("the first request is not in the spool")
        for file in (data / DATABASE).parent.glob(f"{DATABASE}*"):
            file.unlink()
        with serving(*TAGS, data=data) as server:
            settled(server)
            # What the damaged record held came a second time.
            wanted = {sensor: events for sensor, events in before.items() if sensor != "marker"}
            soon(lambda: readings(data) == wanted, 20, f"the rest of the spool is stored: {shortened(readings(data), 2000)}")
            equal(letters(data), [], "dead letters")


# MARK: POST /ingest

@check("ingest: gzip, deflate and zstd bodies; bombs, cut and wrongly labelled ones are refused and stop nothing")
def codings():
    with serving() as server:
        body = "".join(line("packed", NOW + n, temperature=20 + n % 5) for n in range(100)).encode()

        def sent(data, coding, **options):
            return server.request("POST", "/ingest", data, {"Content-Type": "application/x-ndjson", "Content-Encoding": coding}, **options)

        forms = {"gzip": gzip.compress(body), "x-gzip": gzip.compress(body[:5000]) + gzip.compress(body[5000:]),
                 "deflate": zlib.compress(body), "zstd": zstd(body), "identity": body}
        for number, (coding, data) in enumerate(forms.items()):
            answer = sent(data, coding)
            equal((answer.status, answer.json["accepted"] + answer.json["duplicate"]), (202, 100), f"{coding} ({answer})")
            counted(server, stored=100, duplicate=100 * number)
        for coding, bomb in (("gzip", gzip.compress(bytes(200 << 20))), ("deflate", zlib.compress(bytes(200 << 20))), ("zstd", zstd(bytes(200 << 20)))):
            begun = time.monotonic()
            answer = sent(bomb, coding)
            equal(answer.status, 413, f"a bomb of {len(bomb)} bytes ({answer})")
            expect(str(LIMIT) in answer.json["detail"] and time.monotonic() - begun < 5, f"a bomb ({answer})")
        for coding in ("gzip", "deflate", "zstd"):
            for what, data in (("cut", forms[coding][:-20]), ("another", b"not packed at all" * 20), ("damaged", forms[coding][:200] + b"\xff\x00\xff" * 30 + forms[coding][290:])):
                answer = sent(data, coding)
                equal(answer.status, 400, f"{what}, said to be {coding} ({answer})")
                expect(coding in answer.json["detail"], f"{what}: {answer.json['detail']}")
        for coding in ("br", "gzip, gzip", "compress"):
            equal(sent(body, coding).status, 415, f"Content-Encoding: {coding}")
        # A client that goes away in the middle, with and without packing.
        for coding in ("gzip", "identity"):
            connection = server.connection()
            connection.putrequest("POST", "/ingest")
            for name, value in (("Content-Length", "100000"), ("Content-Encoding", coding)):
                connection.putheader(name, value)
            connection.endheaders(forms[coding][:50])
            connection.close()
        memory = figures(server)["process_resident_memory_bytes"]
        expect(memory < 1 << 30, f"{int(memory) >> 20} MiB in use")
        counted(server, stored=100, duplicate=400)
        expect("request failed" not in server.log, f"the log: {shortened(server.log[-300:])}")


def with_key(server, body, key, path="/ingest", **headers):
    found = {"Content-Type": "application/x-ndjson", "Idempotency-Key": key, "X-API-Key": KEY} | headers
    return server.request("POST", path, body.encode(), found)


def same(first, second):
    equal((second.status, second.body, second.headers["Content-Type"]), (first.status, first.body, first.headers["Content-Type"]),
          "the answer to the same request again")


@check("ingest: a request under the same Idempotency-Key is answered the same and stored once, also after kill -9")
def idempotency():
    with folder() as data:
        bodies = {f"key-{n}": "".join(line(f"s{n}", NOW + m, temperature=20 + m) for m in range(10)) for n in range(5)}
        bodies["refused"] = "[1, 2, 3]"
        bodies["partly"] = line("p", NOW, temperature=20) + '{"sensor_id": "p", "temp\n'
        given = {}
        # Readings without an id and without a time: nothing but the key tells one sending from the next. And a bad line.
        lines = "boiler,host=i load=1\nboiler,host=j load=1\nbad\n"
        server = Server(data, "--set", "server.ingest.keys.0.name=plant", "--set", f"server.ingest.keys.0.key={KEY}")
        with contextlib.ExitStack() as stack:
            stack.callback(server.kill)
            for key, body in bodies.items():
                given[key] = with_key(server, body, key)
                for _ in range(2):
                    same(given[key], with_key(server, body, key))
            equal([given[key].status for key in bodies], [202] * 5 + [400, 202], "statuses")
            other = with_key(server, bodies["key-0"] + line("x", NOW, temperature=1), "key-0")
            equal(other.status, 422, f"another body under the same key ({other})")
            expect("another body" in other.json["detail"], other.json["detail"])
            # Another address is another key.
            influx = with_key(server, lines, "key-0", "/api/v2/write")
            equal((influx.status, influx.json["line"]), (400, 3), f"line protocol under a key ({influx})")
            same(influx, with_key(server, lines, "key-0", "/api/v2/write"))
            for bad in ("", "x" * 256):
                equal(with_key(server, bodies["key-0"], bad).status, 400, f"a key of {len(bad)} characters")
            settled(server)
            found = figures(server)
            equal(figure(found, "tocsin_readings_stored_total"), 53, "readings stored")
            equal(figure(found, "tocsin_readings_duplicate_total"), 0, "readings known already")
            dead = figure(found, "tocsin_readings_dead_lettered_total")
        with serving(key=True, data=data) as server:
            for key, body in bodies.items():
                same(given[key], with_key(server, body, key))
            equal(with_key(server, "{}", "key-0").status, 422, "another body after the restart")
            same(influx, with_key(server, lines, "key-0", "/api/v2/write"))
            settled(server)
            equal(sum(len(events) for events in readings(data).values()), 53, "events stored")
            equal(len(letters(data)), dead, "dead letters stored")


@check("ingest: kill -9 in the midst of requests with keys: sent again, each is stored once, with neither id nor time in it")
def idempotency_killed():
    with folder() as data:
        bodies = {f"k{n}": "".join(f"boiler,host=k{n}-{m} load={n}.{m}\n" for m in range(5)) for n in range(400)}
        answered = {}
        server = Server(data)

        def send(part):
            with contextlib.suppress(OSError, http.client.HTTPException):
                for key in part:
                    answer = with_key(server, bodies[key], key, "/api/v2/write")
                    if answer.status == 204:
                        answered[key] = answer
        names = list(bodies)
        threads = [threading.Thread(target=send, args=(names[n::4],)) for n in range(4)]
        for thread in threads:
            thread.start()
        soon(lambda: len(answered) > 60, 20, "the first answers")
        server.kill()
        for thread in threads:
            thread.join(20)
        expect(60 < len(answered) < 400, f"{len(answered)} of 400 requests were answered before the kill")
        with serving(data=data) as server:
            for key, body in bodies.items():
                equal(with_key(server, body, key, "/api/v2/write").status, 204, f"status of {key}")
            settled(server)
        found = readings(data)
        equal({sensor: len(events) for sensor, events in found.items()}, {f"k{n}-{m}": 1 for n in range(400) for m in range(5)}, "events of each sensor")


@check("ingest: a list of keys that a full disk cannot write anew at start is kept, and goes on")
def idempotency_full_disk():
    with small_disk("40m") as disk:
        data = disk.path / "data"
        log = data / "idempotency.log"
        # An answer of its own to every key: many bad lines make it long.
        bad = "".join('{"sensor_id": "x", "when": "%s"}\n' % ("y" * 150) for _ in range(8))
        bodies = {f"full-{n}-{'k' * 200}": line(f"f{n}", NOW, v=n) + bad for n in range(400)}
        server = Server(data)
        with contextlib.ExitStack() as stack:
            stack.callback(server.kill)
            for key, body in bodies.items():
                equal(with_key(server, body, key).status, 202, "status")
            settled(server)
        size = log.stat().st_size
        expect(size > 300_000, f"the list has {size} bytes")
        disk.fill(leave=size // 2)
        with contextlib.ExitStack() as stack:
            server = Server(data)
            stack.callback(server.kill)
            expect(log.stat().st_size == size, "the list was written anew: the disk has too much room for this check")
            disk.fill()
            # None of these finds room, and none may take from what is there.
            refused = [with_key(server, line("r", NOW, v=n), f"r-{n}-{'k' * 200}").status for n in range(40)]
            expect(503 in refused, f"statuses {set(refused)}")
            disk.make_room()
            new = soon(lambda: (answer := with_key(server, line("new", NOW, v=1), "new")).status == 202 and answer, 30, "a request is taken again")
        expect(log.stat().st_size > size, f"the list has {log.stat().st_size} bytes, and had {size}")
        with contextlib.ExitStack() as stack:
            server = Server(data)
            stack.callback(server.kill)
            same(new, with_key(server, line("new", NOW, v=1), "new"))
            for key, body in bodies.items():
                equal(with_key(server, body + " ", key).status, 422, "another body under a key of the first process")


@check("ingest: a request under way holds its key: the same one meanwhile is told to wait")
def idempotency_concurrent():
    with serving() as server:
        body = "".join(line(f"c{n}", NOW, load=n) for n in range(200))
        answers = []

        def send():
            answers.append(with_key(server, body, "once"))
        threads = [threading.Thread(target=send) for _ in range(12)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(30)
        taken = [answer for answer in answers if answer.status == 202]
        expect(taken and len({answer.body for answer in taken}) == 1, f"answers: {[answer.status for answer in answers]}")
        for answer in answers:
            expect(answer.status == 202 or answer.status == 409 and retry_after(answer) > 0, f"{answer}")
        counted(server, stored=200)


@check("ingest: a key's quota is held by 429, and what waits for Retry-After is taken")
def quotas():
    with serving("server.ingest.keys.1.name=other", "server.ingest.keys.1.key=another-key", rate=20) as server:
        def sent(start, count, key=KEY):
            body = "".join(line("q", NOW + start + n, temperature=20) for n in range(count))
            return server.request("POST", "/ingest", body.encode(), {"Content-Type": "application/x-ndjson", "Authorization": f"Bearer {key}"})
        for answer in (sent(0, 1, "wrong"), server.post(line("q", NOW, temperature=20))):
            equal((answer.status, answer.headers["WWW-Authenticate"]), (401, "Bearer"), f"no key ({answer})")
        # A client may answer before it has read: the connection goes on all the same.
        connection = server.connection()
        for _ in range(3):
            connection.request("POST", "/ingest", b"x" * 500_000, {"X-API-Key": "wrong"})
            response = connection.getresponse()
            equal((response.status, bool(response.read())), (401, True), "a large body with a wrong key")
        connection.close()
        equal(sent(0, 200).status, 202, "ten seconds' worth at once")
        answer = sent(200, 40)
        equal(answer.status, 429, f"status ({answer})")
        expect("plant" in answer.json["detail"] and "20 readings a second" in answer.json["detail"], answer.json["detail"])
        waiting = retry_after(answer)
        expect(1 <= waiting <= 2, f"Retry-After {waiting} s for 40 readings at 20 a second")
        refused = telegraf(server, "".join(f"boiler,host=q load=1 {(NOW + n) * 10**9}\n" for n in range(60)))
        equal((refused.status, refused.json["code"]), (429, "too many requests"), f"line protocol ({refused})")
        expect(1 <= retry_after(refused) <= 3, f"line protocol: {refused.headers['Retry-After']} s for 60 readings")
        equal(sent(400, 50, "another-key").status, 202, "another client meanwhile")
        begun = time.monotonic()
        soon(lambda: time.monotonic() - begun >= waiting, 10, "the time that was asked for")
        equal(sent(200, 40).status, 202, "the same request when that time is over")
        counted(server, stored=290)


@check("ingest: a quota of next to nothing is told in words, not by a crash")
def absurd_quota():
    with serving(rate=1e-30) as server:
        def sent():
            return server.request("POST", "/ingest", line("q", NOW, v=1).encode(), {"X-API-Key": KEY})
        answer = sent()
        equal((answer.status, retry_after(answer)), (429, 86400), f"answer ({answer})")
        expect("1e-30 readings a second" in answer.json["detail"], answer.json["detail"])


@check("all: nonsense that unpacks to millions of lines is counted to the last, and takes little memory and few letters")
def nonsense():
    with serving("server.maxBodyBytes=16MiB") as server:
        before = peak(server)
        dead = 0
        for path, kind, text, count in (
            ("/api/v2/write", "text/plain", "x\n", 2_000_000), ("/ingest", "application/x-ndjson", "{}\n", 5_000_000),
            ("/ingest", "application/json", "{},", 2_000_000), ("/ingest", "text/csv", "1\n", 2_000_000)):
            body = text * count
            if kind == "application/json":
                body = "[" + body[:-1] + "]"
            if kind == "text/csv":
                body = "sensor_id,timestamp,v\n" + body
            answer = server.request("POST", path, gzip.compress(body.encode(), 1), {"Content-Type": kind, "Content-Encoding": "gzip"}, timeout=120)
            equal(answer.status, 400, f"{kind}: {answer}")
            dead += count
        counted(server, stored=0, dead=dead)
        grown = peak(server) - before
        expect(grown < 500, f"it has grown by {grown} MB")
        found = rows(server.data, "SELECT COUNT(*), SUM(readings), SUM(LENGTH(payload)) FROM dead_letters")[0]
        expect(found[0] < 6000 and found[1] == dead, f"letters, readings, bytes: {found}")


@check("letters: many refused lines that share a letter are all sent again")
def letters_shared():
    with folder() as data:
        with serving("server.maxBodyBytes=4MiB", data=data) as server:
            at = NOW + 7200
            text = "".join(f"boiler,host=h{n % 10} load={n} {at + n}\n" for n in range(6000))
            expect(telegraf(server, text, "s").status in (204, 400), "lines of the future")
            csv = "sensor_id,timestamp,temperature\n" + "".join(f"c{n % 10},{iso(NOW + n)},900\n" for n in range(6000))
            equal(server.post(csv, "text/csv").status, 202, "rows beyond a limit")
            counted(server, stored=0, dead=12000)
            kept = rows(data, "SELECT COUNT(*) FROM dead_letters")[0][0]
            expect(2000 <= kept < 2100, f"{kept} letters")
        wider = ("input.validRanges=temperature=-50..900", "input.allowedClockSkew=1d")
        ended = tocsin("dead-letters", "replay", "--data-dir", data, *(word for one in wider for word in ("--set", one))).ended(0)
        expect(f"{kept} accepted" in ended.out, shortened(ended.text))
        equal(sum(len(events) for events in readings(data).values()), 12000, "events")


@check("all: bodies under way are bounded together, also those that unpack to far more; what is beyond is told to come back")
def bodies_under_way():
    with serving("server.maxBodyBytes=16MiB") as server:
        before = peak(server)
        # All but a few bytes of the largest body, and never the end.
        packer = zlib.compressobj(9, zlib.DEFLATED, 31)
        packed = packer.compress(bytes((16 << 20) - 10)) + packer.flush(zlib.Z_SYNC_FLUSH)
        head = f"POST /ingest HTTP/1.1\r\nHost: x\r\nContent-Encoding: gzip\r\nContent-Length: {len(packed) + 100}\r\n\r\n"
        with contextlib.ExitStack() as stack:
            large = "".join(line("u", NOW + n, v=n) for n in range(100))

            def refused():
                one = stack.enter_context(socket.create_connection(("127.0.0.1", server.port), timeout=30))
                one.sendall(head.encode() + packed)
                found = server.post(large)
                return found.status == 503 and found
            answer = soon(refused, 60, "a further body is refused")
            expect(retry_after(answer) > 0 and "under way" in answer.json["detail"], f"{answer}")
            equal(server.get("/livez").status, 200, "others meanwhile")
            grown = peak(server) - before
            expect(grown < 700, f"it has grown by {grown} MB")
        soon(lambda: server.post(large).status == 202, 30, "the body is taken when the others have gone")
        settled(server)


@check("all: connections that say nothing are closed, those that listen are not")
def idle():
    with serving() as server, Live(server) as live:
        with contextlib.ExitStack() as stack:
            silent, half = (stack.enter_context(socket.create_connection(("127.0.0.1", server.port), timeout=150)) for _ in range(2))
            half.sendall(b"POST /ingest HTTP/1.1\r\nHost: x\r\n")
            begun = time.monotonic()
            for one in (silent, half):
                equal(one.recv(100), b"", "what a connection without a request is told")
            expect(time.monotonic() - begun > 50, "closed too early")
        seen = len(live.named("stats"))
        live.wait(lambda live: len(live.named("stats")) > seen, 20, "a screen still sees what happens")


@check("all: a client that asks before it sends a large body is told to go on, or at once that it is too large")
def asked_before():
    with serving() as server:
        body = line("c", NOW, v=1).encode()
        with socket.create_connection(("127.0.0.1", server.port), timeout=60) as one, one.makefile("rb") as answers:
            # Twice on one connection: the first answer must not be lost in the second's.
            for _ in range(2):
                one.sendall(f"POST /ingest HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: {len(body)}\r\n\r\n".encode())
                equal(answers.readline(), b"HTTP/1.1 100 Continue\r\n", "before the body")
                equal(answers.readline(), b"\r\n", "and nothing else")
                one.sendall(body)
                expect(answers.readline().startswith(b"HTTP/1.1 202 "), "the body is taken")
                head = http.client.parse_headers(answers)
                expect(b"accepted" in answers.read(int(head["Content-Length"])), "the answer")
            one.sendall(b"POST /ingest HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: %d\r\n\r\n" % (LIMIT + 1))
            expect(answers.readline().startswith(b"HTTP/1.1 413 "), "a body that is too large is refused by its head")


@check("all: other methods are answered with 405 and what is taken; probes may ask for the head alone; an empty type is none")
def methods():
    with serving() as server:
        for path, method, allowed in (
            ("/ingest", "GET", "POST"), ("/ingest", "PUT", "POST"), ("/api/v2/write", "GET", "POST"), ("/write", "DELETE", "POST"),
            ("/v1/metrics", "GET", "POST"), ("/health", "POST", "GET, HEAD"), ("/livez", "DELETE", "GET, HEAD")):
            answer = server.request(method, path)
            equal((answer.status, answer.headers["Allow"]), (405, allowed), f"{method} {path} ({answer})")
        # On one connection: what follows must not find the rest of an answer.
        connection = server.connection()
        for path in ("/health", "/livez", "/readyz", "/ingest", "/nothing", "/livez"):
            connection.request("HEAD", path)
            response = connection.getresponse()
            wanted = {"/ingest": 405, "/nothing": 404}.get(path, 200)
            equal((response.status, response.read()), (wanted, b""), f"HEAD {path}")
        connection.close()
        equal(server.request("POST", "/ingest", line("e", NOW, v=1).encode(), {"Content-Type": ""}).status, 202, "an empty Content-Type")
        counted(server, stored=1)


@check("all: while store and spool can take no more every way answers 503 with Retry-After; then each is taken, and nothing is lost")
def full():
    options = ("spool.maxBytes=16MiB", "spool.segmentBytes=1MiB", "checkpoint.interval=1s")
    with folder() as data, Server(data, *[word for option in options for word in ("--set", option)]) as server, Balance(server):
        equal(server.post(line("first", NOW, temperature=20)).status, 202, "a reading before")
        settled(server)
        # Whoever holds the database's lock keeps the store from writing.
        holder = sqlite3.connect(data / DATABASE, isolation_level=None, timeout=20)
        holder.execute("BEGIN EXCLUSIVE")
        taken = 0
        try:
            padding = "x" * 500
            deadline = time.monotonic() + 40
            # Small ones still find room where large ones do not.
            for size in (1000, 100, 10, 1):
                while True:
                    body = "".join(json.dumps({"sensor_id": f"f{n % 50}", "timestamp": iso(NOW + (taken + n) / 500), "temperature": 20, "note": padding}) + "\n" for n in range(size))
                    answer = server.post(body)
                    if answer.status != 202:
                        break
                    taken += size
                    expect(time.monotonic() < deadline, "the spool is never full")
                equal(answer.status, 503, f"status ({answer})")
                expect(retry_after(answer) > 0 and answer.json["detail"], f"{answer}")
            resources, _ = every_kind(NOW * 10**9, "full")
            for form in ("protobuf", "json"):
                refused = collector(server, resources, form)
                equal((refused.status, otlp.status(refused)[0]), (503, 14), f"OTLP in {form} ({refused})")
                expect(retry_after(refused) > 0, "Retry-After")
            large = "".join(f'boiler,host=i load={n},note="{padding}" {NOW * 10**9 + n}\n' for n in range(1500))
            refused = telegraf(server, large)
            equal((refused.status, refused.json["code"]), (503, "unavailable"), f"line protocol ({refused})")
            expect(retry_after(refused) > 0, "Retry-After")
            keyed = with_key(server, body, "full")
            equal(keyed.status, 503, f"under a key ({keyed})")
        finally:
            holder.execute("ROLLBACK")
            holder.close()
        soon(lambda: server.request("GET", "/health").json["status"] == "ok", 30, "/health is ok again")
        settled(server, 60)
        for again in (lambda: with_key(server, body, "full"), lambda: telegraf(server, large), lambda: collector(server, resources)):
            answer = soon(lambda: (found := again()) and found.status != 503 and found, 20, "the refused request is taken")
            expect(answer.status in (200, 202, 204), f"{answer}")
        settled(server, 60)
        found = figures(server)
        equal(figure(found, "tocsin_readings_dead_lettered_total"), 0, "dead letters")
        equal(figure(found, "tocsin_readings_stored_total") + figure(found, "tocsin_readings_late_total"), 1 + taken + 1 + 1500 + 15, "readings stored")


@check("all: kill -9 right behind the answers: line protocol and OpenTelemetry are there after the restart, once")
def killed():
    with folder() as data:
        server = Server(data)
        for n in range(40):
            equal(telegraf(server, f"boiler,host=k load={n} {(NOW + n) * 10**9}\n").status, 204, "status")
            resources = [otlp.resource({"host.name": "o"}, [otlp.metric("m", "gauge", [otlp.point((NOW + n) * 10**9, float(n))])])]
            equal(collector(server, resources, ("protobuf", "json")[n % 2]).status, 200, "status")
        server.kill()
        with serving(data=data) as server:
            settled(server)
            found = readings(data)
            equal([at for at, _ in found["k"]], [(NOW + n) * 10**9 for n in range(40)], "events of line protocol")
            equal([event for _, event in found["o"]], [{"m": n} for n in range(40)], "events of OpenTelemetry")


@check("all: rows without a header, and attributes that name sensors, as configured")
def forms():
    settings = ("server.ingest.csvHeader=sensor_id,timestamp,temperature", "server.ingest.sensorAttributes=asset")
    with serving(*settings) as server:
        text = "".join(f"row,{iso(NOW + n)},{20 + n}\n" for n in range(5))
        equal(server.post(text, "text/csv").status, 202, "rows alone")
        equal(server.post("sensor_id,timestamp,temperature\n" + text, "text/csv").status, 202, "rows with the header")
        counted(server, stored=5, duplicate=5)
        resources = [otlp.resource({"host.name": "h", "asset": "press-4"}, [otlp.metric("m", "gauge", [otlp.point(NOW * 10**9, 1.0)])])]
        equal(collector(server, resources).status, 200, "OTLP")
        counted(server, stored=6, duplicate=5)
        equal(sorted(readings(server.data)), ["press-4", "row"], "sensors")


main()

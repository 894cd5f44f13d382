"""`tocsin replay`: every input form gives the right counts, twice gives the same rows, real recordings make sense."""

import csv
import gzip
import json
import random
import sys
from datetime import datetime, timezone

sys.dont_write_bytecode = True
from support.harness import (
    check, equal, expect, folder, iso, line, main, require_shared, rows, shortened, stored_events, tocsin)

START = 1_759_276_800  # 2025-10-01T00:00:00Z
EVENTS = 120
SENSORS = ("pump-1", "pump-2")

# MARK: Recordings


def values():
    """(sensor, seconds, temperature, pressure) of a small recording: 120 events of two sensors."""
    generator = random.Random(11)
    for number in range(EVENTS):
        yield (SENSORS[number % 2], START + 10 * (number // 2), round(25 + generator.gauss(0, 0.4), 2),
               round(6 + generator.gauss(0, 0.05), 3))


def wide():
    return "".join(line(s, t, temperature=a, pressure=b) for s, t, a, b in values())


def array(indent=None):
    return json.dumps([{"device_id": s, "timestamp": iso(t), "temperature": a, "pressure": b} for s, t, a, b in values()], indent=indent)


def narrow():
    return "".join(
        json.dumps({"sensor_id": s, "timestamp": t * 1000, "metric": m, "value": v, "meta": {"unit": "u", "location": "zone_1"}}) + "\n"
        for s, t, a, b in values() for m, v in (("temperature", a), ("pressure", b)))


def table(separator=",", decimal=".", end="\r\n"):
    text = [separator.join(("sensor_id", "timestamp", "temperature", "pressure"))]
    text += [separator.join((s, iso(t), str(a).replace(".", decimal), str(b).replace(".", decimal))) for s, t, a, b in values()]
    return end.join(text) + end


SMOKE = "UTC,Temperature[C],Humidity[%],TVOC[ppb],eCO2[ppm],Raw H2,Raw Ethanol,Pressure[hPa],PM1.0,PM2.5,NC0.5,NC1.0,NC2.5,CNT,Fire Alarm"


def smoke():
    generator = random.Random(3)
    text = [SMOKE]
    for number in range(100):
        cells = [START + number] + [f"{level + generator.random():.2f}" for level in (25, 45, 100, 400, 13000, 20000, 938, 1, 1, 7, 1, 0)]
        text.append(",".join(map(str, cells + [number, 0])))
    return "\n".join(text) + "\n"


def replay(*arguments, stdin=None, **options):
    """The JSON report of a replay; what was read must be accounted for."""
    report = tocsin("replay", "--json", *arguments, stdin=stdin, **options).ended(0).json
    fates = sum(report[fate] for fate in ("stored", "late", "duplicate", "dead_lettered"))
    equal(fates, report["readings"], f"stored + late + duplicate + dead-lettered of {shortened(json.dumps(report))}")
    equal(sum(report["dead_letters"].values()), report["dead_lettered"], "dead letters by reason")
    return report


def counts(report, events=EVENTS, readings=2 * EVENTS, sensors=2, series=4):
    got = {name: report[name] for name in ("events", "readings", "stored", "sensors", "series", "dead_lettered")}
    wanted = {"events": events, "readings": readings, "stored": readings, "sensors": sensors, "series": series, "dead_lettered": 0}
    equal(got, wanted, "counts")
    expect(report["windows"] > 0, "no window was closed")


def form(name, text, file="recording.json", **wanted):
    @check(f"replay: {name}")
    def run():
        with folder() as data:
            path = data / file
            path.write_bytes(text() if isinstance(text(), bytes) else text().encode())
            counts(replay(path), **wanted)


# MARK: Forms

form("wide JSON lines", wide)
form("wide JSON lines without a last line feed", lambda: wide().rstrip("\n"))
form("JSON lines with a byte order mark and CRLF", lambda: b"\xef\xbb\xbf" + wide().replace("\n", "\r\n").encode())
form("narrow JSON lines", narrow, events=2 * EVENTS)
form("JSON array", array)
form("JSON array over many lines", lambda: array(indent=2))
form("CSV with commas", table, file="recording.csv")
form("CSV with semicolons and decimal commas", lambda: table(";", ","), file="recording.csv")
form("CSV with tabs", lambda: table("\t", end="\n"), file="recording.tsv")
form("gzip, by its bytes and not its name", lambda: gzip.compress(wide().encode()))
form("gzip of several members", lambda: b"".join(gzip.compress(text.encode()) for text in wide().splitlines(keepends=True)), file="r.json.gz")
form("columns of the smoke data set", smoke, file="smoke.csv", events=100, readings=1200, sensors=1, series=12)


@check("replay: standard input")
def standard_input():
    counts(replay("-", stdin=wide().encode()))
    counts(replay("-", stdin=gzip.compress(table().encode())))


@check("replay: a folder of files of several forms")
def whole_folder():
    with folder() as data:
        lines = wide().splitlines(keepends=True)
        (data / "1.json").write_text("".join(lines[:40]))
        (data / "2.csv.gz").write_bytes(gzip.compress("".join(table().splitlines(keepends=True)[:1] + table().splitlines(keepends=True)[41:81]).encode()))
        (data / "3.jsonl").write_text("".join(lines[80:]))
        (data / "notes.md").write_text("not input\n")
        report = replay(data)
        counts(report)
        equal(report["files"], 3, "files")


@check("replay: fields of its own by a mapping")
def mapping():
    text = "Zeit;Gerät;Wert\n" + "".join(f"{t * 1000};{s};{a}\n" for s, t, a, _ in values())
    settings = ["input.mapping.time=Zeit", "input.mapping.timeFormat=ms", "input.mapping.sensor=Gerät", "input.mapping.value=Wert"]
    report = replay("-", *(word for setting in settings for word in ("--set", setting)), stdin=text.encode())
    equal((report["readings"], report["stored"], report["sensors"], report["series"]), (EVENTS, EVENTS, 2, 2), "counts")


@check("replay: the table for people names every figure")
def table_for_people():
    finished = tocsin("replay", "-", stdin=wide().encode()).ended(0)
    for word in ("readings", "240", "windows", "anomalies", "alarms", "dead letters", "readings per second"):
        expect(word in finished.out, f"no '{word}' in the table: {shortened(finished.out, 800)}")


# MARK: Once

def simulated(profile, events, *options):
    return tocsin("simulate", "--profile", profile, "--max-events", events, *options).ended(0).out.encode()


@check("replay: a file given twice counts as duplicates the second time")
def twice_in_one_run():
    with folder() as data:
        for name in ("a.json", "b.json"):
            (data / name).write_bytes(simulated("plant", 100))
        report = replay(data / "a.json", data / "b.json", "--data-dir", data / "out", "--store-events")
        equal((report["readings"], report["stored"], report["duplicate"]), (400, 200, 200), "readings, stored, duplicate")
        equal(len(stored_events(data / "out")), 100, "rows of events")


@check("replay: a long file given twice is stored once")
def long_twice():
    with folder() as data:
        for name in ("a.json", "b.json"):
            (data / name).write_bytes(simulated("machine", 6000))
        report = replay(data / "a.json", data / "b.json", "--data-dir", data / "out", "--store-events")
        events = stored_events(data / "out")
        equal(len(events), 6000, "rows of events")
        equal(len(set(events)), 6000, "different rows of events")
        equal(report["stored"], 18000, "readings counted as stored")


def results(data):
    """Everything that a replay found, by the ids that are made of content."""
    windows = """SELECT s.name, r.metric, w.start, w.size, w.slide, w.count, w.mean, w.minimum, w.maximum, w.standard_deviation, w.score
        FROM windows w JOIN series r ON r.id = w.series_id JOIN sensors s ON s.id = r.sensor_id"""
    return {
        "anomalies": sorted(rows(data, "SELECT id, kind, detector, time, score, sentence FROM anomalies")),
        "alarms": sorted(rows(data, "SELECT id, kind, state, raised, verdicts FROM alarms")),
        "windows": sorted(rows(data, windows)),
    }


def same_results(got, wanted):
    for name, listed in wanted.items():
        have, want = got[name], listed
        ids, wanted_ids = {row[:5] if name == "windows" else row[0] for row in have}, {row[:5] if name == "windows" else row[0] for row in want}
        equal(len(have), len(ids), f"{name}: rows and different ids")
        expect(ids == wanted_ids, f"{name}: {len(wanted_ids)} rows, then {len(ids)}: {len(ids - wanted_ids)} new, {len(wanted_ids - ids)} gone")
        changed = [(a, b) for a, b in zip(want, have) if a != b]
        expect(not changed, f"{name}: {len(changed)} rows have other values: {shortened(changed[:1])}")


@check("replay: the same recording into the same folder changes nothing")
def twice_into_one_folder():
    with folder() as data:
        recording = data / "machine.json"
        recording.write_bytes(simulated("machine", 9000, "--anomaly-rate", "0.1"))
        first = replay(recording, "--data-dir", data / "out", "--store-events")
        before, events = results(data / "out"), sorted(stored_events(data / "out"))
        expect(before["anomalies"] and before["alarms"] and before["windows"], f"nothing was found: {first}")
        equal(sum(first["anomalies"].values()), len(before["anomalies"]), "anomalies reported and stored")
        equal(first["windows"], len(before["windows"]), "windows reported and stored")
        again = replay(recording, "--data-dir", data / "out", "--store-events")
        equal(sorted(stored_events(data / "out")), events, "events")
        same_results(results(data / "out"), before)
        equal(again["anomalies"], first["anomalies"], "anomalies reported")


@check("replay: the number of shards does not change the result")
def shards():
    with folder() as data:
        recording = data / "fleet.json"
        recording.write_bytes(simulated("fleet", 40000, "--sensors", "200", "--anomaly-rate", "0.05"))
        found = []
        for shards in (1, 3):
            replay(recording, "--data-dir", data / f"out{shards}", "--set", f"engine.shards={shards}")
            found.append(results(data / f"out{shards}"))
        expect(found[0]["anomalies"], "nothing was found")
        same_results(found[1], found[0])


@check("replay: windows as configured")
def configured_windows():
    options = [word for n, (size, slide) in enumerate((("20s", "20s"), ("2m", "30s"), ("10m", "5m")))
               for word in ("--set", f"windows.{n}.size={size}", "--set", f"windows.{n}.slide={slide}")]
    with folder() as data:
        replay("-", "--data-dir", data, *options, stdin=wide().encode())
        sizes = sorted(rows(data, "SELECT DISTINCT size / 1000000000, slide / 1000000000 FROM windows"))
        equal(sizes, [(20, 20), (120, 30), (600, 300)], "sizes and slides stored")
        total = rows(data, "SELECT sum(count) FROM windows WHERE size = 20000000000")[0][0]
        equal(total, 2 * EVENTS, "readings in the windows that do not overlap")


# MARK: Quality

@check("replay: --labels measures the detection of simulated faults")
def label_evaluation():
    report = replay("-", "--labels", "anomaly_injected", stdin=simulated("machine", 60000, "--labels", "--seed", "3"))
    labels = report["labels"]
    expect(labels["episodes"] > 20, f"too few episodes: {labels}")
    expect(labels["recall"] >= 0.5, f"recall: {labels}")
    expect(labels["precision"] >= 0.5, f"precision: {labels}")
    expect(labels["f1"] >= 0.5 and labels["median_delay_seconds"] is not None, f"{labels}")
    clean = replay("-", stdin=simulated("machine", 60000, "--kinds", "none"))
    equal(clean["series"], 9, "series")
    false = sum(clean["anomalies"].values())
    expect(false <= 60, f"{false} anomalies in 180,000 clean readings: {clean['anomalies']}")


@check("replay: labels never reach a detector")
def labels_are_hidden():
    plain, labelled = (replay("-", stdin=simulated("machine", 9000, *options)) for options in ((), ("--labels",)))
    for name in ("readings", "series", "windows", "anomalies", "alarms"):
        equal(labelled[name], plain[name], name)


# MARK: Real recordings

@check("replay: the smoke data set")
def smoke_recording():
    path = require_shared("smoke/smoke_shared.csv")
    with open(path, newline="") as file:
        count = sum(1 for _ in csv.reader(file)) - 1
    report = replay(path, "--labels", "Fire Alarm")
    equal((report["events"], report["series"]), (count, 12), "events, series")
    expect(report["stored"] + report["late"] >= 0.99 * report["readings"], f"much is refused: {report['dead_letters']}")
    expect(report["labels"]["episodes"] >= 1, f"labels: {report['labels']}")
    expect(0 < sum(report["anomalies"].values()) < 0.05 * report["readings"], f"anomalies: {report['anomalies']}")


@check("replay: the environment telemetry")
def telemetry():
    path = require_shared("env_telemetry/env_telemetry.csv.gz")
    with gzip.open(path, "rt", newline="") as file:
        count = sum(1 for _ in file) - 1
    report = replay(path, "--quiet", timeout=200)
    equal((report["events"], report["sensors"]), (count, 3), "events, sensors")
    expect(report["stored"] >= 0.98 * report["readings"], f"stored {report['stored']} of {report['readings']}, late {report['late']}, duplicate {report['duplicate']}, {report['dead_letters']}")
    expect(0 < sum(report["anomalies"].values()) < 0.02 * report["readings"], f"anomalies: {report['anomalies']}")


def nanoseconds(text):
    return int(datetime.fromisoformat(text).replace(tzinfo=timezone.utc).timestamp()) * 10**9


@check("replay: the machine temperature's failure is found inside its labelled windows")
def machine_temperature():
    path = require_shared("nab/data/realKnownCause/machine_temperature_system_failure.csv")
    with open(require_shared("nab/labels/combined_windows.json")) as file:
        windows = json.load(file)["realKnownCause/machine_temperature_system_failure.csv"]
    with folder() as data:
        report = replay(path, "--data-dir", data)
        equal((report["events"], report["series"]), (sum(1 for _ in open(path)) - 1, 1), "events, series")
        times = [time for time, in rows(data, "SELECT time FROM anomalies")]
        hits = {}
        for start, end in windows:
            hits[start[:10]] = sum(nanoseconds(start) <= time <= nanoseconds(end) for time in times)
        outside = len(times) - sum(hits.values())
        print(f"machine temperature: anomalies by labelled window {hits}, outside {outside}")
        expect(hits["2013-12-15"] or hits["2014-02-07"], f"no anomaly in the failures' windows: {hits}")
        expect(hits["2013-12-15"] and hits["2014-02-07"], f"one of the two failures is missed: {hits}")
        expect(outside <= 40, f"{outside} anomalies outside the labelled windows")


main()

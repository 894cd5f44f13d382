"""Bad input: never a crash; a clear message or a counted dead letter; every good reading around it is kept.

Each case puts garbage between good events of the sensor "good" and looks for exactly those events in the database.
"""

import gzip
import json
import random
import shutil
import sqlite3
import sys

sys.dont_write_bytecode = True
from support.harness import (
    DATABASE, Server, Skip, check, equal, expect, folder, is_root, iso, line, main, rows, shortened,
    stored_events, tocsin)

START = 1_759_276_800  # 2025-10-01T00:00:00Z
GOOD = 50
RANDOM = random.Random(99)


def good(first, count=GOOD):
    return "".join(line("good", START + number, temperature=20 + number % 7) for number in range(first, first + count)).encode()


def replayed(path, data, *options, timeout=120):
    """The report of a replay that kept its events; what was read must be accounted for."""
    report = tocsin("replay", path, "--json", "--store-events", "--data-dir", data, *options, timeout=timeout).ended(0).json
    fates = sum(report[fate] for fate in ("stored", "late", "duplicate", "dead_lettered"))
    equal(fates, report["readings"], f"stored + late + duplicate + dead-lettered of {shortened(json.dumps(report))}")
    return report


def good_events_are_stored(data, count):
    times = [time for sensor, time, _ in stored_events(data) if sensor == "good"]
    equal(sorted(times), [(START + number) * 1000 for number in range(count)], "times of the good events")


def letters(data):
    return rows(data, "SELECT reason, detail, payload FROM dead_letters ORDER BY id")


def around(name, garbage, reasons=None, at_least=1, file="input.json", timeout=120, memory=None):
    """Registers a check: good events before and after `garbage()` are stored, the garbage is in the dead letters."""
    @check(f"garbage: {name}")
    def run():
        with folder() as data:
            path = data / file
            with open(path, "wb") as target:
                target.write(good(0))
                target.write(garbage())
                target.write(b"\n" + good(GOOD))
            report = replayed(path, data / "out", timeout=timeout)
            good_events_are_stored(data / "out", 2 * GOOD)
            expect(report["dead_lettered"] >= at_least, f"dead letters: {report['dead_lettered']}, at least {at_least} expected")
            if reasons is not None:
                equal(set(report["dead_letters"]), set(reasons), "reasons of the dead letters")
            if memory:
                expect(report["peak_resident_bytes"] < memory, f"peak memory {report['peak_resident_bytes'] >> 20} MiB")
            for reason, detail, _ in letters(data / "out"):
                expect(detail.strip() and detail.isprintable(), f"{reason}: unclear detail {detail!r}")


def messages(*lines):
    return lambda: "".join(text + "\n" for text in lines).encode()


def event(**fields):
    return json.dumps({"sensor_id": "bad", "timestamp": iso(START), "temperature": 20} | fields)


# MARK: Text that is no message

around("random bytes", lambda: RANDOM.randbytes(200_000), timeout=60)
around("random printable text", lambda: bytes(RANDOM.choice(b" {}[]\",:0123456789eE.-\\abctrufalsn\t") for _ in range(100_000)))
around("truncated JSON", lambda: event()[:-9].encode(), ["malformed"])
around("JSON lines cut at every byte", lambda: b"\n".join(event(event_id="x")[:cut].encode() for cut in range(1, 80)), at_least=70)
around("a line of 100 MB", lambda: b'{"sensor_id":"bad","timestamp":1,"note":"' + b"a" * 100_000_000 + b'"}', ["too_long"], memory=600 << 20)
around("100 MB without any structure", lambda: b"x" * 100_000_000, ["too_long"], memory=600 << 20)
around("invalid UTF-8", lambda: b'{"sensor_id":"b\xff\xfed","timestamp":1759276800,"temperature":1}\n\xc3\x28\n', ["malformed"], at_least=2)
around("NUL bytes", lambda: b"\x00" * 5000 + b'\n{"sensor_id":"b\x00d","timestamp":1759276800,"temperature":1}', ["malformed"], at_least=2)
around("deep nesting", lambda: b'{"sensor_id":"bad","timestamp":1759276800,"x":' + b'{"y":' * 100_000 + b"1" + b"}" * 100_001)
around("deep arrays", lambda: b"[" * 200_000 + b"]" * 200_000, at_least=0)
around("unclosed brackets", lambda: b'{"a":[' * 10_000)
around("other JSON values", messages("null", "true", "17", '"text"', "{}"), at_least=1)
around("HTML", lambda: b"<!DOCTYPE html>\n<html><body>502 Bad Gateway</body></html>", ["malformed"])

# MARK: Messages with wrong parts

around("wrong types", messages(
    event(temperature="hot"), event(temperature={"v": 1}), event(temperature=[1]), event(sensor_id={"a": 1}),
    event(timestamp=True), event(timestamp=[]), event(sensor_id=None)), at_least=5)
around("missing parts", messages(
    '{"sensor_id":"bad","temperature":20}', event(timestamp=""), '{"sensor_id":"bad","timestamp":1759276800}',
    '{"sensor_id":"bad","timestamp":1759276800,"metric":"temperature"}'), ["missing_field"], at_least=3)
around("absurd times", messages(*(event(timestamp=time) for time in (
    "yesterday", "2025-13-45T99:99:99Z", "9999-12-31T23:59:59Z", "0000-00-00T00:00:00Z", 1e300, -1e300, 2**63, 2**64, -1,
    "2262-04-12T00:00:00Z", "2100-01-01T00:00:00Z", "1e400", "2025-02-30T00:00:00Z"))), ["bad_time", "future"], at_least=10)
around("a million years in both directions", messages(
    '{"sensor_id":"bad","timestamp":31556952000000000,"temperature":1}', '{"sensor_id":"bad","timestamp":-31556952000000000,"temperature":1}'),
    at_least=2)
around("1e999 and other numbers that are none", messages(*(
    '{"sensor_id":"bad","timestamp":%d,"temperature":%s}' % (START + n, text) for n, text in enumerate(
        ("1e999", "-1e999", "NaN", "Infinity", "-Infinity", "1" + "0" * 400, "0x10", "01", "1.", ".5", "+1", "--1")))), at_least=12)
around("values outside the valid range", messages(event(temperature=1e9), event(humidity=-1, temperature=-51)),
       ["out_of_range"], at_least=3)
around("huge integers", messages(
    event(pressure=2**64), event(pressure=10**300, timestamp=START + 1), event(timestamp=10**25)), at_least=1)
around("duplicate keys", messages(
    '{"sensor_id":"bad","sensor_id":"bad2","timestamp":1759276800,"timestamp":1759276801,"temperature":1,"temperature":2}'), at_least=0)
around("names of every length", lambda: "".join(
    json.dumps({"sensor_id": "s" * length, "timestamp": START, "m" * length: 1}) + "\n" for length in (0, 1, 255, 256, 257, 10_000)).encode())


@check("garbage: absurd but possible times do not hold anything up")
def old_times():
    with folder() as data:
        path = data / "input.json"
        times = [0, 1, 86_400, 10**9, START - 3600, 0, START - 1800]
        path.write_text("".join(line("old", time, temperature=20) for time in times) + good(0).decode())
        report = replayed(path, data / "out", timeout=30)
        equal(report["dead_lettered"], 0, "dead letters")
        good_events_are_stored(data / "out", GOOD)


# MARK: CSV

@check("garbage: CSV rows")
def table():
    with folder() as data:
        rows_ = [f"good,{iso(START + number)},{20 + number % 7}" for number in range(2 * GOOD)]
        bad = ["bad", "bad,,", ",,,,,,,,", f"bad,{iso(START)},hot", f"bad,{iso(START)},1e999", "bad,never,20", '"open quote,1,2', "\x00\x00", "a,b,c,d,e"]
        text = ["sensor_id,timestamp,temperature"] + rows_[:GOOD] + bad + rows_[GOOD:]
        path = data / "input.csv"
        path.write_text("\n".join(text) + "\n")
        report = replayed(path, data / "out")
        good_events_are_stored(data / "out", 2 * GOOD)
        expect(report["dead_lettered"] >= 6, f"dead letters: {report['dead_letters']}")
        path.write_bytes(b"sensor_id,timestamp,temperature\n" + "\n".join(rows_[:GOOD]).encode() + b"\nbad," + b"9" * 50_000_000 + b"\n" + "\n".join(rows_[GOOD:]).encode())
        report = replayed(path, data / "out2")
        good_events_are_stored(data / "out2", 2 * GOOD)
        expect("too_long" in report["dead_letters"], f"{report['dead_letters']}")


@check("garbage: a dead letter holds the bytes as they came")
def letter_bytes():
    with folder() as data:
        path = data / "input.json"
        bad = [event(temperature="hot"), event()[:-5], event(timestamp="never"), event(temperature=500)]
        path.write_text(good(0).decode() + "\n".join(bad) + "\n" + good(GOOD).decode())
        replayed(path, data / "out")
        kept = letters(data / "out")
        equal([reason for reason, _, _ in kept], ["not_a_number", "malformed", "bad_time", "out_of_range"], "reasons")
        equal([payload.decode().strip() for _, _, payload in kept], bad, "payloads")


@check("garbage: a message with 30,000 bad fields is one dead letter")
def many_bad_fields():
    with folder() as data:
        path = data / "input.json"
        fields = ",".join(f'"field_{number}":%s' for number in range(30_000))
        text = '{"sensor_id":"wide","timestamp":%d,' + fields + "}\n"
        numbers, words = (text % (START + at, *([value] * 30_000)) for at, value in enumerate(("1", '"no number"')))
        path.write_text(numbers + words + good(0).decode())
        report = replayed(path, data / "out")
        good_events_are_stored(data / "out", GOOD)
        expect(report["peak_resident_bytes"] < 1 << 30, f"peak memory {report['peak_resident_bytes'] >> 20} MiB")
        kept = rows(data / "out", "SELECT reason, readings, payload, detail FROM dead_letters ORDER BY reason")
        # There are more names than the table of metrics takes.
        equal([(reason, payload.decode()) for reason, _, payload, _ in kept],
              [("cardinality", numbers.strip()), ("not_a_number", words.strip())], "letters")
        equal(sum(readings for _, readings, _, _ in kept), report["dead_lettered"], "readings of the letters")
        equal(kept[1][1], 30_000, "readings of the second message")
        expect("and 29,997 more" in kept[1][3], f"the detail: {shortened(kept[1][3])}")


# MARK: Files

@check("garbage: an empty file")
def empty_file():
    with folder() as data:
        for name, content in (("empty.json", b""), ("blank.json", b"\n \n\t\n"), ("empty.csv", b""), ("header.csv", b"sensor_id,timestamp,temperature\n")):
            (data / name).write_bytes(content)
            finished = tocsin("replay", data / name, "--json")
            expect(finished.code == 0 and finished.json["readings"] == 0 or finished.code == 1 and name in finished.err,
                   f"{name}: {finished.code} {shortened(finished.text)}")
        (data / "full.json").write_bytes(good(0))
        report = replayed(data, data / "out")
        equal(report["stored"], GOOD, "readings of the full file between empty ones")


@check("garbage: paths that are not there or are no input")
def paths():
    with folder() as data:
        tocsin("replay", data / "none.json").failed_clearly("none.json")
        (data / "folder.json").mkdir()
        tocsin("replay", data / "folder.json").failed_clearly("folder.json")
        (data / "good.json").write_bytes(good(0))
        tocsin("replay", data / "good.json", data / "none.json").failed_clearly("none.json")
        tocsin("replay", data / "good.json", "--data-dir", data / "good.json").failed_clearly("good.json")
        tocsin("replay", data / "good.json", "--data-dir", "/proc/tocsin").failed_clearly("/proc/tocsin")
        tocsin("replay", data / "good.json", "--data-dir", "/dev/null/x").failed_clearly("/dev/null")


@check("garbage: a source whose file has become a folder")
def folder_for_file():
    with folder() as data:
        (data / "source.json").mkdir()
        finished = tocsin("run", "--port", 0, "--data-dir", data / "out", "--set", "sources.0.kind=file",
                          "--set", f"sources.0.path={data}/source.json", timeout=30)
        finished.failed_clearly("source.json")


@check("garbage: a folder without rights")
def rights():
    if not is_root():
        user = None
    else:
        user = 65534
        with folder() as place:
            place.chmod(0o755)
            try:
                tocsin("--version", user=user, cwd="/")
            except OSError as error:
                raise Skip(f"the program cannot be run as another user: {error}")
    with folder() as data:
        data.chmod(0o755)
        (data / "locked").mkdir(mode=0o000)
        (data / "secret.json").write_bytes(good(0))
        (data / "secret.json").chmod(0o000)
        (data / "plain.json").write_bytes(good(0))
        (data / "plain.json").chmod(0o644)
        tocsin("replay", data / "locked", user=user).failed_clearly("locked", "denied")
        tocsin("replay", data / "secret.json", user=user).failed_clearly("secret.json", "denied")
        tocsin("replay", data / "plain.json", "--data-dir", data / "locked" / "x", user=user).failed_clearly("locked", "denied")
        finished = tocsin("run", "--port", 0, "--data-dir", data / "locked", user=user, timeout=30)
        finished.failed_clearly("locked")


@check("garbage: damaged gzip files")
def damaged_gzip():
    with folder() as data:
        packed = gzip.compress(good(0, 20_000))
        flipped = bytearray(packed)
        for position in range(len(packed) // 2, len(packed) // 2 + 200):
            flipped[position] ^= 0x5A
        for name, content in (("cut.json.gz", packed[: len(packed) // 2]), ("flipped.json.gz", bytes(flipped)), ("head.json.gz", packed[:5] + b"\xff" * 40)):
            (data / name).write_bytes(content)
            finished = tocsin("replay", data / name, "--json", "--store-events", "--data-dir", data / f"out-{name}")
            finished.failed_clearly(name)
            if name == "cut.json.gz":
                stored = len([1 for sensor, _, _ in stored_events(data / f"out-{name}") if sensor == "good"])
                expect(stored > 5000, f"{name}: only {stored} events before the damage were stored")
        (data / "trailing.json.gz").write_bytes(gzip.compress(good(0)) + b"garbage behind it")
        finished = tocsin("replay", data / "trailing.json.gz", "--json", "--store-events", "--data-dir", data / "out")
        good_events_are_stored(data / "out", GOOD)


# MARK: Databases and models

@check("garbage: a corrupted database file")
def corrupted_database():
    with folder() as data:
        (data / "input.json").write_bytes(good(0, 3000))
        replayed(data / "input.json", data / "whole")
        size = (data / "whole" / DATABASE).stat().st_size

        def damaged(name, change):
            copy = data / name
            shutil.copytree(data / "whole", copy)
            for rest in ("-wal", "-shm"):
                (copy / (DATABASE + rest)).unlink(missing_ok=True)
            with open(copy / DATABASE, "r+b") as file:
                change(file)
            return copy

        noise = damaged("noise", lambda file: file.write(RANDOM.randbytes(size)))
        short = damaged("short", lambda file: file.truncate(size // 2))
        tiny = damaged("tiny", lambda file: file.truncate(100))
        text = damaged("text", lambda file: (file.truncate(0), file.write(b"this is no database\n" * 100)))
        for copy in (noise, short, tiny, text):
            finished = tocsin("run", "--port", 0, "--data-dir", copy, timeout=30)
            finished.failed_clearly(DATABASE)
            finished = tocsin("dead-letters", "list", "--data-dir", copy)
            finished.failed_clearly(DATABASE)
            finished = tocsin("check", "--data-dir", copy, "--set", "server.port=0")
            expect(finished.code == 1 and "FAIL" in finished.out, f"check on {copy.name}: {finished.code} {shortened(finished.text)}")

        def scribble(file):
            for page in range(2, size // 8192):
                file.seek(page * 8192)
                file.write(RANDOM.randbytes(512))
        pages = damaged("pages", scribble)
        finished = tocsin("replay", data / "input.json", "--store-events", "--data-dir", pages, timeout=30)
        expect(finished.code in (0, 1), f"{finished.code}: {shortened(finished.text)}")
        if finished.code == 1:
            finished.failed_clearly(DATABASE)


@check("garbage: a corrupted model")
def corrupted_model():
    with folder() as data:
        (data / "input.json").write_bytes(tocsin("simulate", "--profile", "machine", "--max-events", 6000).out.encode())
        tocsin("train", data / "input.json", "--data-dir", data / "out").ended(0)
        for content in (b"", b"\x00", RANDOM.randbytes(5000), None):
            database = sqlite3.connect(data / "out" / DATABASE)
            saved = database.execute("SELECT count(*) FROM model_registry").fetchone()[0]
            expect(saved > 0, "no model was saved")
            if content is None:
                database.execute("UPDATE model_registry SET data = substr(data, 1, length(data) / 2)")
            else:
                database.execute("UPDATE model_registry SET data = ?", (content,))
            database.commit()
            database.close()
            finished = tocsin("replay", "--use-models", data / "input.json", "--data-dir", data / "out")
            expect(finished.code == 0 or finished.code == 1 and "model" in finished.err, f"{finished.code}: {shortened(finished.text)}")
        with Server(data / "out") as server:
            server.get("/health")


main()

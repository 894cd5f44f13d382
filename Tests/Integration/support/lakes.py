"""What the tests of the lake share: events whose sums are known, a lake's rows by `tocsin query`, its files by name."""

import hashlib
import json
import time

from support import s3
from support.figures import SAMPLE
from support.harness import equal, expect, folder, line, shortened, soon, tocsin

HOUR = 3600
# Noon, so that hours and days of the data are known.
START = int(time.time()) // 86400 * 86400 - 3 * 86400 + 12 * HOUR
# Silver and gold only when a check asks for them.
LAKE = ["--set", "lake.enabled=true", "--set", "lake.rollAge=1s", "--set", "lake.etlInterval=never"]


def readings(number):
    """Multiples of a half: their sums are exact in any order. Now and then there is a spike."""
    return {"temperature": 90.0 if number % 701 == 700 else 20 + number % 5 / 2, "pressure": 100 + number % 3 / 2}


def event(number, step=60, name="e"):
    """One of five sensors; `step` seconds of event time from one event to the next."""
    return line(f"pump-{number % 5}", START + number * step, event_id=f"{name}{number}", **readings(number))


def body(numbers, step=60, name="e"):
    return "".join(event(number, step, name) for number in numbers)


def total(numbers):
    return sum(sum(readings(number).values()) for number in numbers)


def post(server, numbers, step=60, name="e", size=500):
    """Posts events in their order; every one must be taken."""
    numbers = list(numbers)
    for first in range(0, len(numbers), size):
        some = numbers[first : first + size]
        answer = server.post(body(some, step, name))
        equal(answer.status, 202, f"status ({answer})")
        equal(answer.json["accepted"] + answer.json["late"], 2 * len(some), f"readings taken ({answer})")


def metric(server, name, labels=""):
    for text in server.get("/metrics").text.splitlines():
        if (match := SAMPLE.match(text)) and match[1] == name and labels in (match[2] or ""):
            return float(match[3])
    raise AssertionError(f"/metrics has no {name}")


def bronze_written(server, events, timeout=30):
    soon(lambda: metric(server, "tocsin_lake_events_written_total") >= events, timeout, f"{events} messages in bronze", 0.2)


def query(location, sql, environment=None, code=0):
    """Rows of the lake alone, seen from a data folder without a store; `code` None: whether or not files were left out."""
    with folder() as nowhere:
        finished = tocsin(
            "query", "--data-dir", nowhere, "--set", f"lake.location={location}", "--format", "jsonl", sql,
            environment=environment)
        expect(finished.code in ((0, 1) if code is None else (code,)), f"{finished}: {finished.code} {shortened(finished.err)}")
        return [json.loads(text) for text in finished.out.splitlines()]


def count_and_sum(location, environment=None, code=0):
    """Of silver: rows, and the sum of their values."""
    row = query(location, "SELECT count(*) AS n, sum(value) AS total FROM readings", environment, code)[0]
    return row["n"], row["total"]


def fingerprints(lake, *layers):
    """Contents of all Parquet files by their names."""
    return {str(path.relative_to(lake)): hashlib.sha256(path.read_bytes()).hexdigest()
            for layer in layers or ("bronze", "silver", "gold") for path in sorted((lake / layer).rglob("*.parquet"))}


def difference(one, other):
    return shortened([name for name in sorted({*one, *other}) if one.get(name) != other.get(name)][:4])


def bronze_ids(lake, environment=None):
    """Event ids of all messages in bronze, repetitions included."""
    found = query(lake, "SELECT json_extract_string(decode(payload), '$.event_id') AS id FROM bronze_events", environment)
    return [row["id"] for row in found]


def each_once(lake, numbers, environment=None, name="e"):
    """Fails unless bronze holds each event once."""
    found = sorted(int(id[len(name):]) for id in bronze_ids(lake, environment) if id.startswith(name))
    numbers = sorted(numbers)
    missing, twice = sorted(set(numbers) - set(found)), len(found) - len(set(found))
    expect(not missing and not twice, f"{len(missing)} of {len(numbers)} events are missing in bronze ({shortened(missing[:5])}), {twice} are there twice")
    equal(found, numbers, "events in bronze")


# MARK: S3

BUCKET = f"s3://{s3.BUCKET}/lake"
AT_S3 = [*LAKE, "--set", f"lake.location={BUCKET}"]


def bronze_objects(service):
    return [name for name in service.objects() if name.startswith("lake/bronze/")]


def arrived(server, service, files=1):
    soon(lambda: metric(server, "tocsin_lake_waiting_files") == 0 and metric(server, "tocsin_lake_lag_records") == 0
         and len(bronze_objects(service)) >= files, 40, "all files are in the bucket", 0.2)


def in_bucket(environment, numbers):
    """Fails unless bronze in the bucket holds each event once."""
    each_once(BUCKET, numbers, environment)

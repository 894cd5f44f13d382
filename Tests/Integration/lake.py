"""The lake as others see it: nothing lost by kill -9, the same files whenever it is made again, readable by pyarrow,
pandas, DuckDB and Spark, damaged files left out and named, and S3 with its faults."""

import atexit
import json
import os
import pathlib
import random
import re
import shutil
import subprocess
import sys
import threading
import time

sys.dont_write_bytecode = True
from support import s3
from support.harness import (
    BINARY, ENVIRONMENT, Server, Skip, check, equal, expect, folder, iso, line, main, rows, shortened, soon,
    stored_events, tocsin)
from support.lakes import (
    AT_S3, BUCKET, HOUR, LAKE, START, arrived, body, bronze_ids, bronze_objects, bronze_written, count_and_sum,
    difference, fingerprints, in_bucket, metric, post, query, readings, total)

KILLS = 8
RANDOM = random.Random(5)


# MARK: kill -9

class Sender(threading.Thread):
    """Posts small batches, spread over half a day of event time, until the server goes away."""

    def __init__(self, server, name, first):
        super().__init__(daemon=True)
        self.server, self.name_of_events, self.next, self.acknowledged = server, name, first, []
        self.start()

    def run(self):
        while True:
            numbers = range(self.next, self.next + 10)
            self.next += 10
            try:
                answer = self.server.post("".join(self.event(number) for number in numbers), timeout=20)
            except Exception:
                return
            if answer.status != 202:
                return
            self.acknowledged += [f"{self.name_of_events}{number}" for number in numbers]

    def event(self, number):
        """Each batch touches five hours of twelve: a roll has many files."""
        at = START + number % 24 * 1800 + number // 24 % 1800
        return line(f"pump-{self.name_of_events}", at, event_id=f"{self.name_of_events}{number}", **readings(number))


@check(f"lake: {KILLS} times kill -9 under load: every acknowledged message is in bronze, none twice")
def killed_under_load():
    with folder() as data:
        acknowledged, following = set(), [0] * 3
        for _ in range(KILLS):
            server = Server(data, *LAKE)
            senders = [Sender(server, f"k{place}-", first) for place, first in enumerate(following)]
            soon(lambda: any(sender.acknowledged for sender in senders), 20, "a first acknowledgement")
            time.sleep(RANDOM.uniform(0.4, 2.4))
            server.kill()
            for sender in senders:
                sender.join(20)
            following = [sender.next for sender in senders]
            acknowledged.update(name for sender in senders for name in sender.acknowledged)
        expect(len(acknowledged) > 1000, f"only {len(acknowledged)} messages were acknowledged")
        with Server(data, *LAKE) as server:
            deadline = time.monotonic() + 30
            while (missing := acknowledged - set(found := bronze_ids(data / "lake"))) and time.monotonic() < deadline:
                time.sleep(0.5)
            expect(not missing, f"{len(missing)} of {len(acknowledged)} are missing, e.g. "
                   f"{shortened(sorted(missing)[:3])}; records behind: {metric(server, 'tocsin_lake_lag_records')}")
            twice = len(found) - len(set(found))
            equal(twice, 0, f"messages that are in bronze twice, of {len(found)}")


# MARK: Other readers

READER = r'''
import glob, json, math, os, sys

lake, reader = sys.argv[1], sys.argv[2]
# What is summed: a column, or the values of bronze's map.
TABLES = {"bronze/events": None, "silver/readings": "value", "gold/hourly": "sum", "gold/daily": "sum", "gold/windows": "sum",
          "gold/features": "mean", "gold/anomalies": "score", "gold/alarms": "verdicts"}
tables = {name: column for name, column in TABLES.items() if os.path.isdir(f"{lake}/{name}")}

def pyarrow(folder, column):
    import pyarrow.compute as compute
    import pyarrow.dataset
    table = pyarrow.dataset.dataset(folder, partitioning="hive").to_table()
    days = len(set(table["date"].to_pylist()))
    if column is None:
        total = sum(compute.sum(chunk.items).as_py() or 0 for chunk in table["readings"].chunks)
    else:
        total = compute.sum(table[column]).as_py()
    return table.num_rows, total, days

def pandas(folder, column):
    import pandas
    frame = pandas.read_parquet(folder)
    if column is None:
        total = sum(value for row in frame["readings"] for _, value in (row.items() if isinstance(row, dict) else row))
    else:
        total = frame[column].sum()
    return len(frame), float(total), frame["date"].nunique()

def duckdb(folder, column):
    import duckdb
    total = "list_sum(map_values(readings))" if column is None else f'"{column}"'
    return duckdb.sql(f"SELECT count(*), sum({total}), count(DISTINCT date) "
                      f"FROM read_parquet('{folder}/**/*.parquet', hive_partitioning = true)").fetchone()

def spark(folder, column):
    global session
    if "session" not in globals():
        from pyspark.sql import SparkSession
        session = (SparkSession.builder.master("local[1]").config("spark.ui.enabled", "false")
                   .config("spark.sql.shuffle.partitions", "1").config("spark.sql.sources.parallelPartitionDiscovery.threshold", "1000")
                   .config("spark.sql.session.timeZone", "UTC").getOrCreate())
        session.sparkContext.setLogLevel("ERROR")
    total = "aggregate(map_values(readings), 0D, (a, b) -> a + b)" if column is None else f"`{column}`"
    row = session.read.parquet(folder).selectExpr("count(*) n", f"sum({total}) total", "count(distinct date) days").first()
    return row["n"], row["total"], row["days"]

found = {}
for name, column in tables.items():
    count, sum_, days = globals()[reader](f"{lake}/{name}", column)
    found[name] = [count, sum_, days]
print(json.dumps(found))
'''


def python_with(module):
    """An interpreter that has the module."""
    beside = pathlib.Path(".build/venv/bin/python").absolute()
    for candidate in (sys.executable, str(beside), shutil.which("python3")):
        if candidate and os.access(candidate, os.X_OK):
            if subprocess.run([candidate, "-c", f"import {module}"], capture_output=True).returncode == 0:
                return candidate
    raise Skip(f"the Python module {module} is not installed")


def read_by(reader, lake):
    """Count, sum and number of days by table."""
    python = python_with({"spark": "pyspark"}.get(reader, reader))
    environment = ENVIRONMENT | {"SPARK_LOCAL_IP": "127.0.0.1", "PYSPARK_PYTHON": python, "PYARROW_IGNORE_TIMEZONE": "1"}
    if java_home := os.environ.get("JAVA_HOME"):
        environment["JAVA_HOME"] = java_home
    finished = subprocess.run([python, "-c", READER, str(lake), reader], env=environment, capture_output=True, timeout=120)
    equal(finished.returncode, 0, f"exit code of {reader} ({shortened(finished.stderr.decode()[-500:], 500)})")
    return json.loads(finished.stdout.splitlines()[-1])


class Made:
    """A lake with all three layers, made once and copied by the checks that need one. Its process has ended."""

    # From noon to the next morning, five sensors in turn.
    EVENTS, STEP = 4000, 20
    AN_HOUR = HOUR // STEP
    DAYS = 2
    data = None

    @classmethod
    def lake(cls):
        if not cls.data:
            kept = folder()
            data = kept.__enter__()
            atexit.register(kept.__exit__, None, None, None)
            # Two rolls: each half of the events gives files of its own, and one hour has two of them.
            with Server(data, *LAKE) as server:
                post(server, range(2010), cls.STEP)
                bronze_written(server, 2010)
                post(server, range(2010, cls.EVENTS), cls.STEP)
                bronze_written(server, cls.EVENTS)
            cls.bronze = fingerprints(data / "lake", "bronze")
            cls.first_etl = tocsin("etl", "--data-dir", data, "--json").ended(0).json
            cls.data = data
        return cls.data

    @classmethod
    def copy(cls, place, *, only_bronze=False):
        shutil.copytree(cls.lake(), place)
        if only_bronze:
            for layer in ("silver", "gold"):
                shutil.rmtree(place / "lake" / layer)
        return place


def agree(reader):
    lake = Made.lake() / "lake"
    found = read_by(reader, lake)
    events, sum_ = Made.EVENTS, total(range(Made.EVENTS))
    equal(found["bronze/events"], [events, sum_, Made.DAYS], f"bronze by {reader}: messages, sum, days")
    equal(found["silver/readings"], [2 * events, sum_, Made.DAYS], f"silver by {reader}: readings, sum, days")
    # Two metrics of five sensors in every hour, the last one included, which has begun.
    hours = 2 * 5 * -(-events // Made.AN_HOUR)
    equal(found["gold/hourly"], [hours, sum_, Made.DAYS], f"gold/hourly by {reader}: rows, sum, days")
    equal(found["gold/daily"], [2 * 5 * Made.DAYS, sum_, Made.DAYS], f"gold/daily by {reader}: rows, sum, days")
    for table in ("gold/windows", "gold/features", "gold/anomalies", "gold/alarms"):
        expect(found.get(table, [0])[0] > 0, f"{table} has no rows ({reader})")
    own = {}
    for table, view in (("gold/windows", "windows"), ("gold/anomalies", "anomalies"), ("gold/alarms", "alarms")):
        own[table] = query(lake, f"SELECT count(*) AS n FROM {view}")[0]["n"]
        equal(found[table][0], own[table], f"{table}: rows by {reader}, and by tocsin query")
    stored = rows(Made.lake(), "SELECT (SELECT count(*) FROM anomalies), (SELECT count(*) FROM alarms)")[0]
    equal((own["gold/anomalies"], own["gold/alarms"]), stored, "anomalies and alarms in the lake, and in the store")


for name in ("pyarrow", "pandas", "duckdb"):
    check(f"lake: {name} reads all three layers, with the counts and sums of what was posted")(lambda name=name: agree(name))


@check("lake: PySpark reads all three layers with partition discovery, with the counts and sums of what was posted")
def by_spark():
    if not shutil.which("java"):
        raise Skip("java is not installed")
    agree("spark")


# MARK: ETL

@check("lake: etl twice: the second run makes nothing, and every byte stays")
def twice():
    with folder() as place:
        data = Made.copy(place / "data")
        first = fingerprints(data / "lake")
        again = tocsin("etl", "--data-dir", data, "--json").ended(0).json
        equal(again["files_made"], 0, "files made by the second run")
        equal(difference(first, fingerprints(data / "lake")), "[]", "files that differ after the second run")
        equal(Made.first_etl["rows_in"], 2 * Made.EVENTS, "rows_in of the first run")
        equal(Made.first_etl["rows_out"], 2 * Made.EVENTS, "rows_out of the first run")
        for layer in ("silver", "gold"):
            shutil.rmtree(data / "lake" / layer)
        tocsin("etl", "--data-dir", data).ended(0)
        equal(difference(first, fingerprints(data / "lake")), "[]", "files that differ when all are made anew")


@check("lake: etl killed -9 half-way, four times, and run again: the files of an undisturbed run")
def etl_killed():
    with folder() as place:
        data = Made.copy(place / "data", only_bronze=True)
        wanted = fingerprints(Made.lake() / "lake")
        hits = 0
        for share in (0.1, 0.4, 0.7, 0.95):
            process = subprocess.Popen(
                [BINARY, "etl", "--data-dir", str(data)], env=ENVIRONMENT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            made = lambda: len(list((data / "lake").rglob("*.parquet")))
            enough = len(Made.bronze) + share * (len(wanted) - len(Made.bronze))
            try:
                soon(lambda: process.poll() is not None or made() >= enough, 60, "files are made", interval=0.002)
                hits += process.poll() is None
            finally:
                process.kill()
                process.wait()
        expect(hits >= 2, f"only {hits} of 4 runs could be killed before their end")
        tocsin("etl", "--data-dir", data).ended(0)
        equal(difference(wanted, fingerprints(data / "lake")), "[]", "files that differ from those of an undisturbed run")
        left = [str(path) for path in (data / "lake" / ".incoming").rglob("*") if path.is_file()]
        equal(left, [], "halves of files left behind")


# MARK: Damage

def file_of_hour(lake, table, hour):
    seconds = START + hour * HOUR
    found = sorted((lake / table / time.strftime("date=%Y-%m-%d/hour=%H", time.gmtime(seconds))).glob("*.parquet"))
    expect(found, f"{table} has no file of hour {hour}")
    return found[0]


def cut(path):
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def flip(path):
    """Damages values and leaves the footer whole."""
    content = bytearray(path.read_bytes())
    for place in range(40, len(content) // 2):
        content[place] ^= 0x5A
    path.write_bytes(content)


@check("lake: query names damaged files, leaves them out, and the rest is right")
def damaged_query():
    with folder() as place:
        lake = Made.copy(place / "data") / "lake"
        no_footer, no_values, nothing = (file_of_hour(lake, "silver/readings", hour) for hour in (3, 8, 20))
        cut(no_footer)
        flip(no_values)
        nothing.write_bytes(b"")
        left = [number for number in range(Made.EVENTS) if number // Made.AN_HOUR not in (3, 8, 20)]
        finished = tocsin("query", "--data-dir", place / "no", "--set", f"lake.location={lake}", "--format", "json",
                          "SELECT count(*) AS n, sum(value) AS total, min(source) AS source FROM readings")
        for path in (no_footer, no_values, nothing):
            expect(path.name in finished.err and path.parent.name in finished.err, f"{path} is not named: {shortened(finished.err)}")
        row = json.loads(finished.out)[0]
        equal((row["n"], row["total"]), (2 * len(left), total(left)), "rows and sum without the damaged files")
        equal(finished.code, 1, "exit code of a query that left files out")


@check("lake: etl names damaged files, leaves them out and ends with 1; the rest is right, and mended files come in")
def damaged_etl():
    with folder() as place:
        data = Made.copy(place / "data", only_bronze=True)
        lake = data / "lake"
        no_footer, no_values = (file_of_hour(lake, "bronze/events", hour) for hour in (3, 20))
        good = {path: path.read_bytes() for path in (no_footer, no_values)}
        cut(no_footer)
        flip(no_values)
        finished = tocsin("etl", "--data-dir", data).ended(1)
        for path in good:
            expect(str(path.relative_to(lake)) in finished.text, f"{path} is not named: {shortened(finished.text)}")
        left = [number for number in range(Made.EVENTS) if number // Made.AN_HOUR not in (3, 20)]
        equal(count_and_sum(lake, code=None), (2 * len(left), total(left)), "rows and sum of silver without the damaged files")
        hourly = query(lake, 'SELECT sum("count")::BIGINT AS n, sum("sum") AS total FROM hourly', code=None)[0]
        equal((hourly["n"], hourly["total"]), (2 * len(left), total(left)), "count and sum of gold without the damaged files")
        again = tocsin("etl", "--data-dir", data, "--json").ended(1).json
        equal((again["success"], len(again["problems"])), (False, 2), f"success and problems of the second run ({again})")
        for path, content in good.items():
            path.write_bytes(content)
        tocsin("etl", "--data-dir", data).ended(0)
        equal(difference(fingerprints(Made.lake() / "lake"), fingerprints(lake)), "[]", "files that differ after the files were mended")


# MARK: Two processes

@check("lake: a second process on one lake is refused with the owner's process id, and the first goes on")
def two_processes():
    with folder() as data:
        with Server(data / "one", *LAKE) as server:
            second = tocsin("run", "--port", 0, "--data-dir", data / "two", *LAKE, "--set", f"lake.location={data / 'one' / 'lake'}", timeout=30)
            second.failed_clearly(server.process.pid, data / "one" / "lake")
            post(server, range(10))
            bronze_written(server, 10)
        # What a process that was killed has left is no obstacle.
        server = Server(data / "one", *LAKE)
        server.kill()
        with Server(data / "two", *LAKE, "--set", f"lake.location={data / 'one' / 'lake'}") as server:
            post(server, range(10, 20))
            bronze_written(server, 10)
        equal(query(data / "one" / "lake", "SELECT count(*) AS n FROM bronze_events")[0]["n"], 20, "messages in bronze")


# MARK: Query

@check("lake: query writes tables, CSV, JSON, JSON lines and Parquet, all with the same rows")
def formats():
    data = Made.lake()
    sql = "SELECT sensor, time, value, unit FROM readings WHERE metric = 'temperature' ORDER BY time LIMIT 3"
    run = lambda *options: tocsin("query", "--data-dir", data, sql, *options).ended(0).out
    wanted = [{"sensor": f"pump-{n}", "time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(START + n * Made.STEP)), "value": 20 + n / 2, "unit": None} for n in range(3)]
    equal(json.loads(run("--format", "json")), wanted, "JSON")
    equal([json.loads(text) for text in run("--format", "jsonl").splitlines()], wanted, "JSON lines")
    lines = run("--format", "csv").splitlines()
    equal(lines[0], "sensor,time,value,unit", "CSV header")
    equal([(text.split(",")[0], float(text.split(",")[2]), text.split(",")[3]) for text in lines[1:]],
          [(row["sensor"], row["value"], "") for row in wanted], "CSV rows")
    table = run()
    expect(all(row["sensor"] in table and row["time"] in table for row in wanted) and "3 rows" in table, f"table: {shortened(table)}")
    with folder() as place:
        for end in ("csv", "json", "jsonl"):
            out = place / f"out.{end}"
            run("--out", out)
            equal(out.read_bytes().decode(), run("--format", end), f"--out {out.name}, and standard output")
        out = place / "out.parquet"
        run("--out", out)
        python = python_with("pyarrow")
        code = "import sys, json, pyarrow.parquet as p; print(json.dumps([[r['sensor'], r['value']] for r in p.read_table(sys.argv[1]).to_pylist()]))"
        read = subprocess.run([python, "-c", code, str(out)], capture_output=True, timeout=60)
        equal(json.loads(read.stdout or "null"), [[row["sensor"], row["value"]] for row in wanted], "Parquet by pyarrow")
        equal(sorted(path.name for path in place.iterdir()), ["out.csv", "out.json", "out.jsonl", "out.parquet"], "files")
        (place / "report.sql").write_text(sql)
        equal(tocsin("query", "--data-dir", data, "-f", place / "report.sql", "--format", "json").ended(0).json, wanted, "SQL of a file")
    piped = tocsin("query", "--data-dir", data, "-f", "-", "--format", "json", stdin=sql.encode()).ended(0).json
    equal(piped, wanted, "SQL of standard input")
    # 64: wrong arguments.
    expect("--out" in tocsin("query", "--data-dir", data, sql, "--format", "parquet").ended(64).err, "Parquet without a file has no remedy")


@check("lake: query reads only: what writes, changes settings or reads other files is refused, and nothing is changed")
def read_only():
    with folder() as place:
        data = Made.lake()
        secret = place / "secret.csv"
        secret.write_text("password\nhunter2\n")
        before, stored = fingerprints(data / "lake"), rows(data, "SELECT count(*) FROM sensor_events")
        refused = [
            "CREATE TABLE t (a INTEGER)", "INSERT INTO readings SELECT * FROM readings", "DELETE FROM readings",
            "DROP VIEW readings", f"COPY (SELECT 1) TO '{place}/x.csv'", f"ATTACH '{place}/x.db'", "INSTALL httpfs",
            "SET memory_limit = '9GB'", "SELECT 1; SELECT 2", "PRAGMA memory_limit='9GB'", "CALL pragma_version()",
            f"EXPLAIN ANALYZE COPY (SELECT 1) TO '{place}/x.csv'", f"/* SELECT */ COPY (SELECT 1) TO '{place}/x.csv'",
            "SELECT getenv('HOME')",
            f"SELECT * FROM read_csv('{secret}')", f"SELECT * FROM '{secret}'", f"FROM read_text('{data}/tocsin.sqlite')",
            f"FROM read_text('{data}/lake/../tocsin.sqlite')", f"WITH x AS (FROM read_text('{secret}')) FROM x",
        ]
        for sql in refused:
            finished = tocsin("query", "--data-dir", data, sql)
            expect(finished.code in (1, 64) and finished.err.strip(), f"not refused: {sql}: {finished.code} {shortened(finished.text)}")
            expect("hunter2" not in finished.text and "Fatal error" not in finished.text, f"{sql}: {shortened(finished.text)}")
        equal([path.name for path in place.iterdir()], ["secret.csv"], "files that were made")
        equal(difference(before, fingerprints(data / "lake")), "[]", "files of the lake that were changed")
        equal(rows(data, "SELECT count(*) FROM sensor_events"), stored, "events in the store")
        written = tocsin("query", "--data-dir", data, "--write", f"COPY (SELECT 7 AS a) TO '{place}/x.csv'").ended(0)
        equal((place / "x.csv").read_text(), "a\n7\n", f"what --write wrote ({written})")


@check("lake: wrong SQL is answered with DuckDB's own words, and a folder without anything with a remedy")
def wrong_sql():
    data = Made.lake()
    ask = lambda sql: tocsin("query", "--data-dir", data, sql)
    ask("SELECT valeu FROM readings").failed_clearly("valeu", "value")
    ask("SELECT * FROM reading").failed_clearly("reading", "does not exist")
    ask("SELECT sum(sensor) FROM readings").failed_clearly("sum")
    for sql in ("SELECT count(* FROM readings", "SELECT FROM WHERE", "SELEC 1", ""):
        finished = ask(sql)
        expect(finished.code in (1, 64) and finished.err.startswith("error:"), f"{sql!r}: {finished.code} {shortened(finished.text)}")
    expect("syntax" in ask("SELECT count(* FROM readings").err.lower(), "a syntax error is not called one")
    with folder() as nowhere:
        finished = tocsin("query", "--data-dir", nowhere / "none", "SELECT 1")
        expect(finished.code in (1, 64) and "lake.location" in finished.err, f"no remedy: {finished.code} {shortened(finished.err)}")
        expect(not (nowhere / "none").exists(), "a query made the data folder")


@check("lake: a time at which a sensor sent two messages is the same in the lake alone and beside the store")
def beside_the_store():
    with folder() as data:
        with Server(data, *LAKE) as server:
            post(server, range(100))
            # The same sensors at the same times, with ids of their own.
            for first in range(0, 100, 50):
                equal(server.post(body(range(first, first + 50), name="again")).status, 202, "status")
            bronze_written(server, 200)
        made = tocsin("etl", "--data-dir", data, "--json").ended(0).json
        alone = count_and_sum(data / "lake")
        row = tocsin("query", "--data-dir", data, "--format", "json", "SELECT count(*) AS n, sum(value) AS total FROM readings").ended(0).json[0]
        equal((row["n"], row["total"]), alone, f"readings and sum beside the store, and in the lake alone (etl: {made})")


# MARK: Export and import

def case(data):
    """What a case holds, without keys of rows."""
    return {
        "events": sorted(stored_events(data)),
        "anomalies": sorted(rows(data, "SELECT id FROM anomalies")),
        "alarms": sorted(rows(data, "SELECT id FROM alarms")),
        "windows": sorted(rows(data, """SELECT s.name, r.metric, w.start, w.size, w.slide, w.count, w.mean FROM windows w
            JOIN series r ON r.id = w.series_id JOIN sensors s ON s.id = r.sensor_id""")),
    }


@check("lake: export of a range has its rows; import has them too, and importing twice changes nothing")
def export_import():
    data = Made.lake()
    # Three hours around an anomaly.
    times = [found[0] // 10**9 for found in rows(data, "SELECT time FROM anomalies ORDER BY time")]
    expect(times, "there is no anomaly")
    start = min(max(times[len(times) // 2] // HOUR * HOUR - HOUR, START), START + 19 * HOUR)
    end = start + 3 * HOUR
    numbers = range((start - START) // Made.STEP, (end - START) // Made.STEP)
    stamp = lambda seconds: time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))
    with folder() as place:
        tocsin("export", place / "case", "--data-dir", data, "--from", stamp(start), "--to", stamp(end)).ended(0)
        exported = case(place / "case")
        wanted = [found for found in sorted(stored_events(data)) if start * 1000 <= found[1] < end * 1000]
        equal(len(wanted), 3 * Made.AN_HOUR, "events of three hours in the store")
        equal(exported["events"], wanted, "events of the case")
        anomalies = sorted(rows(data, "SELECT id FROM anomalies WHERE time >= ? AND time < ?", start * 10**9, end * 10**9))
        expect(anomalies, "there is no anomaly in the range")
        equal(exported["anomalies"], anomalies, "anomalies of the case")
        expect(exported["windows"], "there are no windows in the case")
        again = tocsin("query", "--data-dir", place / "case", "--format", "json", "SELECT count(*) AS n, sum(value) AS total FROM readings").ended(0).json[0]
        equal((again["n"], again["total"]), (2 * len(numbers), total(numbers)), "readings of the case by query")
        for time_ in ("first", "second"):
            tocsin("import", place / "case", "--data-dir", place / "laboratory").ended(0)
            for name, found in case(place / "laboratory").items():
                equal(found, exported[name], f"{name} after the {time_} import")
        nothing = tocsin("import", place / "none", "--data-dir", place / "laboratory").ended(64)
        expect(str(place / "none") in nothing.err, f"the folder is not named: {shortened(nothing.err)}")
        tocsin("export", place / "one", "--data-dir", data, "--from", stamp(start), "--to", stamp(end), "--sensor", "pump-2").ended(0)
        equal(case(place / "one")["events"], [found for found in wanted if found[0] == "pump-2"], "events of one sensor")


# MARK: S3

@check("lake: files arrive in S3; query and etl over s3:// count what was posted")
def in_s3():
    with s3.Service() as service, folder() as data:
        environment = service.environment()
        with Server(data, *AT_S3, environment=environment) as server:
            post(server, range(600))
            bronze_written(server, 600)
            arrived(server, service, 10)
            equal(server.get("/health").json["checks"]["lake"], "ok", "lake in /health")
            in_bucket(environment, range(600))
        first = tocsin("etl", "--data-dir", data, "--set", f"lake.location={BUCKET}", "--json", environment=environment).ended(0).json
        equal((first["rows_in"], first["rows_out"]), (1200, 1200), f"rows in and out ({first})")
        equal(count_and_sum(BUCKET, environment), (1200, total(range(600))), "readings and sum by query")
        hourly = query(BUCKET, 'SELECT sum("count")::BIGINT AS n, sum("sum") AS total FROM hourly', environment)[0]
        equal((hourly["n"], hourly["total"]), (1200, total(range(600))), "count and sum of gold")
        before = service.objects()
        again = tocsin("etl", "--data-dir", data, "--set", f"lake.location={BUCKET}", "--json", environment=environment).ended(0).json
        equal((again["files_made"], service.objects()), (0, before), "files made by the second run, and objects")


@check("lake: S3 away for seconds: input goes on, /health says waiting, and all arrives afterwards, in order")
def s3_away():
    with s3.Service() as service, s3.FaultProxy(service.port) as proxy, folder() as data:
        environment = proxy.environment()
        with Server(data, *AT_S3, environment=environment) as server:
            post(server, range(100))
            bronze_written(server, 100)
            arrived(server, service)
            service.stop()
            for turn in range(1, 4):
                post(server, range(turn * 100, turn * 100 + 100))
                bronze_written(server, turn * 100 + 100)
            soon(lambda: metric(server, "tocsin_lake_waiting_files") >= 3, 20, "files wait", 0.2)
            soon(lambda: server.request("GET", "/health").json["checks"]["lake"] == "waiting", 30, "/health says that the lake waits", 0.2)
            answer = server.get("/health")
            equal(answer.json["status"], "ok", "status in /health")
            expect(answer.json.get("lake_reason"), f"/health gives no reason: {answer}")
            equal(metric(server, "tocsin_lake_up"), 0, "tocsin_lake_up")
            expect(metric(server, "tocsin_lake_waiting_bytes") > 0, "waiting bytes")
            seen = len(proxy.requests)
            service.start()
            arrived(server, service, 6)
            soon(lambda: server.get("/health").json["checks"]["lake"] == "ok", 10, "/health is ok again", 0.2)
            sent = [target for method, target, status in proxy.requests[seen:] if method == "PUT" and status == 200]
            rolls = [re.search(r"part-[0-9a-f]+-(\d+)-", target)[1] for target in sent if "bronze" in target]
            expect(len(set(rolls)) >= 3 and rolls == sorted(rolls), f"not sent in order: {rolls}")
        in_bucket(service.environment(), range(400))


@check("lake: S3 away when the process is killed: the next one sends what waited")
def s3_away_and_killed():
    with s3.Service() as service, folder() as data:
        service.stop()
        server = Server(data, *AT_S3, environment=service.environment())
        try:
            post(server, range(200))
            bronze_written(server, 200)
            soon(lambda: metric(server, "tocsin_lake_waiting_files") > 0, 10, "files wait", 0.2)
            post(server, range(200, 300))
        finally:
            server.kill()
        service.start()
        with Server(data, *AT_S3, environment=service.environment()) as server:
            bronze_written(server, 100)
            arrived(server, service, 5)
        in_bucket(service.environment(), range(300))


@check("lake: S3 refuses with 403, then with 500: files wait and say why; all arrives when it is over")
def s3_refuses():
    with s3.Service() as service, s3.FaultProxy(service.port) as proxy, folder() as data:
        with Server(data, *AT_S3, environment=proxy.environment()) as server:
            proxy.play("error", status=403, code="AccessDenied", method="PUT")
            post(server, range(100))
            bronze_written(server, 100)
            soon(lambda: server.request("GET", "/health").json["checks"]["lake"] == "waiting", 20, "/health says that the lake waits", 0.2)
            answer = server.get("/health")
            reason = answer.json.get("lake_reason", "")
            expect("AccessDenied" in reason or "403" in reason, f"/health does not say why: {answer}")
            expect(metric(server, "tocsin_lake_waiting_files") > 0, "no file waits")
            equal(bronze_objects(service), [], "objects while S3 refuses")
            proxy.heal()
            proxy.play("error", status=500, code="InternalError", method="PUT", times=3)
            post(server, range(100, 200))
            bronze_written(server, 200)
            arrived(server, service, 4)
            equal(server.get("/health").json["status"], "ok", "status in /health")
        in_bucket(service.environment(), range(200))


@check("lake: S3 answers 500 to one part of a large upload: the part is sent again, the object is whole")
def s3_one_part():
    with s3.Service() as service, s3.FaultProxy(service.port) as proxy, folder() as data:
        # Noise in the payload cannot be compressed: one file of more than a part (16 MiB).
        noise = random.Random(9)
        messages = [json.dumps({"event_id": f"e{n}", "sensor_id": "cam", "timestamp": iso(START + n), "value": n, "note": noise.randbytes(20_000).hex()}) + "\n" for n in range(1000)]
        proxy.play("error", status=500, code="InternalError", method="PUT", part=1, times=1)
        with Server(data, *AT_S3, "--set", "lake.rollAge=6s", environment=proxy.environment()) as server:
            for first in range(0, 1000, 50):
                equal(server.post("".join(messages[first : first + 50])).status, 202, "status")
            bronze_written(server, 1000, 40)
            arrived(server, service)
        parts = [status for method, target, status in proxy.requests if method == "PUT" and "partNumber=1&" in target + "&"]
        expect(500 in parts and parts[-1] == 200, f"answers to part 1: {parts}")
        in_bucket(service.environment(), range(1000))


main()

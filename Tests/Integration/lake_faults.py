"""Faults of the lake that only a whole program shows: full disks, kill -9 in the midst of an upload, a compaction and an
ETL, S3 with a wrong clock, slow, or cutting its answers off, and too little memory for DuckDB. After each of them every
acknowledged message is in bronze, once."""

import atexit
import contextlib
import json
import os
import pathlib
import random
import re
import shutil
import subprocess
import sys
import time

sys.dont_write_bytecode = True
from support import s3
from support.disk import killed_at, small_disk
from support.figures import Balance, settled
from support.harness import (
    BINARY, ENVIRONMENT, Server, check, equal, expect, folder, iso, line, main, shortened, soon, tocsin)
from support.lakes import (
    AT_S3, BUCKET, HOUR, LAKE, START, arrived, body, bronze_objects, bronze_written, count_and_sum, difference, each_once,
    fingerprints, in_bucket, metric, post, total)

# Event times without an hour of data: what else an ETL does.
NO_HOURS = ["--from", "2001-01-01", "--to", "2001-01-02"]


# MARK: Data

def noise(first, count, size=200, name="e"):
    """Messages of one minute that cannot be compressed."""
    generator = random.Random(first)
    return "".join(
        json.dumps({"event_id": f"{name}{n}", "sensor_id": "cam", "timestamp": iso(START + n / 100), "value": n,
                    "note": generator.randbytes(size // 2).hex()}) + "\n"
        for n in range(first, first + count))


def send(server, text):
    answer = server.post(text)
    equal(answer.status, 202, f"status ({answer})")
    equal(answer.json["dead_lettered"], 0, f"readings refused ({answer})")


def lake_is(server, condition, timeout=20):
    """Waits for what /health says of the lake, and returns the whole answer."""
    def looked():
        answer = server.request("GET", "/health").json
        return answer["checks"]["lake"] == condition and answer
    return soon(looked, timeout, f"/health says that the lake is {condition}", 0.1)


def make_old(lake):
    """Compaction leaves alone what was written less than two hours ago."""
    for path in pathlib.Path(lake).rglob("*.parquet"):
        os.utime(path, (time.time() - 3 * HOUR,) * 2)


def three_rolls(server, numbers=360, step=20):
    """Each hour gets three files."""
    for turn in range(3):
        send(server, body(range(turn, numbers, 3), step))
        bronze_written(server, sum(len(range(done, numbers, 3)) for done in range(turn + 1)))


# MARK: Full disks

@check("lake faults: the lake's disk is full: input is acknowledged and stored, half-written files go, and bronze is complete when there is room")
def full_disk():
    # Waits for FolderStorage.move to remove the copy that it could not complete.
    with folder() as place, small_disk("4m") as disk:
        options = [*LAKE, "--set", f"lake.location={disk.path / 'lake'}"]
        with Server(place / "data", *options) as server, Balance(server) as balance:
            send(server, noise(0, 100))
            bronze_written(server, 100)
            # For two thirds of the next file.
            disk.fill(leave=100 << 10)
            send(server, noise(100, 1000))
            seen = lake_is(server, "failing")
            expect("full" in seen["lake_reason"] and str(disk.path) in seen["lake_reason"], f"/health does not say why: {shortened(seen)}")
            settled(server)
            # Enough with what was free before, unless a copy that could not be completed is still there.
            disk.give(100 << 10)
            is_stuck = True
            with contextlib.suppress(AssertionError):
                bronze_written(server, 1100, 6)
                is_stuck = False
            left = [f"{path.name}: {path.stat().st_size} bytes" for path in (disk.path / "lake" / ".incoming").iterdir()]
            disk.make_room()
            send(server, noise(1100, 100))
            bronze_written(server, 1200)
            lake_is(server, "ok")
            each_once(disk.path / "lake", range(1200))
            expect(not is_stuck, f"nothing was written though there was room, because of what earlier attempts have left: {left}")
            equal(left, [], "files that earlier attempts have left")
        equal(balance.places["stored_total"], 1200, "readings stored")


@check("lake faults: S3 is away and the disk of the upload queue is full: input is acknowledged and stored, and all arrives when there is room")
def full_queue():
    with s3.Service() as service, folder() as data, small_disk("4m", at=data / "lake-state") as disk:
        service.stop()
        with Server(data, *AT_S3, environment=service.environment()) as server, Balance(server):
            send(server, noise(0, 100))
            bronze_written(server, 100)
            disk.fill(leave=64 << 10)
            send(server, noise(100, 1000))
            seen = lake_is(server, "failing")
            expect("full" in seen["lake_reason"] or "No space" in seen["lake_reason"], f"/health does not say why: {shortened(seen)}")
            send(server, noise(1100, 100))
            settled(server)
            disk.make_room()
            bronze_written(server, 1200)
            service.start()
            arrived(server, service, 2)
        in_bucket(service.environment(), range(1200))


# MARK: kill -9 in an upload

@check("lake faults: kill -9 in the midst of an upload's body, before its answer, and in a part of a large one: all arrives, once")
def killed_in_upload():
    turns = [("body", None, noise(0, 100)), ("after", None, noise(100, 100)), ("body", 2, noise(200, 900, 40_000))]
    with s3.Service() as service, s3.FaultProxy(service.port) as proxy, folder() as data:
        for stage, part, text in turns:
            server = Server(data, *AT_S3, "--set", "lake.rollAge=2s", environment=proxy.environment())
            try:
                held = proxy.play("hold", stage=stage, method="PUT", part=part, path="/bronze/")
                for some in pieces(text):
                    send(server, some)
                expect(held.wait(30), f"no upload came to its {stage}")
            finally:
                server.kill()
            proxy.heal()
        with Server(data, *AT_S3, environment=proxy.environment()) as server, Balance(server):
            # What came while the first was on its way is in the second.
            arrived(server, service, 2)
        in_bucket(service.environment(), range(1100))


def pieces(text, size=4 << 20):
    """Whole lines, together of about that size."""
    some, length = [], 0
    for each in text.splitlines(keepends=True):
        some.append(each)
        length += len(each)
        if length >= size:
            yield "".join(some)
            some, length = [], 0
    if some:
        yield "".join(some)


@check("lake faults: the answers to the beginning and to the end of a large upload are cut off: the object is whole, once")
def cut_upload():
    with s3.Service() as service, s3.FaultProxy(service.port) as proxy, folder() as data:
        proxy.play("cut", method="POST", path="uploads", times=1)
        proxy.play("cut", method="POST", path="uploadId", times=1)
        with Server(data, *AT_S3, "--set", "lake.rollAge=2s", environment=proxy.environment()) as server, Balance(server):
            for some in pieces(noise(0, 900, 40_000)):
                send(server, some)
            arrived(server, service)
            bronze_written(server, 900)
            arrived(server, service)
            lake_is(server, "ok")
        equal(sum(fault["left"] for fault in proxy.faults), 0, "answers that were not cut off")
        in_bucket(service.environment(), range(900))


# MARK: kill -9 in compaction and ETL

class Rolled:
    """A data folder whose lake has three files an hour, two hours of event time, and no process; made once."""

    EVENTS, STEP = 360, 20
    kept = contextlib.ExitStack()
    data = None

    @classmethod
    def copy(cls, place):
        if not cls.data:
            atexit.register(cls.kept.close)
            cls.data = cls.kept.enter_context(folder())
            with Server(cls.data, *LAKE) as server:
                three_rolls(server, cls.EVENTS, cls.STEP)
            make_old(cls.data / "lake")
        # With the times of change.
        shutil.copytree(cls.data, place)
        return place

    @classmethod
    def copy_of_files(cls):
        """The lake alone."""
        if not cls.data:
            with folder() as place:
                cls.copy(place / "data")
        return cls.data / "lake"


@check("lake faults: kill -9 at each step of a compaction in a folder: the next one completes it, every message is there once")
def killed_in_compaction():
    with folder() as place:
        data = place / "data"
        arguments = ["etl", "--compact", *NO_HOURS, "--set", "lake.compactAbove=2", "--data-dir", data]
        before = fingerprints(Rolled.copy(data) / "lake", "bronze")
        tocsin(*arguments).ended(0)
        # The names are the same each time.
        whole = fingerprints(data / "lake", "bronze")
        equal((len(before), len(whole)), (6, 2), "files of two hours, before and after")
        target = sorted(whole)[0]
        note = f"_compaction/{re.search('-([0-9a-f]+).parquet', target)[1]}.txt"
        sources = [name for name in sorted(before) if name.startswith(target.split("part-")[0])]
        # strace knows a rename by what is renamed: the note before it is in the lake, the new file, and what is to go.
        state = "../lake-state/compaction/"
        steps = [("rename", state + "note.new"), ("rename", state + "0/result.parquet"), ("unlink", sources[1]), ("unlink", note)]
        for call, name in steps:
            shutil.rmtree(data)
            Rolled.copy(data)
            expect(killed_at(f"/^{call}", 1, *arguments, path=os.path.normpath(data / "lake" / name)), f"there is no {call} of {name}")
            equal((data / "lake" / note).exists(), (call, name) != steps[0], f"a note is there after a kill at the {call} of {name}")
            tocsin(*arguments).ended(0)
            each_once(data / "lake", range(Rolled.EVENTS))
            equal(sorted(fingerprints(data / "lake", "bronze")), sorted(whole), f"files after a kill at the {call} of {name}")
            equal(list((data / "lake" / "_compaction").rglob("*")), [], "notes that are left")


@check("lake faults: kill -9 where an ETL places a new file and removes the older one: the files of an undisturbed run")
def killed_in_etl():
    with folder() as place:
        base, data = Rolled.copy(place / "base"), place / "data"
        tocsin("etl", "--data-dir", base).ended(0)
        # Late data: an hour of silver and gold is to be made anew.
        with Server(base, *LAKE) as server:
            send(server, body(range(Rolled.EVENTS, 2 * Rolled.EVENTS, 30), Rolled.STEP // 2))
            bronze_written(server, Rolled.EVENTS // 30)
        before = fingerprints(base / "lake")
        shutil.copytree(base, data)
        tocsin("etl", "--data-dir", data).ended(0)
        wanted = fingerprints(data / "lake")
        new, gone = sorted(set(wanted) - set(before)), sorted(set(before) - set(wanted))
        equal((len(new), len(gone)), (4, 4), f"files made anew, and gone ({new})")
        # Before the first new file has its name, and when it and others have theirs and the older ones are still there.
        steps = [("rename", data / "lake-state/etl/0/result.parquet")]
        steps += [("unlink", data / "lake" / name) for name in gone if name.split("/")[1] in ("readings", "hourly", "daily")]
        equal(len(steps), 4, f"steps ({gone})")
        for call, path in steps:
            shutil.rmtree(data)
            shutil.copytree(base, data)
            options = ["--data-dir", data, "--set", "lake.threads=1"]
            expect(killed_at(f"/^{call}", 1, "etl", *options, path=path), f"there is no {call} of {path}")
            tocsin("etl", "--data-dir", data).ended(0)
            equal(difference(wanted, fingerprints(data / "lake")), "[]", f"files that differ after a kill at the {call} of {path}")


@check("lake faults: kill -9 at each step of a compaction and of an ETL in S3: the next one completes it, every message is there once")
def killed_in_bucket():
    steps = [("before", "PUT", "/_compaction/"), ("after", "PUT", "/_compaction/"), ("after", "PUT", "/bronze/"),
             ("after", "DELETE", "/bronze/"), ("before", "DELETE", "/_compaction/"), ("body", "PUT", "/silver/"),
             ("after", "PUT", "/silver/"), ("after", "PUT", "/gold/")]
    base = Rolled.copy_of_files()
    with s3.Service() as service, s3.FaultProxy(service.port) as proxy, folder() as data:
        options = ["--data-dir", data, "--set", f"lake.location={BUCKET}", "--set", "lake.compactAbove=2"]
        for stage, method, path in steps:
            service.put(base, "lake")
            arguments = ["etl", *options, *(["--compact", *NO_HOURS] if "silver" not in path and "gold" not in path else [])]
            held = proxy.play("hold", stage=stage, method=method, path=path)
            process = subprocess.Popen([BINARY, *map(str, arguments)], env=ENVIRONMENT | proxy.environment(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            try:
                expect(held.wait(20), f"nothing came to {stage} {method} {path}; it ended with {process.poll()}")
            finally:
                process.kill()
                process.wait()
                proxy.heal()
            tocsin(*arguments, environment=service.environment()).ended(0)
            in_bucket(service.environment(), range(Rolled.EVENTS))
            if "--compact" in arguments:
                equal(len(bronze_objects(service)), 2, f"files of two hours after a kill {stage} {method} {path}")
                equal([name for name in service.objects() if "_compaction" in name], [], "notes that are left")
            else:
                equal(count_and_sum(BUCKET, service.environment()), (2 * Rolled.EVENTS, total(range(Rolled.EVENTS))), "readings and sum of silver")


# MARK: S3 that is not well

@check("lake faults: the clock is an hour off S3's: the log names it, requests are signed with S3's time, and all arrives")
def wrong_clock():
    with s3.Service(signed=False) as service, s3.FaultProxy(service.port) as proxy, folder() as data:
        proxy.play("skew", offset=3600, passes=True)
        with Server(data, *AT_S3, environment=proxy.environment()) as server, Balance(server):
            post(server, range(100))
            bronze_written(server, 100)
            arrived(server, service)
            expect(re.search("clock is (59|60) min behind", server.log), f"the log does not name the clock: {shortened(server.log[-500:], 500)}")
        in_bucket(service.environment(), range(100))


@check("lake faults: S3 refuses every request for its time: files wait, /health names the clock, and all arrives when it is set right")
def refused_clock():
    with s3.Service() as service, s3.FaultProxy(service.port) as proxy, folder() as data:
        proxy.play("error", status=403, code="RequestTimeTooSkewed")
        with Server(data, *AT_S3, environment=proxy.environment()) as server, Balance(server):
            post(server, range(100))
            bronze_written(server, 100)
            reason = lake_is(server, "waiting")["lake_reason"]
            expect("clock" in reason, f"/health does not name the clock: {reason}")
            expect(metric(server, "tocsin_lake_waiting_files") > 0, "no file waits")
            proxy.heal()
            arrived(server, service)
            lake_is(server, "ok")
        in_bucket(service.environment(), range(100))


@check("lake faults: S3 takes a second for each request: acknowledgements do not wait for it, and all arrives, in order")
def slow():
    with s3.Service() as service, s3.FaultProxy(service.port) as proxy, folder() as data:
        proxy.play("slow", seconds=1, method="PUT")
        with Server(data, *AT_S3, environment=proxy.environment()) as server, Balance(server):
            slowest = 0
            for turn in range(3):
                started = time.monotonic()
                post(server, range(turn * 20, turn * 20 + 20))
                slowest = max(slowest, time.monotonic() - started)
                bronze_written(server, turn * 20 + 20)
            arrived(server, service, 3)
            expect(slowest < 0.5, f"a POST took {slowest:.2f} s")
        in_bucket(service.environment(), range(60))


@check("lake faults: S3 cuts its answers off: query and etl try again or fail, and never give a wrong result")
def cut_answers():
    base, wanted = Rolled.copy_of_files(), (2 * Rolled.EVENTS, total(range(Rolled.EVENTS)))
    with s3.Service() as service, s3.FaultProxy(service.port) as proxy, folder() as data:
        options = ["--data-dir", data, "--set", f"lake.location={BUCKET}"]
        # Once of a listing, once of a file, always of files.
        for times, path in ((1, "list-type"), (1, ".parquet"), (None, ".parquet")):
            service.put(base, "lake")
            proxy.play("cut", method="GET", path=path, times=times)
            made = tocsin("etl", *options, environment=proxy.environment())
            expect(made.code == (0 if times else 1), f"etl with {times or 'all'} answers with {path} cut off: {made.code} {shortened(made.text)}")
            expect("cannot be read" not in made.text, f"a sound file is called damaged: {shortened(made.text, 500)}")
            asked = tocsin("query", *options, "--format", "json", "SELECT count(*) AS n FROM bronze_events", environment=proxy.environment())
            if asked.code == 0:
                equal(asked.json, [{"n": Rolled.EVENTS}], f"messages, with {times or 'all'} answers with {path} cut off")
            else:
                expect(times is None and asked.err.startswith("error:"), f"query: {asked.code} {shortened(asked.text)}")
            proxy.heal()
            equal(sorted(name for name in service.objects() if "/bronze/" in name), sorted("lake/" + name for name in fingerprints(base, "bronze")), "files of bronze")
        tocsin("etl", *options, environment=service.environment()).ended(0)
        equal(count_and_sum(BUCKET, service.environment()), wanted, "readings and sum of silver")


# MARK: Memory

@check("lake faults: an hour that does not fit into lake.memory: etl goes on beside it on disk, and silver is complete")
def little_memory():
    events = 600_000
    with folder() as place:
        with open(place / "hour.csv", "w") as file:
            file.write("sensor_id,timestamp,temperature\n")
            file.writelines(f"sensor-{n * 7919 % 5000},{START + n * 3000 // events},{20 + n % 5 / 2}\n" for n in range(events))
        options = ["--data-dir", str(place / "data"), "--set", "lake.threads=1"]
        tocsin("etl", *options, "--input", place / "hour.csv", "--to", "2001-01-01").ended(0)
        process = subprocess.Popen([BINARY, "etl", *options, "--set", "lake.memory=64MiB"], env=ENVIRONMENT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        spilled = soon(lambda: list((place / "data" / "lake-state" / "etl").glob("*/spill/*")) or process.poll() is not None, 30, "it writes beside its memory", 0.002)
        text = process.communicate(timeout=60)[0].decode()
        equal(process.returncode, 0, f"exit code ({shortened(text)})")
        expect(isinstance(spilled, list), "the hour fitted into memory: nothing is shown")
        equal(count_and_sum(place / "data" / "lake")[0], events, "readings of silver")


@check("lake faults: too little memory for a compaction and for a query: the setting is named, no sound file is called damaged, nothing is changed")
def too_little_memory():
    # Waits for DuckDBError to name lake.memory, and for ETLWorker.damaged to know that a want of memory is no damage.
    with folder() as data:
        with Server(data, *LAKE, "--set", "lake.rollAge=2s") as server:
            # One file whose messages take more than the memory when they are read, and two small ones.
            for first, count in ((0, 900), (900, 10), (910, 10)):
                for some in pieces("".join(line("cam", START + n / 100, event_id=f"e{n}", value=n, note="x" * 60_000) for n in range(first, first + count))):
                    send(server, some)
                bronze_written(server, first + count)
        make_old(data / "lake")
        before = fingerprints(data / "lake")
        expect(len(before) >= 3, f"only {len(before)} files")
        options = ["--data-dir", data, "--set", "lake.compactAbove=2", "--set", "lake.memory=64MiB"]
        tidied = tocsin("etl", "--compact", *NO_HOURS, *options).ended(1)
        asked = tocsin("query", *options, "SELECT length(string_agg(decode(payload), '')) FROM bronze_events").ended(1)
        equal(difference(before, fingerprints(data / "lake", "bronze")), "[]", "files that were changed")
        tocsin("etl", "--compact", *NO_HOURS, *options[:-1], "lake.memory=1GiB").ended(0)
        each_once(data / "lake", range(920))
        equal(len(fingerprints(data / "lake", "bronze")), 1, "files after a compaction with enough memory")
        for finished in (tidied, asked):
            expect("cannot be read" not in finished.text, f"{finished}: a sound file is called damaged: {shortened(finished.text, 400)}")
            expect("lake.memory" in finished.text, f"{finished}: the setting is not named: {shortened(finished.text, 400)}")


main()

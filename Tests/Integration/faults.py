"""Faults under load: the store away, damaged files, too many names, a flood from one sensor, a screen that never reads.
Nothing acknowledged is lost, the rest goes on, and in = out holds at every look at /metrics."""

import random
import shutil
import socket
import sqlite3
import sys
import time

sys.dont_write_bytecode = True
from support.figures import Balance, figure, figures, settled
from support.harness import (
    DATABASE, Live, Server, check, equal, expect, folder, line, main, shortened, soon, stored_events)

NOW = int(time.time())
RANDOM = random.Random(11)


def batch(sensor, first, count=20, value=20):
    return "".join(line(sensor, NOW - 5_000_000 + n, temperature=value + n % 7 / 10) for n in range(first, first + count))


def taken(answer):
    equal(answer.status, 202, f"status ({answer})")
    return answer.json


@check("faults: a store that is locked for ten seconds: input goes on into the spool, and is stored when the lock is gone")
def locked_store():
    with folder() as data, Server(data, "--set", "spool.segmentBytes=1MiB") as server, Balance(server):
        taken(server.post(batch("a", 0)))
        settled(server)
        database = sqlite3.connect(data / DATABASE, isolation_level=None)
        database.execute("BEGIN IMMEDIATE")
        end, sent, slowest, spooled = time.monotonic() + 10, 20, 0, 0
        while time.monotonic() < end:
            started = time.monotonic()
            answer = taken(server.post(batch("a", sent, 200)))
            slowest = max(slowest, time.monotonic() - started)
            spooled += answer.get("spooled", 0)
            equal(answer["accepted"], 200, "accepted while the store is locked")
            sent += 200
        expect(slowest < 2, f"a POST took {slowest:.1f} s while the store was locked")
        expect(spooled > sent / 2, f"only {spooled} of {sent} readings were told to be in the spool")
        document = server.request("GET", "/health")
        equal((document.status, document.json["status"]), (200, "degraded"), "health while the store is locked")
        expect("lock" in document.json["reason"], f"/health does not say why: {document}")
        database.execute("ROLLBACK")
        database.close()
        settled(server)
        soon(lambda: server.get("/health").json["status"] == "ok", 10, "/health is ok again")
        events = stored_events(data)
        equal(len(events), sent, "events stored")
        equal(len(set(events)), sent, "different events stored")


@check("faults: a store that is locked when the process is killed: the spool has everything, and the next process stores it")
def killed_while_locked():
    with folder() as data:
        server = Server(data)
        database = sqlite3.connect(data / DATABASE, isolation_level=None)
        database.execute("BEGIN IMMEDIATE")
        for number in range(30):
            taken(server.post(batch("a", number * 20)))
        server.kill()
        database.execute("ROLLBACK")
        database.close()
        with Server(data) as server:
            settled(server)
            found = figures(server)
            equal(figure(found, "tocsin_readings_recovered_total"), 600, "readings recovered")
            equal(len(set(stored_events(data))), 600, "events stored")


def segments(data):
    return sorted(path for path in (data / "spool").iterdir() if path.name.startswith("segment-") or path.stat().st_size > 4096)


@check("faults: a torn last record of the spool is cut off and named; the rest is used")
def torn():
    with folder() as data:
        server = Server(data, "--set", "checkpoint.interval=1h")
        for number in range(10):
            taken(server.post(batch("a", number * 20)))
        server.kill()
        last = segments(data)[-1]
        with open(last, "r+b") as file:
            file.truncate(file.seek(0, 2) - 100)
        shutil.rmtree(data / "checkpoints")
        for name in (DATABASE, DATABASE + "-wal", DATABASE + "-shm"):
            (data / name).unlink(missing_ok=True)
        with Server(data) as server:
            settled(server)
            expect(last.name in server.log, f"the log does not name the file: {shortened(server.log)}")
            equal(len(set(stored_events(data))), 180, "events of the sound records")
            taken(server.post(batch("a", 180)))
            settled(server)
            equal(len(set(stored_events(data))), 200, "events after the torn ones were sent again")


@check("faults: flipped bits in the spool and in a checkpoint are found and named; the rest is used")
def flipped():
    with folder() as data:
        server = Server(data, "--set", "checkpoint.interval=1s")
        for number in range(10):
            taken(server.post(batch("a", number * 20)))
        soon(lambda: figure(figures(server), "tocsin_checkpoints_total") >= 1, 20, "a checkpoint")
        for number in range(10, 20):
            taken(server.post(batch("a", number * 20)))
        settled(server)
        server.kill()
        newest = sorted((data / "checkpoints").glob("*.tck"))[-1]
        flip(newest, 0.5)
        last = segments(data)[-1]
        flip(last, 0.6)
        for name in (DATABASE, DATABASE + "-wal", DATABASE + "-shm"):
            (data / name).unlink(missing_ok=True)
        with Server(data) as server:
            settled(server)
            expect(newest.name in server.log, f"the log does not name the checkpoint: {shortened(server.log, 900)}")
            expect(last.name in server.log, f"the log does not name the segment: {shortened(server.log, 900)}")
            taken(server.post(batch("b", 0)))
            settled(server)
            events = set(stored_events(data))
            expect(len(events) >= 200, f"{len(events)} events: more than one record was given up")


def flip(path, place):
    with open(path, "r+b") as file:
        size = file.seek(0, 2)
        at = int(size * place)
        file.seek(at)
        byte = file.read(1)[0]
        file.seek(at)
        file.write(bytes([byte ^ 0x10]))


@check("faults: a flood of new sensor names: the cap holds, each refused reading is a counted dead letter, known sensors are unharmed")
def cardinality():
    with folder() as data, Server(data, "--set", "engine.maxSeries=2000", "--set", "store.storeEvents=false") as server, Balance(server):
        for second in range(80):
            taken(server.post("".join(line(f"known-{n}", NOW - 500 + second, temperature=20 + RANDOM.random()) for n in range(100))))
        refused, number, started = 0, 0, time.monotonic()
        with Live(server) as live:
            while number < 200_000:
                body = "".join(line(f"new-{n}", NOW - 400, temperature=20) for n in range(number, number + 10_000))
                answer = server.post(body)
                expect(answer.status in (202, 400), f"a flood is answered {answer}")
                refused += answer.json.get("dead_lettered", 0) if answer.status == 202 else 10_000
                number += 10_000
            seconds = time.monotonic() - started
            expect(number / seconds * 60 > 1_000_000, f"only {number / seconds * 60:,.0f} new names a minute: no flood")
            taken(server.post(line("known-7", NOW - 300, temperature=95)))
            live.wait(lambda live: [event for event in live.named("anomaly") if event["data"]["sensor_id"] == "known-7"], 10, "the spike of a known sensor")
        settled(server)
        found = figures(server)
        equal(found['tocsin_readings_dead_lettered_total{reason="cardinality"}'], 200_000 - 1_900, "dead letters for cardinality")


@check("faults: one sensor at a hundred times its rate: the others are judged as before")
def flood():
    with folder() as data, Server(data) as server, Balance(server), Live(server) as live:
        for second in range(200):
            body = "".join(line(f"s{n}", NOW - 5000 + second, temperature=20 + RANDOM.random()) for n in range(10))
            if second > 100:
                body += "".join(line("s0", NOW - 5000 + second + n / 100, temperature=20 + RANDOM.random()) for n in range(1, 100))
            if second == 150:
                body += line("s4", NOW - 5000 + second + 0.5, temperature=95)
            taken(server.post(body))
        live.wait(lambda live: [event for event in live.named("anomaly") if event["data"]["sensor_id"] == "s4"], 10, "the spike of another sensor")
        settled(server)
        equal(figure(figures(server), "tocsin_readings_late_total"), 0, "late readings")


@check("faults: a screen that never reads is told what it missed, or dropped; others and the engine go on")
def deaf_screen():
    with folder() as data, Server(data) as server, Balance(server):
        deaf = socket.create_connection(("127.0.0.1", server.port))
        deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        followed = "&".join(f"sensor_id=s{n}" for n in range(50))
        deaf.sendall(f"GET /live?{followed} HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept: text/event-stream\r\n\r\n".encode())
        before = figures(server)["process_resident_memory_bytes"]
        with Live(server, "/live?sensor_id=s1") as live:
            for second in range(400):
                taken(server.post("".join(line(f"s{n}", NOW - 5000 + second, temperature=20 + RANDOM.random(), humidity=50) for n in range(50))))
            live.wait(lambda live: sum(len(event["data"]["points"]) for event in live.named("readings")) >= 390, 10, "readings for the one who reads")
        settled(server)
        grown = figures(server)["process_resident_memory_bytes"] - before
        expect(grown < 60 << 20, f"memory grew by {grown / 1e6:.0f} MB")
        deaf.close()


main()

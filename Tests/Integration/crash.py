"""kill -9 and full or read-only disks: what was acknowledged is there, once; an interrupted replay can be run again."""

import contextlib
import random
import subprocess
import sys
import threading
import time

sys.dont_write_bytecode = True
from support.figures import settled
from support.harness import (
    BINARY, ENVIRONMENT, Server, Skip, check, equal, expect, folder, is_root, line, main, rows, shortened, soon,
    stored_events, tocsin)

NOW = int(time.time())
ROUNDS = 6
RANDOM = random.Random(2024)


# MARK: kill -9 during ingest

class Sender(threading.Thread):
    """Posts batches of ten events until the server goes away; remembers what was acknowledged."""

    def __init__(self, server, sensor, first):
        super().__init__(daemon=True)
        self.server, self.sensor, self.next = server, sensor, first
        self.sent, self.acknowledged = [], []
        self.start()

    def run(self):
        while True:
            events = [(self.sensor, NOW - 100_000 + n) for n in range(self.next, self.next + 10)]
            body = "".join(text(*event) for event in events)
            self.next += 10
            self.sent += events
            try:
                answer = self.server.post(body, timeout=20)
            except Exception:
                return
            if answer.status != 202:
                return
            # Two readings each; those of an earlier round may be duplicates.
            if answer.json["accepted"] + answer.json["duplicate"] == 2 * len(events):
                self.acknowledged += events


def text(sensor, at):
    """The same event always has the same bytes; half of the sensors send ids, and now and then there is a spike."""
    n = at - NOW
    temperature = 90 if n % 137 == 0 else 20 + n % 5 / 10
    return line(sensor, at, event_id=f"{sensor}/{at}" if sensor[-1] in "02" else None, temperature=temperature, humidity=50)


def keys(data):
    return [(sensor, time // 1000) for sensor, time, _ in stored_events(data)]


@check(f"crash: kill -9 in {ROUNDS} rounds of ingest loses nothing that was acknowledged and doubles nothing")
def kill_ingest():
    with folder() as data:
        acknowledged, sent, following = set(), set(), [0] * 4
        for round_ in range(ROUNDS):
            server = Server(data)
            senders = [Sender(server, f"k{n}", following[n]) for n in range(4)]
            soon(lambda: any(sender.acknowledged for sender in senders), 20, "a first acknowledgement")
            time.sleep(RANDOM.uniform(0, 0.4))
            server.kill()
            for sender in senders:
                sender.join(20)
            following = [sender.next for sender in senders]
            acknowledged.update(event for sender in senders for event in sender.acknowledged)
            sent.update(event for sender in senders for event in sender.sent)
        expect(len(acknowledged) > 500, f"only {len(acknowledged)} events were acknowledged")
        with Server(data) as server:
            settled(server)
            stored = keys(data)
            missing = acknowledged - set(stored)
            expect(not missing, f"{len(missing)} of {len(acknowledged)} acknowledged events are missing: {shortened(sorted(missing)[:3])}")
            equal(len(stored), len(set(stored)), "rows and different events")
            expect(set(stored) <= sent, "there are events that were never sent")
            anomalies = rows(data, "SELECT sensor_id, metric, time, kind, detector, count(*) FROM anomalies GROUP BY 1, 2, 3, 4, 5")
            expect(all(row[-1] == 1 for row in anomalies), f"an anomaly is there twice: {shortened(anomalies)}")
            for sensor in sorted({sensor for sensor, _ in stored}):
                again = sorted(event for event in stored if event[0] == sensor)
                for first in range(0, len(again), 200):
                    answer = server.post("".join(text(*event) for event in again[first : first + 200]))
                    equal(answer.status, 202, f"status ({answer})")
            equal(sorted(keys(data)), sorted(stored), "events after all were sent again")
            for sensor, at in sorted(sent - set(stored)):
                equal(server.post(text(sensor, at)).status, 202, "status")
        equal(sorted(keys(data)), sorted(sent), "events after the lost ones were sent, too")
        integrity = rows(data, "PRAGMA integrity_check")
        equal(integrity, [("ok",)], "integrity of the database")


# MARK: kill -9 during a replay

def found(data):
    """Everything a replay writes, by what identifies it."""
    return {
        "events": sorted(stored_events(data)),
        "anomalies": sorted(rows(data, "SELECT id FROM anomalies")),
        "alarms": sorted(rows(data, "SELECT id, state, verdicts FROM alarms")),
        "windows": sorted(rows(data, """SELECT s.name, r.metric, w.start, w.size, w.slide, w.count, w.mean FROM windows w
            JOIN series r ON r.id = w.series_id JOIN sensors s ON s.id = r.sensor_id""")),
        "dead letters": sorted(rows(data, "SELECT reason, source, position, payload FROM dead_letters")),
    }


def stored_rows(data):
    """Rows of events so far; 0 while there is no database or it is locked."""
    with contextlib.suppress(Exception):
        return rows(data, "SELECT max(id) FROM sensor_events")[0][0] or 0
    return 0


@check("crash: a replay that was killed twice and run again leaves the rows of one that was not")
def kill_replay():
    with folder() as data:
        recording = data / "machine.json"
        made = tocsin("simulate", "--profile", "machine", "--sensors", 20, "--max-events", 60_000, "--anomaly-rate", 0.05).out
        bad = '{"sensor_id":"bad","timestamp":"never","temperature":1}\n'
        lines = made.splitlines(keepends=True)
        recording.write_text("".join(lines[:20_000]) + bad + "".join(lines[20_000:]))
        arguments = ["replay", str(recording), "--store-events", "--quiet"]
        tocsin(*arguments, "--data-dir", data / "whole").ended(0)
        whole = found(data / "whole")
        equal((len(whole["events"]), len(whole["dead letters"])), (60_000, 1), "events and dead letters of the whole run")
        expect(whole["anomalies"] and whole["alarms"] and whole["windows"], "nothing was found")
        for more in (2_000, 10_000):
            part = stored_rows(data / "killed") + RANDOM.randrange(more)
            # Short queues make small transactions: more moments at which it can be killed.
            process = subprocess.Popen(
                [BINARY, *arguments, "--data-dir", str(data / "killed"), "--set", "engine.inboxBatches=1"], env=ENVIRONMENT,
                stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            try:
                soon(lambda: process.poll() is not None or stored_rows(data / "killed") >= part, 60, f"{part} events", interval=0.005)
                expect(process.poll() is None, f"it ended before it could be killed: {process.returncode}")
            finally:
                process.kill()
                process.wait()
        tocsin(*arguments, "--data-dir", data / "killed").ended(0)
        again = found(data / "killed")
        differences = []
        for name, wanted in whole.items():
            new, gone = set(again[name]) - set(wanted), set(wanted) - set(again[name])
            if new or gone or len(again[name]) != len(wanted):
                differences.append(f"{name}: {len(wanted)} rows, then {len(again[name])}, {len(new)} new and {len(gone)} gone, e.g. {shortened(sorted(new or gone)[:1], 100)}")
        expect(not differences, "; ".join(differences))


# MARK: Disks

@contextlib.contextmanager
def small_disk(size):
    """A file system of its own."""
    if not is_root():
        raise Skip("mounting a small file system needs root")
    with folder() as place:
        mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(place)], capture_output=True)
        if mounted.returncode != 0:
            raise Skip(f"no tmpfs can be mounted: {mounted.stderr.decode().strip()}")
        try:
            yield place
        finally:
            subprocess.run(["umount", "-l", str(place)], check=True)


@check("crash: a full disk stalls and says so; when space returns, what waited is stored and acknowledged")
def full_disk():
    with small_disk("24m") as disk:
        with Server(disk / "data") as server:
            equal(server.post(text("d0", NOW)).status, 202, "status before")
            with open(disk / "filler", "wb", buffering=0) as filler:
                with contextlib.suppress(OSError):
                    while filler.write(b"\0" * 4096):
                        pass
            pending = []
            body = "".join(text("d1", NOW + n - 900) for n in range(600))

            def send():
                with contextlib.suppress(Exception):
                    pending.append(server.post(body, timeout=60))

            sender = threading.Thread(target=send, daemon=True)
            sender.start()
            soon(lambda: server.request("GET", "/readyz").status == 503, 15, "/readyz answers 503 on a full disk")
            document = server.request("GET", "/health").json
            expect("full" in document.get("reason", ""), f"/health does not name the reason: {document}")
            answer = server.post(text("d2", NOW))
            equal(answer.status, 503, f"status of a POST on a full disk ({answer})")
            expect(answer.headers.get("Retry-After") and "full" in answer.json["detail"], f"unclear: {answer}")
            equal(server.request("GET", "/livez").status, 200, "/livez on a full disk")
            equal(server.get("/events/latest?sensor_id=d0").json["items"][0]["sensor_id"], "d0", "reading on a full disk")
            expect("full" in server.log, f"the log does not say that the disk is full: {shortened(server.log[-400:])}")
            (disk / "filler").unlink()
            soon(lambda: server.request("GET", "/readyz").status == 200, 15, "/readyz answers 200 when space has returned")
            sender.join(60)
            expect(pending and pending[0].status == 202, f"the waiting POST was answered {pending and pending[0]}")
            equal(server.post(text("d2", NOW)).status, 202, "status after")
            found_ = keys(disk / "data")
            equal(len(found_), 602, "events stored")
            equal(len(set(found_)), 602, "different events stored")


@check("crash: a disk that is full at the start, and stays full until the end")
def full_from_the_start():
    with small_disk("24m") as disk:
        with open(disk / "filler", "wb", buffering=0) as filler:
            with contextlib.suppress(OSError):
                while filler.write(b"\0" * 4096):
                    pass
        finished = tocsin("run", "--port", 0, "--data-dir", disk / "data", timeout=30)
        finished.ended(1)
        expect("full" in finished.text.lower() or "no space" in finished.text.lower(), f"unclear: {shortened(finished.text)}")
        (disk / "filler").unlink()
        server = Server(disk / "data")
        try:
            with open(disk / "filler", "wb", buffering=0) as filler:
                with contextlib.suppress(OSError):
                    while filler.write(b"\0" * 4096):
                        pass
            with contextlib.suppress(Exception):
                server.post("".join(text("d1", NOW + n - 900) for n in range(600)), timeout=1)
            # Kubernetes kills after 30 s.
            code = server.stop(timeout=30)
            equal(code, 1, f"exit code when acknowledging was never possible ({shortened(server.log[-300:])})")
            expect("full" in server.log, f"the log does not say why: {shortened(server.log[-300:])}")
        finally:
            server.kill()


@check("crash: a read-only disk")
def read_only_disk():
    with small_disk("24m") as disk:
        with Server(disk / "data") as server:
            equal(server.post(text("d0", NOW)).status, 202, "status before")
        subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
        tocsin("run", "--port", 0, "--data-dir", disk / "data", timeout=30).failed_clearly("read-only", str(disk))
        tocsin("run", "--port", 0, "--data-dir", disk / "other", timeout=30).failed_clearly("read-only", str(disk))
        finished = tocsin("check", "--data-dir", disk / "data", "--set", "server.port=0").failed_clearly("read-only")
        expect("FAIL" in finished.out, f"check: {shortened(finished.text)}")
        listed = tocsin("dead-letters", "list", "--data-dir", disk / "data")
        if listed.code != 0:
            listed.failed_clearly(str(disk))
        subprocess.run(["mount", "-o", "remount,rw", str(disk)], check=True)
        with Server(disk / "data"):
            equal(len(keys(disk / "data")), 1, "events stored")


main()

"""The faults of a soak run. Each is a function of the running `Soak`; it returns what it did, for the report.

Those that end the process come last in a round, so that every process lives long enough for its memory to be judged.
"""

import contextlib
import http.client
import os
import random
import signal
import socket
import sqlite3
import time

from support.harness import DATABASE, soon
from support.soak.load import Client, METRICS, milliseconds, sensor_name

FAULTS = {}
RESTARTS = ("kill", "term", "bits")
RANDOM = random.Random(3)


def fault(name):
    def register(function):
        FAULTS[name] = function
        return function
    return register


def event(sensor, at, values="\"temperature\":20.5"):
    return f'{{"sensor_id":"{sensor}","timestamp":{at},{values}}}\n'


def post_for(soak, seconds, pause, make, allowed=(202, 503)):
    """Posts `make(number)` again and again and returns (requests, the sum of what the answers counted)."""
    client, end, number, sums = Client(soak), time.monotonic() + seconds, 0, {}
    while time.monotonic() < end and not soak.stopped:
        status, answer = client.post(*make(number))
        if status not in allowed:
            soak.fail("answers", f"a fault's readings were answered with {status}: {answer}")
        for name in ("accepted", "late", "duplicate", "dead_lettered"):
            sums[name] = sums.get(name, 0) + answer.get(name, 0)
        sums["refused"] = sums.get("refused", 0) + (status == 400)
        number += 1
        time.sleep(pause)
    client.close()
    return number, sums


# MARK: Input

@fault("names")
def new_names(soak):
    """A flood of new sensor names against engine.maxSeries."""
    start, batch = milliseconds(), 500

    def make(number):
        return ("".join(event(f"new-{start}-{number * batch + n}", start) for n in range(batch)).encode(),)

    # A request with nothing but refused names is answered with 400.
    number, sums = post_for(soak, soak.span(15), 0.02, make, allowed=(202, 400, 503))
    series = soak.watch.scrape(soak.server)["tocsin_series"]
    if series > soak.max_series:
        soak.fail("names", f"{series:.0f} series, but engine.maxSeries is {soak.max_series}")
    return f"{number * batch} names, {sums['dead_lettered'] + sums['refused'] * batch} refused"


@fault("rapid")
def rapid_sensor(soak):
    """One sensor at a hundred times its rate."""
    period = soak.load.period * 1000
    at = [milliseconds()]

    def make(_):
        lines, now = [], milliseconds()
        while at[0] < now:
            lines.append(event(sensor_name(7), at[0], ",".join(f'"{metric}":{20 + RANDOM.random():.2f}' for metric in METRICS)))
            at[0] += max(1, int(period / 100))
        return ("".join(lines).encode() or event(sensor_name(7), now).encode(),)

    number, sums = post_for(soak, soak.span(20), 0.05, make)
    return f"{sum(sums.values())} readings in {number} requests"


@fault("garbage")
def garbage(soak):
    """Bytes that are no readings, readings that are none, and requests that are not HTTP or never end."""
    at = milliseconds()
    good = event(sensor_name(1), at).encode()
    bodies = [
        RANDOM.randbytes(20_000), good[:-9], b"[" * 50_000, b'{"a":' * 20_000, b"\xff\xfe" + good, b"null\n" * 500, b"{}\n" * 500,
        event("x" * 100_000, at).encode(), event("n", at, '"temperature":1e999').encode(), event("n", at, '"temperature":"warm"').encode(),
        b"sensor_id,timestamp,temperature\n" + b"a,b,c\n" * 200, b"a,b\n" + b"\x00" * 3000, b'"' * 1000, b"x" * 3_000_000,
    ]
    kinds = ("application/x-ndjson", "application/json", "text/csv", "application/octet-stream")

    def make(number):
        if number % 4 == 0:
            broken_request(soak, number)
        return bodies[number % len(bodies)], kinds[number // len(bodies) % len(kinds)]

    number, sums = post_for(soak, soak.span(15), 0.1, make, allowed=(202, 400, 408, 413, 415, 422, 503))
    return f"{number} bodies, {sums['refused']} answered with 400"


def broken_request(soak, number):
    """Bytes of a request that end in the middle, or were never HTTP."""
    start = b"POST /ingest HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
    with contextlib.suppress(OSError, TypeError):
        with socket.create_connection(("127.0.0.1", soak.port), timeout=2) as connection:
            connection.sendall(RANDOM.choice((
                RANDOM.randbytes(2000), start, start + b"Content-Length: 99999\r\n\r\n{\"sensor",
                start + b"Transfer-Encoding: chunked\r\n\r\nZZ\r\n", b"GET " + b"/" * 50_000 + b" HTTP/1.1\r\n\r\n")))


@fault("late")
def late_and_twice(soak):
    """Readings from a minute ago, beyond the allowed lateness, and the same readings again."""
    start = milliseconds() - 90_000

    def make(number):
        # Every second request repeats the one before.
        at = start + number // 2
        return ("".join(event(sensor_name(n), at) for n in range(100)).encode(),)

    number, sums = post_for(soak, soak.span(15), 0.05, make)
    if not sums["duplicate"] or not sums["late"]:
        soak.fail("late", f"late and repeated readings were answered with {sums}")
    return f"{sums['late']} late, {sums['duplicate']} duplicate"


@fault("clock")
def jumping_clock(soak):
    """A device whose clock jumps: 1970, a day back, a little ahead, next year."""
    def make(number):
        now = milliseconds()
        at = (now, 1000 + number, now - 86_400_000, now + 20_000, now + 365 * 86_400_000, now - 3_600_000)[number % 6]
        return ("".join(event(sensor_name(9), at + n) for n in range(20)).encode(),)

    number, sums = post_for(soak, soak.span(15), 0.1, make, allowed=(202, 400, 503))
    return f"{number} requests, {sums['late']} readings late, {sums['dead_lettered']} refused"


# MARK: Readers

@fault("deaf")
def deaf_screens(soak):
    """Screens that ask for much and never read."""
    followed = "&".join(f"sensor_id={sensor_name(n)}" for n in range(50))
    request = f"GET /live?{followed} HTTP/1.1\r\nHost: x\r\nAccept: text/event-stream\r\n\r\n".encode()
    with contextlib.ExitStack() as open_:
        for _ in range(5):
            connection = open_.enter_context(socket.create_connection(("127.0.0.1", soak.port), timeout=5))
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            connection.sendall(request)
        soak.wait(soak.span(30))
    return "5 screens"


@fault("slow")
def slow_peers(soak):
    """Screens that read a kilobyte a second, and a body that comes byte by byte."""
    request = b"GET /live?sensor_id=s00001 HTTP/1.1\r\nHost: x\r\n\r\n"
    body = event(sensor_name(1), milliseconds()).encode()
    head = f"POST /ingest HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n".encode()
    with contextlib.ExitStack() as open_, contextlib.suppress(OSError):
        screens = [open_.enter_context(socket.create_connection(("127.0.0.1", soak.port), timeout=1)) for _ in range(3)]
        sender = open_.enter_context(socket.create_connection(("127.0.0.1", soak.port), timeout=5))
        for screen in screens:
            screen.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            screen.sendall(request)
        sender.sendall(head)
        for second in range(round(soak.span(30))):
            for screen in screens:
                with contextlib.suppress(TimeoutError):
                    screen.recv(1000)
            sender.sendall(body[second : second + 1])
            soak.wait(1)
    return "3 screens, 1 body"


# MARK: Disk

@fault("locked")
def locked_store(soak):
    """Another process holds the store's write lock."""
    database = sqlite3.connect(soak.data / DATABASE, isolation_level=None, timeout=30)
    seconds = soak.span(20)
    try:
        database.execute("BEGIN IMMEDIATE")
        soak.wait(seconds)
        waiting = soak.watch.lives[-1].last.get("tocsin_readings_spooled", 0)
        database.execute("ROLLBACK")
    finally:
        database.close()
    started = time.monotonic()
    soon(lambda: soak.is_caught_up(), 120, "the spool is empty again after the store was locked", interval=0.2)
    return f"{seconds:.0f} s, {waiting:,.0f} readings spooled, caught up in {time.monotonic() - started:.1f} s"


@fault("full")
def full_disk(soak):
    """The disk fills up, and has room again a while later."""
    if not soak.small_disk:
        return "left out: no file system of its own"
    filler = soak.small_disk / "filler"
    try:
        with open(filler, "wb", buffering=0) as file:
            room = os.statvfs(soak.small_disk).f_bavail * 4096
            with contextlib.suppress(OSError):
                os.posix_fallocate(file.fileno(), 0, max(4096, room - (1 << 20)))
            file.seek(0, os.SEEK_END)
            with contextlib.suppress(OSError):
                while file.write(b"\0" * 4096):
                    pass
        soon(lambda: not soak.is_ready(), 20, "/readyz answers 503 on a full disk", interval=0.2)
        soak.wait(soak.span(15))
    finally:
        filler.unlink(missing_ok=True)
    started = time.monotonic()
    soon(soak.is_ready, 20, "/readyz answers 200 when there is room again", interval=0.1)
    ready = time.monotonic() - started
    soon(soak.is_caught_up, 120, "the spool is empty again after the disk was full", interval=0.2)
    return f"ready again in {ready:.1f} s"


# MARK: Restarts

@fault("kill")
def kill(soak):
    """SIGKILL in the midst of everything, then a new process."""
    return soak.restart(signal.SIGKILL, "SIGKILL")


@fault("term")
def term(soak):
    """An orderly restart."""
    return soak.restart(signal.SIGTERM, "SIGTERM")


@fault("bits")
def flipped_bits(soak):
    """SIGKILL, and flipped bits in the newest checkpoint."""
    damaged = []

    def flip():
        found = sorted((soak.data / "checkpoints").glob("*.tck"))
        if not found:
            return
        with open(found[-1], "r+b") as file:
            at = RANDOM.randrange(max(1, file.seek(0, 2)))
            file.seek(at)
            byte = file.read(1)[0]
            file.seek(at)
            file.write(bytes([byte ^ (1 << RANDOM.randrange(8))]))
        damaged.append(found[-1].name)

    told = soak.restart(signal.SIGKILL, "flipped bits", flip)
    if damaged and damaged[0] not in soak.server.log:
        soak.fail("bits", f"the log does not name the damaged {damaged[0]}")
    return told if damaged else "no checkpoint yet"

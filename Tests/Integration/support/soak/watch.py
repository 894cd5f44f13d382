"""What a soak run looks at all the time: the counters' identity, memory, disk, and a live stream that must go on."""

import contextlib
import http.client
import json
import os
import re
import statistics
import threading
import time

from support.harness import DATABASE

SAMPLE = re.compile(r"^([a-z_]+)(\{[^}]*\})? (\S+)$", re.MULTILINE)
OUTCOMES = ("stored_total", "late_total", "duplicate_total", "dead_lettered_total", "spooled")
MEGABYTE = 1e6


def parsed(text):
    """Samples by name, added up over their labels."""
    found = {}
    for name, _, value in SAMPLE.findall(text):
        found[name] = found.get(name, 0.0) + float(value)
    return found


class Life:
    """One process from ready to end, with its samples of (age in seconds, bytes resident)."""

    def __init__(self, number, began_by):
        self.number, self.began_by, self.ready = number, began_by, 0.0
        self.memory, self.last = [], {}

    # The first seconds fill tables and caches.
    WARM_UP = 30

    @property
    def age(self):
        return self.memory[-1][0] if self.memory else 0.0

    @property
    def settled(self):
        return [size for age, size in self.memory if age >= min(self.WARM_UP, self.age / 2)]

    def slope(self):
        """Bytes a second by least squares over the second half."""
        points = [(age, size) for age, size in self.memory if age >= self.age / 2]
        if len(points) < 3 or points[0][0] == points[-1][0]:
            return 0.0
        return statistics.linear_regression(*zip(*points)).slope


class Watch:
    """Polls /metrics and the files; keeps one `Life` for each process."""

    PAUSE = 0.5
    SLOW = 5

    def __init__(self, soak):
        self.soak, self.done = soak, threading.Event()
        self.lives, self.scrapes, self.slowest = [], 0, 0.0
        self.disk = {"spool": 0, "checkpoints": 0, "database": 0, "log": 0}
        self.disk_now = dict.fromkeys(self.disk, 0)
        self.thread = threading.Thread(target=self._run, daemon=True)

    def start(self):
        self.thread.start()

    def stop(self):
        self.done.set()
        self.thread.join(30)

    def begin(self, began_by):
        self.lives.append(Life(len(self.lives) + 1, began_by))
        return self.lives[-1]

    def _run(self):
        connection, port, sizes_due = None, None, 0.0
        while not self.done.wait(self.PAUSE):
            if time.monotonic() >= sizes_due:
                self._measure_disk()
                sizes_due = time.monotonic() + 2
            now_port, life = self.soak.port, self.lives[-1] if self.lives else None
            if now_port is None:
                continue
            if now_port != port:
                connection, port = http.client.HTTPConnection("127.0.0.1", now_port, timeout=30), now_port
            started = time.monotonic()
            try:
                connection.request("GET", "/metrics")
                found = parsed(connection.getresponse().read().decode())
            except (OSError, http.client.HTTPException) as error:
                connection.close()
                port = None
                if self.soak.port == now_port:
                    self.soak.fail("scrapes", f"/metrics did not answer: {error!r}")
                continue
            self._note(found, life, time.monotonic() - started)

    def scrape(self, server):
        found = parsed(server.get("/metrics").text)
        self._note(found, self.lives[-1], 0.0)
        return found

    def _note(self, found, life, seconds):
        self.scrapes += 1
        self.slowest = max(self.slowest, seconds)
        if seconds > self.SLOW:
            self.soak.fail("scrapes", f"/metrics took {seconds:.1f} s")
        parts = {name: found[f"tocsin_readings_{name}"] for name in OUTCOMES}
        if found["tocsin_readings_received_total"] != sum(parts.values()):
            self.soak.fail("identity", f"received {found['tocsin_readings_received_total']:.0f}, but {parts}")
        life.last = found
        life.memory.append((found["tocsin_uptime_seconds"], found["process_resident_memory_bytes"]))

    def _measure_disk(self):
        data = self.soak.data
        self.disk_now = {
            "spool": size(data / "spool"), "checkpoints": size(data / "checkpoints"),
            "database": sum(size_of(data / (DATABASE + end)) for end in ("", "-wal", "-shm")), "log": size_of(data / "alerts.log")}
        for name, bytes_ in self.disk_now.items():
            self.disk[name] = max(self.disk[name], bytes_)

    def total(self, name):
        """A counter over all processes."""
        return sum(life.last.get(name, 0) for life in self.lives)


def size_of(path):
    with contextlib.suppress(OSError):
        return os.stat(path).st_size
    return 0


def size(folder):
    with contextlib.suppress(OSError):
        return sum(size_of(entry.path) for entry in os.scandir(folder))
    return 0


class Screen:
    """A well-behaved reader of /live: notes the longest time without anything from a running process."""

    LIMIT = 10

    def __init__(self, soak):
        self.soak, self.done, self.longest, self.lines, self.gaps = soak, threading.Event(), 0.0, 0, 0
        self.thread = threading.Thread(target=self._run, daemon=True)

    def start(self):
        self.thread.start()

    def stop(self):
        self.done.set()
        self.thread.join(40)

    def _run(self):
        while not self.done.is_set():
            port = self.soak.port
            if port is None:
                time.sleep(0.1)
                continue
            with contextlib.suppress(OSError, ValueError, http.client.HTTPException, AttributeError):
                connection = http.client.HTTPConnection("127.0.0.1", port, timeout=self.LIMIT * 3)
                connection.request("GET", "/live?sensor_id=s00000")
                self._read(connection.getresponse(), port)
            self.done.wait(0.1)

    def _read(self, response, port):
        last = time.monotonic()
        while (line := response.readline()) and not self.done.is_set():
            now = time.monotonic()
            self.lines += 1
            self.gaps += line.startswith(b"event: gap")
            if self.soak.port == port:
                self.longest = max(self.longest, now - last)
                if now - last > self.LIMIT:
                    self.soak.fail("live", f"a reader of /live got nothing for {now - last:.1f} s")
            last = now
            if self.soak.port != port:
                return


def told_twice(path):
    """(lines, those that tell the same step of an alarm again, those that are no JSON)."""
    seen, lines, twice, torn = {}, 0, [], []
    with contextlib.suppress(FileNotFoundError), open(path, encoding="utf-8") as log:
        for text in log:
            lines += 1
            try:
                entry = json.loads(text)
            except ValueError:
                torn.append(text)
                continue
            alarm = entry["alarm"]
            key = (alarm["id"], entry["step"], alarm["verdicts"])
            if key in seen:
                twice.append(f"{key} at {seen[key]} and {entry['time']}, {alarm['kind']} of {alarm['sensor_id']}, raised {alarm['raised']}: {alarm['sentence']}")
            seen.setdefault(key, entry["time"])
    return lines, twice, torn

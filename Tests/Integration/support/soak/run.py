"""One soak run: a process under steady load and one fault after the other, watched all the time."""

import collections
import contextlib
import http.client
import json
import signal
import subprocess
import sys
import threading
import time

from support.harness import Server, rows, soon
from support.soak.faults import FAULTS, RESTARTS
from support.soak.load import Load, METRICS, Probe
from support.soak.watch import Screen, Watch, told_twice

READY_LIMIT = 2
# Supervisors kill after 30 s, some after 10.
STOP_LIMIT = 10
MIB = 1 << 20
SPOOL_SEGMENT, SPOOL_MAXIMUM, STORE_MAXIMUM, DISK = 4 * MIB, 256 * MIB, 512 * MIB, 12288 * MIB
# Further series than those of the load: the flood of names meets the cap soon.
SPARE_SERIES = 2000


class Soak:
    """Starts everything, injects the faults in turn, ends everything; `failures` by check."""

    def __init__(self, place, hours, rate, sensors, faults, every, small_disk=None):
        self.place, self.data, self.small_disk = place, (small_disk or place) / "data", small_disk
        self.seconds, self.rate, self.every = hours * 3600, rate, every
        self.faults = [name for name in faults if name not in RESTARTS] + [name for name in faults if name in RESTARTS]
        self.max_series = sensors * len(METRICS) + SPARE_SERIES
        self.server = self.port = None
        self.stopped = False
        self.failures, self.lock = collections.defaultdict(list), threading.Lock()
        self.injected = collections.defaultdict(list)
        self.restarts, self.log_lines = [], collections.Counter()
        self.watch, self.screen, self.probe = Watch(self), Screen(self), Probe(self)
        self.load = Load(self, rate, sensors, batch=500, connections=16)

    # MARK: What faults use

    def fail(self, check, why):
        with self.lock:
            self.failures[check].append(why)
            first = len(self.failures[check]) <= 5
        if first:
            print(f"soak: FAIL {check}: {why}", file=sys.stderr, flush=True)

    def span(self, seconds):
        """A fault's length, shorter where faults follow each other fast."""
        return min(seconds, self.every / 2)

    def wait(self, seconds):
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            time.sleep(min(0.2, left))
            self.look_after_process()

    def is_caught_up(self):
        self.look_after_process()
        return self.watch.scrape(self.server)["tocsin_readings_spooled"] < self.rate

    def is_ready(self):
        with contextlib.suppress(OSError, http.client.HTTPException):
            return self.server.request("GET", "/readyz", timeout=5).status == 200
        return False

    def look_after_process(self):
        if self.port is not None and self.server.process.poll() is not None:
            code, self.port = self.server.process.returncode, None
            self.fail("process", f"the process ended by itself with {code}: {self.server.log[-1500:]}")
            self.count_log()
            self.begin("its own end")

    # MARK: Processes

    def options(self):
        settings = {
            "spool.segmentBytes": SPOOL_SEGMENT, "spool.maxBytes": SPOOL_MAXIMUM, "checkpoint.interval": "10s",
            "store.retention.events": "3m", "store.retention.windows": "3m", "store.retention.anomalies": "10m",
            "store.retention.deadLetters": "2m", "store.retention.maxBytes": STORE_MAXIMUM, "engine.maxSeries": self.max_series,
            "alarms.clearAfter": "30s", "alarms.cooldown": "30s", "alerts.console.enabled": "false"}
        return [text for name, value in settings.items() for text in ("--set", f"{name}={value}")]

    def begin(self, why):
        started = time.monotonic()
        self.server = Server(self.data, *self.options(), timeout=60)
        life = self.watch.begin(why)
        life.ready = time.monotonic() - started
        self.port = self.server.port
        if life.ready > READY_LIMIT:
            self.fail("ready", f"ready {life.ready:.2f} s after the start that followed {why}")
        return life

    def restart(self, signal_, why, between=lambda: None):
        self.port = None
        started = time.monotonic()
        self.server.process.send_signal(signal_)
        code = self.server.ended(timeout=60)
        ended = time.monotonic() - started
        if code != (0 if signal_ == signal.SIGTERM else -signal_):
            self.fail("process", f"it ended with {code} after {why}: {self.server.log[-1500:]}")
        if ended > STOP_LIMIT:
            self.fail("stop", f"it ended {ended:.1f} s after {why}: {self.server.log[-600:]}")
        self.count_log()
        between()
        life = self.begin(why)
        if signal_ == signal.SIGTERM:
            return f"ended in {ended:.2f} s, ready in {life.ready:.2f} s"
        return f"ready in {life.ready:.2f} s"

    def count_log(self):
        for text in self.server.log.splitlines():
            with contextlib.suppress(ValueError):
                entry = json.loads(text)
                if entry.get("level") in ("warning", "error", "critical"):
                    self.log_lines[f"{entry['level']}: {entry['message'][:110]}"] += 1
                continue
            if text.strip():
                self.log_lines[f"not JSON: {text[:110]}"] += 1

    # MARK: The run

    def run(self):
        self.began = time.monotonic()
        self.begin("the start")
        try:
            for part in (self.load, self.probe, self.watch, self.screen):
                part.start()
            self._inject()
            self._end()
        finally:
            self.stopped = True
            if self.server.process.poll() is None:
                self.server.kill()
        self.lasted = time.monotonic() - self.began

    def _inject(self):
        end, number, told = self.began + self.seconds, 0, time.monotonic()
        next_fault = self.began + self.every
        while (now := time.monotonic()) < end:
            if now >= told + 60:
                told += 60
                self.tell()
            if self.faults and now >= next_fault and now + self.every / 2 < end:
                name = self.faults[number % len(self.faults)]
                number += 1
                try:
                    result = FAULTS[name](self)
                except Exception as error:
                    self.fail(name, f"{type(error).__name__}: {error}")
                    result = "failed"
                self.injected[name].append(result)
                print(f"soak: {time.monotonic() - self.began:6.0f} s  fault {name}: {result}", file=sys.stderr, flush=True)
                next_fault = max(next_fault + self.every, time.monotonic() + self.every / 4)
            self.wait(0.2)

    def _end(self):
        self.load.stop()
        self.probe.stop()
        self.screen.stop()
        soon(self.is_settled, 120, "everything is judged and stored at the end", interval=0.2)
        self.watch.stop()
        self.final = self.watch.scrape(self.server)
        self.port = None
        code = self.server.stop(timeout=60)
        if code != 0:
            self.fail("process", f"it ended with {code} after the last SIGTERM: {self.server.log[-1500:]}")
        self.count_log()
        self.probe.look(final=True)
        self.alarm_lines, twice, torn = told_twice(self.data / "alerts.log")
        for what in twice:
            self.fail("alarms", f"told twice: {what}")
        for text in torn:
            self.fail("alarms", f"a line of alerts.log is no JSON: {text[:200]!r} … {text[-200:]!r}")
        integrity = rows(self.data, "PRAGMA quick_check")
        if integrity != [("ok",)]:
            self.fail("database", f"quick_check says {integrity[:3]}")

    def is_settled(self):
        self.look_after_process()
        return self.watch.scrape(self.server)["tocsin_readings_spooled"] == 0

    def tell(self):
        life, disk = self.watch.lives[-1], self.watch.disk_now
        memory = life.memory[-1][1] if life.memory else 0
        print(
            f"soak: {(time.monotonic() - self.began) / 60:4.0f} min  process {life.number}, RSS {memory / 1e6:.0f} MB, "
            f"acknowledged {self.load.tally.get('acknowledged') / 1e6:.1f} M, spooled {life.last.get('tocsin_readings_spooled', 0):,.0f}, "
            f"disk: spool {disk['spool'] / 1e6:.0f}, checkpoints {disk['checkpoints'] / 1e6:.0f}, database {disk['database'] / 1e6:.0f} MB, "
            f"failures {sum(map(len, self.failures.values()))}", file=sys.stderr, flush=True)


@contextlib.contextmanager
def own_disk(place, bytes_=DISK):
    """A file system of limited size in a file, where it can be mounted; else nothing."""
    image, mounted = place / "disk.img", place / "disk"
    mounted.mkdir()
    try:
        with open(image, "wb") as file:
            file.truncate(bytes_)
        subprocess.run(["mkfs.ext4", "-q", "-m", "0", str(image)], check=True, capture_output=True)
        subprocess.run(["mount", "-o", "loop", str(image), str(mounted)], check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        image.unlink(missing_ok=True)
        yield None
        return
    try:
        yield mounted
    finally:
        subprocess.run(["umount", "-l", str(mounted)], check=True)
        image.unlink(missing_ok=True)

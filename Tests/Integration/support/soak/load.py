"""The load of a soak run: steady readings over keep-alive connections, and the probe whose readings must all arrive."""

import contextlib
import http.client
import json
import random
import sqlite3
import threading
import time

from support.harness import DATABASE

METRICS = ("temperature", "humidity", "pressure", "vibration")
# Where the time stands in a prebuilt body; as wide as milliseconds since 1970.
TIME_MARK = b"TTTTTTTTTTTTT"
VARIANTS = 24
SEED = 5
LINES = "application/x-ndjson"


def milliseconds():
    return time.time_ns() // 1_000_000


def sensor_name(number):
    return f"s{number:05}"


class Client:
    """One keep-alive connection to whichever process is the server now."""

    def __init__(self, soak, timeout=40):
        self.soak, self.timeout, self.connection, self.port = soak, timeout, None, None

    def post(self, body, kind=LINES):
        """Status and parsed answer; (0, {}) when there was none."""
        port = self.soak.port
        if port is None:
            return 0, {}
        try:
            if self.connection is None or self.port != port:
                self.close()
                self.connection, self.port = http.client.HTTPConnection("127.0.0.1", port, timeout=self.timeout), port
            self.connection.request("POST", "/ingest", body, {"Content-Type": kind})
            response = self.connection.getresponse()
            return response.status, json.loads(response.read() or b"{}")
        except (OSError, ValueError, http.client.HTTPException):
            self.close()
            return 0, {}

    def close(self):
        if self.connection:
            self.connection.close()
        self.connection = None


class Tally:
    """What the answers said, added up over all threads."""

    def __init__(self):
        self.lock = threading.Lock()
        self.counts = {}
        self.slowest = 0.0

    def add(self, seconds=0.0, **counts):
        with self.lock:
            self.slowest = max(self.slowest, seconds)
            for name, count in counts.items():
                self.counts[name] = self.counts.get(name, 0) + count

    def get(self, name):
        with self.lock:
            return self.counts.get(name, 0)


class Bodies:
    """Request bodies made once; sending one costs the replacement of its time."""

    def __init__(self, sensors, batch):
        generator = random.Random(SEED)
        events = max(1, batch // len(METRICS))
        self.readings, self.templates = [], []
        for first in range(0, sensors, events):
            names = [sensor_name(number) for number in range(first, min(first + events, sensors))]
            self.readings.append(len(names) * len(METRICS))
            self.templates.append([self._body(names, generator) for _ in range(VARIANTS)])

    @staticmethod
    def _body(names, generator):
        lines = []
        for name in names:
            level = int(name[1:]) % 20
            values = (20 + level + generator.gauss(0, 0.4), 50 + generator.gauss(0, 1), 1000 + level + generator.gauss(0, 2), 2 + generator.gauss(0, 0.1))
            fields = ",".join(f'"{metric}":{value:.2f}' for metric, value in zip(METRICS, values))
            lines.append(f'{{"sensor_id":"{name}","timestamp":{TIME_MARK.decode()},{fields}}}\n')
        return "".join(lines).encode()

    def __len__(self):
        return len(self.templates)

    def body(self, number, turn, at):
        return self.templates[number][turn % VARIANTS].replace(TIME_MARK, str(at).encode())


class Load:
    """Sends every body once a turn, evenly spread; what is due while nobody answers is left out."""

    def __init__(self, soak, rate, sensors, batch, connections):
        self.soak, self.tally = soak, Tally()
        self.bodies = Bodies(sensors, batch)
        self.period = sum(self.bodies.readings) / rate
        self.connections = min(connections, len(self.bodies))
        self.done = threading.Event()
        self.threads = [threading.Thread(target=self._send, args=(number,), daemon=True) for number in range(self.connections)]

    def start(self):
        self.started = time.monotonic()
        for thread in self.threads:
            thread.start()

    def stop(self):
        self.done.set()
        for thread in self.threads:
            thread.join(60)

    def _send(self, thread):
        client, number, turn = Client(self.soak), thread, 0
        while not self.done.is_set():
            due = self.started + (turn + number / len(self.bodies)) * self.period
            wait = due - time.monotonic()
            if wait > 0:
                time.sleep(wait)
            elif wait < -1:
                # Left out rather than sent in a burst: the offered rate stays the rate.
                skipped = int(-wait / self.period)
                self.tally.add(left_out=skipped * self.bodies.readings[number])
                turn += skipped
            self._post(client, self.bodies.body(number, turn, milliseconds()), self.bodies.readings[number])
            number += self.connections
            if number >= len(self.bodies):
                number, turn = thread, turn + 1
        client.close()

    def _post(self, client, body, readings):
        started = time.monotonic()
        status, answer = client.post(body)
        self.tally.add(time.monotonic() - started, sent=readings, **{f"status_{status}": 1})
        if status == 202:
            self.tally.add(
                acknowledged=readings, late=answer["late"], spooled=answer.get("spooled", 0), duplicate=answer["duplicate"])
            told = answer["accepted"] + answer["late"] + answer["duplicate"] + answer["dead_lettered"]
            if told != readings or answer["dead_lettered"]:
                self.soak.fail("answers", f"{readings} good readings were answered with {answer}")
        elif status == 0:
            time.sleep(0.1)
        elif status == 503:
            time.sleep(0.5)
        else:
            self.soak.fail("answers", f"good readings were answered with {status}: {answer}")


class Probe:
    """A sensor whose every reading has its own time: sent until acknowledged, then looked for in the database.

    Retention deletes them later, so they are looked for while they are young, and again until they are `SETTLED` old.
    """

    NAME = "probe"
    EVENTS = 5
    PAUSE = 0.5
    LOOK = 5
    SETTLED = 60
    OVERDUE = 150

    def __init__(self, soak):
        self.soak = soak
        self.lock, self.done = threading.Lock(), threading.Event()
        self.waiting, self.present = {}, {}
        self.acknowledged = self.found = self.retries = 0
        self.slowest = 0.0
        self.threads = [threading.Thread(target=target, daemon=True) for target in (self._send, self._look)]

    def start(self):
        for thread in self.threads:
            thread.start()

    def _send(self):
        client, at, value = Client(self.soak), milliseconds(), 0
        while not self.done.is_set():
            times = []
            for _ in range(self.EVENTS):
                at = max(at + 1, milliseconds())
                times.append(at)
            value += 1
            body = "".join(f'{{"sensor_id":"{self.NAME}","timestamp":{at},"level":{50 + value % 7 / 10}}}\n' for at in times).encode()
            started = time.monotonic()
            while not self._taken(*client.post(body)):
                self.retries += 1
                if self.done.wait(0.2):
                    return
            now = time.monotonic()
            self.slowest = max(self.slowest, now - started)
            with self.lock:
                self.acknowledged += len(times)
                self.waiting.update((at, now) for at in times)
            self.done.wait(self.PAUSE)

    def _taken(self, status, answer):
        if status != 202:
            return False
        if answer["accepted"] + answer["duplicate"] + answer["late"] != self.EVENTS:
            self.soak.fail("probe", f"{self.EVENTS} readings of the probe were answered with {answer}")
        return True

    def _look(self):
        while not self.done.wait(self.LOOK):
            # The database may be between two processes; what is missing for long is reported by `look`.
            with contextlib.suppress(sqlite3.Error, AssertionError):
                self.look()

    def look(self, final=False):
        """Looks for what was acknowledged: missing too long, gone again, or there twice is a failure."""
        with self.lock:
            wanted = list(self.waiting) + list(self.present)
        counts = self._counts(wanted)
        now = time.monotonic()
        with self.lock:
            for at in wanted:
                count = counts.get(at, 0)
                if count > 1:
                    self.soak.fail("probe", f"the reading of {at} is stored {count} times")
                if at in self.present:
                    if count == 0:
                        self.soak.fail("probe", f"the reading of {at} was stored and is gone")
                    if now - self.present[at] > self.SETTLED:
                        del self.present[at]
                elif count:
                    self.found += 1
                    self.present[at] = self.waiting.pop(at)
                elif final or now - self.waiting[at] > self.OVERDUE:
                    self.soak.fail("probe", f"the reading of {at} was acknowledged {now - self.waiting[at]:.0f} s ago and is not stored")
                    if not final:
                        del self.waiting[at]

    def _counts(self, times):
        database = sqlite3.connect(f"file:{self.soak.data / DATABASE}?mode=ro", uri=True, timeout=10)
        try:
            row = database.execute("SELECT id FROM sensors WHERE name = ?", (self.NAME,)).fetchone()
            counts = {}
            for first in range(0, len(times) if row else 0, 500):
                some = [at * 1_000_000 for at in times[first : first + 500]]
                marks = ",".join("?" * len(some))
                query = f"SELECT time, count(*) FROM sensor_events WHERE time IN ({marks}) AND sensor_id = ? GROUP BY time"
                counts |= {at // 1_000_000: count for at, count in database.execute(query, (*some, row[0]))}
            return counts
        finally:
            database.close()

    def stop(self):
        self.done.set()
        for thread in self.threads:
            thread.join(60)

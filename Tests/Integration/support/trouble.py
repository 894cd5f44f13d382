"""Load before, in and after a trouble of the PostgreSQL server, and what must be there when it is over."""

import contextlib
import json
import threading
import time

from support import postgres
from support.figures import Balance, settled
from support.harness import Server, equal, expect, folder, line, shortened, soon

TODAY = int(time.time()) // 86400 * 86400


@contextlib.contextmanager
def running(*options, **settings):
    """A folder, a PostgreSQL server, and the program on it."""
    with folder() as place, postgres.server(place, **settings) as database:
        with Server(place / "data", *options, environment=database.environment()) as server:
            yield place / "data", database, server


def taken(server, body):
    answer = server.post(body)
    equal(answer.status, 202, f"status ({answer})")
    return answer.json


def health(server):
    answer = server.request("GET", "/health")
    equal(answer.status, 200, f"status of /health ({answer})")
    return answer.json


def told(data):
    steps = [json.loads(text) for text in (data / "alerts.log").read_text().splitlines()]
    steps = sorted((entry["alarm"]["id"], entry["step"], entry["alarm"]["verdicts"]) for entry in steps)
    equal(len(steps), len(set(steps)), "steps of alarms told, and different ones")
    return steps


class Load(threading.Thread):
    """Posts twenty readings of one sensor every 50 ms, a second of event time apart; every five hundredth is a spike.
    `insists`: what is answered with 503 is sent again."""

    def __init__(self, server, first=0, insists=False):
        super().__init__(daemon=True)
        self.server, self.sent, self.spooled, self.slowest, self.problem = server, first, 0, 0, None
        self.insists, self.refusals = insists, 0
        self.done = threading.Event()

    def run(self):
        while not self.done.is_set() and self.problem is None:
            body = "".join(line("a", TODAY - 50_000 + n, temperature=90 if n % 500 == 499 else 20 + n % 7 / 10) for n in range(self.sent, self.sent + 20))
            started = time.monotonic()
            try:
                answer = self.server.post(body)
                if answer.status == 503 and self.insists:
                    self.refusals += 1
                    self.done.wait(0.2)
                    continue
                known = answer.json.get("duplicate", 0) if self.refusals else 0
                if answer.status != 202 or answer.json["accepted"] + known != 20:
                    self.problem = str(answer)
                self.spooled += answer.json.get("spooled", 0)
            except Exception as error:
                self.problem = repr(error)
            self.slowest = max(self.slowest, time.monotonic() - started)
            self.sent += 20
            self.done.wait(0.05)

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.done.set()
        self.join(40)


class Order:
    """Looks at what is stored: in order means that at any moment it has no gap."""

    def __init__(self, database):
        self.database, self.breaks = database, []

    def look(self):
        count, first, last = self.database.query("SELECT count(*), coalesce(min(time), 0), coalesce(max(time), 0) FROM sensor_events")[0]
        if int(count) and int(last) - int(first) != (int(count) - 1) * 1_000_000_000:
            self.breaks.append((count, first, last))
        return int(count)


def all_stored(database, data, sent, order):
    """Each of the load's events is there once, nothing came before what was sent earlier, and each alarm was told once."""
    equal(order.look(), sent, "events stored")
    equal(order.breaks, [], "moments at which a later event was stored and an earlier one not")
    equal(database.value("SELECT count(DISTINCT time) FROM sensor_events"), str(sent), "different events stored")
    spikes = {TODAY - 50_000 + n for n in range(499, sent, 500)}
    stored = {int(row[0]) // 1_000_000_000 for row in database.query("SELECT time FROM anomalies WHERE kind = 'spike' AND value = 90")}
    equal(sorted(stored & spikes), sorted(spikes), "spikes that are anomalies in the store")
    alarms = dict(database.query("SELECT id, raised FROM alarms"))
    raised = [step for step in told(data) if step[1] == "raised"]
    equal(sorted(step[0] for step in raised), sorted(alarms), "alarms raised that were told, and alarms in the store")


def trouble(database, server, data, begin, end, words, seconds=2, patience=8):
    """Load before, in and after the trouble; then all is there, in order, once, and every alarm was told once."""
    health_seen, order = None, Order(database)
    with Balance(server) as balance:
        with Load(server) as load:
            soon(lambda: load.sent >= 600 or load.problem, 30, "load")
            begin()
            try:
                health_seen = soon(lambda: (seen := health(server))["status"] == "degraded" and seen, patience, "/health is degraded")
                load.spooled = 0
                time.sleep(seconds)
                expect(load.problem is None, f"a request in the trouble: {load.problem}")
                spooled = load.spooled
                equal(health(server)["status"], "degraded", "/health in the trouble")
                equal(server.request("GET", "/livez").status, 200, "/livez in the trouble")
            finally:
                end()
            healed = time.monotonic()
            while time.monotonic() - healed < 20 and health(server)["status"] != "ok":
                order.look()
                time.sleep(0.1)
            equal(health(server)["status"], "ok", "/health after the trouble")
            back = time.monotonic() - healed
            expect(back < 12, f"back to work only after {back:.1f} s")
        expect(load.problem is None, f"a request: {load.problem}")
        settled(server)
    expect(spooled >= 50, f"only {spooled} readings were told to be in the spool")
    expect(load.slowest < 2.5, f"a POST took {load.slowest:.1f} s")
    for word in words:
        expect(word in health_seen["reason"].lower(), f"/health does not say '{word}': {shortened(health_seen)}")
    all_stored(database, data, load.sent, order)
    print(f"     degraded: {shortened(health_seen['reason'], 110)}; slowest POST {load.slowest:.2f} s, back after {back:.1f} s")
    return balance.places

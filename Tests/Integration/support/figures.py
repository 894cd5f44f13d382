"""The figures of /metrics, and the sum that must be right at every look."""

import re
import threading

from support.harness import expect, soon

SAMPLE = re.compile(r"^([a-z_]+)(\{[^}]*\})? (\S+)$")
# Where a reading may be: in = the sum of these.
PLACES = ("stored_total", "late_total", "duplicate_total", "dead_lettered_total", "spooled")


def figures(server):
    """All samples by name and labels."""
    found = {}
    for text in server.get("/metrics").text.splitlines():
        if match := SAMPLE.match(text):
            found[match[1] + (match[2] or "")] = float(match[3])
    return found


def figure(found, name):
    """The sum over all labels."""
    return sum(value for key, value in found.items() if key == name or key.startswith(name + "{"))


def settled(server, timeout=40, waiting=0):
    """Waits until everything that was ever taken in is judged and stored, or no more than will ever wait."""
    soon(lambda: figure(figures(server), "tocsin_readings_spooled") == waiting, timeout, "everything is judged and stored")


class Balance(threading.Thread):
    """Looks all the time: in = stored + late + duplicate + dead-lettered + spooled. A context manager that fails at its
    end when that was wrong once. `places` holds what was seen last."""

    def __init__(self, server):
        super().__init__(daemon=True)
        self.server, self.done, self.looks, self.problem, self.places = server, threading.Event(), 0, None, {}

    def look(self):
        found = figures(self.server)
        self.places = {place: figure(found, f"tocsin_readings_{place}") for place in PLACES}
        received = figure(found, "tocsin_readings_received_total")
        if received != sum(self.places.values()):
            self.problem = f"received {received}, but {self.places}"
        self.looks += 1

    def run(self):
        while self.problem is None and not self.done.wait(0.02):
            try:
                self.look()
            except Exception as error:
                self.problem = f"/metrics: {error}"

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, kind, *_):
        self.done.set()
        self.join(30)
        if kind is None:
            if self.problem is None:
                self.look()
            expect(self.problem is None, f"in is not out: {self.problem}")

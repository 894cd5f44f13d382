"""A stream through Kafka with something to find in it, the same each time, and how far the processes of a group have come."""

import random
import threading
import time

from support.figures import figure, figures
from support.harness import expect, line
from support.kafka import GROUP, TOPIC

START = 1_760_000_000
PARTITIONS = 6
SENSORS = 24
SECONDS = 600
# The wall clock must not act on the stream. Forests are learnt across sensors, floods are of a whole process.
OPTIONS = (
    "--set", "engine.idleTimeout=1h", "--set", "checkpoint.interval=1s", "--set", "detection.forest.enabled=false",
    "--set", "alarms.flood.incidents=1000000")


SENSOR = "(SELECT name FROM sensors WHERE sensors.id = sensor_id)"
SERIES = "(SELECT sensors.name || ' ' || series.metric FROM series JOIN sensors ON sensors.id = series.sensor_id WHERE series.id = series_id)"
# Whatever a sensor's history says; the same in both kinds of store.
TABLES = {
    "events": f"SELECT {SENSOR}, time, event_key, late, CAST(readings AS TEXT) FROM sensor_events",
    "windows": f"SELECT {SERIES}, start, size, slide, count, mean, minimum, maximum, standard_deviation FROM windows",
    "anomalies": f"SELECT {SENSOR}, id, alarm_id, metric, kind, detector, start, time, value, expected_low, expected_high, score, p_value, sentence, note FROM anomalies",
    "alarms": f"SELECT {SENSOR}, id, metric, kind, state, severity, raised, last_seen, cleared, verdicts, score, p_value, sentence, cause FROM alarms",
}


def stream(seconds=SECONDS, first=0):
    """(key, value) of every message, in the order of their times, with spikes, drift and silence: the same each time."""
    generator = random.Random(7)
    messages = []
    for second in range(first, first + seconds):
        for sensor in range(SENSORS):
            value = 20 + sensor / 10 + generator.gauss(0, 0.5)
            if sensor % 5 == 3 and second % 211 == 100:
                value += 40
            if sensor == 5 and second > 400:
                value += (second - 400) * 0.05
            if sensor == 9 and 350 <= second < 500:
                continue
            name = f"s{sensor:03}"
            messages.append((name, line(name, START + second, temperature=round(value, 2)).strip()))
    return messages


class Producer:
    """Sends a stream in parts, so that processes can come and go meanwhile; the last quarter when they have: however long
    they take, each still has something to read."""

    def __init__(self, cluster, messages, parts=60, pause=0.1):
        self.failure = None
        self.settled = threading.Event()
        self.thread = threading.Thread(target=self._run, args=(cluster, messages, parts, pause), daemon=True)
        self.thread.start()

    def _run(self, cluster, messages, parts, pause):
        size = (len(messages) + parts - 1) // parts
        try:
            for place in range(0, len(messages), size):
                if place >= len(messages) * 3 // 4:
                    self.settled.wait()
                cluster.produce(TOPIC, messages[place:place + size])
                time.sleep(pause)
        except Exception as error:
            self.failure = error

    def finish(self, timeout=120):
        """They have come and gone."""
        self.settled.set()
        self.thread.join(timeout)
        expect(not self.thread.is_alive(), "the producer does not end")
        if self.failure:
            raise self.failure


def partitions_of(server):
    """Labels of the partitions that the process has, as /metrics says."""
    return [text for text in server.get("/metrics").text.splitlines() if text.startswith("kafka_consumer_paused{")]


def lag(server):
    """Messages behind by partition, as /metrics says."""
    found = {}
    for text in server.get("/metrics").text.splitlines():
        if text.startswith("kafka_consumer_lag{"):
            labels, value = text.rsplit(" ", 1)
            found[labels] = float(value)
    return found


def is_done(cluster, servers, count):
    """Everything produced is committed, judged and stored."""
    offsets = cluster.committed(GROUP, TOPIC, PARTITIONS)
    if None in offsets or sum(offsets) < count:
        return False
    return all(figure(figures(server), "tocsin_readings_spooled") == 0 for server in servers)

"""A Kafka cluster for tests: the mock cluster of librdkafka in a process of its own, on free ports of 127.0.0.1.

    with kafka.cluster() as cluster:
        cluster.create("sensor-events", 4)
        cluster.produce("sensor-events", [("s1", '{"sensor_id": …}')])
        tocsin("run", environment={"KAFKA_BOOTSTRAP_SERVERS": cluster.brokers})
        cluster.down()
        cluster.up()

It has groups, commits and both kinds of rebalance, but keeps at most 5 MiB or 100,000 messages of a partition, and no
transactions, logins or disk.
"""

import base64
import contextlib
import ctypes
import glob
import itertools
import json
import os
import pathlib
import signal
import subprocess
import sys
import threading

from support.harness import Server, Skip, expect, shortened

TOPIC, GROUP = "sensor-events", "tocsin-test"
NUMBERS = itertools.count()
HOST = pathlib.Path(__file__).with_name("kafka_host.py")


def library():
    """The newest library that is there: TOCSIN_LIBRDKAFKA, that of the confluent-kafka wheel, or the system's."""
    named = os.environ.get("TOCSIN_LIBRDKAFKA")
    wheels = glob.glob(".build/venv/lib/python3*/site-packages/confluent_kafka.libs/librdkafka-*.so.1")
    systems = glob.glob("/usr/lib/*/librdkafka.so.1") + glob.glob("/usr/lib/librdkafka.so.1") + glob.glob("/usr/lib64/librdkafka.so.1")
    found = [named] if named else wheels + systems
    if not found or not os.path.exists(found[0]):
        raise Skip("librdkafka is not installed (Debian: librdkafka1; PyPI: confluent-kafka)")
    return os.path.abspath(found[0])


def has_feature(name):
    """Whether the library was built with it."""
    made = ctypes.CDLL(library())
    made.rd_kafka_conf_new.restype = ctypes.c_void_p
    settings, text, size = ctypes.c_void_p(made.rd_kafka_conf_new()), ctypes.create_string_buffer(2000), ctypes.c_size_t(2000)
    made.rd_kafka_conf_get(settings, b"builtin.features", text, ctypes.byref(size))
    made.rd_kafka_conf_destroy(settings)
    return name in text.value.decode().split(",")


class Process(Server):
    """The program; a test that finds it gone is told how it ended, and why as far as its log knows."""

    # Those of this check, by their start.
    started = []

    def __init__(self, *arguments, **options):
        super().__init__(*arguments, **options)
        self.started.append(self)

    @classmethod
    def tell_all(cls):
        """What the last ones have said, also those that have ended."""
        for process in cls.started[-8:]:
            process.tell()

    def tell(self):
        print(f"--- the end of the log of {self.data.name}\n{self.log[-6000:]}---", file=sys.stderr, flush=True)

    def __exit__(self, kind, error, trace):
        if kind is not None:
            self.tell()
        super().__exit__(kind, error, trace)

    def request(self, *arguments, **options):
        try:
            return super().request(*arguments, **options)
        except OSError:
            if hasattr(self, "port"):
                with contextlib.suppress(subprocess.TimeoutExpired):
                    self.process.wait(15)
            if self.process.returncode is None:
                raise
            self.tell()
            errors = [text for text in self.log.splitlines() if '"level":"error"' in text or " error " in text]
            raise AssertionError(
                f"the process in {self.data.name} ended by itself with {self.process.returncode}: "
                f"{shortened(' | '.join(errors[-3:]) or self.log[-400:], 400)}")


class Cluster:
    def __init__(self, brokers=1):
        self.library = library()
        self.process = subprocess.Popen(
            [sys.executable, str(HOST), self.library, str(brokers)], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL, text=True)
        self.lock = threading.Lock()
        self.brokers = json.loads(self.process.stdout.readline() or "{}").get("brokers")
        expect(self.brokers, "the mock cluster does not start")

    def call(self, *command):
        with self.lock:
            self.process.stdin.write(json.dumps(command) + "\n")
            self.process.stdin.flush()
            answer = json.loads(self.process.stdout.readline() or '{"error": "the cluster ended"}')
        expect("error" not in answer, f"{command[0]}: {answer.get('error')}")
        return answer["ok"]

    def create(self, topic, partitions):
        self.call("create", topic, partitions)

    def produce(self, topic, messages):
        """Messages are (key, value) or (key, value, partition); a value is text or bytes, None is a tombstone."""
        def plain(value):
            return {"base64": base64.b64encode(value).decode()} if isinstance(value, bytes) else value
        self.call("produce", topic, [(key, plain(value), *partition, None)[:3] for key, value, *partition in messages])

    def consume(self, topic, partitions, seconds=20):
        """What is in a topic now: (partition, offset, key, value, headers)."""
        return [tuple(message) for message in self.call("consume", topic, partitions, seconds)]

    def committed(self, group, topic, partitions):
        return self.call("committed", group, topic, partitions)

    def down(self, *brokers):
        self.call("down", *brokers)

    def up(self, *brokers):
        self.call("up", *brokers)

    def slow(self, milliseconds):
        self.call("slow", milliseconds)

    def errors(self, api, *codes):
        self.call("errors", api, *codes)

    def freeze(self):
        """Connections stay open, also new ones, and nobody answers: half-open, as far as a client can tell."""
        os.kill(self.process.pid, signal.SIGSTOP)

    def thaw(self):
        os.kill(self.process.pid, signal.SIGCONT)

    def environment(self):
        return {"KAFKA_BOOTSTRAP_SERVERS": self.brokers, "KAFKA_LIBRARY": self.library}

    def close(self):
        self.thaw()
        with contextlib.suppress(OSError):
            self.process.stdin.close()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


@contextlib.contextmanager
def cluster(brokers=1):
    running = Cluster(brokers)
    try:
        yield running
    finally:
        running.close()


# MARK: The program as a consumer

def configuration(place, cluster, **settings):
    """A file with one Kafka source; the group notices a dead member soon."""
    source = {
        "kind": "kafka", "name": "plant", "topics": [TOPIC], "group": GROUP, "checkpointInterval": "2s",
    } | settings
    properties = {"session.timeout.ms": "6000", "heartbeat.interval.ms": "500", "reconnect.backoff.max.ms": "500"}
    path = place / f"tocsin-{next(NUMBERS)}.yaml"
    # JSON is YAML.
    path.write_text(json.dumps({
        "kafka": {"bootstrapServers": cluster.brokers, "library": cluster.library, "properties": properties},
        "sources": [source]}))
    return ("--config", path)


def source_of(server):
    """The source's part of /health."""
    return next(one for one in server.get("/health").json["connectors"] if one["name"] == "plant")

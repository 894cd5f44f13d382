"""`tocsin send` and `tocsin simulate` into Kafka, MQTT and HTTP: every message once and in order, also when the receiver goes
away meanwhile; a run that is broken off says where to go on.
"""

import contextlib
import http.server
import json
import signal
import subprocess
import sys
import threading
import time

sys.dont_write_bytecode = True
from support import kafka, mqtt
from support.harness import BINARY, ENVIRONMENT, check, equal, expect, folder, main, require_shared, soon, tocsin

START = 1_760_000_000


# MARK: Parts

def recording(path, rows, sensors=5):
    """A table of one reading a second of each sensor, and what is to arrive."""
    with open(path, "w") as file:
        file.write("sensor_id,timestamp,value\n")
        for row in range(rows):
            file.write(f"s{row % sensors},{START + row // sensors},{row}\n")
    return [{"sensor_id": f"s{row % sensors}", "timestamp": START + row // sensors, "value": row} for row in range(rows)]


class Running:
    """A command that is still at work; its standard error is read along."""

    def __init__(self, *arguments, environment=None):
        self.text = ""
        self.process = subprocess.Popen(
            [BINARY, *map(str, arguments)], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
            env=ENVIRONMENT | (environment or {}), text=True)
        self.thread = threading.Thread(target=self._read, daemon=True)
        self.thread.start()

    def _read(self):
        for line in self.process.stderr:
            self.text += line

    def ended(self, code=0, timeout=60):
        found = self.process.wait(timeout)
        self.thread.join(5)
        equal(found, code, f"exit code ({self.text})")
        return self

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()


def objects(messages):
    return [json.loads(message[3]) for message in messages]


def by_sensor(values):
    found = {}
    for value in values:
        found.setdefault(value["sensor_id"], []).append(value["value"])
    return found


class Receiver:
    """An HTTP server that notes bodies, and refuses, or says nothing, while it is told to."""

    def __init__(self):
        receiver = self
        self.bodies, self.keys, self.refuses, self.refused, self.pause = [], set(), False, 0, 0
        self.hangs, self.hung, self.released = False, 0, threading.Event()

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                receiver.keys.add(self.headers["X-API-Key"])
                if receiver.hangs:
                    receiver.hung += 1
                    receiver.released.wait()
                    self.close_connection = True
                    return
                if receiver.refuses:
                    receiver.refused += 1
                    self.send_response(503)
                    self.send_header("Retry-After", str(receiver.pause))
                else:
                    receiver.bodies.append(body.decode())
                    self.send_response(202)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server.server_port}/ingest"

    def lines(self):
        return [json.loads(line) for body in self.bodies for line in body.splitlines()]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.released.set()
        self.server.shutdown()
        self.server.server_close()


@contextlib.contextmanager
def subscriber(broker, topic, count):
    """Gives a function that returns the messages as (topic, payload), when so many have come or none comes any more."""
    name = "watcher"
    arguments = [
        mqtt.program("mosquitto_sub"), "-h", "127.0.0.1", "-p", str(broker.port), "-t", topic, "-q", "1", "-c", "-i", name,
        "-v"]
    process = subprocess.Popen(arguments, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    lines = []
    thread = threading.Thread(target=lambda: [lines.append(line) for line in process.stdout], daemon=True)
    thread.start()
    soon(lambda: "SUBSCRIBE from watcher" in broker.log, 10, "the subscriber is there")

    def collected():
        soon(lambda: len(lines) >= count, 30, f"{count} messages arrive", interval=0.1)
        return [tuple(line.rstrip("\n").split(" ", 1)) for line in lines]
    try:
        yield collected
    finally:
        process.kill()
        process.wait()


# MARK: Kafka

@check("send: a table into a topic of Kafka, each row an object, keyed by sensor, in order")
def to_kafka():
    with folder() as data, kafka.cluster() as cluster:
        wanted = recording(data / "plant.csv", 20_000)
        cluster.create("raw", 4)
        done = tocsin(
            "send", data / "plant.csv", "--to", f"kafka://{cluster.brokers}/raw", "--speed", 0,
            environment=cluster.environment()).ended(0)
        expect("20000 messages sent to kafka://" in done.err, done.err)
        messages = cluster.consume("raw", 4)
        equal(len(messages), len(wanted), "messages")
        equal(by_sensor(objects(messages)), by_sensor(wanted), "readings of each sensor, in their order")
        expect(all(json.loads(value)["sensor_id"] == key for _, _, key, value, *_ in messages), "a key is not the sensor")


@check("send: the smoke recording into Kafka")
def smoke_to_kafka():
    path = require_shared("smoke/smoke_shared.csv")
    with kafka.cluster() as cluster:
        cluster.create("sensor-events", 2)
        tocsin(
            "send", path, "--to", f"kafka://{cluster.brokers}", "--speed", "100000x", "--limit", 5000, "--max-pause", "1ms",
            environment=cluster.environment()).ended(0)
        found = objects(cluster.consume("sensor-events", 2))
        equal(len(found), 5000, "messages")
        equal({value["sensor_id"] for value in found}, {"smoke_shared"}, "sensors")
        with open(path) as file:
            names = file.readline().strip().split(",")
            first = dict(zip(names, file.readline().strip().split(",")))
        equal(found[0]["UTC"], int(first["UTC"]), "the first time")
        equal(found[0]["Temperature[C]"], float(first["Temperature[C]"]), "the first temperature")


@check("send: brokers that are away are waited for, and nothing is lost or doubled")
def kafka_away():
    with folder() as data, kafka.cluster() as cluster:
        wanted = recording(data / "plant.csv", 30_000)
        cluster.create("raw", 2)
        arguments = ("send", data / "plant.csv", "--to", f"kafka://{cluster.brokers}/raw", "--speed", "1000x")
        with Running(*arguments, environment=cluster.environment()) as sending:
            time.sleep(1.5)
            cluster.down()
            soon(lambda: "waiting: " in sending.text, 20, "the command says that it waits")
            time.sleep(2)
            expect(sending.process.poll() is None, f"it gave up: {sending.text}")
            cluster.up()
            sending.ended(0)
        equal(by_sensor(objects(cluster.consume("raw", 2))), by_sensor(wanted), "readings of each sensor")


@check("send: broken off, it says where to go on")
def interrupted():
    with folder() as data, kafka.cluster() as cluster:
        wanted = recording(data / "plant.csv", 20_000)
        cluster.create("raw", 1)
        arguments = ("send", data / "plant.csv", "--to", f"kafka://{cluster.brokers}/raw")
        with Running(*arguments, "--speed", "1000x", environment=cluster.environment()) as sending:
            time.sleep(1.5)
            sending.process.send_signal(signal.SIGINT)
            sending.ended(130)
        place = int(sending.text.split("--skip ")[1].split()[0])
        expect(0 < place < 20_000, f"it stopped at {place}")
        equal(len(cluster.consume("raw", 1)), place, "messages so far")
        tocsin(*arguments, "--speed", 0, "--skip", place, environment=cluster.environment()).ended(0)
        equal([value["value"] for value in objects(cluster.consume("raw", 1))], [row["value"] for row in wanted], "both runs")


@check("send: simulated readings into Kafka, as many as were made")
def simulate_to_kafka():
    with folder() as data, kafka.cluster() as cluster:
        cluster.create("fleet", 8)
        arguments = ("simulate", "--profile", "fleet", "--max-events", 100_000, "--seed", 3)
        tocsin(*arguments, "--to", f"kafka://{cluster.brokers}/fleet", environment=cluster.environment()).ended(0)
        tocsin(*arguments, "--to", data / "fleet.json").ended(0)
        sent = sorted(message[3] for message in cluster.consume("fleet", 8))
        equal(sent, sorted((data / "fleet.json").read_text().splitlines()), "messages")


# MARK: MQTT

@check("send: into topics of MQTT, one for each sensor; the broker killed meanwhile")
def to_mqtt():
    with folder() as data, mqtt.broker(data) as broker:
        wanted = recording(data / "plant.csv", 20_000)
        with subscriber(broker, "site/#", len(wanted)) as collected:
            to = f"{broker.url}/site/{{sensor_id}}/raw"
            with Running("send", data / "plant.csv", "--to", to, "--speed", "1000x") as sending:
                time.sleep(1.5)
                broker.kill()
                time.sleep(0.5)
                expect(sending.process.poll() is None, f"it gave up: {sending.text}")
                broker.start()
                sending.ended(0)
            found = {}
            for topic, payload in collected():
                value = json.loads(payload)
                equal(topic, f"site/{value['sensor_id']}/raw", "topic")
                found.setdefault(value["sensor_id"], set()).add(value["value"])
        equal(
            {sensor: sorted(values) for sensor, values in found.items()}, by_sensor(wanted),
            "readings of each sensor (at least once)")


@check("send: MQTT with a user over TLS; without the password the broker's words are shown")
def mqtt_login():
    with folder() as data, mqtt.broker(data, tls=True, users={"plant": "sesame"}) as broker:
        recording(data / "plant.csv", 100)
        arguments = (
            "send", data / "plant.csv", "--speed", 0, "--to", f"{broker.url}/site/{{sensor_id}}", "--user", "plant",
            "--ca-file", broker.folder / "ca.pem")
        (data / "password").write_text("sesame\n")
        done = tocsin(*arguments, "--password-file", data / "password").ended(0)
        expect("100 messages" in done.err, done.err)
        with Running(*arguments, environment={"MQTT_PASSWORD": "wrong-word"}) as sending:
            soon(lambda: "waiting: " in sending.text, 10, "the refusal is told")
            expect("wrong-word" not in sending.text, "the password is shown")


@check("send: told to end while the broker is away, it does")
def ended_without_broker():
    with folder() as data:
        recording(data / "plant.csv", 10)
        for to in (f"mqtt://127.0.0.1:{mqtt.free_port()}", f"kafka://127.0.0.1:{mqtt.free_port()}"):
            with Running("send", data / "plant.csv", "--to", to, environment={"KAFKA_LIBRARY": kafka.library()}) as sending:
                soon(lambda: "waiting: " in sending.text, 10, "it waits")
                sending.process.send_signal(signal.SIGTERM)
                sending.ended(130, timeout=25)
            expect("--skip 0" in sending.text, sending.text)


# MARK: HTTP

@check("send: to an HTTP address that refuses for a while; the key goes along")
def to_http():
    with folder() as data, Receiver() as receiver:
        wanted = recording(data / "plant.csv", 10_000)
        (data / "key").write_text("k-123\n")
        arguments = ("send", data / "plant.csv", "--to", receiver.url, "--speed", "1000x", "--api-key-file", data / "key")
        with Running(*arguments) as sending:
            soon(lambda: receiver.bodies, 10, "the first body arrives")
            receiver.refuses = True
            soon(lambda: receiver.refused > 8 and "waiting: the server answered 503" in sending.text, 20, "it waits")
            receiver.refuses = False
            sending.ended(0)
        equal(receiver.lines(), wanted, "messages")
        equal(receiver.keys, {"k-123"}, "keys")


@check("send: told to end while the address refuses for long, or does not answer, it does")
def ended_without_server():
    with folder() as data:
        recording(data / "plant.csv", 10_000)
        for way in ("refuses", "hangs"):
            with Receiver() as receiver:
                receiver.pause = 60
                arguments = ("send", data / "plant.csv", "--to", receiver.url, "--speed", "1000x")
                with Running(*arguments) as sending:
                    soon(lambda: receiver.bodies, 20, "the first body arrives")
                    setattr(receiver, way, True)
                    soon(lambda: receiver.refused or receiver.hung, 20, f"it {way}")
                    sending.process.send_signal(signal.SIGTERM)
                    # What is under way gets 10 s.
                    sending.ended(130, timeout=40)
                place = int(sending.text.split("--skip ")[1].split()[0])
                equal(place, len(receiver.lines()), f"messages that are safe ({way})")
                expect("error" not in sending.text, sending.text)


@check("send: CSV to HTTP carries its header in every body")
def simulate_csv():
    with Receiver() as receiver:
        tocsin("simulate", "--format", "csv", "--max-events", 5000, "--to", receiver.url).ended(0)
        headers = {body.split("\n", 1)[0] for body in receiver.bodies}
        expect(len(receiver.bodies) > 1 and len(headers) == 1, f"first lines: {headers}")
        equal(sum(body.count("\n") - 1 for body in receiver.bodies), 5000, "rows")


# MARK: Words

@check("send: what is wrong is said at once")
def mistakes():
    with folder() as data:
        recording(data / "plant.csv", 10)
        for to, *words in (
            ("amqp://host", "amqp"), ("kafka://h/a/b", "topic"), ("mqtt://h/#", "topic"), ("kafka:///raw", "KAFKA_BOOTSTRAP"),
            ("mqtt://u:secret@h/t", "--user")):
            done = tocsin("send", data / "plant.csv", "--to", to)
            equal(done.code, 64, f"exit code for {to} ({done.err})")
            expect(all(word in done.err for word in words) and "secret" not in done.err, done.err)
        tocsin("send", data / "nothing.csv", "--to", "-").failed_clearly("nothing.csv")
        equal(tocsin("send", data / "plant.csv").code, 64, "exit code without --to")


if __name__ == "__main__":
    main()

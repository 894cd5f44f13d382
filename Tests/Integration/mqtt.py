"""MQTT against a real broker: nothing acknowledged is lost when either side is killed, each event is stored once; TLS,
passwords, refused subscriptions, half-open connections, shared subscriptions and poison are said or survived."""

import contextlib
import glob
import json
import random
import sys
import threading
import time

sys.dont_write_bytecode = True
from support import mqtt
from support.harness import Server, Skip, check, equal, expect, folder, iso, line, main, rows, shortened, soon, stored_events
from support.figures import Balance, figure, figures

NOW = int(time.time()) - 3600
RANDOM = random.Random(6)
TOPIC = "site/a/line/{line}/sensor/{sensor_id}"
TOPIC_FILTER = "site/a/line/+/sensor/+"


def payload(number):
    """Event times rise by 2 ms: a whole test lies within the allowed lateness."""
    return json.dumps({"timestamp": iso(NOW + number / 500), "temperature": 20 + number % 7 / 10}).encode()


def sensor(number):
    return f"m{number % 8}"


def topic(number):
    return f"site/a/line/{number % 8 % 3}/sensor/{sensor(number)}"


def key(number):
    return sensor(number), NOW * 1000 + number * 2


def keys(data):
    return [(name, at) for name, at, _ in stored_events(data)]


def configuration(path, broker, name="tocsin.yaml", **source):
    """A configuration file (JSON is YAML) with one source."""
    entry = {
        "kind": "mqtt", "name": "plant", "url": broker if isinstance(broker, str) else broker.url, "topics": [TOPIC],
        "qos": 1, "clientID": "tocsin-test", "keepAlive": "1s", "watchdog": {"interval": "1s", "timeout": "2s"},
    } | source
    file = path / name
    file.write_text(json.dumps({"sources": [{key: value for key, value in entry.items() if value is not None}]}))
    return file


def serve(path, file, data="data"):
    return Server(path / data, "--config", file)


def health(server, name="plant"):
    """The source's entry in /health."""
    found = [one for one in server.request("GET", "/health").json.get("connectors", []) if one["name"] == name]
    expect(found, "the source is not in /health")
    return found[0] | {"error": None if found[0]["healthy"] else found[0]["text"]}


def healthy(server, timeout=20):
    soon(lambda: health(server)["healthy"], timeout, "the source is healthy")


def stored(data, count, timeout=60):
    soon(lambda: len(stored_events(data)) >= count, timeout, f"{count} events are stored", interval=0.2)


class Load(threading.Thread):
    """Publishes events one after the other, across the broker's deaths; what the broker has not acknowledged goes again.
    `acknowledged` has each event that the broker took, and in which of its lives."""

    def __init__(self, broker, limit=60_000, qos=1):
        super().__init__(daemon=True)
        self.broker, self.limit, self.qos = broker, limit, qos
        self.acknowledged, self.sent = {}, 0
        self.done = threading.Event()
        self.start()

    def run(self):
        again = []
        while again or self.isOn:
            with contextlib.suppress(OSError), mqtt.Publisher(self.broker, window=50) as publisher:
                life = self.broker.lives
                under_way = {}
                try:
                    while again or self.isOn:
                        number = again.pop(0) if again else self.next()
                        body = payload(number)
                        under_way[body] = number
                        publisher.send(topic(number), body, self.qos)
                        time.sleep(0.0005)
                    publisher.finish()
                except OSError:
                    publisher.drain()
                    raise
                finally:
                    for body in publisher.acknowledged:
                        self.acknowledged[under_way.pop(body)] = life
                    again = list(under_way.values()) + again
            time.sleep(0.02)

    @property
    def isOn(self):
        return self.sent < self.limit and not self.done.is_set()

    def next(self):
        self.sent += 1
        return self.sent - 1

    def end(self):
        """Until the broker has acknowledged all."""
        self.done.set()
        self.join(60)
        equal(len(self.acknowledged), self.sent, "events that the broker has acknowledged")


def complete(data, load, forgotten=lambda number: False):
    """Everything that was sent is stored, but what the broker itself has forgotten, and nothing twice. Returns the latter."""
    wanted = {key(number): number for number in range(load.sent)}
    deadline = time.monotonic() + 60
    while True:
        found = keys(data)
        missing = wanted.keys() - set(found)
        lost = sorted(wanted[one] for one in missing if not forgotten(wanted[one]))
        if not lost or time.monotonic() > deadline:
            break
        time.sleep(0.3)
    expect(not lost, f"{len(lost)} of {load.sent} events are lost: {lost[:10]}")
    equal(len(found), len(set(found)), "rows and different events")
    expect(wanted.keys() >= set(found), "there are events that were never sent")
    return missing


# MARK: Delivery

@check("mqtt: QoS 0, 1 and 2 in both versions: every event is stored once, with sensor and zone of its topic; in = out")
def delivery():
    for protocol in ("5", "3.1.1"):
        for qos in (0, 1, 2):
            with folder() as path, mqtt.broker(path) as broker:
                file = configuration(path, broker, qos=qos, version=protocol)
                with serve(path, file) as server, Balance(server):
                    healthy(server)
                    with mqtt.Publisher(broker) as publisher:
                        for number in range(2000):
                            publisher.send(topic(number), payload(number), qos)
                        publisher.finish()
                    stored(path / "data", 2000)
                    found = keys(path / "data")
                    equal(sorted(found), sorted(key(number) for number in range(2000)), f"events at QoS {qos}, {protocol}")
                zones = rows(path / "data", "SELECT name, zone FROM sensors ORDER BY name")
                equal(zones, [(f"m{n}", str(n % 3)) for n in range(8)], "zones of the sensors")


@check("mqtt: the broker killed -9 ten times at any moment under load: ten reconnections, every message that reached tocsin "
       "is stored once, and what is missing the broker had confirmed and then neither sent on nor saved")
def broker_killed():
    """Mosquitto sends a message on, confirms it, and saves it a moment later. A kill in between loses what it has confirmed
    but not sent on: what waits behind the backlog of a client that has just come back. That is its own loss, which no client
    can mend; so the trace must show for each missing message that it was neither sent on nor in the last save."""
    with folder() as path, mqtt.broker(path) as broker, mqtt.Tap(broker.port) as tap:
        with serve(path, configuration(path, tap.url)) as server, Balance(server):
            load = Load(broker)
            saved = {}
            for number in range(10):
                # A kill before the connection is back would make no reconnection of its own.
                connected(server, number)
                before = load.sent
                soon(lambda: load.sent > before + 50, 20, "the load goes on")
                time.sleep(RANDOM.uniform(0, 1.5))
                broker.kill()
                saved[broker.lives] = broker.saved()
                time.sleep(RANDOM.uniform(0, 0.2))
                broker.start()
            connected(server, 10)
            expect(load.isOn, "the load ended before the kills did")
            load.end()
            expect(load.sent > 3000, f"only {load.sent} events were sent")

            def forgotten(number):
                """Confirmed in one of the broker's lives, and in it neither sent on nor saved."""
                body, life = payload(number), load.acknowledged[number]
                return body not in tap.delivered and life in saved and body not in saved[life]

            missing = complete(path / "data", load, forgotten)
            # What had reached tocsin is there, whether its acknowledgement arrived or not.
            seen = tap.delivered | tap.confirmed
            reached = {key(number) for number in range(load.sent) if payload(number) in seen}
            expect(not reached & missing, f"events that reached tocsin are lost: {shortened(reached & missing)}")
            equal(figure(figures(server), "tocsin_mqtt_reconnects_total"), 10, "reconnections")
            if missing:
                print(f"     of {load.sent} confirmed messages mosquitto itself has forgotten {len(missing)}")


def connected(server, reconnections):
    soon(lambda: figure(figures(server), "tocsin_mqtt_reconnects_total") >= reconnections, 40, f"{reconnections} reconnections")
    healthy(server)


@check("mqtt: tocsin killed -9 six times under load: nothing acknowledged is lost, each event is stored once")
def tocsin_killed():
    with folder() as path, mqtt.broker(path) as broker:
        file = configuration(path, broker)
        server = serve(path, file)
        healthy(server)
        load = Load(broker)
        for _ in range(6):
            time.sleep(RANDOM.uniform(0.2, 0.8))
            server.kill()
            server = serve(path, file)
        with server:
            load.end()
            complete(path / "data", load)


@check("mqtt: an orderly restart: the broker keeps what comes meanwhile, presence says offline, then online")
def restart():
    with folder() as path, mqtt.broker(path) as broker:
        file = configuration(path, broker, presenceTopic="tocsin/here")
        with serve(path, file) as server:
            healthy(server)
            soon(lambda: broker.latest("tocsin/here") == "online", 10, "presence says online")
            broker.publish(topic(0), [payload(0)])
            stored(path / "data", 1)
        equal(broker.latest("tocsin/here"), "offline", "presence after an orderly end")
        broker.publish(topic(0), [payload(8)])
        server = serve(path, file)
        stored(path / "data", 2)
        soon(lambda: broker.latest("tocsin/here") == "online", 10, "presence says online again")
        server.kill()
        soon(lambda: broker.latest("tocsin/here") == "offline", 10, "the last will says offline after kill -9")
        equal(sorted(keys(path / "data")), sorted([key(0), key(8)]), "events")


@check("mqtt: two processes of one shared subscription share the load; together they store each event once")
def shared():
    with folder() as path, mqtt.broker(path) as broker:
        files = [
            configuration(path, broker, name=f"{n}.yaml", clientID=f"tocsin-{n}", topics=[f"$share/g/{TOPIC}"]) for n in (0, 1)]
        with serve(path, files[0], "d0") as first, serve(path, files[1], "d1") as second:
            healthy(first)
            healthy(second)
            for number in range(0, 3000, 100):
                with mqtt.Publisher(broker) as publisher:
                    for one in range(number, number + 100):
                        publisher.send(topic(one), payload(one))
                    publisher.finish()
            parts = lambda: [keys(path / "d0"), keys(path / "d1")]
            soon(lambda: sum(map(len, parts())) >= 3000, 60, "everything is stored", interval=0.2)
            equal(sorted(sum(parts(), [])), sorted(key(number) for number in range(3000)), "events of both")
            expect(all(len(part) > 300 for part in parts()), f"the load is not shared: {list(map(len, parts()))}")


# MARK: Faults that must be said

@check("mqtt: a broker that is away at start: /health says so, and all is well when it comes")
def away():
    with folder() as path:
        broker = mqtt.Broker(path)
        with serve(path, configuration(path, broker)) as server:
            document = soon(lambda: health(server).get("error") and health(server), 20, "/health names the error")
            expect(not document["healthy"] and "refused" in document["error"], f"/health: {document}")
            expect(server.request("GET", "/health").json["status"] != "ok", "/health is ok without a broker")
            broker.start()
            try:
                healthy(server, 60)
                broker.publish(topic(0), [payload(0)])
                stored(path / "data", 1)
            finally:
                broker.kill()


@check("mqtt: a broker that goes away for long: other input goes on meanwhile, and nothing of before or after is missing; in = out")
def away_long():
    with folder() as path, mqtt.broker(path) as broker:
        with serve(path, configuration(path, broker)) as server, Balance(server):
            healthy(server)
            broker.publish(topic(0), [payload(number) for number in range(0, 800, 8)])
            stored(path / "data", 100)
            broker.stop()
            soon(lambda: "refused" in (health(server)["error"] or ""), 20, "/health names the error")
            # Long enough for the waits between its attempts to grow.
            deadline, posts = time.monotonic() + 12, 0
            while time.monotonic() < deadline:
                posts += 1
                equal(server.post(line("posted", NOW + posts, temperature=20)).status, 202, "status of a post meanwhile")
                time.sleep(0.2)
            broker.start()
            broker.publish(topic(0), [payload(number) for number in range(800, 1600, 8)])
            healthy(server, 60)
            stored(path / "data", 200 + posts)
            found = [one for one in keys(path / "data") if one[0] != "posted"]
            equal(sorted(found), sorted(key(number) for number in range(0, 1600, 8)), "events")


@check("mqtt: clocks that run ahead or behind harm nobody else; what cannot be true becomes a dead letter; in = out")
def skew():
    skews = {"right": 0, "ahead": 240, "future": 86_400, "behind": -86_400}
    with folder() as path, mqtt.broker(path) as broker:
        with serve(path, configuration(path, broker)) as server, Balance(server), mqtt.Publisher(broker) as publisher:
            healthy(server)
            for _ in range(50):
                now = time.time()
                for name, seconds in skews.items():
                    body = json.dumps({"timestamp": iso(now + seconds), "temperature": 20})
                    publisher.send(f"site/a/line/1/sensor/{name}", body.encode())
                time.sleep(0.01)
            publisher.finish()
            stored(path / "data", 150)
            query = "SELECT s.name, COUNT(*) FROM sensor_events e JOIN sensors s ON s.id = e.sensor_id {} GROUP BY s.name ORDER BY s.name"
            equal(rows(path / "data", query.format("")), [("ahead", 50), ("behind", 50), ("right", 50)], "events")
            late = dict(rows(path / "data", query.format("WHERE e.late")))
            expect("right" not in late and "ahead" not in late, f"a foreign clock makes readings late: {late}")
            equal(figure(figures(server), "tocsin_readings_dead_lettered_total"), 50, "dead letters of the future")


@check("mqtt: a half-open connection that swallows everything is noticed and made anew")
def half_open():
    with folder() as path, mqtt.broker(path) as broker, mqtt.Swallower(broker.port) as proxy:
        file = configuration(path, f"mqtt://127.0.0.1:{proxy.port}")
        with serve(path, file) as server:
            healthy(server)
            broker.publish(topic(0), [payload(0)])
            stored(path / "data", 1)
            connections = proxy.accepted
            proxy.swallows = True
            broker.publish(topic(0), [payload(8)])
            soon(lambda: proxy.accepted > connections, 40, "the connection is made anew")
            stored(path / "data", 2)
            healthy(server)


@check("mqtt: a wrong password is in /health in words, and never in the log")
def password():
    with folder() as path, mqtt.broker(path, users={"tocsin": "right-one"}) as broker:
        secret = path / "password"
        secret.write_text("wrong-one\n")
        with serve(path, configuration(path, broker, user="tocsin", password=secret.read_text().strip())) as server:
            document = soon(lambda: health(server).get("error") and health(server), 20, "/health names the error")
            expect("not authorized" in document["error"] or "password" in document["error"], f"/health: {document}")
            expect("wrong-one" not in server.log, "the password is in the log")
        secret.write_text("right-one\n")
        with serve(path, configuration(path, broker, user="tocsin", password=secret.read_text().strip())) as server:
            healthy(server)


@contextlib.contextmanager
def guarded(path, *commands):
    """A broker whose users may do what its dynamic security says: `maker` may publish, `tocsin` nothing yet."""
    plugins = glob.glob("/usr/lib/*/mosquitto_dynamic_security.so")
    if not plugins:
        raise Skip("mosquitto's dynamic security plug-in is not installed")
    broker = mqtt.Broker(path, settings=[f"plugin {plugins[0]}", "plugin_opt_config_file @/dynamic.json"])
    text = (broker.folder / "mosquitto.conf").read_text().replace("allow_anonymous true", "allow_anonymous false")
    (broker.folder / "mosquitto.conf").write_text(text)
    control = mqtt.program("mosquitto_ctrl")
    broker.run(control, "dynsec", "init", broker.folder / "dynamic.json", "admin", "secret")
    with broker:
        for command in (
                "createClient tocsin -p word", "createClient maker -p word", "createRole making",
                "addRoleACL making publishClientSend # allow", "addClientRole maker making", *commands):
            broker.run(
                control, "-h", "127.0.0.1", "-p", broker.port, "-u", "admin", "-P", "secret", "dynsec", *command.split())
        yield broker


@check("mqtt: a subscription that the broker refuses is in /health and in the log, with filter and reason")
def refused():
    with folder() as path, guarded(path) as broker:
        for protocol, reason in (("5", "not authorized"), ("3.1.1", "refuses the subscription")):
            file = configuration(path, broker, user="tocsin", password="word", version=protocol)
            with serve(path, file, f"data-{protocol}") as server:
                document = soon(
                    lambda: "refuses" in (health(server)["error"] or "") and health(server), 20, "/health names the refusal")
                expect(TOPIC_FILTER in document["error"] and reason in document["error"], f"/health: {document}")
                expect(server.request("GET", "/health").json["status"] != "ok", "/health is ok without a subscription")
                told = [one for one in server.log.splitlines() if "refuses the subscription" in one and TOPIC_FILTER in one]
                expect(told, f"the log does not name the refusal: {shortened(server.log[-600:])}")


@check("mqtt: a broker that hangs up on what we publish (mosquitto 2.0): said, not tried for ever, and readings come")
def publishing_refused():
    reading = ("createRole reading", "addRoleACL reading subscribePattern # allow", "addClientRole tocsin reading")
    with folder() as path, guarded(path, *reading) as broker:
        # In 3.1.1 a refusal has no words: only the probe is given up for its missing echo.
        for number, (protocol, presence) in enumerate((("5", "tocsin/here"), ("5", None), ("3.1.1", None))):
            file = configuration(path, broker, user="tocsin", password="word", version=protocol, presenceTopic=presence)
            with serve(path, file, f"data-{number}") as server:
                words = ["tocsin/tocsin-test/probe"] + ([presence] if presence else [])
                soon(lambda: all(word in server.log for word in words), 30, "the log names the topics")
                healthy(server, 30)
                before = figure(figures(server), "tocsin_mqtt_reconnects_total")
                broker.publish(topic(number), [payload(number)], user=("maker", "word"))
                stored(path / f"data-{number}", 1)
                equal(figure(figures(server), "tocsin_mqtt_reconnects_total"), before, "reconnections once it is known")


@check("mqtt: TLS with an authority of one's own, mutual TLS; a wrong authority is said")
def tls():
    for mutual in (False, True):
        with folder() as path, mqtt.broker(path, tls=True, mutual=mutual) as broker:
            files = {"authorities": str(broker.folder / "ca.pem")}
            if mutual:
                files |= {"certificate": str(broker.folder / "client.pem"), "privateKey": str(broker.folder / "client.key")}
            with serve(path, configuration(path, broker, tls=files)) as server:
                healthy(server)
            wrong = {"serverName": "elsewhere"} | files if not mutual else {"authorities": files["authorities"]}
            with serve(path, configuration(path, broker, tls=wrong)) as server:
                document = soon(lambda: health(server).get("error") and health(server), 20, "/health names the error")
                expect("certificate" in document["error"], f"/health: {document}")


# MARK: Poison

@check("mqtt: empty, huge, broken and binary payloads become dead letters and harm no neighbour; in = out")
def poison():
    bad = [b"", b"x" * 10_000_000, b"{", bytes(range(256)), b'{"timestamp": "never", "temperature": 1}']
    with folder() as path, mqtt.broker(path) as broker:
        with serve(path, configuration(path, broker)) as server, Balance(server):
            healthy(server)
            with mqtt.Publisher(broker) as publisher:
                for number in range(200):
                    publisher.send(topic(number), payload(number))
                    if number % 40 == 7:
                        publisher.send(topic(number), bad[number // 40])
                publisher.finish()
            stored(path / "data", 200)
            equal(sorted(keys(path / "data")), sorted(key(number) for number in range(200)), "events")
            found = figures(server)
            equal(figure(found, "tocsin_readings_dead_lettered_total"), len(bad), "dead letters")
            equal(figure(found, "tocsin_mqtt_unacknowledged"), 0, "unacknowledged messages")
            healthy(server)


@check("mqtt: retained messages are taken when the subscription is new, or ignored when the configuration says so")
def retained():
    for choice, wanted in (("take", 8), ("ignore", 0)):
        with folder() as path, mqtt.broker(path) as broker:
            for number in range(8):
                broker.publish(topic(number), [payload(number)], retain=True)
            with serve(path, configuration(path, broker, retained=choice)) as server:
                healthy(server)
                broker.publish(topic(9), [payload(9)])
                stored(path / "data", wanted + 1)
                equal(len(stored_events(path / "data")), wanted + 1, f"events with retained: {choice}")


main()

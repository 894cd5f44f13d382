"""What devices speak on MQTT beside JSON, through a real broker into the whole program: Sparkplug B with births, aliases,
gaps, deaths and its host's state, SenML in JSON and CBOR, and bare numbers."""

import json
import struct
import sys
import time

sys.dont_write_bytecode = True
from support import mqtt
from support.figures import Balance, figure, figures, settled
from support.harness import Live, Server, check, equal, expect, folder, line, main, rows, shortened, soon, tocsin
from support.mqtt_sparkplug import EdgeNode, metric, whole

NOW = int(time.time()) - 7200


def ms(second):
    return (NOW + second) * 1000


def serve(path, broker, topics=("spBv1.0/#",), **source):
    entry = {
        "kind": "mqtt", "name": "plant", "url": broker.url, "topics": list(topics), "clientID": "tocsin-test",
        "watchdog": {"interval": "1s", "timeout": "2s"}} | source
    file = path / "tocsin.yaml"
    file.write_text(json.dumps({"sources": [entry]}))
    server = Server(path / "data", "--config", file)
    soon(lambda: all(one["healthy"] for one in server.request("GET", "/health").json["connectors"]), 20, "the source is healthy")
    return server


def events(path):
    """(sensor, milliseconds, {metric: value}) of every stored event."""
    query = "SELECT s.name, e.time, e.readings FROM sensor_events e JOIN sensors s ON s.id = e.sensor_id"
    return [(name, at // 1_000_000, json.loads(values)) for name, at, values in rows(path / "data", query)]


def stored(path, count, timeout=30):
    return soon(lambda: len(found := events(path)) >= count and found, timeout, f"{count} events are stored", interval=0.1)


def states(server):
    return {one["sensor_id"]: one["state"] for one in server.get("/sensors?limit=1000").json["items"]}


def silent(server):
    """Sensors with an alarm of silence that is open."""
    alarms = server.get("/alarms?state=open&limit=1000").json["items"]
    return {one["sensor_id"] for one in alarms if one["kind"] == "silence"}


# MARK: Sparkplug B

@check("sparkplug: births give names and aliases, data by alias alone become events of node and device; in = out")
def data():
    with folder() as path, mqtt.broker(path) as broker, serve(path, broker) as server, Balance(server):
        with EdgeNode(broker, "edge") as node:
            node.birth({"temp": 21.5, "count": 7}, ms(0))
            node.device_birth("pump", {"flow": 1.5}, ms(0))
            wanted = [("plant/edge", ms(0), {"temp": 21.5, "count": 7}), ("plant/edge/pump", ms(0), {"flow": 1.5})]
            for second in range(1, 301):
                node.data({"temp": 20 + second / 10}, ms(second))
                node.device_data("pump", {"flow": second / 4}, ms(second))
                wanted += [("plant/edge", ms(second), {"temp": 20 + second / 10}), ("plant/edge/pump", ms(second), {"flow": second / 4})]
            found = stored(path, len(wanted))
            equal(sorted(found, key=str), sorted(wanted, key=str), "events")
            equal(rows(path / "data", "SELECT name, zone FROM sensors ORDER BY name"), [("plant/edge", "plant"), ("plant/edge/pump", "plant")], "zones")
            # The numbers of messages run over from 255 to 0: no gap.
            equal(node.rebirths_asked, 0, "requests for births")


@check("sparkplug: a gap in the sequence asks for the births, once; so does data that no birth has named; in = out")
def gaps():
    with folder() as path, mqtt.broker(path) as broker, EdgeNode(broker, "edge") as node:
        with serve(path, broker) as server, Balance(server):
            node.birth({"temp": 1.0}, ms(0))
            node.data({"temp": 2.0}, ms(1))
            node.lose()
            for second in (2, 3, 4):
                node.data({"temp": 3.0}, ms(second))
            soon(lambda: node.rebirths_asked == 1, 10, "the births are asked for")
            # What came behind the gap is not thrown away.
            stored(path, 5)
            node.birth({"temp": 4.0}, ms(5))
            for second in range(6, 20):
                node.data({"temp": 5.0}, ms(second))
            stored(path, 20)
            equal(node.rebirths_asked, 1, "requests for births")
        # A new process knows names, but no aliases.
        with serve(path, broker) as server, Balance(server):
            node.data({"temp": 6.0}, ms(20))
            soon(lambda: node.rebirths_asked == 2, 10, "the births are asked for after a restart")
            soon(lambda: figure(figures(server), "tocsin_readings_dead_lettered_total") == 1, 10, "an unknown alias is a dead letter")
            node.birth({"temp": 7.0}, ms(21))
            node.data({"temp": 8.0}, ms(22))
            found = stored(path, 22)
            equal([values["temp"] for _, at, values in found if at >= ms(20)], [7.0, 8.0], "readings after the restart")


@check("sparkplug: a death makes node and devices stale, no alarm of silence, over kill -9 too; a birth makes them fresh")
def death():
    with folder() as path, mqtt.broker(path) as broker:
        server = serve(path, broker)
        nodes = {name: EdgeNode(broker, name) for name in ("dies", "mute", "goes")}

        def minute(name, start, end):
            for second in range(start, end):
                nodes[name].data({"temp": 20 + second % 7 / 10}, ms(second))
                if name == "dies":
                    nodes[name].device_data("pump", {"flow": 3 + second % 5 / 10}, ms(second))

        try:
            for name, node in nodes.items():
                node.birth({"temp": 20.0}, ms(0))
            nodes["dies"].device_birth("pump", {"flow": 3.0}, ms(0))
            for second in range(1, 60):
                for name in nodes:
                    minute(name, second, second + 1)
            stored(path, 4 * 60)
            with Live(server) as live:
                nodes["dies"].cut()
                gone = {"plant/dies": "stale", "plant/dies/pump": "stale"}
                soon(lambda: gone.items() <= states(server).items(), 10, "the will makes node and device stale")
                live.wait(
                    lambda one: any(
                        entry["sensor_id"] == "plant/dies/pump" and entry["state"] == "stale"
                        for event in one.named("sensors") for entry in event["data"]["changed"]),
                    10, "the device is stale on the screen")
            # Time goes on by the one that still sends: who said nothing is silent, who said goodbye is not.
            minute("goes", 60, 400)
            stored(path, 4 * 60 + 340)
            soon(lambda: silent(server) == {"plant/mute"}, 20, f"mute alone is silent, not {silent(server)}")
            server.kill()
            server = serve(path, broker)
            expect(gone.items() <= states(server).items(), f"after kill -9: {states(server)}")
            # A new process knows no aliases.
            nodes["goes"].birth({"temp": 20.0}, ms(400))
            minute("goes", 401, 800)
            stored(path, 4 * 60 + 740)
            equal(silent(server), {"plant/mute"}, "alarms of silence after kill -9")
            # A silence that was noticed before its explanation came is over with it.
            nodes["mute"].cut()
            soon(lambda: states(server)["plant/mute"] == "stale" and not silent(server), 10, "a late death explains the silence")
            nodes["dies"] = EdgeNode(broker, "dies", session=1)
            nodes["dies"].birth({"temp": 20.0}, ms(800))
            nodes["dies"].device_birth("pump", {"flow": 3.0}, ms(800))
            soon(lambda: "stale" not in (states(server)["plant/dies"], states(server)["plant/dies/pump"]), 10, "a birth makes both fresh")
            # The timers are armed again.
            for second in range(801, 840):
                minute("dies", second, second + 1)
                minute("goes", second, second + 1)
            minute("goes", 840, 1400)
            soon(lambda: {"plant/dies", "plant/dies/pump"} <= silent(server), 20, "silence without a death is an alarm again")
            nodes["dies"].device_death("pump", ms(1400))
            soon(lambda: states(server)["plant/dies/pump"] == "stale", 10, "a device may go alone")
            equal(states(server)["plant/dies"], "silent", "state of its node")
        finally:
            for node in nodes.values():
                node.cut()
            server.kill()


@check("sparkplug: the will of a session that is over harms no session that has begun")
def late_will():
    with folder() as path, mqtt.broker(path) as broker, serve(path, broker) as server:
        old = EdgeNode(broker, "edge", session=4)
        old.birth({"temp": 1.0}, ms(0))
        with mqtt.Client(broker, "other") as other:
            with EdgeNode(broker, "edge-2", session=0) as fresh:
                # The same node with its next session, before the broker has noticed the end of the former.
                fresh.name, fresh.session = "edge", 5
                fresh.birth({"temp": 2.0}, ms(1))
                stored(path, 2)
                old.cut()
                fresh.data({"temp": 3.0}, ms(2))
                stored(path, 3)
                expect(states(server)["plant/edge"] != "stale", "the late will made a living node stale")
                other.publish("spBv1.0/plant/NDEATH/edge", whole(1, ms(3)))
                soon(lambda: states(server)["plant/edge"] == "stale", 10, "a death without a number counts")


@check("sparkplug: the host says online and offline, retained, with one time for both")
def state():
    with folder() as path, mqtt.broker(path) as broker:
        topic = "spBv1.0/STATE/tocsin"
        server = serve(path, broker, sparkplugHostID="tocsin")
        told = json.loads(soon(lambda: broker.latest(topic), 10, "the host says that it is there"))
        equal(told["online"], True, "state while it runs")
        server.kill()
        gone = soon(lambda: '"online":false' in (broker.latest(topic) or "") and broker.latest(topic), 10, "the will says offline")
        equal(json.loads(gone), {"online": False, "timestamp": told["timestamp"]}, "the will")
        with serve(path, broker, sparkplugHostID="tocsin"):
            soon(lambda: '"online":true' in (broker.latest(topic) or ""), 10, "it is there again")
        expect('"online":false' in broker.latest(topic), "an orderly end says offline")


@check("sparkplug: damaged, empty and foreign payloads become dead letters and harm no neighbour; in = out")
def poison():
    with folder() as path, mqtt.broker(path) as broker, serve(path, broker) as server, Balance(server):
        with EdgeNode(broker, "edge") as node, EdgeNode(broker, "bad") as bad:
            node.birth({"temp": 1.0}, ms(0))
            bodies = [b"", b"\xff" * 9, bytes(range(256)), b'{"temp": 1}', b"\x12\xff\xff\xff\xff\x0f" + b"x" * 50]
            for second, body in enumerate(bodies, 1):
                for kind in ("NBIRTH", "NDATA"):
                    bad.raw(kind, body)
                bad.raw("DDATA", body, "pump")
                bad.client.publish("spBv1.0/plant/NWHAT/bad", body)
                node.data({"temp": float(second)}, ms(second))
            found = stored(path, len(bodies) + 1)
            equal({name for name, _, _ in found}, {"plant/edge"}, "sensors with events")
            letters = soon(lambda: figure(figures(server), "tocsin_readings_dead_lettered_total"), 10, "dead letters")
            expect(letters >= 3 * len(bodies), f"{letters} dead letters of {4 * len(bodies)} bad messages")
            equal(node.rebirths_asked, 0, "requests for births of the sound node")


@check("sparkplug: edge nodes of one name in two groups are two sensors, and the death of one is not the other's")
def groups():
    with folder() as path, mqtt.broker(path) as broker, serve(path, broker) as server, Balance(server):
        nodes = {group: EdgeNode(broker, "edge", group=group) for group in ("north", "south")}
        try:
            for number, node in enumerate(nodes.values()):
                node.birth({"temp": 20.0 + number}, ms(0))
                node.device_birth("pump", {"flow": 1.0 + number}, ms(0))
            found = stored(path, 4)
            equal(sorted((name, values) for name, _, values in found), [
                ("north/edge", {"temp": 20}), ("north/edge/pump", {"flow": 1}), ("south/edge", {"temp": 21}), ("south/edge/pump", {"flow": 2})], "events")
            nodes["north"].cut()
            soon(lambda: {name for name, state in states(server).items() if state == "stale"} == {"north/edge", "north/edge/pump"}, 10, "one group is stale")
        finally:
            for node in nodes.values():
                node.cut()


@check("sparkplug: what is kept of a reading is its own metric, not the whole message of a hundred")
def narrow():
    with folder() as path, mqtt.broker(path) as broker, serve(path, broker) as server, Balance(server):
        with EdgeNode(broker, "edge") as node:
            node.birth({f"m{number}": float(number) for number in range(100)}, ms(0))
            # Each metric has its own time, as the specification asks for.
            body = b"".join(metric(None, node.aliases[None, f"m{number}"], number + 0.5, ms(1) + number) for number in range(100))
            sent = whole(1, ms(2)) + body + whole(3, 1)
            node.raw("NDATA", sent)
            stored(path, 101)
            found = [bytes(payload) for payload, in rows(path / "data", "SELECT payload FROM sensor_events WHERE time > ? ORDER BY time", ms(0) * 1_000_000)]
            print(f"     payloads of {len(found)} events: {sum(map(len, found))} bytes of a message of {len(sent)}")
            equal(b"".join(found), body, "what the events hold")


@check("sparkplug: a death beyond the first 200 sensors is seen on the live stream, and so is the return")
def stale_beyond():
    with folder() as path, mqtt.broker(path) as broker, serve(path, broker) as server, Balance(server):
        answer = server.post("".join(line(f"s{number:04}", NOW, temperature=20) for number in range(300)))
        equal(answer.status, 202, f"other sensors ({answer})")
        with EdgeNode(broker, "late") as node:
            node.birth({"temp": 20.0}, ms(0))
            stored(path, 301)
            with Live(server) as live:
                def told(state):
                    return lambda one: any(
                        entry["sensor_id"] == "plant/late" and entry["state"] == state
                        for event in one.named("sensors") for entry in event["data"]["changed"])
                live.wait(lambda one: one.named("stats"), 10, "the stream runs")
                node.cut()
                live.wait(told("stale"), 10, "the death is told")
                with EdgeNode(broker, "late", session=1) as again:
                    again.birth({"temp": 21.0}, ms(1))
                    live.wait(told("learning"), 10, "the return is told")


@check("letters: Sparkplug, SenML and numbers of a broker, refused by a limit, are sent again under their topics; in = out")
def letters_again():
    with folder() as path, mqtt.broker(path) as broker:
        topics = ["spBv1.0/#", "senml/#", "plain/{zone}/{sensor_id}/{metric}", "json/{sensor_id}", "csv/#"]
        with serve(path, broker, topics) as server, Balance(server):
            with EdgeNode(broker, "edge") as node:
                node.birth({"temperature": 500.0, "level": 1.0}, ms(0))
                node.raw("NDATA", whole(1, ms(1)) + metric("temperature", None, 501.0, ms(1)) + metric("level", None, 2.0, ms(1)) + whole(3, 1))
                # By alias alone, and a whole number whose type only the birth says.
                node.birth({"temperature": 20.0, "humidity": 50, "level": 1.0}, ms(2))
                node.data({"temperature": 505.0, "humidity": 500, "level": 6.0}, ms(3))
                node.raw("NDATA", whole(1, ms(4)) + metric("humidity", None, 501, ms(4), typed=False) + whole(3, 2))
                pack = [{"bn": "pack:", "bt": NOW, "n": "level", "v": 3.0}, {"n": "temperature", "v": 502.0}]
                node.client.publish("senml/json", json.dumps(pack).encode())
                node.client.publish("senml/cbor", cbor([{LABELS[key]: "bin:" if value == "pack:" else value for key, value in record.items()} for record in pack]))
                node.client.publish("plain/hall/p1/temperature", b"503")
                node.client.publish("json/j1", b'{"temperature": 504, "level": 4}')
                table = "sensor_id,timestamp,temperature,level\n" + "".join(f"c1,{NOW + n},{600 + n},5\n" for n in range(100))
                node.client.publish("csv/hall", table.encode())
                states = "sensor_id,timestamp,level,state\n" + "".join(f"c2,{NOW + n},5,{n if n < 5 else 'abc'}\n" for n in range(10))
                node.client.publish("csv/states", states.encode())
                soon(lambda: figure(figures(server), "tocsin_readings_dead_lettered_total") == 114, 10, "114 readings are refused")
                settled(server)
        equal(rows(path / "data", "SELECT readings, payload FROM dead_letters WHERE source = 'plant:csv/hall'"), [(100, table.encode())], "letter of the rows")
        arrived, = rows(path / "data", "SELECT received / 1000000 FROM dead_letters WHERE source LIKE 'plant:plain/%'")[0]
        second, = [at for name, at, _ in events(path) if name == "j1"]
        replay = (
            "dead-letters", "replay", "--data-dir", path / "data", "--config", path / "tocsin.yaml",
            "--set", "input.validRanges=temperature=-50..900,humidity=0..900")
        ended = tocsin(*replay).ended(1)
        expect("9 accepted, 1 refused again" in ended.out, shortened(ended.text))
        equal(rows(path / "data", "SELECT reason, readings, payload FROM dead_letters"), [("not_a_number", 5, states.encode())], "the letter that is left")
        ended = tocsin(*replay, "--set", "input.mapping.ignore=state").ended(0)
        expect("1 accepted" in ended.out, shortened(ended.text))
        found = {}
        # Without `state` the first five rows of c2 are other events than before.
        for name, at, values in (event for event in events(path) if event[0] != "c2"):
            for metric_name, value in values.items():
                event = found.setdefault((name, at), {})
                expect(metric_name not in event, f"{metric_name} of {name} is there twice")
                event[metric_name] = value
        equal(found, {
            ("plant/edge", ms(0)): {"temperature": 500, "level": 1}, ("plant/edge", ms(1)): {"temperature": 501, "level": 2},
            ("plant/edge", ms(2)): {"temperature": 20, "humidity": 50, "level": 1},
            ("plant/edge", ms(3)): {"temperature": 505, "humidity": 500, "level": 6}, ("plant/edge", ms(4)): {"humidity": 501},
            ("pack", ms(0)): {"level": 3, "temperature": 502}, ("bin", ms(0)): {"level": 3, "temperature": 502},
            ("p1", arrived): {"temperature": 503}, ("j1", second): {"temperature": 504, "level": 4},
            **{("c1", ms(n)): {"temperature": 600 + n, "level": 5} for n in range(100)}}, "what is stored")
        equal(rows(path / "data", "SELECT zone FROM sensors WHERE name = 'p1'"), [("hall",)], "zone of the number's sensor")


# MARK: SenML and numbers

def cbor(value):
    """As much of CBOR as SenML needs."""
    def head(major, number):
        if number < 24:
            return bytes([major << 5 | number])
        size = 1 if number < 256 else 2 if number < 65_536 else 4
        return bytes([major << 5 | {1: 24, 2: 25, 4: 26}[size]]) + number.to_bytes(size, "big")

    if isinstance(value, bool):
        return b"\xf5" if value else b"\xf4"
    if isinstance(value, float):
        return b"\xfb" + struct.pack(">d", value)
    if isinstance(value, int):
        return head(0, value) if value >= 0 else head(1, -1 - value)
    if isinstance(value, str):
        return head(3, len(value.encode())) + value.encode()
    if isinstance(value, list):
        return head(4, len(value)) + b"".join(map(cbor, value))
    return head(5, len(value)) + b"".join(cbor(key) + cbor(one) for key, one in value.items())


LABELS = {"bn": -2, "bt": -3, "bu": -4, "bv": -5, "n": 0, "u": 1, "v": 2, "vb": 4, "t": 6}


@check("mqtt: SenML in JSON and in CBOR give the same events; bare numbers take sensor, zone and metric from their topic; in = out")
def forms():
    with folder() as path, mqtt.broker(path) as broker:
        topics = ["senml/#", "plain/{zone}/{sensor_id}/{metric}"]
        with serve(path, broker, topics) as server, Balance(server), mqtt.Client(broker, "devices") as device:
            wanted = []
            for number in range(100):
                for name in ("json", "cbor"):
                    pack = [
                        {"bn": f"{name}:", "bt": NOW + number, "n": "temp", "u": "Cel", "v": 20.5 + number},
                        {"n": "door", "vb": number % 2 == 0}, {"n": "temp", "u": "Cel", "t": -0.5, "v": 7}]
                    if name == "json":
                        body = json.dumps(pack).encode()
                    else:
                        body = cbor([{LABELS[key]: value for key, value in record.items()} for record in pack])
                    device.publish(f"senml/{name}", body)
                    wanted += [(name, ms(number), {"temp": 20.5 + number, "door": 1 - number % 2}), (name, ms(number) - 500, {"temp": 7})]
                device.publish("plain/hall/p1/pressure", f"{number / 4}".encode())
            device.publish("plain/hall/p1/pressure", b"no number")
            device.publish("senml/json", b'[{"bn": "json:", "n": "temp"')
            device.publish("senml/cbor", cbor([{-2: "cbor:", 0: "temp", 2: 1.0}])[:-3])
            # Refused whole for its second record: the text of the first is no refusal of its own.
            device.publish("senml/json", b'[{"bn": "json:", "n": "note", "vs": "x"}, {"n": "temp", "v": "1"}]')
            found = stored(path, len(wanted) + 100)
            senml = [event for event in found if event[0] != "p1"]
            equal(sorted(senml, key=str), sorted(wanted, key=str), "events of SenML")
            equal(sorted(values["pressure"] for name, _, values in found if name == "p1"), [n / 4 for n in range(100)], "numbers")
            equal(rows(path / "data", "SELECT zone FROM sensors WHERE name = 'p1'"), [("hall",)], "zone of the numbers' sensor")
            soon(lambda: figure(figures(server), "tocsin_readings_dead_lettered_total") == 4, 10, "four dead letters")


main()

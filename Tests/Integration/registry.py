"""Avro and Protobuf through a schema registry and Kafka into the store: schemas that evolve, ids that nobody knows, a registry
that is away, slow, broken, or wants another password. Whatever happens, in = stored + dead letters.
"""

import json
import sys

sys.dont_write_bytecode = True
from support import kafka, registry
from support import schemas as forms
from support.figures import Balance
from support.harness import check, equal, expect, folder, line, main, rows, shortened, soon, tocsin

START = 1_760_000_000
TOPIC, GROUP = "plant", "tocsin-registry"
SUBJECT = TOPIC + "-value"


# MARK: Parts

def record(*fields, name="Reading"):
    return {"type": "record", "name": name, "namespace": "plant", "fields": [
        {"name": "sensor_id", "type": "string"},
        {"name": "timestamp", "type": {"type": "long", "logicalType": "timestamp-millis"}},
        *fields]}


TEMPERATURE = {"name": "temperature", "type": "int"}
# What one schema became: each may follow the one before under BACKWARD.
EVOLUTION = {
    "first": record(TEMPERATURE, {"name": "humidity", "type": "double"}),
    "a field more": record(
        TEMPERATURE, {"name": "humidity", "type": "double"}, {"name": "pressure", "type": ["null", "double"], "default": None}),
    "a field less": record(TEMPERATURE, {"name": "pressure", "type": ["null", "double"], "default": None}),
    "int is double": record(
        TEMPERATURE | {"type": "double"}, {"name": "pressure", "type": ["null", "double"], "default": None}),
    "renamed": record(
        {"name": "temp_c", "type": "double", "aliases": ["temperature"]},
        {"name": "pressure", "type": ["null", "double"], "default": None}),
}
VALUES = {
    "first": {"temperature": 21, "humidity": 40.5},
    "a field more": {"temperature": 22, "humidity": 41.5, "pressure": 1001.0},
    "a field less": {"temperature": 23, "pressure": None},
    "int is double": {"temperature": 24.25, "pressure": 1003.0},
    "renamed": {"temp_c": 25.5, "pressure": 1004.0},
}
READINGS = {
    "first": {"temperature": 21, "humidity": 40.5},
    "a field more": {"temperature": 22, "humidity": 41.5, "pressure": 1001},
    "a field less": {"temperature": 23},
    "int is double": {"temperature": 24.25, "pressure": 1003},
    # The same series as before its field was renamed.
    "renamed": {"temperature": 25.5, "pressure": 1004},
}
PROTO = """
syntax = "proto3";
package plant;
import "google/protobuf/timestamp.proto";
message Reading {
  string sensor_id = 1;
  google.protobuf.Timestamp timestamp = 2;
  double temperature = 3;
  %s
}
message Other {
  string sensor_id = 1;
  double level = 2;
}
"""


def configuration(place, cluster, schemas, password=None, url=None, **source):
    entry = {"kind": "kafka", "name": "plant", "topics": [TOPIC], "group": GROUP} | source
    address = {"url": url or schemas.url} | ({"user": "tocsin", "password": password} if password else {})
    properties = {"session.timeout.ms": "6000", "heartbeat.interval.ms": "500"}
    path = place / "tocsin.yaml"
    # JSON is YAML.
    path.write_text(json.dumps({
        "kafka": {
            "bootstrapServers": cluster.brokers, "library": cluster.library, "properties": properties,
            "schemaRegistry": address},
        "sources": [entry]}))
    return kafka.Process(place / "data", "--config", path)


def stored(place):
    """Readings by sensor and second."""
    query = "SELECT s.name, e.time, e.readings FROM sensor_events e JOIN sensors s ON s.id = e.sensor_id"
    return {(sensor, at // 1_000_000_000 - START): json.loads(readings) for sensor, at, readings in rows(place / "data", query)}


def letters(place):
    return rows(place / "data", "SELECT position, reason, detail FROM dead_letters ORDER BY position")


def committed(cluster, count):
    return soon(lambda: cluster.committed(GROUP, TOPIC, 1) == [count], 60, f"{count} messages are committed", 0.1)


def source_of(server):
    return next(one for one in server.get("/health").json["connectors"] if one["name"] == "plant")


def event(number, schema, second, values, sensor="s1"):
    return (sensor, forms.avro(number, schema, {"sensor_id": sensor, "timestamp": (START + second) * 1000} | values))


def refused(schemas, schema, words, kind="AVRO"):
    try:
        schemas.register(SUBJECT, schema, kind)
    except registry.Refused as why:
        equal((why.status, why.number), (409, 409), "how it is refused")
        expect(words in why.words, f"its words: {why.words}")
    else:
        raise AssertionError(f"the registry takes {schema}")


# MARK: 1. Evolution

@check("registry: Avro schemas evolve under BACKWARD; old and new writers side by side, one series through a rename")
def _():
    with folder() as place, kafka.cluster() as cluster, registry.server() as schemas:
        cluster.create(TOPIC, 1)
        numbers = {step: schemas.register(SUBJECT, schema) for step, schema in EVOLUTION.items()}
        equal(len(set(numbers.values())), len(EVOLUTION), "ids of schemas")
        # Newest and oldest alternate.
        steps = [step for _ in range(3) for step in (*EVOLUTION, *reversed(EVOLUTION))]
        cluster.produce(TOPIC, [event(numbers[step], EVOLUTION[step], second, VALUES[step]) for second, step in enumerate(steps)])
        with configuration(place, cluster, schemas) as server, Balance(server):
            committed(cluster, len(steps))
        equal(letters(place), [], "dead letters")
        equal(stored(place), {("s1", second): READINGS[step] for second, step in enumerate(steps)}, "stored readings")
        for number in numbers.values():
            equal(schemas.asked(f"/schemas/ids/{number}"), 1, f"questions for schema {number}")


@check("registry: what the levels BACKWARD, FORWARD, FULL and NONE let through is read all the same")
def _():
    more = {"name": "level", "type": "double"}
    with_default = more | {"default": 0.0}
    with folder() as place, kafka.cluster() as cluster, registry.server() as schemas:
        cluster.create(TOPIC, 1)
        base = record(TEMPERATURE, with_default)
        chain = [base]
        schemas.register(SUBJECT, base)
        # New readers, old data: what is new needs a default.
        refused(schemas, record(TEMPERATURE, with_default, {"name": "extra", "type": "int"}), "has no default")
        refused(schemas, record(TEMPERATURE | {"type": "string"}, with_default), "cannot be read as string")
        schemas.set_compatibility(SUBJECT, "FORWARD")
        # Old readers, new data: what goes needs a default.
        refused(schemas, record(with_default), "temperature: it is new and has no default")
        refused(schemas, record(TEMPERATURE | {"type": "double"}, with_default), "double cannot be read as int")
        chain.append(record(TEMPERATURE, with_default, {"name": "extra", "type": "int"}))
        schemas.register(SUBJECT, chain[-1])
        schemas.set_compatibility(SUBJECT, "FULL")
        refused(schemas, record(TEMPERATURE, with_default, {"name": "other", "type": "int", "default": 0}), "extra: it is new and has no default")
        chain.append(record(TEMPERATURE, {"name": "extra", "type": "int"}))
        schemas.register(SUBJECT, chain[-1])
        schemas.set_compatibility(SUBJECT, "NONE")
        chain.append(record({"name": "temperature", "type": "string"}))
        schemas.register(SUBJECT, chain[-1])
        equal(schemas.call("GET", f"/config/{SUBJECT}"), (200, {"compatibilityLevel": "NONE"}), "level")
        equal(schemas.call("GET", f"/subjects/{SUBJECT}/versions"), (200, [1, 2, 3, 4]), "versions")
        equal(schemas.call("GET", "/subjects/other/versions")[1]["error_code"], 40401, "an unknown subject")
        equal(schemas.call("GET", f"/subjects/{SUBJECT}/versions/9")[1]["error_code"], 40402, "an unknown version")
        equal(schemas.call("GET", "/schemas/ids/99")[1]["error_code"], 40403, "an unknown id")
        values = [{"temperature": 1, "level": 2.0}, {"temperature": 3, "level": 4.0, "extra": 5}, {"temperature": 6, "extra": 7},
                  # A number as a text is a number, as in JSON.
                  {"temperature": "8.5"}]
        cluster.produce(TOPIC, [event(n + 1, chain[n], n, values[n]) for n in (3, 0, 2, 1)])
        with configuration(place, cluster, schemas, format="confluent-avro") as server, Balance(server):
            committed(cluster, 4)
        equal(letters(place), [], "dead letters")
        equal(stored(place), {("s1", n): {k: float(v) for k, v in values[n].items()} for n in range(4)}, "stored readings")


@check("registry: Protobuf with references, a field more and a field less, the second message of a file")
def _():
    with folder() as place, kafka.cluster() as cluster, registry.server() as schemas:
        cluster.create(TOPIC, 1)
        schemas.register("place.proto", 'syntax = "proto3"; package plant; message Place { string location = 1; double height = 2; }', "PROTOBUF")
        uses = [{"name": "place.proto", "subject": "place.proto", "version": 1}]
        old = schemas.register(SUBJECT, PROTO % "double humidity = 4;", "PROTOBUF")
        refused(schemas, PROTO % "string humidity = 4;", "field 4 has another type", "PROTOBUF")
        refused(schemas, record(TEMPERATURE), "the type of the schema is another")
        new = schemas.register(
            SUBJECT, PROTO.replace("import", 'import "place.proto";\nimport', 1) % "reserved 4;\n  optional double pressure = 5;\n  Place place = 6;",
            "PROTOBUF", uses)

        def message(number, second, *fields, indexes=b"\0"):
            at = forms.protobuf(None, [(1, "int", START + second)])
            return ("s1", forms.protobuf(number, [(1, "string", "s1"), (2, "message", at), *fields], indexes))

        inner = forms.protobuf(None, [(1, "string", "hall"), (2, "double", 3.5)])
        messages = [
            message(old, 0, (3, "double", 21.5), (4, "double", 40.0)),
            message(new, 1, (3, "double", 22.5), (5, "double", 1001.0), (6, "message", inner)),
            # A zero is left out by the language; one with `optional` is not there.
            message(new, 2),
            # An old writer's field in a message of the new schema is passed over.
            message(new, 3, (3, "double", 24.5), (4, "double", 44.0)),
            # [1]: the second message of the file, without a time of its own.
            ("s1", forms.protobuf(new, [(1, "string", "s2"), (2, "double", 7.5)], forms.varint(2) + forms.varint(2))),
        ]
        cluster.produce(TOPIC, messages)
        with configuration(place, cluster, schemas) as server, Balance(server):
            committed(cluster, len(messages))
        equal(letters(place), [], "dead letters")
        found = stored(place)
        levels = [readings for (sensor, _), readings in found.items() if sensor == "s2"]
        equal(levels, [{"level": 7.5}], "readings of the second message")
        equal({second: readings for (sensor, second), readings in found.items() if sensor == "s1"}, {
            0: {"temperature": 21.5, "humidity": 40}, 1: {"temperature": 22.5, "pressure": 1001, "place.height": 3.5},
            2: {"temperature": 0}, 3: {"temperature": 24.5}}, "stored readings")


# MARK: 2. What cannot be decoded

@check("registry: an unknown id, a schema that cannot be read, cut-off messages: dead letters with words, the others go on")
def _():
    with folder() as place, kafka.cluster() as cluster, registry.server() as schemas:
        cluster.create(TOPIC, 1)
        schema = EVOLUTION["first"]
        good = schemas.register(SUBJECT, schema)
        # Of a reference that is gone, and of a type that this registry does not know: no waiting helps.
        schemas.schemas[7] = {"schema": json.dumps(record(TEMPERATURE)), "schemaType": "AVRO",
                              "references": [{"name": "gone", "subject": "gone", "version": 1}]}
        schemas.schemas[8] = {"schema": "x", "schemaType": "THRIFT"}
        schemas.schemas[9] = {"schema": '{"type":"record","name":"R","fields":[{"name":"a","type":"Unknown"}]}', "schemaType": "AVRO"}
        whole = event(good, schema, 4, VALUES["first"])[1]
        messages = [event(good, schema, 0, VALUES["first"]), ("s1", forms.framed(4711, b"x")), event(good, schema, 2, VALUES["first"])]
        messages += [("s1", forms.framed(7, b"x")), ("s1", whole[:-3]), ("s1", whole + b"\0"), ("s1", b"\0\0\0"), ("s1", None)]
        messages += [("s1", forms.framed(8, b"x")), ("s1", forms.framed(9, b"x")), ("s1", line("s1", START + 10, temperature=5))]
        messages.append(event(good, schema, 11, VALUES["first"]))
        cluster.produce(TOPIC, messages)
        with configuration(place, cluster, schemas) as server, Balance(server):
            committed(cluster, len(messages))
            expect(source_of(server)["healthy"], f"not healthy: {source_of(server)}")
        equal(sorted(second for _, second in stored(place)), [0, 2, 10, 11], "seconds of stored events")
        found = letters(place)
        equal([letter[0] for letter in found], [1, 3, 4, 5, 6, 7, 8, 9], "offsets of dead letters")
        words = {
            1: "schema id 4711, which the registry does not know", 3: "schema id 7, which cannot be had", 4: "breaks off",
            5: "behind its end", 7: "tombstone", 8: "schema id 8, which cannot be had", 9: "names the unknown type `Unknown`"}
        for position, _, detail in found:
            expect(words.get(position, "") in detail, f"the words for offset {position}: {detail}")


# MARK: 3. The registry fails

@check("registry: away at the start, slow, failing: /health says why, and nothing is lost")
def _():
    with folder() as place, kafka.cluster() as cluster, registry.server() as schemas:
        cluster.create(TOPIC, 1)
        sent = 0

        def prepare(step):
            """Messages of a schema that the program does not know yet, and of an id that nobody knows."""
            nonlocal sent
            known = record(TEMPERATURE, name=f"Step{step}")
            number = schemas.register(f"{SUBJECT}-{step}", known)
            values = [event(number, known, sent + n, {"temperature": n}) for n in range(20)]
            sent += 21
            return [*values, ("s1", forms.framed(9000 + step, b"x"))]

        cluster.produce(TOPIC, prepare(0))
        schemas.stop()
        with configuration(place, cluster, schemas) as server, Balance(server):
            def says(words):
                found = source_of(server)
                return found if words in found["text"] else None

            state = soon(lambda: says("the schema registry cannot be used: it does not answer"), 30, "/health says why", 0.1)
            expect(not state["healthy"] and "wait for what decodes" in state["text"], f"without the registry: {state}")
            equal(server.get("/health").json["status"], "degraded", "status of /health")
            equal(cluster.committed(GROUP, TOPIC, 1), [None], "committed meanwhile")
            schemas.start()
            committed(cluster, sent)
            soon(lambda: source_of(server)["healthy"], 10, "healthy again", 0.05)
            faults = [(500, "status 500"), (503, "status 503"), (429, "status 429"), ("garbage", "none of a schema registry"), (1.5, None)]
            for step, (fault, words) in enumerate(faults, 1):
                messages = prepare(step)
                schemas.fault = fault
                cluster.produce(TOPIC, messages)
                if words:
                    soon(lambda: says(words), 30, f"/health says {words}", 0.05)
                    schemas.fault = None
                committed(cluster, sent)
                schemas.fault = None
            # Away while nothing new is asked: what is known is decoded.
            schemas.stop()
            known = record(TEMPERATURE, name="Step0")
            cluster.produce(TOPIC, [event(1, known, sent + 50, {"temperature": 1})])
            committed(cluster, sent + 1)
            expect(source_of(server)["healthy"], f"not healthy: {source_of(server)}")
        equal(len(stored(place)), sent // 21 * 20 + 1, "stored events")
        equal(len(letters(place)), sent // 21, "dead letters")


@check("registry: kill -9 while its answer is awaited: every message once")
def _():
    with folder() as place, kafka.cluster() as cluster, registry.server() as schemas:
        cluster.create(TOPIC, 1)
        number = schemas.register(SUBJECT, EVOLUTION["first"])
        messages = [event(number, EVOLUTION["first"], second, VALUES["first"]) for second in range(300)]
        cluster.produce(TOPIC, messages[:200])
        schemas.fault = 503
        server = configuration(place, cluster, schemas)
        soon(lambda: not source_of(server)["healthy"], 30, "it waits", 0.1)
        server.kill()
        schemas.fault = None
        cluster.produce(TOPIC, messages[200:])
        with configuration(place, cluster, schemas) as server, Balance(server):
            committed(cluster, 300)
        equal(sorted(second for _, second in stored(place)), list(range(300)), "seconds of stored events")


@check("registry: a wrong password is said without being shown; with the right one it goes on")
def _():
    with folder() as place, kafka.cluster() as cluster, registry.server("tocsin", "right") as schemas:
        cluster.create(TOPIC, 1)
        equal(schemas.call("GET", "/subjects"), (200, []), "with the right password")
        number = schemas.register(SUBJECT, EVOLUTION["first"])
        cluster.produce(TOPIC, [event(number, EVOLUTION["first"], 0, VALUES["first"])])
        with configuration(place, cluster, schemas, password="wrong-4711") as server, Balance(server):
            soon(lambda: "refuses the login (401)" in source_of(server)["text"], 30, "/health says it", 0.1)
            soon(lambda: "kafka.schemaRegistry.user" in server.log, 10, "the log says what to check")
            equal(cluster.committed(GROUP, TOPIC, 1), [None], "committed meanwhile")
            # Changed at the registry: the program need not be started anew.
            schemas.password = "wrong-4711"
            committed(cluster, 1)
            soon(lambda: source_of(server)["healthy"], 10, "healthy again", 0.05)
            expect("wrong-4711" not in server.log + server.get("/health").text + server.get("/metrics").text, "the password is shown")
        equal(stored(place), {("s1", 0): READINGS["first"]}, "stored readings")


@check("registry: Avro that a limit refused is sent again with its schema, and takes its sensor from its key; in = out")
def _():
    with folder() as place, kafka.cluster() as cluster, registry.server() as schemas:
        cluster.create(TOPIC, 1)
        number = schemas.register(SUBJECT, EVOLUTION["first"])
        bare = {"type": "record", "name": "Bare", "fields": [TEMPERATURE]}
        nameless = schemas.register(SUBJECT + "-bare", bare)
        hot = VALUES["first"] | {"temperature": 500}
        cluster.produce(TOPIC, [
            event(number, EVOLUTION["first"], 0, hot), event(number, EVOLUTION["first"], 1, VALUES["first"]),
            ("by-key", forms.avro(nameless, bare, {"temperature": 501})), ("s1", line("s1", START + 2, temperature=502))])
        with configuration(place, cluster, schemas) as server, Balance(server):
            committed(cluster, 4)
        equal([source for source, in rows(place / "data", "SELECT source FROM dead_letters ORDER BY position")],
              [f"plant:{TOPIC}/0#{key}" for key in ("s1", "by-key", "s1")], "where the letters came from")
        replay = ("dead-letters", "replay", "--data-dir", place / "data", "--config", place / "tocsin.yaml")
        refused = tocsin(*replay).ended(1)
        expect("3 refused again" in refused.out, shortened(refused.text))
        ended = tocsin(*replay, "--set", "input.validRanges.temperature=-50..900").ended(0)
        expect("3 accepted" in ended.out, shortened(ended.text))
        found = {}
        for sensor, at, readings in rows(place / "data", "SELECT s.name, e.time, e.readings FROM sensor_events e JOIN sensors s ON s.id = e.sensor_id"):
            key = (sensor, None if sensor == "by-key" else at // 1_000_000_000 - START)
            found[key] = found.get(key, {}) | json.loads(readings)
        equal(found, {("s1", 0): hot, ("s1", 1): READINGS["first"], ("s1", 2): {"temperature": 502}, ("by-key", None): {"temperature": 501}}, "stored readings")


@check("registry: a login that stands in the address is used, and shown nowhere")
def _():
    with folder() as place, kafka.cluster() as cluster, registry.server("tocsin", "right-4711") as schemas:
        cluster.create(TOPIC, 1)
        number = schemas.register(SUBJECT, EVOLUTION["first"])
        cluster.produce(TOPIC, [event(number, EVOLUTION["first"], 0, VALUES["first"])])
        address = schemas.url.replace("://", "://tocsin:right-4711@")
        schemas.fault = 503
        with configuration(place, cluster, schemas, url=address) as server, Balance(server):
            soon(lambda: not source_of(server)["healthy"], 30, "it waits", 0.1)
            soon(lambda: "schema registry cannot be used" in server.log, 10, "the log says it")
            schemas.fault = None
            committed(cluster, 1)
            shown = server.log + server.get("/health").text + server.get("/metrics").text + server.get("/api/overview").text
            expect("4711" not in shown, f"the password is shown: {shortened(shown[max(0, shown.find('4711') - 200):])}")
        equal(stored(place), {("s1", 0): READINGS["first"]}, "stored readings")
        shown = tocsin("check", "--config", place / "tocsin.yaml", "--show").text
        expect("4711" not in shown, f"the password is listed: {shortened(shown[max(0, shown.find('4711') - 200):])}")


main()

"""Results to Kafka: each once where nothing fails; none missing after kill -9 and brokers that are away; in their order."""

import json
import random
import sys
import time

sys.dont_write_bytecode = True
from support import kafka
from support.figures import settled
from support.harness import Server, check, equal, expect, folder, line, main, rows, soon, tocsin

START = 1_760_000_000
TOPICS = ("iot.processed", "anomalies", "iot.alerts", "iot.dlq")
SENSORS, SECONDS = 5, 400
OPTIONS = ("--set", "kafka.output.enabled=true", "--set", "kafka.output.processed=iot.processed", "--set", "checkpoint.interval=1s")


# MARK: Parts

def stream():
    """2,000 readings with spikes, in 20 posts, each with one line that is no reading."""
    generator = random.Random(11)
    posts = []
    for first in range(0, SECONDS, 20):
        text = ""
        for second in range(first, first + 20):
            for sensor in range(SENSORS):
                value = 20 + sensor + generator.gauss(0, 0.5)
                if second > 250 and second % 60 == 10 * sensor:
                    value += 60
                text += line(f"s{sensor}", START + second, temperature=round(value, 2))
        posts.append(text + f"no json {first}\n")
    return posts


def begin(place, cluster):
    return Server(place / "data", *OPTIONS, environment=cluster.environment(), timeout=60)


def post(server, text):
    answer = server.post(text)
    expect(answer.status in (200, 202, 207), f"POST /ingest: {answer}")


def messages(cluster, topic):
    return cluster.consume(topic, 1, 10)


def ids(cluster, topic):
    return [json.loads(message[3])["event_id"] for message in messages(cluster, topic)]


def letters(cluster):
    return [(message[4]["source"], message[4]["position"], message[3]) for message in messages(cluster, "iot.dlq")]


def figure(server, name):
    for text in server.get("/metrics").text.splitlines():
        if text.split("{")[0].split(" ")[0] == name:
            return float(text.rsplit(" ", 1)[1])
    return None


def wanted(place):
    """What the store says was found: ids of anomalies, of alarms, number of dead letters."""
    data = place / "data"
    return (
        sorted(row[0] for row in rows(data, "SELECT id FROM anomalies")),
        sorted(row[0] for row in rows(data, "SELECT id FROM alarms")),
        rows(data, "SELECT count(*) FROM dead_letters")[0][0],
    )


def raised(cluster):
    """Alarms that were told as raised."""
    steps = [json.loads(message[3]) for message in messages(cluster, "iot.alerts")]
    return [step["alarm"]["id"] for step in steps if step["step"] == "raised"]


def none_missing(wanted, found, what):
    missing = set(wanted) - set(found)
    expect(not missing, f"{what}: {len(missing)} of {len(set(wanted))} are missing")


# MARK: Checks

@check("kafka output: 2,000 readings: every result in its topic exactly once, keyed by sensor, with headers")
def _():
    with folder() as place, kafka.cluster() as cluster:
        for topic in TOPICS:
            cluster.create(topic, 1)
        with begin(place, cluster) as server:
            for text in stream():
                post(server, text)
            soon(lambda: len(ids(cluster, "iot.processed")) >= SENSORS * SECONDS, 60, "every event is sent", 0.5)
            soon(lambda: figure(server, "tocsin_kafka_output_waiting") == 0, 20, "nothing waits", 0.1)
        # The end: what the engine's drain raises is sent too.
        processed = ids(cluster, "iot.processed")
        equal(len(processed), SENSORS * SECONDS, "processed events")
        equal(len(set(processed)), SENSORS * SECONDS, "different events")
        anomalies, alarms, bad = wanted(place)
        expect(anomalies and alarms, "the stream has nothing to find")
        equal(sorted(ids(cluster, "anomalies")), anomalies, "anomalies")
        equal(sorted(raised(cluster)), alarms, "alarms raised")
        steps = ids(cluster, "iot.alerts")
        equal(len(set(steps)), len(steps), "different steps of alarms")
        found = letters(cluster)
        equal((len(found), len(set(found))), (bad, bad), "dead letters")
        equal(len({message[4]["event_id"] for message in messages(cluster, "iot.dlq")}), bad, "different dead letters")
        equal(bad, SECONDS // 20, "dead letters in the store")
        # In the order of the stream, sensor by sensor.
        last = {}
        for _, _, key, value, headers in messages(cluster, "iot.processed"):
            body = json.loads(value)
            equal(body["sensor_id"], key, "key")
            expect(body["timestamp"] > last.get(key, ""), f"{key}: {body['timestamp']} comes after {last.get(key)}")
            last[key] = body["timestamp"]
            equal((headers["schema-version"], headers["content-type"]), ("reading/1", "application/json"), "headers")
            expect(len(headers["traceparent"]) == 55, f"traceparent: {headers}")
        body = json.loads(messages(cluster, "anomalies")[0][3])
        expect({"sensor_id", "window_start", "window_end", "anomaly_score", "is_anomaly", "features", "kind", "explanation",
                "model", "event_id"} <= set(body), f"fields of an anomaly: {sorted(body)}")
        # Started again it sends nothing twice.
        with begin(place, cluster) as server:
            soon(lambda: figure(server, "tocsin_kafka_output_waiting") == 0, 20, "nothing waits", 0.1)
            equal(figure(server, "tocsin_kafka_output_sent_total"), 0, "sent by the next process")
        equal(len(ids(cluster, "iot.processed")), SENSORS * SECONDS, "processed events after a restart")


@check("kafka output: what differs has another event_id: metrics of one moment, and what people do again")
def _():
    with folder() as place, kafka.cluster() as cluster:
        for topic in TOPICS:
            cluster.create(topic, 1)
        with begin(place, cluster) as server:
            # Telegraf sends the metrics of one moment line by line.
            body = f"cpu,host=web1 usage_idle=90 {START}\nmem,host=web1 used_percent=41 {START}\n"
            answer = server.request("POST", "/api/v2/write?precision=s", body=body.encode())
            equal(answer.status, 204, "POST /api/v2/write")
            soon(lambda: len(ids(cluster, "iot.processed")) == 2, 60, "both events are sent", 0.2)
            equal(len(set(ids(cluster, "iot.processed"))), 2, "different events")
            post(server, "".join(line("p1", START + second, temperature=20 + second % 7 / 10 if second < 480 else 95)
                                 for second in range(490)))
            soon(lambda: server.get("/alarms").json["items"], 20, "an alarm", 0.1)
            alarm = server.get("/alarms").json["items"][0]["id"]
            steps = (("assign", {"to": "Bob"}), ("assign", {"to": "Cy"}), ("comment", {"comment": "one"}),
                     ("comment", {"comment": "two"}), ("shelve", {"for": "30m"}), ("unshelve", {}), ("shelve", {"for": "60m"}))
            for action, words in steps:
                answer = server.request("POST", f"/alarms/{alarm}/{action}", body=json.dumps({"by": "Ida"} | words).encode())
                equal(answer.status, 202, f"{action} ({answer})")

            def found():
                bodies = [json.loads(message[3]) for message in messages(cluster, "iot.alerts")]
                return [body for body in bodies if body["alarm"]["id"] == alarm and body["step"] not in ("raised", "cleared")]
            soon(lambda: len(found()) >= len(steps), 60, "every step is sent", 0.2)
            equal(len({body["event_id"] for body in found()}), len(found()), f"different steps ({found()})")


@check("kafka output: dead letters that are sent again are results like others")
def _():
    with folder() as place, kafka.cluster() as cluster:
        for topic in TOPICS:
            cluster.create(topic, 1)
        with begin(place, cluster) as server:
            server.post(json.dumps({"sensor_id": "late", "when": START, "v": 1}) + "\n")
            post(server, line("s1", START, v=1) + "no json\n")
            soon(lambda: len(letters(cluster)) == 2, 60, "both letters are sent", 0.2)
            soon(lambda: len(ids(cluster, "iot.processed")) == 1, 60, "the event is sent", 0.2)
        again = ("dead-letters", "replay", "--data-dir", place / "data", *OPTIONS, "--set", "input.mapping.time=when")
        done = tocsin(*again, environment=cluster.environment())
        expect("sent 2: 1 accepted, 1 refused" in done.out, f"{done.out} {done.err}")
        with begin(place, cluster) as server:
            soon(lambda: len(ids(cluster, "iot.processed")) == 2, 60, "the event is sent", 0.2)
            soon(lambda: figure(server, "tocsin_kafka_output_waiting") == 0, 20, "nothing waits", 0.1)
        equal(json.loads(messages(cluster, "iot.processed")[1][3])["sensor_id"], "late", "the sensor of the second")
        # The one that was refused again is known there.
        equal(len(letters(cluster)), 2, "dead letters")


@check("kafka output: kill -9 twice and brokers away for 5 s: no result is missing")
def _():
    with folder() as place, kafka.cluster() as cluster:
        for topic in TOPICS:
            cluster.create(topic, 1)
        posts = stream()
        server = begin(place, cluster)
        for text in posts[:7]:
            post(server, text)
        server.kill()
        server = begin(place, cluster)
        post(server, posts[7])
        cluster.down()
        for text in posts[8:14]:
            post(server, text)
        # Detection goes on while results wait, and somebody is told.
        soon(lambda: (figure(server, "tocsin_kafka_output_waiting") or 0) >= 6 * 100, 20, "results wait", 0.1)
        time.sleep(5)
        soon(lambda: "results" in server.log and "Kafka" in server.log, 20, "the log says so", 0.1)
        server.kill()
        cluster.up()
        with begin(place, cluster) as server:
            for text in posts[14:]:
                post(server, text)
            soon(lambda: len(set(ids(cluster, "iot.processed"))) >= SENSORS * SECONDS, 90, "every event is sent", 0.5)
            soon(lambda: figure(server, "tocsin_kafka_output_waiting") == 0, 30, "nothing waits", 0.1)
        equal(len(set(ids(cluster, "iot.processed"))), SENSORS * SECONDS, "different events")
        anomalies, alarms, bad = wanted(place)
        expect(anomalies and alarms, "the stream has nothing to find")
        none_missing(anomalies, ids(cluster, "anomalies"), "anomalies")
        none_missing(alarms, raised(cluster), "alarms raised")
        equal(len({letter[2] for letter in letters(cluster)}), bad, "dead letters")


@check("kafka output: brokers that stay connected and say nothing: results wait, and none is missing")
def _():
    with folder() as place, kafka.cluster() as cluster:
        for topic in TOPICS:
            cluster.create(topic, 1)
        posts = stream()
        with begin(place, cluster) as server:
            for text in posts[:5]:
                post(server, text)
            soon(lambda: len(ids(cluster, "iot.processed")) >= 5 * 100, 60, "the first are sent", 0.2)
            cluster.freeze()
            for text in posts[5:12]:
                post(server, text)
            # Detection goes on while results wait.
            soon(lambda: (figure(server, "tocsin_kafka_output_waiting") or 0) >= 7 * 100, 20, "results wait", 0.1)
            settled(server)
            cluster.thaw()
            for text in posts[12:]:
                post(server, text)
            soon(lambda: len(set(ids(cluster, "iot.processed"))) >= SENSORS * SECONDS, 90, "every event is sent", 0.5)
            soon(lambda: figure(server, "tocsin_kafka_output_waiting") == 0, 30, "nothing waits", 0.1)
        equal(len(set(ids(cluster, "iot.processed"))), SENSORS * SECONDS, "different events")
        anomalies, alarms, bad = wanted(place)
        none_missing(anomalies, ids(cluster, "anomalies"), "anomalies")
        none_missing(alarms, raised(cluster), "alarms raised")
        equal(len({letter[2] for letter in letters(cluster)}), bad, "dead letters")


main()

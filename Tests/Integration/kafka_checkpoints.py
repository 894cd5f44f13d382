"""Processes of one Kafka group that each have a store of their own: they leave the states of partitions for each other in a
folder or a bucket, and together they have what one alone would have.
"""

import contextlib
import json
import sys
import time

sys.dont_write_bytecode = True
from support import kafka, s3
from support.alert_receivers import Receiver, channels
from support.harness import check, equal, expect, folder, line, main, rows, shortened, soon, tocsin
from support.kafka import TOPIC, configuration
from support.kafka_stream import OPTIONS, PARTITIONS, START, TABLES, Producer, is_done, partitions_of, stream

ALARMS = TABLES["alarms"]
ELSEWHERE = "It goes on in the process that reads the sensor next."


def start(place, name, cluster, checkpoints, *options, environment={}):
    return kafka.Process(
        place / name, *configuration(place, cluster), *OPTIONS, *options, "--set", f"kafka.checkpoints={checkpoints}",
        environment=environment, timeout=60)


def together(folders):
    """What the stores have, taken together: every row once."""
    found = {name: {tuple(row) for data in folders for row in rows(data, query)} for name, query in TABLES.items() if name != "alarms"}
    # Of an alarm the store counts in which it went on last.
    alarms = {}
    for data in folders:
        for row in rows(data, ALARMS):
            if not row[12].endswith(ELSEWHERE):
                best = alarms.get(row[1])
                alarms[row[1]] = max(row, best or row, key=lambda one: (one[7], one[9], one[8] or 0))
    # Not every verdict on an open alarm is written at once; what moves is written as it is.
    found["alarms"] = {row if row[4] == "cleared" else row[:7] for row in alarms.values()}
    return found


def same(wanted, found):
    for name in wanted:
        missing, further = sorted(wanted[name] - found[name], key=str), sorted(found[name] - wanted[name], key=str)
        if missing or further:
            kafka.Process.tell_all()
        expect(not missing and not further,
               f"{name}: {len(missing)} of {len(wanted[name])} missing, {len(further)} that one process alone does not have: "
               f"{shortened(missing[:1] + further[:1], 500)}")


ALONE = {}


def alone():
    """The rows of one process that reads everything, made once."""
    if not ALONE:
        with folder() as place, kafka.cluster() as cluster:
            cluster.create(TOPIC, PARTITIONS)
            messages = stream()
            cluster.produce(TOPIC, messages)
            with kafka.Process(place / "alone", *configuration(place, cluster), *OPTIONS, timeout=60) as server:
                soon(lambda: is_done(cluster, [server], len(messages)), 120, "everything is stored", 0.2)
                ALONE.update(together([place / "alone"]))
        equal(len(ALONE["events"]), len(messages), "events stored")
        expect({"spike", "silence"} <= {row[4] for row in ALONE["anomalies"]}, "the stream has nothing to find")
    return ALONE


def come_and_go(place, cluster, checkpoints, environment={}):
    """Three processes share; one is killed and comes back; one leaves in order. Returns what the stores
    have together before the others leave too."""
    messages = stream()
    producer = Producer(cluster, messages, parts=120, pause=0.2)
    def begin(name):
        return start(place, name, cluster, checkpoints, environment=environment)
    with contextlib.ExitStack() as stack:
        servers = [begin("a"), stack.enter_context(begin("b")), begin("c")]
        soon(lambda: all(len(partitions_of(server)) == 2 for server in servers), 60, "three share", 0.1)
        time.sleep(3)
        servers[0].kill()
        soon(lambda: all(len(partitions_of(server)) == 3 for server in servers[1:]), 60, "two take over", 0.1)
        # Back with its old folder: others have gone on since.
        servers[0] = stack.enter_context(begin("a"))
        soon(lambda: all(len(partitions_of(server)) == 2 for server in servers), 60, "three share again", 0.1)
        equal(servers.pop().stop(), 0, "exit code of the one that leaves")
        soon(lambda: all(len(partitions_of(server)) == 3 for server in servers), 60, "two have the rest", 0.1)
        producer.finish()
        soon(lambda: is_done(cluster, servers, len(messages)), 120, "everything is stored", 0.2)
        folders = [place / name for name in "abc"]
        found = together(folders)
        # No store keeps as open what went on elsewhere.
        latest = {row[1]: row[4] for row in found["alarms"]}
        for data in folders:
            stale = [row for row in rows(data, ALARMS) if row[4] == "open" and latest[row[1]] != "open"]
            expect(not stale, f"open in {data.name}, though over: {stale[:1]}")
    return found


@check("checkpoints: three processes with a store each and a folder in common have together what one alone has")
def _():
    whole = alone()
    with folder() as place, kafka.cluster() as cluster:
        cluster.create(TOPIC, PARTITIONS)
        (place / "shared").mkdir()
        same(whole, come_and_go(place, cluster, place / "shared"))
        states = sorted(str(path.relative_to(place / "shared")) for path in (place / "shared").rglob("record-*"))
        equal(len(states), 2 * PARTITIONS, f"files in the folder, {states}")


@check("checkpoints: the same through a bucket that is away for a while")
def _():
    whole = alone()
    with folder() as place, kafka.cluster() as cluster, s3.Service() as service, s3.FaultProxy(service.port) as proxy:
        cluster.create(TOPIC, PARTITIONS)
        environment = s3.environment(proxy.endpoint)
        same(whole, come_and_go(place, cluster, "s3://plant/checkpoints", environment))
        objects = service.objects()
        equal(len(objects), 2 * PARTITIONS, f"objects in the bucket, {sorted(objects)}")

        proxy.play("away")
        cluster.produce(TOPIC, [("s001", line("s001", START + 5000, temperature=20))])
        with start(place, "b", cluster, "s3://plant/checkpoints", environment=environment) as server:
            soon(lambda: "waits for the store that keeps the partitions' states" in server.log, 60, "it says what it waits for")
            equal(partitions_of(server), [], "partitions that are read meanwhile")
            proxy.heal()
            soon(lambda: len(partitions_of(server)) == PARTITIONS and is_done(cluster, [server], len(whole["events"]) + 1), 60, "it goes on", 0.2)


@check("checkpoints: who takes a sensor over tells that its alarm is over; nobody is told twice that it began")
def _():
    with folder() as place, kafka.cluster() as cluster, Receiver() as receiver:
        cluster.create(TOPIC, 1)
        (place / "shared").mkdir()
        alerts = json.loads(channels(place, {"kind": "webhook", "name": "mes", "url": receiver.url}, system={"enabled": False}).read_text())
        def begin(name):
            _, path = configuration(place, cluster)
            path.write_text(json.dumps(alerts | json.loads(path.read_text())))
            return kafka.Process(
                place / name, "--config", path, *OPTIONS, "--set", f"kafka.checkpoints={place / 'shared'}",
                "--set", "alarms.clearAfter=10s", timeout=60)
        def open_alarms(server):
            return [alarm["id"] for alarm in server.get("/alarms?state=open").json["items"]]
        calm = [("s1", line("s1", START + n, temperature=20 + n % 3 / 10)) for n in range(700)]
        cluster.produce(TOPIC, calm[:300] + [("s1", line("s1", START + 300 + n, temperature=90)) for n in range(3)])
        with begin("one") as one:
            soon(lambda: open_alarms(one), 60, "an alarm is open", 0.1)
            soon(lambda: receiver.steps() == ["raised s1"], 30, "it is told", 0.1)
        (alarm,) = rows(place / "one", ALARMS)
        expect(alarm[4] == "cleared" and alarm[12].endswith(ELSEWHERE), f"in the first store: {alarm}")
        with begin("two") as two:
            soon(lambda: open_alarms(two) == [alarm[1]], 60, "it is open in the other", 0.1)
            answer = two.request("POST", f"/alarms/{alarm[1]}/acknowledge", json.dumps({"by": "Ida"}), {"Content-Type": "application/json"})
            equal(answer.status, 202, f"acknowledged in the other: {answer.text}")
            cluster.produce(TOPIC, calm[303:])
            soon(lambda: "cleared s1" in receiver.steps(), 60, "the end is told", 0.1)
        equal(receiver.steps().count("raised s1"), 1, f"raised, in {receiver.steps()}")


@check("checkpoints: a place that is none is refused with a remedy")
def _():
    with folder() as place, kafka.cluster() as cluster:
        for name, word in (("s3://", "names no bucket"), ("shared", "is no absolute path"), ("ftp://x/y", "is neither a folder nor s3://")):
            answer = tocsin("check", *configuration(place, cluster), "--set", f"kafka.checkpoints={name}")
            expect(answer.code != 0 and word in answer.text, f"{name}: {answer.text}")
        gone = ("--set", f"kafka.checkpoints={place / 'not mounted'}", "--data-dir", place / "data", "--set", "server.port=0")
        for command in ("check", "run"):
            answer = tocsin(command, *configuration(place, cluster), *gone)
            expect(answer.code != 0 and "cannot be reached" in answer.text and "Mount it" in answer.text, f"{command}: {answer.text}")
        (place / "not mounted").mkdir()
        answer = tocsin("check", *configuration(place, cluster), *gone)
        expect(answer.code == 0 and "takes files" in answer.text, f"a folder that is there: {answer.text}")


main()

"""Kafka and its troubles: brokers that are away, half-open connections, poison, wrong clocks, two processes at one table. Each
reading is stored, late, a duplicate or a dead letter, at every moment.
"""

import json
import sys
import threading
import time

sys.dont_write_bytecode = True
from support import kafka, postgres
from support.figures import Balance, settled
from support.harness import check, equal, expect, folder, line, main, rows, shortened, soon, stored_events
from support.kafka import GROUP, TOPIC, configuration, source_of

START = 1_760_000_000


@check("kafka: brokers away at the start and for a while: it waits, says so, and misses nothing")
def _():
    with folder() as place, kafka.cluster() as cluster:
        cluster.create(TOPIC, 2)
        cluster.produce(TOPIC, [("s1", line("s1", START + n, value=n % 5)) for n in range(100)])
        cluster.down()
        with kafka.Process(place / "data", *configuration(place, cluster)) as server:
            state = soon(lambda: source_of(server) if ": " in source_of(server)["text"] else None, 30, "it says why", 0.1)
            expect(not state["healthy"], f"healthy without a broker: {state}")
            cluster.up()
            soon(lambda: sum(filter(None, cluster.committed(GROUP, TOPIC, 2))) == 100, 60, "everything is committed", 0.1)
            cluster.down()
            soon(lambda: "no broker reached" in source_of(server)["text"], 30, "the outage is seen", 0.1)
            time.sleep(8)
            cluster.up()
            cluster.produce(TOPIC, [("s1", line("s1", START + n, value=n % 5)) for n in range(100, 200)])
            soon(lambda: sum(filter(None, cluster.committed(GROUP, TOPIC, 2))) == 200, 60, "everything is committed", 0.1)
            expect(source_of(server)["healthy"], f"not healthy: {source_of(server)}")
        events = stored_events(place / "data")
        equal(len(events), 200, "stored events")
        equal(len(set(events)), 200, "different events")


@check("kafka: brokers away until every back-off is at its limit: soon back, as it would be after an hour")
def _():
    with folder() as place, kafka.cluster() as cluster:
        cluster.create(TOPIC, 2)
        cluster.produce(TOPIC, [("s1", line("s1", START + n, value=n % 5)) for n in range(100)])
        # The program's own settings: pauses double from 0.1 s to 2 s, so that nothing grows any more after some seconds; the
        # group has forgotten this member after 6 s.
        path = place / "tocsin.yaml"
        path.write_text(json.dumps({
            "kafka": {"bootstrapServers": cluster.brokers, "library": cluster.library, "properties": {"session.timeout.ms": "6000"}},
            "sources": [{"kind": "kafka", "name": "plant", "topics": [TOPIC], "group": GROUP}]}))
        with kafka.Process(place / "data", "--config", path) as server, Balance(server):
            soon(lambda: sum(filter(None, cluster.committed(GROUP, TOPIC, 2))) == 100, 60, "everything is committed", 0.1)
            cluster.down()
            soon(lambda: not source_of(server)["healthy"], 30, "the outage is seen", 0.1)
            time.sleep(20)
            equal(server.get("/health").json["status"], "degraded", "/health in the outage")
            cluster.up()
            cluster.produce(TOPIC, [("s1", line("s1", START + n, value=n % 5)) for n in range(100, 200)])
            back = time.monotonic()
            soon(lambda: source_of(server)["healthy"], 15, "healthy again", 0.1)
            soon(lambda: sum(filter(None, cluster.committed(GROUP, TOPIC, 2))) == 200, 30, "everything is committed", 0.1)
            print(f"     committed {time.monotonic() - back:.1f} s after the brokers were back")
        equal(len(set(stored_events(place / "data"))), 200, "different events")
        equal(len(stored_events(place / "data")), 200, "stored events")


@check("kafka: connections that stay open and say nothing: told in /health, and nothing is lost")
def _():
    with folder() as place, kafka.cluster() as cluster:
        cluster.create(TOPIC, 2)
        messages = [("s1", line("s1", START + n, value=n % 5)) for n in range(200)]
        cluster.produce(TOPIC, messages[:100])
        with kafka.Process(place / "data", *configuration(place, cluster)) as server, Balance(server):
            soon(lambda: sum(filter(None, cluster.committed(GROUP, TOPIC, 2))) == 100, 60, "everything is committed", 0.1)
            cluster.freeze()
            state = soon(lambda: None if (found := source_of(server))["healthy"] else found, 30, "/health says it", 0.1)
            expect("no broker reached since" in state["text"], f"its words: {state}")
            # Longer than the group waits for a member.
            time.sleep(5)
            expect(not source_of(server)["healthy"], "healthy although nobody answers")
            cluster.thaw()
            cluster.produce(TOPIC, messages[100:])
            soon(lambda: sum(filter(None, cluster.committed(GROUP, TOPIC, 2))) == 200, 60, "everything is committed", 0.1)
            soon(lambda: source_of(server)["healthy"], 20, "healthy again", 0.1)
        equal(len(set(stored_events(place / "data"))), 200, "different events")
        equal(len(stored_events(place / "data")), 200, "stored events")


@check("kafka: devices whose clocks are wrong harm nobody else; each reading is stored, late, or a dead letter")
def _():
    now = int(time.time())
    with folder() as place, kafka.cluster() as cluster:
        cluster.create(TOPIC, 1)
        messages = []
        for n in range(120):
            messages.append(("good", line("good", now - 300 + n, temperature=95 if n == 110 else 20 + n % 5 / 10)))
            messages.append(("ahead", line("ahead", now + 365 * 86400 + n, temperature=21)))
            messages.append(("behind", line("behind", now - 86400 + n, temperature=22)))
            messages.append(("reset", line("reset", n, temperature=23)))
        cluster.produce(TOPIC, messages)
        with kafka.Process(place / "data", *configuration(place, cluster)) as server, Balance(server) as balance:
            soon(lambda: cluster.committed(GROUP, TOPIC, 1) == [480], 60, "everything is committed", 0.1)
            settled(server)
        data = place / "data"
        stored = rows(data, "SELECT s.name, count(*), sum(e.late) FROM sensor_events e JOIN sensors s ON s.id = e.sensor_id GROUP BY 1 ORDER BY 1")
        equal([row[:2] for row in stored], [("behind", 120), ("good", 120), ("reset", 120)], "stored events by sensor")
        equal(dict((row[0], row[2]) for row in stored)["good"], 0, "late events of the sensor whose clock is right")
        letters = rows(data, "SELECT reason, detail FROM dead_letters")
        equal({letter[0] for letter in letters}, {"future"}, "reasons of dead letters")
        equal(balance.places["dead_lettered_total"], 120, "readings in dead letters")
        expect("is the device's clock right?" in letters[0][1], f"its words: {letters[0]}")
        expect(rows(data, "SELECT 1 FROM anomalies a JOIN sensors s ON s.id = a.sensor_id WHERE s.name = 'good' AND a.value = 95"),
               "the spike of the sensor whose clock is right is not found")


@check("kafka: another process makes a day's table while this one writes into it: neither ends")
def _():
    with folder() as place, kafka.cluster() as cluster, postgres.server(place) as database:
        cluster.create(TOPIC, 1)
        day = START // 86400
        first, end = day * 86400 * 10**9, (day + 1) * 86400 * 10**9
        cluster.produce(TOPIC, [("s1", line("s1", START + n, value=n % 5)) for n in range(10)])
        options = configuration(place, cluster)
        with kafka.Process(place / "a", *options, environment=database.environment(), timeout=60) as server:
            soon(lambda: database.value("SELECT count(*) FROM sensor_events_other") == "10", 60, "the first are stored", 0.1)
            # What `DayPartitions` does, slowly.
            other = threading.Thread(target=database.query, args=(f"""
                BEGIN; CREATE TABLE sensor_events_20251009 (LIKE sensor_events INCLUDING ALL);
                LOCK TABLE sensor_events_other IN ACCESS EXCLUSIVE MODE;
                WITH moved AS (DELETE FROM sensor_events_other WHERE time >= {first} AND time < {end} RETURNING *)
                INSERT INTO sensor_events_20251009 SELECT * FROM moved;
                ALTER TABLE sensor_events ATTACH PARTITION sensor_events_20251009 FOR VALUES FROM ({first}) TO ({end});
                SELECT pg_sleep(2); COMMIT""",))
            other.start()
            cluster.produce(TOPIC, [("s1", line("s1", START + n, value=n % 5)) for n in range(10, 20)])
            other.join()
            soon(lambda: server.get("/metrics") and cluster.committed(GROUP, TOPIC, 1) == [20], 60, "everything is committed", 0.1)
            soon(lambda: database.value("SELECT count(*) FROM sensor_events") == "20", 30, "everything is stored", 0.1)
        equal(database.value("SELECT count(*) FROM sensor_events_20251009"), "20", "rows in the day's table")


@check("kafka: a backlog of two partitions is read in step; each event, each bad message at its offset")
def _():
    with folder() as place, kafka.cluster() as cluster:
        cluster.create(TOPIC, 2)
        # One batch holds half an hour of event time: it is divided, so that neither partition makes the other late.
        messages = []
        for n in range(2000):
            for partition in range(2):
                name = f"s{partition}"
                text = f"bad {name} {n}" if n % 100 == 50 else line(name, START + n, temperature=round(20 + n % 7 / 10, 1), level=n)
                messages.append((None, text, partition))
        cluster.produce(TOPIC, messages)
        with kafka.Process(place / "data", *configuration(place, cluster)) as server, Balance(server) as balance:
            soon(lambda: cluster.committed(GROUP, TOPIC, 2) == [2000, 2000], 60, "everything is committed", 0.1)
            settled(server)
        equal(balance.places["late_total"], 0, "late readings")
        data = place / "data"
        found = rows(data, "SELECT s.name, e.time, e.readings, e.payload FROM sensor_events e JOIN sensors s ON s.id = e.sensor_id")
        wanted = {
            (f"s{partition}", START + n, round(20 + n % 7 / 10, 1), n, line(f"s{partition}", START + n, temperature=round(20 + n % 7 / 10, 1), level=n).strip())
            for n in range(2000) if n % 100 != 50 for partition in range(2)}
        stored = set()
        for name, at, readings, payload in found:
            values = json.loads(readings)
            text = payload if isinstance(payload, str) else bytes(payload).decode()
            stored.add((name, at // 10**9, values["temperature"], values["level"], text.strip()))
        equal(len(found), len(wanted), "stored events")
        expect(stored == wanted, f"stored events: {shortened(sorted(stored - wanted)[:1] + sorted(wanted - stored)[:1], 400)}")
        letters = sorted((source.split("#")[0][-1], position, bytes(payload).decode().strip()) for source, position, payload in rows(data, "SELECT source, position, payload FROM dead_letters"))
        equal(letters, sorted((str(p), n, f"bad s{p} {n}") for n in range(50, 2000, 100) for p in range(2)), "dead letters")


@check("kafka: tombstones, 10 MB messages and bad bytes stop nothing; each is counted and found again")
def _():
    with folder() as place, kafka.cluster() as cluster:
        cluster.create(TOPIC, 1)
        good = [("s1", line("s1", START + n, value=n)) for n in range(10)]
        cluster.produce(TOPIC, good[:5] + [("s1", None), ("s1", "no json"), ("s1", "x" * 10_000_000), ("s1", "")] + good[5:])
        with kafka.Process(place / "data", *configuration(place, cluster)) as server:
            soon(lambda: cluster.committed(GROUP, TOPIC, 1) == [14], 60, "everything is committed", 0.1)
            expect('kafka_consumer_tombstones_total{connector="plant"} 1\n' in server.get("/metrics").text, "tombstones are not counted")
        equal(len(stored_events(place / "data")), 10, "stored events")
        letters = rows(place / "data", "SELECT reason, source, position FROM dead_letters ORDER BY position")
        # A tombstone and an empty message hold no reading: kept, so that in = out.
        equal([letter[0] for letter in letters], ["malformed", "malformed", "too_long", "malformed"], "reasons of dead letters")
        equal([letter[2] for letter in letters], [5, 6, 7, 8], "offsets of dead letters")
        expect(all(TOPIC in letter[1] for letter in letters), f"their source: {letters}")


main()

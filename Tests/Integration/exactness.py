"""A run that is killed again and again under load gives the very rows of one that is not: windows, anomalies, alarms,
events, models, byte for byte; nothing acknowledged is lost, no alarm is told twice, and it is ready again at once.

TOCSIN_KILLS sets how often (default 100). Once as readings arrive; once, with a fifth of the kills, by event time; and once,
with a tenth, without any checkpoint but the spool alone.
"""

import json
import os
import random
import sqlite3
import sys
import threading
import time

sys.dont_write_bytecode = True
from support.figures import settled
from support.harness import DATABASE, Server, check, equal, expect, folder, main, shortened

KILLS = int(os.environ.get("TOCSIN_KILLS", "100"))
RANDOM = random.Random(7)
START = 1_760_000_000
SENSORS = 60
SECONDS = 1500
# Seconds of the stream in one request.
STEP = 3
# The wall clock must not act on the stream; small checkpoints, often, so that kills fall into them.
OPTIONS = ("--set", "engine.idleTimeout=1h", "--set", "checkpoint.interval=1s", "--set", "spool.segmentBytes=1MiB",
           "--set", "detection.forest.learningEvents=2000")


def stream():
    """Requests of a stream with spikes, drifts, silence, disorder, duplicates and refused values: the same each time."""
    generator = random.Random(42)
    requests, held = [], []
    for second in range(0, SECONDS, STEP):
        lines = []
        for offset in range(STEP):
            for sensor in range(SENSORS):
                n = second + offset
                if sensor == 7 and 600 <= n < 900:
                    continue
                value = 20 + sensor / 10 + generator.gauss(0, 0.5)
                if sensor % 11 == 3 and n % 271 == 100:
                    value += 40
                if sensor == 5 and n > 800:
                    value += (n - 800) * 0.02
                if sensor == 9 and n > 700:
                    value = 21.0
                if sensor == 13 and n % 100 == 0:
                    value = 900
                event = {"sensor_id": f"s{sensor:03}", "timestamp": START + n, "temperature": round(value, 2), "humidity": round(50 + generator.gauss(0, 1), 1)}
                if sensor % 4 == 0:
                    event["event_id"] = f"{sensor}-{n}"
                text = json.dumps(event) + "\n"
                # Some come up to twenty seconds late, some twice.
                if generator.random() < 0.02:
                    held.append((second + generator.randrange(3, 20), text))
                else:
                    lines.append(text)
                if generator.random() < 0.005:
                    lines.append(text)
        lines += [text for due, text in held if due <= second]
        held = [(due, text) for due, text in held if due > second]
        requests.append("".join(lines).encode())
    return requests


def send(server, body):
    """True when the request was acknowledged."""
    try:
        answer = server.post(body, timeout=30)
    except Exception:
        return False
    return answer.status == 202


def tables(data):
    """Everything that must not differ. Times of arrival do, by nature; so does how often a request was sent again, and
    with it how often something in it was refused."""
    database = sqlite3.connect(f"file:{data / DATABASE}?mode=ro", uri=True)
    sensor = "(SELECT name FROM sensors WHERE sensors.id = sensor_id)"
    result = {}
    for name, query in {
        "events": f"SELECT {sensor}, time, event_key, late, readings, payload FROM sensor_events ORDER BY 1, 2, 3",
        "anomalies": f"SELECT id, alarm_id, {sensor}, metric, kind, detector, model, start, time, value, expected_low, expected_high, score, p_value, contributions, sentence FROM anomalies ORDER BY id",
        "alarms": f"SELECT id, {sensor}, metric, kind, state, severity, raised, last_seen, cleared, verdicts, score, p_value, sentence FROM alarms ORDER BY id",
        "models": "SELECT name, version, origin, format, summary, data FROM model_registry ORDER BY 1, 2",
        "dead letters": "SELECT DISTINCT reason, detail, payload, readings FROM dead_letters ORDER BY 1, 2, 3",
    }.items():
        result[name] = database.execute(query).fetchall()
    database.close()
    return result


def windows(server):
    """All windows through the API, sensor by sensor: their layout in the file is the store's own affair."""
    found = []
    for sensor in range(SENSORS):
        offset = 0
        while True:
            page = server.get(f"/windows?sensor_id=s{sensor:03}&limit=1000&offset={offset}").json["items"]
            found += [json.dumps(item, sort_keys=True) for item in page]
            offset += len(page)
            if len(page) < 1000:
                break
    return sorted(found)


def told(data):
    return [json.loads(text) for text in (data / "alerts.log").read_text().splitlines()]


def compare(whole, killed):
    for name in whole:
        there, wanted = set(killed[name]), set(whole[name])
        missing = [row for row in whole[name] if row not in there]
        further = [row for row in killed[name] if row not in wanted]
        expect(not missing and not further, f"{name}: {len(missing)} of {len(whole[name])} missing, {len(further)} that the whole run does not have: {shortened(missing[:1] + further[:1], 900)}")
        equal(len(killed[name]), len(whole[name]), f"rows of {name}")


@check(f"exactness: {KILLS} kills -9 at random moments under load change nothing; ready again within 2 s")
def kills():
    compare_with_kills(KILLS, stream(), OPTIONS, waiting=0)


@check(f"exactness: {max(KILLS // 5, 1)} kills -9 change nothing where readings wait to be judged by event time")
def kills_by_event_time():
    # A last event lets go all before it, and waits itself.
    last = json.dumps({"sensor_id": "last", "timestamp": START + SECONDS + 60, "temperature": 20}).encode()
    compare_with_kills(max(KILLS // 5, 1), stream() + [last], (*OPTIONS, "--set", "engine.order=event"), waiting=1)


@check(f"exactness: {max(KILLS // 10, 1)} kills -9 before there is any checkpoint change nothing")
def kills_without_checkpoint():
    compare_with_kills(max(KILLS // 10, 1), stream(), (*OPTIONS, "--set", "checkpoint.interval=1h"), waiting=0)


def compare_with_kills(kills, requests, options, waiting):
    with folder() as place:
        with Server(place / "whole", *options) as server:
            for body in requests:
                expect(send(server, body), "a request of the whole run was not taken")
            whole_windows = windows_when_settled(server, waiting)
        whole = tables(place / "whole")
        for name in ("anomalies", "alarms", "models", "dead letters"):
            expect(whole[name], f"the stream causes no {name}: nothing is compared")

        ready, position, done = [], 0, 0
        per_life = max(1, len(requests) // (kills + 1))
        while True:
            started = time.monotonic()
            server = Server(place / "killed", *options)
            ready.append(time.monotonic() - started)
            if done == kills:
                break
            # A kill somewhere in the next requests: between two, in the midst of one, in a checkpoint.
            killer = threading.Timer(RANDOM.uniform(0.0, 0.012 * per_life) if done % 3 else RANDOM.uniform(0.9, 1.3), server.kill)
            killer.start()
            last = min(len(requests), position + per_life)
            while position < last and send(server, requests[position]):
                position += 1
            killer.join()
            server.kill()
            done += 1
        with server:
            while position < len(requests):
                expect(send(server, requests[position]), "a request after the kills was not taken")
                position += 1
            killed_windows = windows_when_settled(server, waiting)
        killed = tables(place / "killed")
        compare(whole, killed)
        compare({"windows": whole_windows}, {"windows": killed_windows})
        steps = [(entry["alarm"]["id"], entry["step"], entry["alarm"]["verdicts"]) for entry in told(place / "killed")]
        expect(len(steps) == len(set(steps)), "an alarm was told twice")
        equal(sorted(steps), sorted((entry["alarm"]["id"], entry["step"], entry["alarm"]["verdicts"]) for entry in told(place / "whole")), "alarms told")
        slowest = max(ready)
        expect(slowest <= 2, f"ready again after {slowest:.2f} s")
        print(f"     ready again after {sorted(ready)[len(ready) // 2]:.2f} s (median), {slowest:.2f} s (longest)")


def windows_when_settled(server, waiting):
    """When no more readings wait than will."""
    settled(server, 60, waiting)
    return windows(server)


main()

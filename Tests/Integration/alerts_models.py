"""System alarms on how well the detectors do: what people answer, and data that move as a whole; each raised and cleared."""

import json
import random
import sys
import time

sys.dont_write_bytecode = True
from support.harness import Server, check, equal, expect, folder, line, main, soon
from support.alert_receivers import Receiver, channels

NOW = int(time.time())
SENSORS = [f"m{number:02}" for number in range(24)]
MOVED = SENSORS[:4]


def readings(start, seconds, level, sensors=SENSORS):
    generator = random.Random(start)
    return "".join(
        line(sensor, NOW - start + n, temperature=round(25 + level(sensor) + generator.gauss(0, 0.3), 2))
        for n in range(seconds) for sensor in sensors)


def system(server, subject):
    return next(iter(server.get(f"/alarms?sensor_id=tocsin:{subject}").json["items"]), None)


def answer(server, alarm, word):
    body = json.dumps({"feedback": word})
    equal(server.request("POST", f"/alarms/{alarm['id']}/feedback", body, {"Content-Type": "application/json"}).status, 202, "feedback")


def drifting(server):
    return {alarm["sensor_id"] for alarm in server.get("/alarms?state=open&limit=1000").json["items"] if alarm["kind"] == "drift"}


@check("system alarms: false answers of people are a critical alarm on accuracy, many drifts an information, both cleared when it is over")
def models():
    with folder() as data, Receiver() as receiver:
        config = channels(data, {"kind": "webhook", "name": "mes", "url": receiver.url}, routes=[{"channels": ["mes"], "kinds": ["system"]}])
        content = json.loads(config.read_text())
        # Every sensor tells by itself.
        content["alarms"] = {"flood": {"incidents": 1000}}
        config.write_text(json.dumps(content))
        with Server(data, "--config", config) as server:
            # Four move to another level and stay there; all others have one spike.
            equal(server.post(readings(1600, 1500, lambda sensor: 0)).status, 202, "status")
            equal(server.post(readings(100, 90, lambda sensor: 4 if sensor in MOVED else 0)).status, 202, "status of the new level")
            equal(server.post("".join(line(sensor, NOW - 9, temperature=90) for sensor in SENSORS[4:])).status, 202, "status of the spikes")
            soon(lambda: set(MOVED) <= drifting(server), 20, "the drift of four sensors")

            def spikes():
                found = [alarm for alarm in server.get("/alarms?limit=1000").json["items"] if alarm["kind"] == "spike" and alarm["sensor_id"] in SENSORS[4:]]
                return found if len(found) >= 20 else None

            judged = soon(spikes, 20, "twenty spikes")[:20]
            # 13 of 20 are right: 65 %.
            for number, alarm in enumerate(judged):
                answer(server, alarm, "false" if number < 7 else "expected" if number < 10 else "real")
            equal(len(server.get("/feedback?limit=100").json["items"]), 20, "answers")
            accuracy = soon(lambda: system(server, "model-accuracy"), 60, "the alarm on accuracy", interval=0.5)
            equal((accuracy["severity"], accuracy["kind"]), ("critical", "system"), "accuracy")
            expect("65 % of the alarms that people have answered" in accuracy["sentence"], accuracy["sentence"])
            drift = soon(lambda: system(server, "drift"), 60, "the alarm on drift", interval=0.5)
            equal((drift["severity"], drift["kind"]), ("info", "system"), "drift")
            expect("of all sensors drift" in drift["sentence"], drift["sentence"])
            soon(lambda: {"raised tocsin:model-accuracy", "raised tocsin:drift"} <= set(receiver.steps()), 10, "both at the webhook")
            # People think better of it: 21 of 24 are right, the new level among them, which closes its alarms.
            for alarm in judged[:4]:
                answer(server, alarm, "real")
            for alarm in server.get("/alarms?state=open&limit=1000").json["items"]:
                if alarm["kind"] == "drift":
                    answer(server, alarm, "expected")
            soon(lambda: not drifting(server), 20, "the end of the drifts")
            for subject in ("model-accuracy", "drift"):
                soon(lambda: system(server, subject)["state"] == "cleared", 90, f"the end of {subject}", interval=0.5)
            soon(lambda: {"cleared tocsin:model-accuracy", "cleared tocsin:drift"} <= set(receiver.steps()), 10, "both ends at the webhook")


main()

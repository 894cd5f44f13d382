"""Five hundred sensors fail within a minute: few messages, one summary, and nothing hidden."""

import json
import random
import sys
import time

sys.dont_write_bytecode = True
from support.harness import Server, check, equal, expect, folder, iso, line, main, soon
from support.alert_receivers import MailServer, Receiver, channels

SENSORS, WITNESSES, LEARNING = 500, 20, 300
# What "ten minutes" is in this test: a list gathers no longer than that.
PERIOD = 15
MOST = 10


def readings(begin):
    """A reading a second of every sensor; the 500 stop within the last minute, the witnesses go on for five more."""
    generator = random.Random(5)
    stops = {f"f{number:03}": LEARNING - 60 + number * 60 // SENSORS for number in range(SENSORS)}
    ends = stops | {f"w{number:02}": LEARNING + 300 for number in range(WITNESSES)}
    lines = []
    for second in range(LEARNING + 300):
        stamp = iso(begin + second)
        for sensor, end in ends.items():
            if second < end:
                lines.append(f'{{"sensor_id":"{sensor}","timestamp":"{stamp}","temperature":{25 + generator.gauss(0, 0.3):.2f}}}\n')
        if len(lines) >= 10_000:
            yield "".join(lines)
            lines = []
    yield "".join(lines)


def most_within(times, seconds):
    """The most of the moments within any span of so many seconds."""
    times = sorted(times)
    return max((sum(start <= moment < start + seconds for moment in times) for start in times), default=0)


@check("flood: 500 sensors fail within a minute: one summary, at most 10 messages in the period on each channel, nothing hidden")
def upset():
    rate = {"messages": MOST, "per": f"{PERIOD}s"}
    with folder() as data, Receiver() as slack, Receiver() as hook, MailServer() as mail:
        entries = [
            {"kind": "webhook", "name": "mes", "url": hook.url},
            {"kind": "slack", "name": "shift", "url": slack.url, "rate": rate},
            {"kind": "email", "name": "mail", "url": f"smtp://127.0.0.1:{mail.port}", "security": "none", "rate": rate,
             "from": "tocsin@plant.example", "to": ["shift@plant.example"]},
        ]
        arrivals = {"hook": [], "slack": []}
        config = channels(data, *entries, system={"enabled": False})
        with Server(data, "--config", config) as server:
            for body in readings(time.time() - LEARNING - 400):
                equal(server.post(body).status, 202, "status")

            def silent():
                alarms = server.get("/alarms?state=open&limit=2000").json["items"]
                return alarms if sum(alarm["sensor_id"].startswith("f") and alarm["kind"] == "silence" and not alarm["id"].startswith("s") for alarm in alarms) == SENSORS else None

            alarms = soon(silent, 40, f"{SENSORS} alarms in the store")
            summaries = [alarm for alarm in alarms if alarm["id"].startswith("s")]
            equal(len(summaries), 1, "summaries")
            summary = summaries[0]
            singles = [alarm for alarm in alarms if alarm["summary"] is None and alarm["id"] != summary["id"]]
            members = server.get(f"/alarms/{summary['id']}/members?limit=2000").json["items"]
            equal({alarm["id"] for alarm in members} | {alarm["id"] for alarm in singles} | {summary["id"]}, {alarm["id"] for alarm in alarms}, "singles, summary and its members")
            expect(len(singles) < MOST, f"{len(singles)} alarms were told singly")

            def told(channel):
                status = next(item for item in server.get("/alerts/channels").json["items"] if item["channel"] == channel)
                return status["waiting"] == 0 and status["delivered"] > 0

            soon(lambda: all(told(entry["name"]) for entry in entries), PERIOD * 3, "nothing waits any more", interval=0.2)
        # A machine is told at once; people within the period.
        equal(len(hook.delivered()), len({event["id"] for event in hook.delivered()}), "events, each once")
        expect(len(hook.delivered()) <= MOST, f"webhook: {len(hook.delivered())} messages: {hook.steps()}")
        for name, times in (("webhook", hook.tries), ("slack", slack.tries), ("mail", mail.times)):
            expect(0 < most_within(times, PERIOD) <= MOST, f"{name}: {most_within(times, PERIOD)} messages within {PERIOD} s")
        equal(sum(event["data"]["alarm"]["id"] == summary["id"] and event["data"]["step"] == "raised" for event in hook.delivered()), 1, "summaries at the webhook")
        # Whoever was not told of a sensor was told of the summary, and that says how many there are.
        for name, texts in (("slack", [json.dumps(body, ensure_ascii=False) for body in slack.delivered()]), ("mail", [text.replace("=\r\n", "") for text in mail.messages])):
            said = [text for text in texts if summary["sentence"].split(" ")[0] in text and str(SENSORS) in text]
            expect(said, f"{name} was never told of {SENSORS}: {texts[-1][:600]}")
            for alarm in singles:
                expect(any(alarm["sensor_id"] in text for text in texts), f"{name} was not told of {alarm['sensor_id']}")


@check("flood: 500 sensors go critical within a minute: the first singly, one critical summary that names their number, at most 10 messages on each channel")
def critical_upset():
    sensors = [f"c{number:03}" for number in range(SENSORS)]
    with folder() as data, Receiver() as slack, Receiver() as hook:
        # All settings of both channels are the default ones.
        entries = [{"kind": "webhook", "name": "mes", "url": hook.url}, {"kind": "slack", "name": "shift", "url": slack.url}]
        with Server(data, "--config", channels(data, *entries, system={"enabled": False})) as server:
            begin = int(time.time()) - 400
            generator = random.Random(6)
            for part in range(0, 200, 20):
                body = "".join(line(sensor, begin + second, load=round(25 + generator.gauss(0, 0.3), 2)) for second in range(part, part + 20) for sensor in sensors)
                equal(server.post(body).status, 202, "status of normal readings")
            # Sooner than any of them counts as silent.
            for second in range(20):
                body = "".join(line(sensor, begin + 200 + second, load=500) for number, sensor in enumerate(sensors) if number * 20 // SENSORS == second)
                equal(server.post(body).status, 202, "status of the spikes")

            def all_open():
                alarms = server.get("/alarms?state=open&limit=2000").json["items"]
                return alarms if sum(alarm["severity"] == "critical" and not alarm["id"].startswith("s") for alarm in alarms) == SENSORS else None

            alarms = soon(all_open, 40, f"{SENSORS} open alarms")
            summary = next(alarm for alarm in alarms if alarm["id"].startswith("s"))
            singles = [alarm["sensor_id"] for alarm in alarms if alarm["summary"] is None and alarm["id"] != summary["id"]]
            members = server.get(f"/alarms/{summary['id']}/members?limit=2000").json["items"]
            equal((len(singles), len(members)), (9, SENSORS - 9), "told singly, and members")
            # The machine has it at once; people when the list has gathered for a minute.
            soon(lambda: len(slack.delivered()) == 10, 70, "ten messages at Slack", interval=0.2)
            soon(lambda: all(item["waiting"] == 0 for item in server.get("/alerts/channels").json["items"]), 15, "nothing waits")
            summary = server.get(f"/alarms/{summary['id']}").json
            expect(summary["severity"] == "critical" and summary["sentence"].startswith(f"{SENSORS} critical "), summary["sentence"])
        equal(sorted(hook.steps()), sorted(f"raised {sensor}" for sensor in [*singles, summary["sensor_id"]]), "what the webhook was told")
        equal(len(slack.delivered()), 10, "messages at Slack")
        text = json.dumps(slack.delivered()[-1])
        expect(f"{SENSORS} critical " in text, text[:600])


main()

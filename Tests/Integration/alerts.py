"""How people are told: the console line, `alerts.log`, and webhooks with retry, cooldown and signature."""

import hashlib
import hmac
import json
import queue
import random
import sys
import time

sys.dont_write_bytecode = True
from support.harness import Server, check, equal, expect, folder, line, main, shortened, soon, tocsin
from support.alert_receivers import Receiver, channels

NOW = int(time.time())


def spikes(server, *sensors):
    """Learning, then one spike of each sensor."""
    generator = random.Random(1)
    body = "".join(line(sensor, NOW - 400 + n, temperature=round(25 + generator.gauss(0, 0.3), 2)) for n in range(200) for sensor in sensors)
    equal(server.post(body).status, 202, "status of normal readings")
    equal(server.post("".join(line(sensor, NOW - 199, temperature=90) for sensor in sensors)).status, 202, "status of the spikes")
    soon(lambda: len(server.get("/alarms?state=open").json["items"]) == len(sensors), 10, f"{len(sensors)} open alarms")


@check("alerts: a line on the console and a JSON line in alerts.log for each alarm")
def console_and_file():
    with folder() as data, Server(data) as server:
        spikes(server, "a1", "a2")
        log = soon(lambda: (data / "alerts.log").exists() and (data / "alerts.log").read_text().count("\n") >= 2 and (data / "alerts.log").read_text(), 10, "two lines in alerts.log")
        records = [json.loads(text) for text in log.splitlines()]
        equal(sorted(record["alarm"]["sensor_id"] for record in records if record["step"] == "raised"), ["a1", "a2"], "sensors in alerts.log")
        for record in records:
            alarm = record["alarm"]
            expect(alarm["kind"] == "spike" and alarm["sensor_id"] in alarm["sentence"] and record["time"], f"record {record}")
        found = []

        def heard():
            while True:
                try:
                    found.append(server.lines.get_nowait())
                except queue.Empty:
                    break
            return sum(text.startswith("ALARM") for text in found if text) >= 2

        soon(heard, 10, "two lines on the console")


@check("alerts: a webhook gets each alarm, again after a failure, with headers and signature, and never twice")
def webhook():
    key = "integration-key"
    with folder() as data, Receiver(503, 500) as receiver:
        settings = {
            "ALERTS_ALLOW_PRIVATE_TARGETS": "true",
            "ALERTS_WEBHOOKS_0_URL": f"http://127.0.0.1:{receiver.port}/hook?token=t1",
            "ALERTS_WEBHOOKS_0_HEADERS": "X-Plant=north", "ALERTS_WEBHOOKS_0_SECRET": key,
        }
        with Server(data, environment=settings) as server:
            spikes(server, "w1", "w2")
            soon(lambda: len(receiver.delivered()) >= 2, 20, "two deliveries after two failures")
            equal(sorted(item["alarm"]["sensor_id"] for item in receiver.delivered()), ["w1", "w2"], "sensors")
            status, headers, body, path = receiver.requests[-1]
            equal((path, headers.get("X-Plant"), headers.get("Content-Type")), ("/hook?token=t1", "north", "application/json"), "path and headers")
            digest = hmac.new(key.encode(), body, hashlib.sha256)
            signed = [name for name, value in headers.items() if digest.hexdigest() in value]
            for name in ("token=t1", key):
                expect(name not in server.log, f"the log shows {name}")
            expect(signed, f"no header holds the HMAC-SHA256 of the body: {sorted(headers)}")


@check("alerts: a webhook that is gone does not hold up the readings or the shutdown")
def webhook_gone():
    with folder() as data:
        with Server(data, environment={"ALERTS_ALLOW_PRIVATE_TARGETS": "true", "ALERTS_WEBHOOKS_0_URL": "http://127.0.0.1:1/hook"}) as server:
            spikes(server, "g1")
            soon(lambda: "alert not delivered" in server.log, 15, "a line of the log about it")
            equal(server.post(line("g1", NOW - 198, temperature=25)).status, 202, "status afterwards")
            begun = time.monotonic()
            equal(server.stop(), 0, "exit code")
            expect(time.monotonic() - begun < 10, f"shutdown took {time.monotonic() - begun:.0f} s")


@check("alerts: check reaches the webhook and shows nothing secret of its address")
def webhook_check():
    with folder() as data, Receiver() as receiver:
        address = f"http://127.0.0.1:{receiver.port}/services/T0PS3CRET?key=QUERYSECRET"
        options = ["check", "--data-dir", data, "--set", "server.port=0"]
        reached = tocsin(*options, environment={"ALERTS_WEBHOOKS_0_URL": address}).ended(0)
        expect("webhook" in reached.out and "405" in reached.out, shortened(reached.out))
        gone = tocsin(*options, environment={"ALERTS_WEBHOOKS_0_URL": address.replace(str(receiver.port), "1")}).failed_clearly("webhook")
        for finished in (reached, gone):
            for secret in ("T0PS3CRET", "QUERYSECRET"):
                expect(secret not in finished.text, f"it shows {secret}: {shortened(finished.text)}")


@check("alerts: a message says the last value with its unit, the band that is expected, and when it was measured")
def values():
    with folder() as data, Receiver() as cloud, Receiver() as slack:
        entries = [
            {"kind": "webhook", "name": "mes", "url": cloud.url},
            {"kind": "slack", "name": "shift", "url": slack.url, "text": "{sensor}|{value}|{expected}|{value_time}"},
        ]
        with Server(data, "--config", channels(data, *entries)) as server:
            generator = random.Random(3)
            body = "".join(
                json.dumps({"sensor_id": "v1", "timestamp": NOW - 300 + n, "metric": "temperature",
                            "value": 90 if n == 240 else round(25 + generator.gauss(0, 0.3), 2), "meta": {"unit": "celsius"}}) + "\n"
                for n in range(241))
            equal(server.post(body).status, 202, "status")
            data_of = soon(cloud.delivered, 15, "the webhook")[0]["data"]
            equal(data_of["value"], "90 °C", "value")
            expect(data_of["expected"].endswith(" °C") and " to " in data_of["expected"], f"expected {data_of['expected']}")
            reading = data_of["readings"][0]
            equal((reading["metric"], reading["value"], reading["unit"], len(data_of["readings"])), ("temperature", 90, "celsius", 1), "reading")
            expect(22 < reading["expected_low"] < 25 < reading["expected_high"] < 28, f"band {reading}")
            equal(data_of["value_time"], reading["time"], "time")
            text = soon(slack.delivered, 15, "Slack")[0]["blocks"][1]["text"]["text"].split("|")
            equal((text[0], text[1]), ("v1", "90 °C"), "fields of the template")
            expect(text[2] == data_of["expected"] and text[3].endswith(" UTC"), f"fields {text}")


@check("alerts: a private target is refused before anything is sent, unless the configuration allows it")
def private_targets():
    with folder() as data, Receiver() as receiver:
        config = channels(data, {"kind": "webhook", "name": "inside", "url": receiver.url}, allowPrivateTargets=False)
        with Server(data, "--config", config) as server:
            spikes(server, "p1")
            soon(lambda: "alerts are not sent there" in server.log, 15, "the refusal in the log")
            channel = next(item for item in server.get("/alerts/channels").json["items"] if item["channel"] == "inside")
            expect(channel["delivered"] == 0, f"channel {channel}")
        refused = tocsin("alert", "test", "inside", "--config", config, "--data-dir", data).ended(1)
        expect("not sent there" in refused.text, shortened(refused.text))
        # Old ways of writing 127.0.0.1, and names that lead there.
        for host in ("127.1", "2130706433", "0x7f000001", "localhost", "[::1]", "[::ffff:127.0.0.1]"):
            url = f"http://{host}:{receiver.port}/hook"
            config = channels(data, {"kind": "webhook", "name": "inside", "url": url}, allowPrivateTargets=False)
            finished = tocsin("alert", "test", "inside", "--config", config, "--data-dir", data)
            expect(finished.code in (1, 78), f"{host} is taken: {shortened(finished.text)}")
        expect(not receiver.requests, f"{len(receiver.requests)} requests arrived")
        config = channels(data, {"kind": "webhook", "name": "inside", "url": receiver.url}, allowPrivateTargets=False, allowedHosts=["127.0.0.0/8"])
        tocsin("alert", "test", "inside", "--config", config, "--data-dir", data).ended(0)
        expect(receiver.requests, "nothing arrived where it is allowed")


main()

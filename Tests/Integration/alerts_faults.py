"""Receivers that are away, slow, silent or full: what is told in the end, and that nobody else waits for it."""

import random
import re
import sys
import time

sys.dont_write_bytecode = True
from support.harness import Server, check, equal, expect, folder, line, main, shortened, soon, tocsin
from support.alert_receivers import Receiver, Silent, channels, free_port

NOW = int(time.time())
FIRST, LONGEST = 0.1, 0.8
RETRY = {"first": "100ms", "longest": "800ms"}


def learn(server, *sensors):
    generator = random.Random(1)
    body = "".join(line(sensor, NOW - 400 + n, temperature=round(25 + generator.gauss(0, 0.3), 2)) for n in range(200) for sensor in sensors)
    equal(server.post(body).status, 202, "status of normal readings")


def spike(server, *sensors, at=NOW - 199):
    equal(server.post("".join(line(sensor, at, temperature=90) for sensor in sensors)).status, 202, "status of the spikes")


def status(server, name):
    return next(item for item in server.get("/alerts/channels").json["items"] if item["channel"] == name)


def metric(server, name, channel):
    found = re.search(rf'^{name}{{connector="{channel}"}} (\S+)$', server.get("/metrics").text, re.M)
    return found and float(found[1])


def hook(name, receiver, **keys):
    return {"kind": "webhook", "name": name, "url": getattr(receiver, "url", receiver), "retry": RETRY} | keys


@check("faults of receivers: away at the start: everything arrives, in order, once it is there")
def away_at_start():
    port = free_port()
    with folder() as data:
        config = channels(data, hook("mes", f"http://127.0.0.1:{port}/hook"), system={"enabled": False})
        with Server(data, "--config", config) as server:
            learn(server, "s1", "s2")
            spike(server, "s1", "s2")
            soon(lambda: status(server, "mes")["failures"] >= 3, 15, "three failures in a row")
            health = server.get("/health").json
            expect("alerts mes" in health["checks"] and health["checks"]["alerts mes"] == "failing", f"health {health}")
            equal(metric(server, "tocsin_alert_outbox_waiting", "mes"), 2, "waiting in /metrics")
            with Receiver(port=port) as receiver:
                soon(lambda: sorted(receiver.steps()) == ["raised s1", "raised s2"], 15, "both alarms")
                soon(lambda: server.get("/health").json["checks"]["alerts mes"] == "ok", 10, "it is well again")


@check("faults of receivers: away for long: the wait doubles up to its ceiling and stays there, and the message arrives on return")
def away_for_long():
    with folder() as data, Receiver() as receiver:
        receiver.away = True
        config = channels(data, hook("mes", receiver), system={"enabled": False})
        with Server(data, "--config", config) as server:
            learn(server, "l1")
            spike(server, "l1")
            soon(lambda: len(receiver.tries) >= 11, 30, "eleven attempts")
            gaps = [later - earlier for earlier, later in zip(receiver.tries, receiver.tries[1:])]
            # Half to all of it is jitter; what is above is the machine's.
            expect(gaps[0] < FIRST + 0.3, f"first wait {gaps[0]:.2f} s")
            expect(all(LONGEST / 2 <= gap < LONGEST + 0.4 for gap in gaps[6:]), f"last waits {gaps[6:]}")
            expect(gaps[0] < gaps[-1], f"waits {gaps}")
            receiver.away = False
            begun = time.monotonic()
            soon(lambda: receiver.steps() == ["raised l1"], 10, "the message on return")
            expect(time.monotonic() - begun < LONGEST + 1, f"it took {time.monotonic() - begun:.1f} s")


@check("faults of receivers: slow, silent and dead channels delay neither another channel nor the readings")
def nobody_waits():
    with folder() as data, Silent() as silent, Receiver() as slow, Receiver() as good:
        slow.pause = 8
        entries = [
            hook("silent", silent, timeout="8s"), hook("slow", slow), hook("dead", f"http://127.0.0.1:{free_port()}/hook"),
            hook("good", good),
        ]
        sensors = [f"n{number}" for number in range(6)]
        with Server(data, "--config", channels(data, *entries, system={"enabled": False})) as server:
            learn(server, *sensors)
            told = worst = 0.0
            for number, sensor in enumerate(sensors):
                spike(server, sensor, at=NOW - 199 + number)
                begun = time.monotonic()
                soon(lambda: f"raised {sensor}" in good.steps(), 10, f"the alarm of {sensor} at the good channel")
                told = max(told, time.monotonic() - begun)
                begun = time.monotonic()
                equal(server.post(line("other", NOW - 100 + number, temperature=20)).status, 202, "status of a reading")
                worst = max(worst, time.monotonic() - begun)
            expect(told < 2.5 and worst < 1.5, f"an alarm took {told:.1f} s, a reading {worst:.1f} s")
            # A half-open connection is given up after its timeout, and tried again.
            soon(lambda: len(silent.taken) >= 2 and status(server, "silent")["failures"] >= 1, 60, "the silent one is tried again")
            equal(status(server, "good")["failures"], 0, "failures of the good one")
            begun = time.monotonic()
            server.stop()
            # Five seconds, and what is under way then.
            expect(time.monotonic() - begun < 15, f"shutdown took {time.monotonic() - begun:.0f} s")


@check("faults of receivers: 429 with Retry-After rests the whole channel for that time")
def retry_after():
    with folder() as data, Receiver(429) as receiver:
        receiver.headers = {"Retry-After": "3"}
        with Server(data, "--config", channels(data, hook("mes", receiver), system={"enabled": False})) as server:
            learn(server, "r1", "r2")
            spike(server, "r1")
            soon(lambda: receiver.requests, 15, "the first attempt")
            spike(server, "r2", at=NOW - 198)
            rest = status(server, "mes")["rests_until"]
            expect(rest, "the channel does not say how long it rests")
            soon(lambda: sorted(receiver.steps()) == ["raised r1", "raised r2"], 15, "both alarms")
            expect(receiver.tries[1] - receiver.tries[0] >= 2.9, f"tried again after {receiver.tries[1] - receiver.tries[0]:.1f} s")


@check("faults of receivers: given up after the stated time, listed, counted, and sent again by hand, running and stopped")
def dead_letters():
    with folder() as data, Receiver() as receiver:
        receiver.status = 503
        config = channels(data, hook("mes", receiver, giveUpAfter="2s"), system={"enabled": False})
        common = ["--config", config, "--data-dir", data]
        with Server(data, "--config", config) as server:
            url = f"http://127.0.0.1:{server.port}"
            learn(server, "d1", "d2", "d3")
            spike(server, "d1", "d2")
            soon(lambda: status(server, "mes")["dead"] == 2, 20, "two dead letters")
            equal(metric(server, "tocsin_alert_dead_letters", "mes"), 2, "dead letters in /metrics")
            expect('tocsin_alerts_total{channel="mes",result="failed"} 2' in server.get("/metrics").text, "failed in /metrics")
            connector = next(item for item in server.get("/health").json["connectors"] if item["name"] == "mes")
            equal(connector["figures"]["tocsin_alert_dead_letters"], 2, "dead letters in /health")
            letters = server.get("/alerts/dead").json
            equal((letters["total"], {item["alarm"]["sensor_id"] for item in letters["items"]}), (2, {"d1", "d2"}), "dead letters")
            expect(all(item["attempts"] > 1 and "503" in item["reason"] for item in letters["items"]), f"letters {letters}")
            listed = tocsin("alert", "dead", *common).ended(0)
            expect("d1" in listed.out and "d2" in listed.out and "503" in listed.out, shortened(listed.out))
            receiver.status = 200
            first = next(item for item in letters["items"] if item["alarm"]["sensor_id"] == "d1")
            tocsin("alert", "dead", "--resend", first["id"], "--url", url, *common).ended(0)
            soon(lambda: receiver.steps() == ["raised d1"], 10, "the one that was sent again")
            tocsin("alert", "dead", "--resend", first["id"], "--url", url, *common).ended(64)
            equal(server.request("POST", "/alerts/dead/resend", "{}", {"Content-Type": "application/json"}).status, 400, "status of an empty wish")
            equal(server.request("POST", "/alerts/dead/resend", '{"all": true, "channel": "nobody"}', {"Content-Type": "application/json"}).status, 404, "status of an unknown channel")
            equal(server.request("POST", "/alerts/dead/discard", '{"all": true}', {"Origin": "https://evil.example"}).status, 403, "status from another site")
            equal([item["alarm"]["sensor_id"] for item in server.get("/alerts/dead").json["items"]], ["d2"], "what is left")
        # Nobody runs: it goes out with the next start, whatever the time since.
        again = tocsin("alert", "dead", "--resend", "all", *common).ended(0)
        expect("1 sent again" in again.out and "next start" in again.out, shortened(again.out))
        receiver.requests.clear()
        with Server(data, "--config", config) as server:
            soon(lambda: receiver.steps() == ["raised d2"], 10, "the one that waited for the start")
            receiver.status = 400
            spike(server, "d3", at=NOW - 190)
            soon(lambda: status(server, "mes")["dead"] == 1, 10, "a refusal is a dead letter at once")
        gone = tocsin("alert", "dead", "--discard", "all", "--channel", "mes", *common).ended(0)
        expect("1 thrown away" in gone.out, shortened(gone.out))
        expect("nothing was given up" in tocsin("alert", "dead", *common).ended(0).out, "the list is not empty")


main()

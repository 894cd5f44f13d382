"""The program's own troubles as alarms: stored, told, looked after, and the same after a restart."""

import json
import sqlite3
import sys
import time

sys.dont_write_bytecode = True
from support.harness import DATABASE, Server, check, equal, expect, folder, line, main, shortened, soon, tocsin
from support.alert_receivers import Receiver, channels


def post(server, path, **body):
    return server.request("POST", path, json.dumps(body), {"Content-Type": "application/json"})


def own_sensors(server):
    """The program's own concerns among the sensors: none belongs there."""
    return [sensor["sensor_id"] for sensor in server.get("/sensors").json["items"] if sensor["sensor_id"].startswith("tocsin:")]


@check("system alarms: bad data is an alarm in the store and in the audit trail, over kill -9, told once, cleared when all is well")
def bad_data():
    with folder() as data, Receiver() as receiver:
        config = channels(data, {"kind": "webhook", "name": "mes", "url": receiver.url}, routes=[{"channels": ["mes"], "kinds": ["system"]}])
        with Server(data, "--config", config) as server:
            now = time.time()
            body = "".join(line("q1", now - 300 + n, temperature=20 + n % 3) for n in range(50)) + "this is no reading\n" * 150
            equal(server.post(body).status, 202, "status")
            alarm = soon(lambda: next(iter(server.get("/alarms?state=open&sensor_id=tocsin:data-quality").json["items"]), None), 70, "the alarm in the store", interval=0.5)
            equal((alarm["kind"], alarm["severity"], alarm["life_state"]), ("system", "critical", "unacknowledged"), "alarm")
            soon(lambda: receiver.steps() == ["raised tocsin:data-quality"], 10, "the webhook")
            equal(own_sensors(server), [], "what is listed as a sensor")
            equal(post(server, f"/alarms/{alarm['id']}/acknowledge", by="Ida", comment="a new firmware").status, 202, "acknowledge")
            equal(post(server, f"/alarms/{alarm['id']}/feedback", feedback="false").status, 400, "feedback")
            equal(server.get(f"/alarms/{alarm['id']}").json["life_state"], "acknowledged", "state")
            soon(lambda: len(receiver.delivered()) == 2, 10, "the acknowledgement")
            actions = server.get(f"/alarms/{alarm['id']}/actions").json["items"]
            equal([(action["action"], action["person"], action["text"]) for action in actions], [("acknowledge", "Ida", "a new firmware")], "audit trail")
            server.kill()
        with Server(data, "--config", config) as server:
            equal(server.get(f"/alarms/{alarm['id']}").json["life_state"], "acknowledged", "state after the restart")
            equal(server.get(f"/alarms/{alarm['id']}/actions").json["items"], actions, "audit trail after the restart")
            equal(own_sensors(server), [], "what is listed as a sensor after the restart")
            equal(receiver.steps(), ["raised tocsin:data-quality", "acknowledged tocsin:data-quality"], "what was told")
        # Nobody watches any more: it ends.
        config = channels(data, {"kind": "webhook", "name": "mes", "url": receiver.url}, system={"enabled": False})
        with Server(data, "--config", config) as server:
            soon(lambda: server.get(f"/alarms/{alarm['id']}").json["state"] == "cleared", 15, "its end in the store")
            soon(lambda: receiver.steps()[-1] == "cleared tocsin:data-quality", 10, "its end at the webhook")
            equal(len(receiver.steps()), 3, "messages")


@check("system alarms: a store that takes nothing is told at once, and is in the store when that works again")
def store_away():
    with folder() as data, Receiver() as receiver:
        config = channels(data, {"kind": "webhook", "name": "mes", "url": receiver.url}, routes=[{"channels": ["mes"], "kinds": ["system"]}])
        with Server(data, "--config", config) as server:
            now = time.time()
            equal(server.post(line("a1", now - 100, temperature=20)).status, 202, "status")
            other = sqlite3.connect(data / DATABASE, isolation_level=None, timeout=20)
            try:
                other.execute("BEGIN IMMEDIATE")

                def told():
                    # Something to write, all the time.
                    equal(server.post(line("a1", now - 100 + told.second, temperature=20)).status, 202, "status while the store is away")
                    told.second += 1
                    return receiver.steps()

                told.second = 1
                equal(soon(told, 80, "the alarm while the store is away", interval=0.5), ["raised tocsin:component/store"], "what was told")
                equal(server.get("/alarms?sensor_id=tocsin:component/store").json["items"], [], "alarms in the store that takes nothing")
                other.execute("ROLLBACK")
            finally:
                other.close()
            stored = soon(lambda: server.get("/alarms?sensor_id=tocsin:component/store").json["items"], 30, "the alarm in the store", interval=0.2)[0]
            equal((stored["kind"], stored["severity"], stored["id"]), ("system", "critical", receiver.delivered()[0]["data"]["alarm"]["id"]), "alarm")


@check("system alarms: a channel whose receiver refuses everything is an alarm that another channel tells")
def refusing_receiver():
    with folder() as data, Receiver() as receiver, Receiver() as refusing:
        refusing.status = 404
        config = channels(
            data, {"kind": "webhook", "name": "mes", "url": receiver.url}, {"kind": "slack", "name": "shift", "url": refusing.url},
            routes=[{"channels": ["mes"], "kinds": ["system"]}, {"channels": ["shift"]}])
        with Server(data, "--config", config, environment={"TEMP_ALERT_THRESHOLD": "80"}) as server:
            equal(server.post(line("p1", time.time() - 9, temperature=81)).status, 202, "status")
            soon(lambda: refusing.requests, 20, "the refusal")
            health = soon(lambda: server.get("/health").json if server.get("/health").json["status"] == "degraded" else None, 20, "/health is degraded")
            expect("shift" in health["reason"] and "404" in health["reason"], f"/health does not say why: {shortened(health)}")
            soon(lambda: receiver.steps() == ["raised tocsin:component/alerts shift"], 80, "the alarm at the other channel", interval=0.5)


@check("system alarms: a temperature above TEMP_ALERT_THRESHOLD is a critical alarm of its sensor at the first reading, unless a rule says otherwise")
def thresholds():
    with folder() as data:
        config = channels(data, system={"enabled": False})
        content = json.loads(config.read_text())
        content["rules"] = [
            {"sensor": "oven-*", "metric": "temperature", "limits": "0..100", "severity": "warning"},
            {"sensor": "slow-*", "metric": "temperature", "onDelay": "30s"},
        ]
        config.write_text(json.dumps(content))
        with Server(data, "--config", config, environment={"TEMP_ALERT_THRESHOLD": "80", "HUMIDITY_ALERT_THRESHOLD": "90"}) as server:
            now = time.time()
            wanted = {"p1": ("critical", "range"), "h1": ("critical", "range"), "oven-2": ("warning", "range")}
            server.post(
                line("p1", now - 9, temperature=81) + line("h1", now - 9, humidity=91) + line("p2", now - 9, temperature=79)
                + line("oven-1", now - 9, temperature=90) + line("oven-2", now - 9, temperature=101) + line("slow-1", now - 9, temperature=81))

            def found():
                items = {alarm["sensor_id"]: alarm for alarm in server.get("/alarms?state=open").json["items"]}
                return items if len(items) >= len(wanted) else None

            alarms = soon(found, 15, "three alarms")
            equal({name: (alarm["severity"], alarm["kind"]) for name, alarm in alarms.items()}, wanted, "alarms")
            expect("81" in alarms["p1"]["sentence"] and "80" in alarms["p1"]["sentence"], alarms["p1"]["sentence"])


@check("system alarms: alert test says what is wrong and what to do, on lines of their own")
def alert_test():
    with folder() as data:
        config = channels(data, {"kind": "webhook", "name": "mes", "url": "http://127.0.0.1:9/x"}, allowPrivateTargets=False)
        said = tocsin("alert", "test", "mes", "--config", config)
        expect(said.code != 0 and "loopback address\n  -> set alerts.allowPrivateTargets" in said.text, shortened(said.text))
        expect("\ufffd" not in said.text, shortened(said.text))


main()

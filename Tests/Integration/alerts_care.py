"""What people do with alarms: over kill -9 and restart, and who is told when nobody does anything."""

import json
import random
import sys
import time

sys.dont_write_bytecode = True
from support.harness import Server, check, equal, expect, folder, line, main, shortened, soon, tocsin
from support.alert_receivers import Receiver, channels

NOW = int(time.time())
FIELDS = ("state", "life_state", "acknowledged", "acknowledged_by", "assignee", "shelved_until", "severity", "verdicts", "sentence")


def learn(server, *sensors):
    generator = random.Random(1)
    body = "".join(line(sensor, NOW - 400 + n, temperature=round(25 + generator.gauss(0, 0.3), 2)) for n in range(200) for sensor in sensors)
    equal(server.post(body).status, 202, "status of normal readings")


def spike(server, *sensors, at=NOW - 199):
    """One spike of each sensor; their alarms by sensor."""
    equal(server.post("".join(line(sensor, at, temperature=90) for sensor in sensors)).status, 202, "status of the spikes")

    def found():
        alarms = {alarm["sensor_id"]: alarm for alarm in server.get("/alarms?state=open&limit=1000").json["items"]}
        return alarms if all(sensor in alarms for sensor in sensors) else None

    return soon(found, 15, f"open alarms of {sensors}")


def do(server, alarm, action, status=202, **body):
    answer = server.request("POST", f"/alarms/{alarm['id']}/{action}", json.dumps({"by": "Ida"} | body), {"Content-Type": "application/json"})
    equal(answer.status, status, f"{action} ({answer})")
    return answer.json


def settled(server, *names):
    """Waits until nothing waits for these channels."""
    def quiet():
        items = server.get("/alerts/channels").json["items"]
        return all(item["waiting"] == 0 for item in items if item["channel"] in names)
    soon(quiet, 15, f"nothing waits for {names}")


def states(server):
    return {alarm["sensor_id"]: {field: alarm[field] for field in FIELDS} for alarm in server.get("/alarms?limit=1000").json["items"]}


@check("care: acknowledge, comment, assign, shelve, unshelve, out of service and in service over kill -9: state and audit as before, nobody told twice")
def over_a_kill():
    sensors = [f"c{number}" for number in range(1, 8)]
    with folder() as data, Receiver() as receiver:
        config = channels(data, {"kind": "webhook", "name": "mes", "url": receiver.url}, system={"enabled": False})
        with Server(data, "--config", config) as server:
            learn(server, *sensors, "c8")
            alarms = spike(server, *sensors)
            noted = [
                do(server, alarms["c1"], "acknowledge", comment="on my way"),
                do(server, alarms["c2"], "comment", comment="seen on the tour"),
                do(server, alarms["c3"], "assign", to="Jo"),
                do(server, alarms["c4"], "shelve", **{"for": "2h"}),
                do(server, alarms["c5"], "shelve", **{"for": "2h"}),
                do(server, alarms["c5"], "unshelve"),
                do(server, alarms["c6"], "out-of-service", comment="bearing is being changed"),
                do(server, alarms["c7"], "out-of-service"),
                do(server, alarms["c7"], "in-service", comment="done"),
            ]
            do(server, alarms["c1"], "acknowledge", status=400, by="")
            words = {"c1": "acknowledged", "c4": "shelved", "c5": "unacknowledged", "c6": "out_of_service", "c7": "unacknowledged"}
            soon(lambda: all(states(server)[sensor]["life_state"] == word for sensor, word in words.items()) and states(server)["c3"]["assignee"] == "Jo", 10, f"the states {words}")
            settled(server, "mes")
            said = next(event["data"] for event in receiver.delivered() if event["data"]["step"] == "acknowledged")
            equal((said["person"], said["comment"]), ("Ida", "on my way"), "who acknowledged, and what she wrote")
            before, audit = states(server), server.get("/alarms/actions?limit=100").json["items"]
            equal(len(audit), 9, "lines of the audit trail")
            order = lambda action: action["id"]
            equal(sorted(noted, key=order), sorted(audit, key=order), "what the answers said, beside the audit trail")
            server.kill()
        told = len(receiver.requests)
        with Server(data, "--config", config) as server:
            # What is in the spool behind the last checkpoint is worked through again: for a moment the past is shown.
            soon(lambda: states(server) == before, 10, "the states as before")
            equal(server.get("/alarms/actions?limit=100").json["items"], audit, "audit trail after the restart")
            for line_ in audit:
                expect(line_["person"] == "Ida" and line_["at"], f"line {line_}")
            equal(server.get(f"/alarms/{alarms['c1']['id']}/actions").json["items"][0]["text"], "on my way", "comment of c1")
            # Life goes on: a new alarm is told, and with it is proved that nothing old was in front of it.
            spike(server, "c8", at=NOW - 190)
            soon(lambda: "raised c8" in receiver.steps(), 15, "the alarm of c8")
            # The shelf holds: neither the old alarm nor its escalation is told.
            do(server, alarms["c4"], "unshelve")
            soon(lambda: "unshelved c4" in receiver.steps(), 15, "c4 is told again once its shelf has ended")
            settled(server, "mes")
        later = [step for step in receiver.steps()[told:]]
        equal(sorted(later), ["raised c8", "unshelved c4"], "what was told after the restart")
        keys = [headers["Idempotency-Key"] for _, headers, _, _ in receiver.requests]
        equal(len(keys), len(set(keys)), "keys, each once")


@check("care: killed while alerts are on their way: all arrive, in order, and only what was under way may come twice, under the same key")
def killed_on_the_way():
    sensors = [f"k{number}" for number in range(8)]
    with folder() as data, Receiver() as receiver:
        receiver.pause = 0.3
        config = channels(data, {"kind": "webhook", "name": "mes", "url": receiver.url}, system={"enabled": False})
        with Server(data, "--config", config) as server:
            learn(server, *sensors)
            spike(server, *sensors)
            soon(lambda: len(receiver.delivered()) >= 2, 15, "two deliveries")
            server.kill()
        receiver.pause = 0
        with Server(data, "--config", config) as server:
            soon(lambda: {f"raised {sensor}" for sensor in sensors} <= set(receiver.steps()), 15, "all alarms")
            settled(server, "mes")
        keys = [headers["Idempotency-Key"] for _, headers, _, _ in receiver.requests]
        equal(len(set(keys)), len(sensors), "different keys")
        expect(len(keys) <= len(sensors) + 4, f"{len(keys)} requests")


@check("care: an alarm that nobody acknowledges is escalated after its time, also over kill -9; one that somebody acknowledges is not")
def escalation():
    after = 5
    with folder() as data, Receiver() as shift, Receiver() as night:
        entries = [{"kind": "webhook", "name": "shift", "url": shift.url}, {"kind": "webhook", "name": "night", "url": night.url}]
        config = channels(
            data, *entries, routes=[{"channels": ["shift"]}], escalations=[{"after": f"{after}s", "channels": ["night"], "severity": "warning"}],
            system={"enabled": False})
        with Server(data, "--config", config) as server:
            learn(server, "e1", "e2", "e3")
            alarms = spike(server, "e1", "e2", "e3")
            begun = time.monotonic()
            do(server, alarms["e1"], "acknowledge")
            do(server, alarms["e3"], "shelve", **{"for": "1h"})
            soon(lambda: len(shift.delivered()) >= 4, 10, "the shift is told")
            expect(not night.requests, "the night was told too early")
            server.kill()
        with Server(data, "--config", config) as server:
            soon(lambda: night.delivered(), after + 10, "the escalation")
            expect(time.monotonic() - begun > after - 1.5, "it came before its time")
            # The wait of the others would have been over as well.
            settled(server, "night", "escalation-1>night")
            equal(night.steps(), ["raised e2"], "what the night is told")
            event = night.delivered()[0]
            expect("nobody has acknowledged it" in event["data"]["note"], f"note {event['data']['note']}")
            do(server, alarms["e2"], "acknowledge")
            soon(lambda: "acknowledged e2" in night.steps(), 10, "the night hears that somebody looks after it")
            equal(sorted(step for step in shift.steps() if step.startswith("raised")), ["raised e1", "raised e2", "raised e3"], "what the shift was told, once")


@check("care: members of a flood are suppressed by design until somebody acknowledges its summary; the figures stand beside their targets")
def suppressed():
    sensors = [f"f{number:02}" for number in range(30)]
    with folder() as data:
        config = channels(data, system={"enabled": False})
        with Server(data, "--config", config) as server:
            learn(server, *sensors)
            alarms = spike(server, *sensors)
            members = {name: alarm for name, alarm in alarms.items() if alarm["summary"]}
            expect(len(members) >= 15, f"{len(members)} members of a summary")
            equal({alarm["life_state"] for alarm in members.values()}, {"suppressed"}, "members")
            single = [alarm for alarm in alarms.values() if not alarm["summary"]]
            equal({alarm["life_state"] for alarm in single}, {"unacknowledged"}, "those that were told singly, and the summary")
            first, *others = members
            do(server, members[first], "shelve", **{"for": "1h"})
            soon(lambda: states(server)[first]["life_state"] == "shelved", 10, "a member that is shelved")
            answer = server.get("/alarms/performance").json
            targets = {target["figure"]: target for target in answer["targets"]}
            equal(
                list(targets), ["average_per_10_minutes", "peak_in_10_minutes", "overloaded_share", "flood_share", "bad_actor_share", "chattering",
                "newly_stale_per_day", "critical_share", "warning_share", "info_share"], "figures with a target")
            for name in ("average_per_10_minutes", "peak_in_10_minutes", "overloaded_share", "flood_share", "bad_actor_share", "newly_stale_per_day"):
                equal(targets[name]["value"], answer[name], name)
            average = targets["average_per_10_minutes"]
            equal((average["acceptable"], average["manageable"], average["bound"], average["rating"]), (1, 2, "below", "acceptable"), "the average")
            equal(targets["bad_actor_share"]["rating"], None, "the ten worst of few alarms")
            summary = server.get(f"/alarms/{members[first]['summary']}").json
            do(server, summary, "acknowledge")
            soon(lambda: all(states(server)[name]["life_state"] == "acknowledged" for name in others), 10, "members that are acknowledged with their summary")
            left = server.get(f"/alarms/{summary['id']}/members?limit=1000").json["items"]
            equal({alarm["sensor_id"] for alarm in left}, set(members), "members after one was shelved and all acknowledged")


@check("care: nonsense gets a clear 4xx that names the field, and changes nothing")
def nonsense():
    with folder() as data:
        with Server(data) as server:
            learn(server, "n1")
            alarm = spike(server, "n1")["n1"]
            before = states(server)

            def refused(action, status=400, parameter=None, alarm_id=alarm["id"], **body):
                answer = server.request("POST", f"/alarms/{alarm_id}/{action}", json.dumps({"by": "Ida"} | body), {"Content-Type": "application/json"})
                equal((answer.status, answer.json.get("parameter")), (status, parameter), f"{action} {str(body)[:80]}")
                expect(len(answer.json["detail"]) > 15, f"detail of {action}: {answer.json}")

            for action in ("acknowledge", "comment", "assign", "shelve", "unshelve", "out-of-service", "in-service"):
                refused(action, 404, alarm_id="0000000000000000")
                refused(action, 404, alarm_id="%00")
                for by in ("", "   ", "x" * 201, "a\r\nBcc: b", 5, ["Ida"], None):
                    refused(action, parameter="by", by=by)
                for body in ("", "{", "[]", "null", '"Ida"', b"\xff\xfe"):
                    answer = server.request("POST", f"/alarms/{alarm['id']}/{action}", body, {"Content-Type": "application/json"})
                    equal(answer.status, 400, f"{action} with the body {body}")
                refused(action, 413, comment="c" * 70_000)
                refused(action, comment="c" * 2001, parameter="comment")
                refused(action, comment={"text": "c"}, parameter="comment")
                refused(action, coment="misspelt")
            for comment in (None, "", "  \n "):
                refused("comment", parameter="comment", comment=comment)
            for to in (None, "y" * 201, "a\nb", 7):
                refused("assign", parameter="to", to=to)
            for span in ("", "0", "0s", "-1h", "soon", "99999999999h", "1e400h", "2000h", 3):
                refused("shelve", parameter="for", **{"for": span})
            for until in ("", "2020-01-01T00:00:00Z", "9999-01-01T00:00:00Z", "2026-13-45T00:00:00Z", "soon", 3):
                refused("shelve", parameter="until", until=until)
            refused("shelve", parameter="until", until="2020-01-01T00:00:00Z", **{"for": "1h"})
            refused("shelve", parameter="for")
            equal(server.request("POST", f"/alarms/{alarm['id']}/suppress", '{"by": "Ida"}').status, 404, "an action that there is not")
            equal(server.request("GET", "/alarms/0000000000000000/actions").status, 404, "the audit trail of no alarm")
            for query in ("start_time=soon", "start_time=2026-01-02&end_time=2026-01-01", "since=1h"):
                equal(server.request("GET", f"/alarms/performance?{query}").status, 400, query)
            equal((states(server), server.get("/alarms/actions").json["items"]), (before, []), "states and audit trail")


@check("care: what waits in the folder of a process that does not come back is sent by hand, as a list where it is much")
def sent_by_hand():
    sensors = [f"h{number:02}" for number in range(8)]
    with folder() as data, Receiver() as hook, Receiver() as slack:
        hook.status = slack.status = 503
        entries = [
            {"kind": "webhook", "name": "mes", "url": hook.url},
            {"kind": "slack", "name": "shift", "url": slack.url, "rate": {"messages": 4, "per": "10m"}},
        ]
        config = channels(data, *entries, system={"enabled": False}, escalations=[{"after": "6h", "channels": ["mes"]}])
        common = ["--config", config, "--data-dir", data]
        with Server(data, "--config", config) as server:
            learn(server, *sensors)
            spike(server, *sensors)
            busy = tocsin("alert", "flush", *common)
            expect(busy.code != 0 and "use" in busy.text, shortened(busy.text))
            server.kill()
        away = tocsin("alert", "flush", *common).ended(1)
        expect("mes  0 messages taken, 8 wait on" in away.out, shortened(away.out))
        hook.requests.clear()
        other = channels(data, {"kind": "webhook", "name": "other", "url": hook.url}, system={"enabled": False})
        refused = tocsin("alert", "flush", "--config", other, "--data-dir", data).ended(78)
        expect("not configured: escalation-1>mes, mes, shift" in refused.text, shortened(refused.text))
        expect(not hook.requests, shortened(refused.text))
        config = channels(data, *entries, system={"enabled": False}, escalations=[{"after": "6h", "channels": ["mes"]}])
        hook.status = slack.status = 200
        done = tocsin("alert", "flush", *common).ended(1)
        # The escalation is not due: it alone waits on.
        expect("mes  8 messages taken\n" in done.out and "shift  4 messages taken\n" in done.out, shortened(done.out))
        expect("escalation-1>mes  0 messages taken, 8 wait on" in done.out, shortened(done.out))
        equal(sorted(hook.steps()), [f"raised {sensor}" for sensor in sensors], "at the webhook")
        text = json.dumps(slack.delivered())
        expect(all(sensor in text for sensor in sensors), f"not all at Slack: {text[:800]}")
        with Server(data, "--config", config) as server:
            settled(server, "mes", "shift")
        equal((len(hook.delivered()), len(slack.delivered())), (8, 4), "nothing is told again by the next start")


main()

"""Every channel that speaks HTTP or SMTP at once, told by the real program of sensors with hostile names: what arrives is
whole, within the receivers' limits, and text everywhere."""

import base64
import email
import email.policy
import hashlib
import hmac
import json
import random
import re
import sys
import time
import urllib.parse

sys.dont_write_bytecode = True
from support.harness import Server, check, equal, expect, folder, main, soon
from support.alert_receivers import MailServer, Receiver, channels

NOW = int(time.time())
NAMES = [
    "plain-1",
    "evil\r\nBcc: everybody@plant.example\r\n\r\n<script>alert(1)</script>",
    "*bold* _it_ ~no~ `code` <!channel> <@U1> @everyone [x](http://evil.example) & \"q\" 'a' {sensor}",
    "\U0001f525\U0001f9ef Ofen-7 \u202e\u200b \t end",
    " ",
    "x" * 240,
]
UNIT = "<b>°C</b>\r\n&"
SECRET, TOKEN = "hook-secret", "t0ken"


def entries(receivers, mail):
    url = {name: receiver.url for name, receiver in receivers.items()}
    return [
        {"kind": "webhook", "name": "mes", "url": url["mes"], "secret": SECRET},
        {"kind": "slack", "name": "slack", "url": url["slack"]},
        {"kind": "teams", "name": "teams", "url": url["teams"]},
        {"kind": "discord", "name": "discord", "url": url["discord"]},
        {"kind": "email", "name": "mail", "url": f"smtp://127.0.0.1:{mail.port}", "security": "none",
         "from": "Tocsin <tocsin@plant.example>", "to": ["shift@plant.example"]},
        {"kind": "pagerduty", "name": "pagerduty", "url": url["pagerduty"], "token": TOKEN},
        {"kind": "opsgenie", "name": "opsgenie", "url": url["opsgenie"].removesuffix("/hook"), "token": TOKEN},
        {"kind": "alertmanager", "name": "alertmanager", "url": url["alertmanager"].removesuffix("/hook")},
        {"kind": "sms", "name": "sms", "url": url["sms"], "user": "AC1", "token": TOKEN, "from": "+15550100", "to": ["+4915100000000"]},
    ]


def arrived(receiver):
    """Header and body of each request."""
    return [({name.lower(): value for name, value in headers.items()}, body, path) for _, headers, body, path in receiver.requests]


def slack(receiver):
    for _, body, _ in arrived(receiver):
        message = json.loads(body)
        expect(1 <= len(message["blocks"]) <= 50 and 0 < len(message["text"]) <= 4000, "blocks and text")
        for block in message["blocks"]:
            texts = [block["text"]] if "text" in block else block.get("fields") or block["elements"]
            for text in texts:
                expect(text["text"].strip() and len(text["text"]) <= (150 if block["type"] == "header" else 2000), f"text {text}")
                if text["type"] == "mrkdwn":
                    plain = text["text"].replace("|Chart and alarm>", "")
                    expect(text["verbatim"] is True and "<!" not in plain and "<@" not in plain and "<script" not in plain, f"mark-up in {text}")


def teams(receiver):
    for _, body, _ in arrived(receiver):
        card = json.loads(body)["attachments"][0]
        expect(len(body) <= 28_000, f"{len(body)} bytes")
        equal((card["contentType"], card["content"]["type"]), ("application/vnd.microsoft.card.adaptive", "AdaptiveCard"), "card")
        expect(all(block["type"] == "RichTextBlock" for block in card["content"]["body"]), "a block that knows Markdown")


def discord(receiver):
    for _, body, _ in arrived(receiver):
        message = json.loads(body)
        embed = message["embeds"][0]
        equal(message["allowed_mentions"], {"parse": []}, "mentions")
        expect(0 < len(embed["title"]) <= 256 and len(embed["description"]) <= 4096 and len(embed["fields"]) <= 25, "limits")
        total = len(embed["title"]) + len(embed["description"])
        for field in embed["fields"]:
            expect(field["name"].strip() and field["value"].strip() and len(field["value"]) <= 1024, f"field {field}")
            total += len(field["name"]) + len(field["value"])
        expect(total <= 6000, f"{total} characters")
        expect("](" not in json.dumps(embed), "a link of the sensor's own")


def mails(server):
    for text in server.messages:
        message = email.message_from_string(text, policy=email.policy.default)
        expect(not message.defects and message["Bcc"] is None and message["From"].addresses[0].addr_spec == "tocsin@plant.example", f"head of {text[:400]}")
        equal([str(address) for address in message["To"].addresses], ["shift@plant.example"], "To")
        equal(len(message.get_all("Subject")), 1, "subjects")
        expect("\n" not in message["Subject"] and "spike on" in message["Subject"], f"subject {message['Subject']!r}")
        expect(all(len(line_) <= 998 and line_.isascii() for line_ in text.split("\r\n")), "a line that is too long, or not ASCII")
        plain, html = (message.get_body([kind]).get_content() for kind in ("plain", "html"))
        expect("<script" not in html and "<b>" not in html and "Where" in plain, f"html {html[:400]}")


def pagerduty(receiver):
    for _, body, _ in arrived(receiver):
        event = json.loads(body)
        equal((event["routing_key"], event["event_action"]), (TOKEN, "trigger"), "event")
        payload = event["payload"]
        expect(payload["summary"].strip() and len(payload["summary"]) <= 1024 and payload["source"].strip() and len(event["dedup_key"]) <= 255, f"payload {payload}")
        expect(payload["severity"] in ("critical", "warning", "error", "info"), payload["severity"])


def opsgenie(receiver):
    for headers, body, path in arrived(receiver):
        alert = json.loads(body)
        equal((headers["authorization"], path), (f"GenieKey {TOKEN}", "/v2/alerts"), "request")
        expect(0 < len(alert["message"].strip()) <= 130 and len(alert["alias"]) <= 512 and len(alert["description"]) <= 15_000 and len(alert["entity"]) <= 512, "limits")
        expect(sum(len(key) + len(value) for key, value in alert["details"].items()) <= 8000 and alert["priority"] in ("P1", "P3", "P5"), "details")
        expect(len(alert["tags"]) <= 20 and all(len(tag) <= 50 for tag in alert["tags"]), "tags")


def alertmanager(receiver):
    for _, body, path in arrived(receiver):
        equal(path, "/api/v2/alerts", "path")
        for alert in json.loads(body):
            expect(alert["startsAt"] <= alert["endsAt"] and alert["labels"]["alertname"] == "Tocsin_spike", f"alert {alert}")
            expect(all(re.fullmatch("[a-zA-Z_][a-zA-Z0-9_]*", name) for name in alert["labels"]), "names of labels")


def sms(receiver):
    for headers, body, _ in arrived(receiver):
        equal(headers["authorization"], "Basic " + base64.b64encode(f"AC1:{TOKEN}".encode()).decode(), "authorization")
        form = urllib.parse.parse_qs(body.decode("ascii"), strict_parsing=True)
        equal((sorted(form), form["To"], form["From"]), (["Body", "From", "To"], ["+4915100000000"], ["+15550100"]), "form")
        limit = 306 if form["Body"][0].isascii() else 134
        expect(len(form["Body"][0].encode("utf-16-le")) // 2 <= limit, f"body of {len(form['Body'][0])}")


def mes(receiver):
    for headers, body, _ in arrived(receiver):
        event = json.loads(body)
        equal((event["specversion"], event["source"], headers["content-type"]), ("1.0", "/tocsin/alarms", "application/cloudevents+json; charset=UTF-8"), "CloudEvent")
        expect(not any(ord(character) < 32 for character in event["subject"]), "control characters in the subject")
        signed = hmac.new(SECRET.encode(), headers["x-tocsin-timestamp"].encode() + b"." + body, hashlib.sha256).hexdigest()
        equal(headers["x-tocsin-signature"], f"sha256={signed}", "signature")
    # Machines get names as they are.
    got = {json.loads(body)["data"]["alarm"]["sensor_id"] for _, body, _ in arrived(receiver)}
    equal(got, set(NAMES), "sensors at the webhook")


@check("channels: sensors with hostile names reach every receiver whole, within its limits, and as text")
def hostile_names():
    kinds = ["mes", "slack", "teams", "discord", "pagerduty", "opsgenie", "alertmanager", "sms"]
    receivers = {kind: Receiver() for kind in kinds}
    try:
        with folder() as data, MailServer() as mail:
            with Server(data, "--config", channels(data, *entries(receivers, mail), system={"enabled": False})) as server:
                generator = random.Random(1)

                def reading(name, second, value):
                    return json.dumps({"sensor_id": name, "timestamp": NOW - 400 + second, "metric": "load", "value": value, "meta": {"unit": UNIT, "location": name}}) + "\n"

                body = "".join(reading(name, second, round(25 + generator.gauss(0, 0.3), 2)) for second in range(200) for name in NAMES)
                answer = server.post(body)
                equal((answer.status, answer.json["dead_lettered"]), (202, 0), f"status of normal readings: {answer.text[:300]}")
                equal(server.post("".join(reading(name, 201, 500) for name in NAMES)).status, 202, "status of the spikes")
                soon(lambda: all(len(receiver.requests) >= len(NAMES) for receiver in receivers.values()) and len(mail.messages) >= len(NAMES), 20,
                     f"{len(NAMES)} messages at every channel")
                items = server.get("/alerts/channels").json["items"]
                expect(all(item["dead"] == 0 and item["failures"] == 0 for item in items), f"channels {items}")
            for look in (mes, slack, teams, discord, pagerduty, opsgenie, alertmanager, sms):
                look(receivers[look.__name__])
            mails(mail)
    finally:
        for receiver in receivers.values():
            receiver.__exit__()


main()

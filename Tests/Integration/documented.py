"""Every example of docs/connectors.md and docs/alerts.md, as it stands: `tocsin check` takes it, and it works. Through each
connector goes a reading that is stored, through each channel a test message in its own form. Only addresses, files and the
login at Kafka are replaced, by the rules that connectors.md names at its end.
"""

import base64
import contextlib
import functools
import hmac
import hashlib
import json
import pathlib
import re
import shutil
import subprocess
import sys
import time
import urllib.parse

sys.dont_write_bytecode = True
from support import kafka, mqtt, otlp, receivers, registry
from support import schemas as framing
from support.figures import Balance, figures
from support.harness import Server, Skip, check, equal, expect, folder, iso, line, main, rows, shortened, soon, tocsin

NOW = int(time.time()) - 300
DOCS = pathlib.Path("docs")


# MARK: Pages

class Block:
    """A fenced example and where it stands."""

    def __init__(self, page, section, heading, number, form, text):
        self.page, self.section, self.heading, self.number, self.form, self.text = page, section, heading, number, form, text

    def __str__(self):
        return f"{self.page}:{self.number} ({self.heading})"


@functools.cache
def blocks(page):
    found, heading, section, inside = [], "", "", None
    for number, text in enumerate((DOCS / page).read_text().splitlines(), 1):
        if inside is not None:
            if text.strip() == "```":
                found.append(Block(page, section, heading, inside[0], inside[1], "\n".join(inside[2]) + "\n"))
                inside = None
            else:
                inside[2].append(text)
        elif text.startswith("```"):
            inside = (number, text[3:].strip(), [])
        elif match := re.match(r"(#+) (.*)", text):
            heading = match[2]
            section = heading if len(match[1]) == 2 else section
    return found


def prose(page, heading):
    """The text of a section without what stands below its own subsections."""
    found, inside = [], False
    for text in (DOCS / page).read_text().splitlines():
        if match := re.match(r"#+ (.*)", text):
            inside = match[1] == heading
        if inside:
            found.append(text)
    return "\n".join(found)


def the(page, heading, form="yaml", place=0):
    found = [block for block in blocks(page) if block.heading == heading and block.form == form]
    expect(len(found) > place, f"{page} has no {form} block {place} under '{heading}'")
    return found[place]


def checked(place, text, environment=None, name="tocsin.yaml"):
    """The file of a configuration that `tocsin check` finds nothing wrong with."""
    file = place / name
    file.write_text(text)
    tocsin("check", "--config", file, "--data-dir", place / "checked", "--set", "server.port=0", environment=environment).ended(0)
    return file


# MARK: Connectors

CONNECTORS = {}


def connector(heading):
    """Registers the test of a section's examples."""
    def register(function):
        CONNECTORS[heading] = function

        @check(f"connectors: {heading}")
        def run():
            with folder() as place:
                function(place)
        return function
    return register


@contextlib.contextmanager
def running(place, heading, text, environment=None):
    """The program with a configuration; at the end its section must speak of what it has to, and /metrics have its metrics."""
    file = checked(place, text, environment)
    with Server(place / "data", "--config", file, environment=environment) as server, Balance(server):
        yield server
        said = prose("connectors.md", heading)
        for word in ("uarantee", "etrics", "itfall"):
            expect(word in said, f"'{heading}' says nothing of its {word!r}")
        for name in sorted(set(re.findall(r"`((?:tocsin|kafka)_[a-z_]+)", said))):
            soon(lambda: re.search(rf"^{name}[ {{]", server.get("/metrics").text, re.M), 10, f"/metrics has {name}, which '{heading}' names", 0.1)


def stored(server, *wanted, timeout=30):
    """Waits until each (sensor, metric, value) is stored."""
    query = "SELECT s.name, e.readings FROM sensor_events e JOIN sensors s ON s.id = e.sensor_id"

    def found():
        return {(sensor, metric, value) for sensor, text in rows(server.data, query) for metric, value in json.loads(text).items()}
    try:
        soon(lambda: set(wanted) <= found(), timeout, "stored", 0.1)
    except AssertionError:
        letters = rows(server.data, "SELECT reason, detail FROM dead_letters LIMIT 3")
        raise AssertionError(f"not stored: {sorted(set(wanted) - found())}; but {shortened(sorted(found()))}; dead letters {letters}")


def at_kafka(cluster, text):
    expect(re.search(r"[\w.-]+\.example:9092", text), "the example names no broker")
    environment = {"KAFKA_LIBRARY": cluster.library, "KAFKA_PROPERTIES": "security.protocol=PLAINTEXT"}
    return re.sub(r"[\w.-]+\.example:9092", cluster.brokers, text), environment


@connector("Kafka")
def from_kafka(place):
    with kafka.cluster() as cluster:
        cluster.create("sensor-events", 2)
        text, environment = at_kafka(cluster, the("connectors.md", "Kafka").text)
        with running(place, "Kafka", text, environment) as server:
            cluster.produce("sensor-events", [("pump-7", line("pump-7", NOW, temperature=21.5)), ("pump-8", '{"temperature": 22.5}')])
            stored(server, ("pump-7", "temperature", 21.5), ("pump-8", "temperature", 22.5))
            soon(lambda: sum(cluster.committed("tocsin", "sensor-events", 2)[n] or 0 for n in range(2)) == 2, 20, "both messages are committed")


@connector("Telegraf and collectors over Kafka")
def forms_from_kafka(place):
    with kafka.cluster() as cluster:
        for topic in ("telegraf", "otlp_metrics", "logger-rows"):
            cluster.create(topic, 1)
        text, environment = at_kafka(cluster, the("connectors.md", "Telegraf and collectors over Kafka").text)
        resources = [otlp.resource({"host.name": "h", "asset.id": "press-4"}, [otlp.metric("load", "gauge", [otlp.point(NOW * 10**9, 2.5)])])]
        with running(place, "Telegraf and collectors over Kafka", text, environment) as server:
            cluster.produce("telegraf", [(None, f'cpu,cpu=cpu0,host=h idle=90,note="x" {NOW * 10**9}\nmem,host=h used=5 {NOW * 10**9}\n')])
            cluster.produce("otlp_metrics", [(None, otlp.protobuf(resources))])
            cluster.produce("logger-rows", [(None, f"logger-1,{iso(NOW)},20.5,41\nlogger-2,{iso(NOW)},21.5,42\n")])
            stored(server, ("h", "cpu.idle{cpu=cpu0}", 90), ("h", "mem.used", 5), ("press-4", "load", 2.5), ("logger-1", "humidity", 41), ("logger-2", "temperature", 21.5))
            equal(figures(server)['tocsin_values_skipped_total{source="telegraf"}'], 1, "texts that were left out")


@connector("Schema registry")
def from_registry(place):
    schema = {"type": "record", "name": "Event", "fields": [
        {"name": "sensor_id", "type": "string"}, {"name": "timestamp", "type": "long"}, {"name": "temperature", "type": "double"}]}
    # A registry that wants the login of the example.
    with kafka.cluster() as cluster, registry.server("tocsin", "change-me") as schemas:
        cluster.create("typed-events", 1)
        text, environment = at_kafka(cluster, the("connectors.md", "Schema registry").text)
        expect("http://registry.plant.example:8081" in text, "the example names no registry")
        text = text.replace("http://registry.plant.example:8081", schemas.url)
        number = schemas.register("typed-events-value", schema)
        with running(place, "Schema registry", text, environment) as server:
            cluster.produce("typed-events", [("k", framing.avro(number, schema, {"sensor_id": "typed-1", "timestamp": NOW * 1000, "temperature": 21.5}))])
            stored(server, ("typed-1", "temperature", 21.5))


@connector("Results to Kafka")
def to_kafka(place):
    with kafka.cluster() as cluster:
        for topic in ("iot.processed", "anomalies", "iot.alerts", "iot.dlq"):
            cluster.create(topic, 1)
        text, environment = at_kafka(cluster, the("connectors.md", "Results to Kafka").text)
        with running(place, "Results to Kafka", text, environment) as server:
            equal(server.post(line("out-1", NOW, temperature=21.5) + '{"sensor_id": "out-1", "temp\n').status, 202, "status")
            for topic, word in (("iot.processed", "21.5"), ("iot.dlq", "out-1")):
                soon(lambda: any(word in (value or "") for _, _, _, value, _ in cluster.consume(topic, 1)), 20, f"a message in {topic}", 0.2)


def published(broker, topic, payload, *options):
    """By mosquitto's own client, which knows TLS and logins."""
    subprocess.run(
        [mqtt.program("mosquitto_pub"), "-h", "localhost" if broker.tls else "127.0.0.1", "-p", str(broker.port), "-t", topic, "-q", "1", "-s", *map(str, options)],
        input=payload, check=True, timeout=20, stdout=subprocess.DEVNULL)


def healthy(server):
    soon(lambda: all(one["healthy"] for one in server.request("GET", "/health").json.get("connectors", [])), 20, "every connector is healthy")


@connector("MQTT")
def from_mqtt(place):
    with mqtt.broker(place, tls=True, users={"tocsin": "change-me"}) as broker:
        text = the("connectors.md", "MQTT").text
        expect("mqtts://broker.plant.example:8883" in text and "/etc/tocsin/ca.pem" in text, "the example speaks of no TLS")
        text = text.replace("mqtts://broker.plant.example:8883", broker.url).replace("/etc/tocsin/ca.pem", str(broker.folder / "ca.pem"))
        with running(place, "MQTT", text) as server:
            healthy(server)
            published(broker, "site/a/line/4/sensor/valve-2", json.dumps({"timestamp": iso(NOW), "temperature": 21.5}).encode(),
                      "--cafile", broker.folder / "ca.pem", "-u", "tocsin", "-P", "change-me")
            stored(server, ("valve-2", "temperature", 21.5))
            equal(rows(server.data, "SELECT zone FROM sensors WHERE name = 'valve-2'"), [("4",)], "zone of the topic")


@connector("Several processes on one broker")
def shared_mqtt(place):
    with mqtt.broker(place) as broker:
        text = the("connectors.md", "Several processes on one broker").text.replace("broker.plant.example:1883", f"127.0.0.1:{broker.port}")
        with running(place, "Several processes on one broker", text) as server:
            healthy(server)
            equal(broker.latest("tocsin/a/state"), "online", "presence")
            published(broker, "plant/hall-2/valve-3/pressure", b"4.5")
            stored(server, ("valve-3", "pressure", 4.5))
        equal(broker.latest("tocsin/a/state"), "offline", "presence at the end")


@connector("Sparkplug B")
def from_sparkplug(place):
    def metric(name, kind, value, alias):
        return otlp.field(2, otlp.field(1, name) + otlp.field(2, alias) + otlp.field(3, NOW * 1000) + otlp.field(4, kind) + value)
    birth = otlp.field(1, NOW * 1000) + metric("bdSeq", 4, otlp.field(11, 0), 1) + metric("temperature", 10, otlp.field(13, 21.5), 2) + otlp.field(3, 0)
    data = otlp.field(1, NOW * 1000 + 1000) + otlp.field(2, otlp.field(2, 2) + otlp.field(3, NOW * 1000 + 1000) + otlp.field(4, 10) + otlp.field(13, 22.5)) + otlp.field(3, 1)
    with mqtt.broker(place) as broker:
        text = the("connectors.md", "Sparkplug B").text.replace("broker.plant.example:1883", f"127.0.0.1:{broker.port}")
        with running(place, "Sparkplug B", text) as server:
            healthy(server)
            published(broker, "spBv1.0/plant/NBIRTH/edge-1", birth)
            published(broker, "spBv1.0/plant/NDATA/edge-1", data)
            stored(server, ("plant/edge-1", "temperature", 21.5), ("plant/edge-1", "temperature", 22.5))
            state = broker.latest("spBv1.0/STATE/tocsin")
            expect(state and json.loads(state)["online"] is True, f"STATE is {state}")


@connector("Files")
def from_files(place):
    text = the("connectors.md", "Files").text
    expect("/var/lib/plant/history.csv" in text and "/var/lib/plant/loggers" in text, "the example names no files")
    plant = place / "plant"
    (plant / "loggers").mkdir(parents=True)
    (plant / "history.csv").write_text(f"sensor_id,timestamp,temperature\nold-1,{iso(NOW)},21.5\n")
    (plant / "loggers" / "a.json").write_text(line("log-1", NOW, temperature=22.5))
    with running(place, "Files", text.replace("/var/lib/plant", str(plant))) as server:
        stored(server, ("old-1", "temperature", 21.5), ("log-1", "temperature", 22.5))
        with open(plant / "loggers" / "a.json", "a") as file:
            file.write(line("log-1", NOW + 1, temperature=23.5))
        (plant / "loggers" / "b.json").write_text(line("log-2", NOW, temperature=24.5))
        stored(server, ("log-1", "temperature", 23.5), ("log-2", "temperature", 24.5))


@connector("Simulator")
def simulated(place):
    with running(place, "Simulator", the("connectors.md", "Simulator").text) as server:
        soon(lambda: figures(server)["tocsin_events_total"] == 200, 30, "200 events", 0.2)
        expect(rows(server.data, "SELECT count(*) FROM sensor_events")[0][0] > 150, "events that are stored")


def at_server(text, server):
    expect("tocsin.plant.example:8080" in text, "the example names no server")
    return text.replace("tocsin.plant.example:8080", f"127.0.0.1:{server.port}")


@connector("HTTP")
def over_http(place):
    curl = shutil.which("curl")
    if not curl:
        raise Skip("curl is not installed")
    with running(place, "HTTP", the("connectors.md", "HTTP").text) as server:
        command = at_server(the("connectors.md", "HTTP", "sh").text, server)
        answers = [subprocess.run(["sh", "-c", command], capture_output=True, timeout=20) for _ in range(2)]
        equal([answer.returncode for answer in answers], [0, 0], f"exit codes of curl ({answers[0].stderr.decode()})")
        equal(answers[0].stdout, answers[1].stdout, "the answers to both")
        stored(server, ("pump-7", "temperature", 21.4))
        equal(server.post(line("x", NOW, temperature=1)).status, 401, "without a key")


@connector("InfluxDB, Telegraf")
def from_telegraf(place):
    heading = "InfluxDB, Telegraf"
    with running(place, heading, the("connectors.md", heading).text) as server:
        output = at_server(the("connectors.md", heading, "toml").text, server)
        settings = dict(re.findall(r'(\w+) = \[?"([^"]*)"', output))
        expect("[[outputs.influxdb_v2]]" in output and settings["urls"].endswith(f":{server.port}"), output)
        query = urllib.parse.urlencode({"bucket": settings["bucket"], "org": settings["organization"]})
        body = f"cpu,cpu=cpu0,host=h idle=90 {NOW * 10**9}\nmem,host=h used=5 {NOW * 10**9}\ndisk,device=sda,host=h used=6 {NOW * 10**9}\n"
        answer = server.request("POST", f"/api/v2/write?{query}", body.encode(), {"Authorization": f"Token {settings['token']}"})
        equal(answer.status, 204, f"status ({answer})")
        stored(server, ("h", "cpu.idle{cpu=cpu0}", 90), ("h", "mem.used", 5), ("h", "disk.used{device=sda}", 6))


@connector("OpenTelemetry")
def from_collector(place):
    with running(place, "OpenTelemetry", the("connectors.md", "OpenTelemetry").text) as server:
        endpoint = re.search(r"metrics_endpoint: (\S+)", at_server(the("connectors.md", "OpenTelemetry", place=1).text, server))
        resources = [otlp.resource({"asset.id": "press-4", "host.name": "h"}, [otlp.metric("load", "gauge", [otlp.point(NOW * 10**9, 1.5)])])]
        answer = server.request("POST", urllib.parse.urlsplit(endpoint[1]).path, otlp.protobuf(resources), {"Content-Type": "application/x-protobuf"})
        equal(answer.status, 200, f"status ({answer})")
        stored(server, ("press-4", "load", 1.5))


@check("connectors: no example of the page is left out, and each stands where guarantee, metrics and pitfalls are said")
def all_connectors():
    found = {block.heading for block in blocks("connectors.md") if block.form == "yaml"}
    equal(found, set(CONNECTORS), "sections with a configuration, and sections that are run")
    for block in blocks("connectors.md"):
        expect(block.form in ("yaml", "toml", "sh"), f"{block} is of a form that nothing runs: {block.form}")


# MARK: Channels

def settings_of(text):
    """(kind, name) of the channels in a configuration, in their order."""
    return re.findall(r"kind: (\w+),?\s+name: ([\w-]+)", text)


USUAL_PATHS = {"pagerduty": "/v2/enqueue", "sms": "/2010-04-01/Accounts/{user}/Messages.json"}


class Plant:
    """What alerts can be sent to, and the rules by which examples are led there."""

    def __init__(self, place, web, mail, cluster):
        self.place, self.web, self.mail, self.cluster = place, web, mail, cluster

    def led_here(self, text):
        text = re.sub(r"https://[\w.-]+(:\d+)?", f"https://127.0.0.1:{self.web.secure}", text)
        text = re.sub(r"http://[\w.-]+(:\d+)?", f"http://127.0.0.1:{self.web.plain}", text)
        text = re.sub(r"smtp://[\w.-]+(:\d+)?", f"smtp://127.0.0.1:{self.mail.port}", text)
        return re.sub(r'"[\w.-]+:9092"', f'"{self.cluster.brokers}"', text) if self.cluster else text

    def environment(self, text):
        found = {"ALERTS_ALLOW_PRIVATE_TARGETS": "true"}
        if self.cluster:
            found["KAFKA_LIBRARY"] = self.cluster.library
        for number, (kind, _) in enumerate(settings_of(text)):
            if kind != "kafka":
                found[f"ALERTS_CHANNELS_{number}_AUTHORITIES"] = str(self.place / "ca.pem")
        # Those whose address is always the same leave it out.
        for number, (kind, _) in enumerate(settings_of(text)):
            if kind in USUAL_PATHS and " url:" not in text:
                path = USUAL_PATHS[kind].format(user=(re.findall(r"user: (\S+)", text) or [""])[0])
                found[f"ALERTS_CHANNELS_{number}_URL"] = f"https://127.0.0.1:{self.web.secure}{path}"
        return found


@contextlib.contextmanager
def plant(with_kafka=False):
    with contextlib.ExitStack() as stack:
        place = receivers.certificates(stack.enter_context(folder()))
        yield Plant(place, stack.enter_context(receivers.Web(place)), stack.enter_context(receivers.Mail(place)),
                    stack.enter_context(kafka.cluster()) if with_kafka else None)


def tested(one, block, extra=""):
    """Sends a test message through each channel of a block; gives the texts of its configuration and what was said."""
    text = one.led_here(block.text + extra)
    environment = one.environment(text)
    file = checked(one.place, text, environment)
    names = [name for _, name in settings_of(text)]
    expect(names, f"{block} has no channel")
    for name in names:
        done = tocsin("alert", "test", name, "--config", file, "--data-dir", one.place / "data", environment=environment)
        expect(done.code == 0, f"{block}, channel {name}: {shortened(done.text)}")
    return text


def webhook(one, block):
    text = tested(one, block)
    request = one.web.requests[-1]
    equal((request.path, request.headers["X-Plant"], request.tls), ("/alarms", "north", True), "path, header of the example, TLS")
    equal(request.headers["Content-Type"].split(";")[0], "application/cloudevents+json", "content type")
    event = json.loads(request.body)
    equal((event["specversion"], event["id"], event["data"]["test"]), ("1.0", request.headers["Idempotency-Key"], True), "CloudEvent")
    # The receiver's own lines, as the page has them.
    names = {
        "hmac": hmac, "hashlib": hashlib, "time": time, "secret": re.search(r"secret: (\S+)", text)[1].encode(), "body": request.body,
        "timestamp": request.headers["X-Tocsin-Timestamp"], "signature": request.headers["X-Tocsin-Signature"]}
    exec(the("alerts.md", block.heading, "python").text, names)


def slack(one, block):
    tested(one, block)
    request = one.web.requests[-1]
    expect(request.path.startswith("/services/"), request.path)
    message = json.loads(request.body)
    expect(message["text"] and message["blocks"][0]["type"] == "header", f"blocks: {shortened(message)}")


def teams(one, block):
    tested(one, block)
    message = json.loads(one.web.requests[-1].body)
    card = message["attachments"][0]
    equal((message["type"], card["contentType"], card["content"]["type"]), ("message", "application/vnd.microsoft.card.adaptive", "AdaptiveCard"), "card")


def discord(one, block):
    tested(one, block)
    message = json.loads(one.web.requests[-1].body)
    expect(message["embeds"][0]["title"], f"embeds: {shortened(message)}")
    equal(message["allowed_mentions"]["parse"], [], "mentions")


def email(one, block):
    tested(one, block)
    login, sender, to, text = one.mail.mails[-1]
    equal((login, len(to)), (["tocsin", "change-me"], 2), "login and recipients")
    for header in ("From: Tocsin", "To: ", "Subject: ", "Message-ID: ", "Content-Type: multipart/alternative"):
        expect(re.search(f"^{header}", text, re.M), f"no {header!r} in {shortened(text)}")
    expect("tocsin@plant.example" in sender, sender)


def pagerduty(one, block):
    text = tested(one, block)
    events = [json.loads(request.body) for request in one.web.requests]
    equal([event["event_action"] for event in events], ["trigger", "resolve"], "actions")
    equal({event["routing_key"] for event in events}, {re.search(r"token: (\w+)", text)[1]}, "routing key")
    equal(len({event["dedup_key"] for event in events}), 1, "keys of both")
    equal({request.path for request in one.web.requests}, {"/v2/enqueue"}, "path")


def opsgenie(one, block):
    text = tested(one, block)
    request = one.web.requests[0]
    equal((request.path, request.headers["Authorization"]), ("/v2/alerts", "GenieKey " + re.search(r"token: ([\w-]+)", text)[1]), "path and key")
    expect(json.loads(request.body)["alias"].startswith("tocsin-"), f"{request.body}")


def alertmanager(one, block):
    tested(one, block)
    request = one.web.requests[0]
    alerts = json.loads(request.body)
    equal((request.path, request.tls), ("/api/v2/alerts", False), "path")
    expect(alerts[0]["labels"]["alertname"].startswith("Tocsin") and alerts[0]["startsAt"], f"{shortened(alerts)}")


def sms(one, block):
    tested(one, block)
    request = one.web.requests[-1]
    form = dict(urllib.parse.parse_qsl(request.body.decode()))
    equal((form["To"], form["From"]), ("+4915100000000", "+15550100"), "numbers")
    expect(re.fullmatch(r"/2010-04-01/Accounts/AC0+/Messages\.json", request.path), request.path)
    equal(request.headers["Authorization"], "Basic " + base64.b64encode(b"AC00000000000000000000000000000000:change-me").decode(), "login")


def kafka_topic(one, block):
    one.cluster.create("iot.alerts", 1)
    tested(one, block)
    messages = one.cluster.consume("iot.alerts", 1)
    expect(messages, "no record in the topic")
    _, _, key, value, headers = messages[0]
    record = json.loads(value)
    equal((record["alarm"]["id"], headers["schema"]), (key, "tocsin.alarm/1"), "key and schema")


def local(one, block):
    """Console and file: what is written when there is an alarm."""
    file = checked(one.place, block.text)
    with Server(one.place / "data", "--config", file) as server:
        body = "".join(line("c1", NOW - 400 + n, temperature=25 + n % 5 / 10) for n in range(250)) + line("c1", NOW - 149, temperature=95)
        equal(server.post(body).status, 202, "status")
        log = one.place / "data" / "alerts.log"
        soon(lambda: log.exists() and '"raised"' in log.read_text(), 20, "a step in alerts.log")
        record = json.loads(log.read_text().splitlines()[0])
        equal((record["step"], record["alarm"]["sensor_id"]), ("raised", "c1"), "the first line")


def routes(one, block):
    """Its channels are of other examples: they are given from the environment."""
    names = sorted(set(re.findall(r"[\w-]+", " ".join(re.findall(r"channels: \[([^\]]*)\]", block.text)))))
    expect(len(names) > 1, f"{block} names no channels")
    given = {}
    for number, name in enumerate(names):
        given |= {f"ALERTS_CHANNELS_{number}_KIND": "webhook", f"ALERTS_CHANNELS_{number}_NAME": name,
                  f"ALERTS_CHANNELS_{number}_URL": f"http://127.0.0.1:{one.web.plain}/{name}"}
    environment = {"ALERTS_ALLOW_PRIVATE_TARGETS": "true"} | given
    file = checked(one.place, block.text, environment)
    listed = tocsin("alert", "list", "--config", file, environment=environment).ended(0).out.split()
    equal(sorted(set(listed) & set(names)), names, "channels that are listed")
    with Server(one.place / "data", "--config", file, environment=environment) as server:
        body = "".join(line("c1", NOW - 400 + n, temperature=25 + n % 5 / 10) for n in range(250)) + line("c1", NOW - 149, temperature=95)
        equal(server.post(body).status, 202, "status")
        soon(lambda: any(request.path == "/shift" for request in one.web.requests), 20, "the route's channel is told")
    expect(not any(request.path == "/cold-store" for request in one.web.requests), "a channel was told whose route does not fit")


def words(one, block):
    """Two keys of a channel, shown alone: they go on from Slack's example in the form of lines."""
    start = "alerts:\n  channels:\n    - kind: slack\n      name: words\n      url: https://hooks.slack.com/services/T/B/X\n"
    whole = Block(block.page, block.section, block.heading, block.number, "yaml", start + block.text)
    tested(one, whole)
    message = one.web.requests[-1].body.decode()
    for word in ("tocsin-test", "<!here>", "this is a test"):
        expect(word in message, f"no {word!r} in {shortened(message)}")


CHANNELS = {
    "webhook": webhook, "slack": slack, "teams": teams, "discord": discord, "email": email, "pagerduty": pagerduty, "opsgenie": opsgenie,
    "alertmanager": alertmanager, "sms": sms, "kafka": kafka_topic}


def runner(block):
    if block.text.startswith(" "):
        return words
    kinds = {kind for kind, _ in settings_of(block.text)}
    if len(kinds) == 1:
        return CHANNELS.get(kinds.pop())
    if "routes:" in block.text:
        return routes
    return local if re.search(r"^  (console|file):", block.text, re.M) else None


@check("alerts: every kind of channel has an example")
def all_channels():
    found = {kind for block in blocks("alerts.md") if block.form == "yaml" for kind, _ in settings_of(block.text)}
    equal(found, set(CHANNELS), "kinds with an example")


for each in blocks("alerts.md"):
    if each.form == "yaml":
        @check(f"alerts: {each.heading}, line {each.number}")
        def run(block=each):
            function = runner(block)
            with plant(with_kafka=function is kafka_topic) as one:
                if function is None:
                    checked(one.place, one.led_here(block.text), one.environment(block.text))
                else:
                    function(one, block)


main()

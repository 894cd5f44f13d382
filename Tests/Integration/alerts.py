"""How people are told: the console line, `alerts.log`, and webhooks with retry, cooldown and signature."""

import hashlib
import hmac
import http.server
import json
import queue
import random
import sys
import threading
import time

sys.dont_write_bytecode = True
from support.harness import Server, check, equal, expect, folder, line, main, shortened, soon, tocsin

NOW = int(time.time())


class Receiver:
    """An HTTP server that answers POSTs with the given statuses in turn, then 200, and keeps what it got."""

    def __init__(self, *statuses):
        self.requests, waiting = [], list(statuses)
        requests = self.requests

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                status = waiting.pop(0) if waiting else 200
                requests.append((status, dict(self.headers), body, self.path))
                self.send_response(status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def do_HEAD(self):
                self.send_response(405)
                self.end_headers()

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = self.server.server_port
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()

    def delivered(self):
        return [json.loads(body) for status, _, body, _ in self.requests if status == 200]


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
        with Server(data, environment={"ALERTS_WEBHOOKS_0_URL": "http://127.0.0.1:1/hook"}) as server:
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


main()

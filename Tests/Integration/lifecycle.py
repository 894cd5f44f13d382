"""Starting, stopping and mending: dead letters beside and after a server, SIGTERM, ports and folders in use."""

import contextlib
import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time

sys.dont_write_bytecode = True
from support.harness import (
    BINARY, ENVIRONMENT, Server, check, equal, expect, folder, iso, line, main, rows, shortened, soon, stored_events, tocsin)

NOW = int(time.time())
WIDER = ("--set", "input.validRanges.temperature=-50..200")


def post(server, text, status=202):
    answer = server.post(text)
    equal(answer.status, status, f"status ({answer})")
    return answer.json


# MARK: Dead letters

def with_letters(server):
    """One event that is refused whole, one of which one reading is refused, one that is no JSON."""
    post(server, line("hot", NOW - 30, temperature=150))
    post(server, line("half", NOW - 20, temperature=160, humidity=40))
    post(server, '{"sensor_id": "torn", "times\n' + line("fine", NOW - 10, temperature=20))


@check("lifecycle: dead-letters list and show beside the running server")
def letters_beside():
    with folder() as data, Server(data) as server:
        equal(tocsin("dead-letters", "list", "--data-dir", data).ended(0).out.strip(), "no dead letters", "list of none")
        with_letters(server)
        listed = tocsin("dead-letters", "list", "--data-dir", data).ended(0).out
        equal(len(re.findall(r"out_of_range  ", listed)), 2, f"lines of out_of_range in {shortened(listed)}")
        equal(len(re.findall(r"malformed  ", listed)), 1, f"lines of malformed in {shortened(listed)}")
        expect("150" in listed and "hot" in listed, f"the detail is missing: {shortened(listed)}")
        only = tocsin("dead-letters", "--data-dir", data, "--reason", "malformed").ended(0).out
        equal(len(re.findall(r"out_of_range  ", only)), 0, f"--reason malformed: {shortened(only)}")
        number = re.search(r"^(\d+)  \S+  malformed", only, re.M)[1]
        shown = tocsin("dead-letters", "show", number, "--data-dir", data).ended(0).out
        for word in ("malformed", "http", '{"sensor_id": "torn", "times'):
            expect(word in shown, f"show: no {word} in {shortened(shown)}")
        raw = tocsin("dead-letters", "show", number, "--raw", "--data-dir", data).ended(0).out
        equal(raw.strip(), '{"sensor_id": "torn", "times', "show --raw")
        finished = tocsin("dead-letters", "show", "4711", "--data-dir", data)
        expect(finished.code in (1, 64) and "4711" in finished.err, f"{finished.code} {shortened(finished.text)}")
        finished = tocsin("dead-letters", "replay", "--data-dir", data)
        finished.failed_clearly(f"process {server.process.pid}")
        equal(server.get("/api/overview").json["dead_letters"]["total"], 3, "dead letters in the overview")


@check("lifecycle: dead-letters replay stores what is accepted now and keeps the rest")
def letters_replayed():
    with folder() as data:
        with Server(data) as server:
            with_letters(server)
        refused = tocsin("dead-letters", "replay", "--data-dir", data).ended(1)
        expect("3 refused again" in refused.out, shortened(refused.text))
        equal(len(rows(data, "SELECT id FROM dead_letters")), 3, "letters after a replay with the same rules")
        mended = tocsin("dead-letters", "replay", "--reason", "out_of_range", "--data-dir", data, *WIDER).ended(0)
        expect("2 accepted" in mended.out, shortened(mended.text))
        equal([reason for reason, in rows(data, "SELECT reason FROM dead_letters")], ["malformed"], "letters left")
        stored = {sensor: readings for sensor, _, readings in stored_events(data)}
        equal(stored.get("hot"), '{"temperature":150}', "readings of the event that was refused whole")
        half = [readings for sensor, _, readings in stored_events(data) if sensor == "half"]
        expect(any('"temperature":160' in text for text in half), f"the reading of a partly refused event is lost: {half}")
        equal(sum('"humidity"' in text for text in half), 1, f"rows with the reading that was stored before ({half})")


@check("lifecycle: CSV rows that are refused again stay the same letters, text where a number belongs among them")
def letters_of_rows():
    with folder() as data:
        table = data / "table.csv"
        lines = [f"pump,{iso(NOW - 600 + n)},{20 + n % 3},50" for n in range(200)]
        lines[150:152] = [f"pump,{iso(NOW - 450)},20,abc", f"pump,{iso(NOW - 449)},150,50"]
        table.write_text("sensor_id,timestamp,temperature,humidity\n" + "\n".join(lines) + "\n")
        tocsin("replay", table, "--store-events", "--data-dir", data / "out").ended(0)
        kept = "SELECT id, reason, position, received, readings, detail FROM dead_letters ORDER BY id"
        counts = "SELECT start, series_id, size, slide, count FROM windows ORDER BY 1, 2, 3, 4"
        before, windows = rows(data / "out", kept), rows(data / "out", counts)
        equal([row[1] for row in before], ["not_a_number", "out_of_range"], "reasons")
        for _ in range(2):
            again = tocsin("dead-letters", "replay", "--data-dir", data / "out").ended(1)
            expect("0 accepted, 2 refused again" in again.out, shortened(again.text))
            equal(rows(data / "out", kept), before, "letters after a replay with the same rules")
        mended = tocsin("dead-letters", "replay", "--data-dir", data / "out", *WIDER).ended(1)
        expect("1 accepted, 1 refused again" in mended.out, shortened(mended.text))
        equal(rows(data / "out", kept), before[:1], "letters left")
        equal(rows(data / "out", counts), windows, "counts of the windows after one reading was sent again")


@check("lifecycle: what a device calls itself cannot drive the terminal")
def letters_on_a_terminal():
    with folder() as data, Server(data) as server:
        post(server, line("p\x1b]0;owned\x07\x9b2J", NOW - 30, temperature=150))
        listed = tocsin("dead-letters", "list", "--data-dir", data).ended(0).out
        number = re.search(r"^(\d+)  \S+  out_of_range  .*owned", listed, re.M)
        expect(number, f"the sensor is not named in {listed!r}")
        shown = tocsin("dead-letters", "show", number[1], "--data-dir", data).ended(0).out
        for text in (listed, shown):
            expect(all(character.isprintable() or character == "\n" for character in text), f"{text!r}")


@check("lifecycle: dead-letters replay takes the valid ranges as its help shows them")
def letters_help_example():
    with folder() as data:
        with Server(data) as server:
            with_letters(server)
        text = " ".join(tocsin("dead-letters", "--help").out.split())
        example = re.search(r"--set '(input\.validRanges[^']*)'", text) or re.search(r"--set (input\.validRanges\S*)", text)
        expect(example, f"no example with validRanges in {shortened(text)}")
        mended = tocsin("dead-letters", "replay", "--reason", "out_of_range", "--data-dir", data, "--set", example[1]).ended(0)
        expect("2 accepted" in mended.out, shortened(mended.text))


@check("lifecycle: the same bad message sent twice is two dead letters")
def letters_twice():
    with folder() as data:
        with Server(data) as server:
            for _ in range(2):
                post(server, "no reading at all\n" + line("s", NOW - 60, temperature=20))
        equal(len(rows(data, "SELECT id FROM dead_letters")), 2, "dead letters")


# MARK: Signals

@check("lifecycle: SIGTERM under load ends with 0; what was acknowledged is stored, once")
def sigterm():
    with folder() as data:
        server = Server(data)
        acknowledged, surprises, stop = [], [], threading.Event()

        def send(number):
            batch = 0
            while not stop.is_set():
                times = [NOW - 900 + batch * 5 + n for n in range(5)]
                body = "".join(line(f"s{number}", at, temperature=20 + at % 10) for at in times)
                batch += 1
                try:
                    answer = server.post(body, timeout=20)
                except OSError:
                    return
                except Exception as error:
                    if type(error).__name__ not in ("RemoteDisconnected", "BadStatusLine", "IncompleteRead"):
                        surprises.append(repr(error))
                    return
                if answer.status == 202:
                    acknowledged.extend((f"s{number}", at * 1000) for at in times)
                elif answer.status != 503:
                    surprises.append(str(answer))

        threads = [threading.Thread(target=send, args=(number,)) for number in range(4)]
        for thread in threads:
            thread.start()
        deadline = time.monotonic() + 20
        while len(acknowledged) < 200 and time.monotonic() < deadline:
            time.sleep(0.01)
        code = server.stop()
        stop.set()
        for thread in threads:
            thread.join()
        equal(code, 0, f"exit code ({shortened(server.log[-300:])})")
        expect(len(acknowledged) >= 200, f"only {len(acknowledged)} events were acknowledged")
        expect(not surprises, f"unexpected answers: {surprises[:2]}")
        events = [(sensor, at) for sensor, at, _ in stored_events(data)]
        equal(len(events), len(set(events)), "rows and different events")
        missing = set(acknowledged) - set(events)
        expect(not missing, f"{len(missing)} acknowledged events are missing")


@check("lifecycle: an open dashboard does not hold up SIGTERM or SIGINT")
def signals_with_clients():
    for number in (signal.SIGTERM, signal.SIGINT):
        with folder() as data:
            server = Server(data)
            connection = server.connection()
            connection.request("GET", "/live")
            connection.getresponse()
            idle = server.connection()
            idle.connect()
            begun = time.monotonic()
            server.process.send_signal(number)
            equal(server.ended(20), 0, f"exit code after {number.name}")
            took = time.monotonic() - begun
            expect(took < 8, f"{number.name}: it took {took:.1f} s")
            connection.close()
            idle.close()


@check("lifecycle: a restart goes on where the last run ended")
def restart():
    with folder() as data:
        with Server(data) as server:
            post(server, "".join(line("r", NOW - 300 + n, temperature=20 + n % 3 / 10) for n in range(200)))
            post(server, line("r", NOW - 100, temperature=90))
            before = server.get("/alarms?state=open").json["items"]
            equal(len(before), 1, "open alarms")
        with Server(data) as server:
            after = server.get("/alarms?state=open").json["items"]
            equal([item["id"] for item in after], [item["id"] for item in before], "open alarms after the restart")
            equal(len(server.get("/events/latest?sensor_id=r&limit=1000").json["items"]), 201, "events after the restart")
            equal(server.get("/api/overview").json["alarms_open"], 1, "alarms_open in the overview")


# MARK: Demo

@check("lifecycle: demo shows readings, an anomaly and an alarm within 30 s, and leaves nothing behind")
def demo():
    with folder() as temporary, Server(None, command="demo", environment={"TMPDIR": str(temporary)}) as server:
        begun, started = time.monotonic(), iso(time.time())
        expect(any(temporary.iterdir()), "the data are not in the folder for temporary files")
        soon(lambda: server.get("/sensors").json["items"], 15, "sensors")
        soon(lambda: server.get("/anomalies/latest").json["items"], 30, "an anomaly", interval=0.2)
        soon(lambda: server.get("/alarms?state=open").json["items"], 30, "an open alarm", interval=0.2)
        soon(lambda: server.get("/api/overview").json["readings_per_second"] > 0, 30, "readings per second", interval=0.2)
        soon(lambda: server.get("/events/latest?limit=1").json["items"][0]["timestamp"] > started, 30, "a reading of now", interval=0.2)
        took = time.monotonic() - begun
        expect(took < 30, f"it took {took:.0f} s until all of that was there")
        equal(server.stop(), 0, "exit code")
        equal(list(temporary.iterdir()), [], "what is left in the folder for temporary files")


# MARK: What is in use

@check("lifecycle: a port in use")
def port_in_use():
    with folder() as data, socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        finished = tocsin("run", "--port", port, "--data-dir", data, timeout=30)
        finished.failed_clearly(port, "another program")
        finished = tocsin("demo", "--port", port, "--data-dir", data / "demo", timeout=30)
        finished.failed_clearly(port, "another program")


@check("lifecycle: a data folder in use names the process")
def folder_in_use():
    with folder() as data, Server(data) as server:
        for arguments in (["run", "--port", "0"], ["replay", "-"]):
            tocsin(*arguments, "--data-dir", data, stdin=b"", timeout=30).failed_clearly(f"process {server.process.pid}")
        post(server, line("x", NOW, temperature=20))


@check("lifecycle: every line of the log is JSON, and nothing else is on standard error")
def json_log():
    with folder() as data:
        server = Server(data, environment={"LOG_LEVEL": "debug"})
        post(server, line("x", NOW, temperature=20))
        equal(server.stop(), 0, "exit code")
        records = []
        for text in server.log.splitlines():
            try:
                records.append(json.loads(text))
            except ValueError:
                raise AssertionError(f"not JSON: {shortened(text)}")
        expect(records, "the log is empty")


@check("lifecycle: standard input as a source of run")
def standard_input():
    with folder() as data:
        process = subprocess.Popen(
            [BINARY, "run", "--port", "0", "--data-dir", str(data), "--set", "sources.0.kind=stdin"], stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=ENVIRONMENT)
        try:
            process.stdin.write("".join(line("i", NOW - 60 + n, temperature=20) for n in range(30)).encode())
            process.stdin.close()
            process.stdin = None
            deadline = time.monotonic() + 20
            while time.monotonic() < deadline and process.poll() is None:
                if (data / "tocsin.sqlite").exists():
                    try:
                        if len(stored_events(data)) == 30:
                            break
                    except Exception:
                        pass
                time.sleep(0.1)
            expect(process.poll() is None, f"run ended with its input: {process.returncode}")
            process.send_signal(signal.SIGTERM)
            out, err = process.communicate(timeout=20)
            equal(process.returncode, 0, f"exit code ({shortened(err.decode())})")
            equal(len(stored_events(data)), 30, "events stored")
        finally:
            process.kill()
            process.wait()


@check("lifecycle: a source that ends by itself while the process is ending is no failure")
def ends_meanwhile():
    with folder() as path:
        os.mkfifo(path / "pipe")
        (path / "tocsin.yaml").write_text(json.dumps({"sources": [{"kind": "file", "name": "pipe", "path": str(path / "pipe"), "format": "json"}]}))
        server = Server(path / "data", "--config", path / "tocsin.yaml")
        with open(path / "pipe", "w") as pipe:
            pipe.write(line("a", int(time.time()), value=1))
            pipe.flush()
            soon(lambda: "tocsin_readings_stored_total 1\n" in server.get("/metrics").text, 20, "the reading is stored")
            # A request that does not end holds up the server, and with it the others.
            with socket.create_connection(("127.0.0.1", server.port)) as held:
                held.sendall(b"POST /ingest HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{")
                server.process.send_signal(signal.SIGTERM)

                def refuses():
                    with contextlib.suppress(OSError):
                        socket.create_connection(("127.0.0.1", server.port), 1).close()
                        return False
                    return True

                soon(refuses, 20, "the server takes no more connections")
                pipe.close()
                soon(lambda: "source ended" in server.log, 20, "the source ends")
                # Its service ends a moment later, which nothing tells.
                time.sleep(0.5)
        equal(server.ended(), 0, "exit code")


main()

"""The commands as a person meets them: help, exit codes, configuration checks, simulated data, scores."""

import csv
import json
import random
import socket
import subprocess
import sys

sys.dont_write_bytecode = True
from support.harness import BINARY, ENVIRONMENT, Server, check, equal, expect, folder, main, shortened, tocsin

COMMANDS = [
    ["demo"], ["run"], ["simulate"], ["send"], ["alert"], ["replay"], ["score"], ["train"], ["check"], ["dead-letters"],
]
START = "2025-10-01T00:00:00Z"


@check("cli: --help of every command has examples")
def help_has_examples():
    top = tocsin("--help").ended(0)
    for command in COMMANDS:
        expect(command[0] in top.out, f"tocsin --help does not name {command[0]}")
        finished = tocsin(*command, "--help").ended(0)
        expect("Example" in finished.out, f"{finished} has no examples")
        expect(f"tocsin {command[0]}" in finished.out, f"{finished}: no example calls the command")
    expect("Exit codes" in top.out, "tocsin --help does not list the exit codes")


@check("cli: --version")
def version():
    finished = tocsin("--version").ended(0)
    expect(finished.out.strip()[:1].isdigit(), f"not a version: {finished.out!r}")


@check("cli: wrong arguments end with 64 and say what was wrong")
def wrong_arguments():
    for arguments in (["run", "--prot", "1"], ["simulate", "--profile", "plnat"], ["nosuchcommand"], ["replay"],
                      ["simulate", "--max-events", "-1"], ["simulate", "--kinds", "spkie"], ["run", "--set", "novalue"],
                      ["dead-letters", "list", "--limit", "0"], ["simulate", "--sensors", "x"]):
        finished = tocsin(*arguments).ended(64)
        expect(arguments[-1] in finished.err or arguments[-2] in finished.err or "Usage" in finished.err,
               f"{finished}: unclear: {shortened(finished.err)}")


@check("cli: completion scripts")
def completions():
    for shell in ("bash", "zsh", "fish"):
        script = tocsin("--generate-completion-script", shell).ended(0).out
        expect("tocsin" in script and "dead-letters" in script, f"the {shell} script does not name the commands")
    parsed = subprocess.run(["bash", "-n"], input=tocsin("--generate-completion-script", "bash").out.encode(), capture_output=True)
    equal(parsed.returncode, 0, f"bash -n on the bash script: {parsed.stderr[:200]}")


@check("cli: check says ok for a good configuration")
def check_ok():
    with folder() as data:
        config = data / "tocsin.yaml"
        config.write_text(f"data:\n  directory: {data}/data\nserver:\n  port: 0\nengine:\n  shards: 2\n")
        finished = tocsin("check", "--config", config).ended(0)
        expect(finished.out.startswith("ok") and "FAIL" not in finished.out, shortened(finished.out))


@check("cli: check passes the example configuration")
def check_example():
    with folder() as data:
        finished = tocsin("check", "--config", "tocsin.example.yaml", "--data-dir", data, "--set", "server.port=0")
        equal(finished.code, 0, f"tocsin.example.yaml: {shortened(finished.text)}")


@check("cli: check reports every mistake with its line and the near miss")
def check_mistakes():
    with folder() as data:
        config = data / "bad.yaml"
        config.write_text("server:\n  prot: 9000\nengine:\n  shards: many\nwindws:\n  - size: 60s\n")
        finished = tocsin("check", "--config", config).ended(78)
        for word in ("prot", "`port`", "bad.yaml:2", "shards", "bad.yaml:4", "windws", "`windows`", "bad.yaml:5"):
            expect(word in finished.err, f"no {word} in: {shortened(finished.err)}")
        finished = tocsin("check", "--data-dir", data, "--set", "server.prot=1").ended(78)
        expect("port" in finished.err, f"--set: no near miss: {shortened(finished.err)}")
        finished = tocsin("run", "--data-dir", data, environment={"ENGINE_SHARDS": "many"}).ended(78)
        expect("ENGINE_SHARDS" in finished.err, f"the variable is not named: {shortened(finished.err)}")
        finished = tocsin("check", "--config", data / "missing.yaml").ended(78)
        expect("missing.yaml" in finished.err, shortened(finished.err))
        config.write_bytes(bytes(range(256)) * 4)
        tocsin("check", "--config", config).ended(78)


@check("cli: check finds a port in use and a source that is missing")
def check_unreachable():
    with folder() as data, socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        finished = tocsin("check", "--data-dir", data, "--set", f"server.port={port}").failed_clearly(port, "in use")
        expect("FAIL" in finished.out, f"no FAIL line: {shortened(finished.out)}")
        finished = tocsin(
            "check", "--data-dir", data, "--set", "server.port=0", "--set", "sources.0.kind=file",
            "--set", "sources.0.path=/nowhere/x.csv").failed_clearly("/nowhere/x.csv")
        expect("FAIL" in finished.out, f"no FAIL line: {shortened(finished.out)}")


@check("cli: check beside a running server")
def check_running():
    with folder() as data, Server(data) as server:
        finished = tocsin("check", "--data-dir", data, "--set", f"server.port={server.port}").failed_clearly("in use")
        expect("Fatal" not in finished.text, shortened(finished.text))


@check("cli: check --show prints every value and no secret")
def check_show():
    secrets = {
        "ALERTS_WEBHOOKS_0_URL": "https://hooks.example.com/services/T0PS3CRET?key=QUERYSECRET",
        "ALERTS_WEBHOOKS_0_SECRET": "hush-hush-0815",
        "ALERTS_WEBHOOKS_0_HEADERS": "Authorization=Bearer-abc-4711",
    }
    finished = tocsin("check", "--show", "--set", "engine.shards=3", environment=secrets).ended(0)
    for secret in ("T0PS3CRET", "QUERYSECRET", "hush-hush", "abc-4711"):
        expect(secret not in finished.text, f"it shows {secret}")
    expect("shards" in finished.out and "3" in finished.out, shortened(finished.out))
    expect("Authorization" in finished.out, f"the header's name is missing: {shortened(finished.out)}")


@check("cli: docs/configuration.md is what the program prints")
def reference():
    with open("docs/configuration.md", encoding="utf-8") as file:
        expect(file.read().strip() == tocsin("check", "--reference").ended(0).out.strip(), "they differ: make the file anew")


@check("cli: simulate gives the same bytes for the same seed")
def same_seed():
    for profile in ("plant", "machine", "fleet", "smoke"):
        first, again, other = (
            tocsin("simulate", "--profile", profile, "--max-events", 500, "--seed", seed).ended(0).out for seed in (7, 7, 8))
        equal(len(first.splitlines()) - (0 if first.startswith("{") else 1), 500, f"{profile}: events")
        expect(first == again, f"{profile}: the same seed gave different bytes")
        expect(first != other, f"{profile}: another seed gave the same bytes")


@check("cli: simulate writes labels only with --labels")
def labels():
    arguments = ["simulate", "--profile", "machine", "--max-events", 3000, "--anomaly-rate", 0.2]
    plain, labelled = tocsin(*arguments).out, tocsin(*arguments, "--labels").out
    expect("anomaly_" not in plain, "labels without --labels")
    events = [json.loads(text) for text in labelled.splitlines()]
    expect(all("anomaly_injected" in event for event in events), "an event has no label")
    expect(any(event["anomaly_injected"] and event.get("anomaly_type") for event in events), "no event is anomalous")
    strip = ("anomaly_injected", "anomaly_type")
    bare = [{name: value for name, value in event.items() if name not in strip} for event in events]
    equal(bare, [json.loads(text) for text in plain.splitlines()], "the values change with --labels")


@check("cli: simulate --profile plant has 15 to 25 % anomalies as described")
def plant():
    events = [json.loads(text) for text in tocsin("simulate", "--profile", "plant", "--max-events", 5000, "--labels").out.splitlines()]
    equal(len(events), 5000, "events")
    equal(len({event["sensor_id"] for event in events}), 5, "sensors")
    anomalous = [event for event in events if event["anomaly_injected"]]
    share = len(anomalous) / len(events)
    expect(0.15 <= share <= 0.25, f"share of anomalies {share:.3f}")
    for event in anomalous:
        expect(80 <= event["temperature"] <= 120 or 0 <= event["humidity"] <= 20, f"not extreme: {event}")
    for event in events:
        if not event["anomaly_injected"]:
            expect(10 < event["temperature"] < 40 and 30 < event["humidity"] < 70, f"not normal: {event}")


@check("cli: simulate to a file, with episodes and CSV")
def simulate_file():
    with folder() as data:
        target, episodes = data / "out.csv", data / "episodes.json"
        finished = tocsin("simulate", "--profile", "machine", "--format", "csv", "--max-events", 1234, "--labels",
                          "--to", target, "--episodes", episodes).ended(0)
        expect("1234" in finished.err.replace(",", ""), f"no summary: {finished.err!r}")
        with open(target, newline="") as file:
            equal(len(list(csv.DictReader(file))), 1234, "rows")
        for text in episodes.read_text().splitlines():
            expect({"sensor_id", "kind", "start", "end"} <= json.loads(text).keys(), f"episode {text}")
        tocsin("simulate", "--max-events", 1, "--to", data / "no" / "folder.json").failed_clearly("folder.json")


@check("cli: simulate to POST /ingest")
def simulate_http():
    with folder() as data, Server(data) as server:
        address = f"http://127.0.0.1:{server.port}/ingest"
        tocsin("simulate", "--profile", "plant", "--max-events", 2000, "--start", START, "--to", address).ended(0)
        expect("tocsin_events_total 2000\n" in server.get("/metrics").text, "the server did not count 2000 events")
        tocsin("simulate", "--max-events", 1, "--to", address.replace("/ingest", "/nowhere")).failed_clearly("404")
    tocsin("simulate", "--max-events", 1, "--to", address, timeout=60).failed_clearly(str(server.port))


@check("cli: simulate ends with 0 when the reader of its pipe goes away")
def closed_pipe():
    process = subprocess.Popen([BINARY, "simulate", "--profile", "fleet", "--speed", "0"], stdout=subprocess.PIPE,
                               stderr=subprocess.PIPE, env=ENVIRONMENT)
    try:
        expect(process.stdout.readline().startswith(b"{"), "no first line")
        process.stdout.close()
        equal(process.wait(timeout=20), 0, f"exit code ({process.stderr.read()[:200]})")
    finally:
        process.kill()
        process.wait()


@check("cli: score gives one row per row and never looks ahead")
def score():
    generator = random.Random(5)
    with folder() as data:
        table = data / "values.csv"
        lines = ["time,a,b"]
        for number in range(1200):
            a = 20 + generator.gauss(0, 0.5) + (15 if 900 <= number < 903 else 0)
            lines.append(f"{1_700_000_000 + 60 * number},{a:.3f},{5 + generator.gauss(0, 0.1):.3f}")
        table.write_text("\n".join(lines) + "\n")
        part = data / "part.csv"
        part.write_text("\n".join(lines[:1001]) + "\n")
        results = []
        for source in (table, part):
            out = data / (source.stem + "-scores.csv")
            tocsin("score", source, "--time", "time", "--values", "a,b", "--out", out).ended(0)
            results.append(out.read_text().splitlines())
        equal(results[0][0], "time,score,p_value,is_anomaly,kind", "header")
        equal(len(results[0]), 1201, "rows with header")
        expect(results[0][:1001] == results[1], "the first 1000 rows alone give other scores")
        found = [row.split(",") for row in results[0][901:904]]
        expect(any(row[3] in ("1", "true") for row in found), f"the spike is not found: {found}")
        tocsin("score", data / "none.csv", "--time", "time", "--values", "a", "--out", data / "o.csv").failed_clearly("none.csv")
        finished = tocsin("score", table, "--time", "time", "--values", "nosuch", "--out", data / "o.csv")
        expect(finished.code in (1, 64) and "nosuch" in finished.err, f"{finished.code} {shortened(finished.text)}")


@check("cli: score writes over nothing that it needs or cannot replace")
def score_output():
    with folder() as data:
        table, link, out = data / "values.csv", data / "link.csv", data / "out.csv"
        text = "time,a\n" + "".join(f"{1_700_000_000 + number},{number % 7}\n" for number in range(100))
        table.write_text(text)
        link.symlink_to(table)
        out.write_text("of yesterday")
        for target in (table, link):
            finished = tocsin("score", table, "--time", "time", "--values", "a", "--out", target)
            expect(finished.code in (1, 64) and "--out" in finished.err, f"{finished.code} {shortened(finished.text)}")
            equal(table.read_text(), text, "the input")
        for arguments in ((data / "none.csv", "--values", "a"), (table, "--values", "nosuch")):
            finished = tocsin("score", *arguments, "--time", "time", "--out", out)
            expect(finished.code in (1, 64), f"{finished.code} {shortened(finished.text)}")
            equal(out.read_text(), "of yesterday", "the output of an earlier run")


main()

"""Models and decisions as a person meets them: train, score, tune, explain, forecast, and answers to alarms."""

import json
import math
import random
import sys
import time

sys.dont_write_bytecode = True
from support.harness import Server, check, equal, expect, folder, line, main, rows, shortened, soon, tocsin

NOW = int(time.time())


def wave(path, rows, jumps=()):
    """One sensor, a reading every 10 s: a slow wave with noise, and jumps."""
    generator = random.Random(7)
    lines = ["time,sensor_id,temperature,pressure"]
    for number in range(rows):
        value = 20 + 3 * math.sin(number / 360 * 2 * math.pi) + generator.gauss(0, 0.3)
        value += 25 if number in jumps else 0
        lines.append(f"{1_760_000_000 + 10 * number},pump,{value:.3f},{5 + 0.1 * value + generator.gauss(0, 0.05):.3f}")
    path.write_text("\n".join(lines) + "\n")
    return path


@check("models: train makes an LSTM that score and replay use, and says what it learnt from")
def sequence():
    with folder() as data:
        table = wave(data / "wave.csv", 9000)
        settings = ("--set", "detection.lstm.units=16,8", "--set", "detection.lstm.epochs=2", "--set", "detection.lstm.sequenceLength=10")
        finished = tocsin("train", table, "--model", "lstm", "--metric", "temperature", "--data-dir", data / "store", *settings).ended(0)
        for word in ("lstm:temperature version 1", "windows", "validation", "threshold", "false alarms"):
            expect(word in finished.out, f"'{word}' is missing: {shortened(finished.out)}")
        again = tocsin("train", table, "--model", "lstm", "--data-dir", data / "store", *settings).ended(0)
        expect("lstm:temperature version 2" in again.out and "lstm:pressure version 1" in again.out, shortened(again.out))
        tocsin("replay", table, "--data-dir", data / "store", "--quiet").ended(0)
        tocsin("train", table, "--model", "lstm", "--metric", "nosuch", "--out", data / "x").failed_clearly("nosuch")
        finished = tocsin("train", table, "--model", "random-forest", "--out", data / "x")
        expect(finished.code in (1, 64) and "--labels" in finished.err, f"{finished.code} {shortened(finished.text)}")


@check("models: the environment's words set the LSTM")
def environment():
    with folder() as data:
        table = wave(data / "wave.csv", 6000)
        finished = tocsin(
            "train", table, "--model", "lstm", "--metric", "temperature", "--out", data / "lstm",
            environment={"LSTM_UNITS": "12,6", "SEQUENCE_LENGTH": "8", "EPOCHS": "1", "BATCH_SIZE": "32", "ANOMALY_THRESHOLD": "0.9"})
        finished.ended(0)
        expect("12-6, 8 steps" in finished.out and "1 epochs" in finished.out and "0.9 quantile" in finished.out, shortened(finished.out))
        expect((data / "lstm").read_bytes().startswith(b"TOCSINSA"), "no model file")


@check("models: train reads the raw events of the store")
def store():
    with folder() as data:
        table = wave(data / "wave.csv", 2000)
        tocsin("replay", table, "--store-events", "--data-dir", data / "store", "--quiet").ended(0)
        finished = tocsin("train", "--from", "store", "--data-dir", data / "store").ended(0)
        expect("2000" in finished.out, shortened(finished.out))
        missing = tocsin("train", "--from", "store", "--data-dir", data / "none").ended(64)
        expect("there is no store" in missing.err, shortened(missing.text))


@check("models: score takes every detector that is listed, and draws")
def detectors():
    with folder() as data:
        table = wave(data / "wave.csv", 1500, jumps=(1200, 1201, 1202))
        for name in ("default", "asset-chart", "online-forest", "shingle-clusters"):
            out = data / f"{name}.csv"
            tocsin(
                "score", table, "--time", "time", "--values", "temperature,pressure", "--detector", name, "--train-rows", "400",
                "--out", out, "--plot", data / f"{name}.svg").ended(0)
            equal(len(out.read_text().splitlines()), 1501, f"rows of {name}")
            expect((data / f"{name}.svg").read_text().startswith("<svg"), f"no picture of {name}")
        rows = [row.split(",") for row in (data / "default.csv").read_text().splitlines()]
        expect(any(row[3] == "1" for row in rows[1201:1206]), f"the jump is not found: {rows[1201:1206]}")
        finished = tocsin("score", table, "--time", "time", "--values", "temperature", "--detector", "nosuch")
        expect(finished.code == 64 and "nosuch" in finished.err, f"{finished.code} {shortened(finished.text)}")


@check("models: replay takes every detector that is listed, alone, with models from files, and refuses others")
def replayed():
    with folder() as data:
        table = wave(data / "wave.csv", 1500, jumps=(1200, 1201, 1202))
        heard = {}
        for name in ("default", "bank", "event-forest", "window-forest", "ensemble", "fire", "asset-chart", "online-forest", "novelty",
                     "shingle-clusters", "pca-error", "windowed-gaussian"):
            finished = tocsin("replay", table, "--detector", name, "--train-rows", "400", "--json", "--data-dir", data / name).ended(0)
            report = json.loads(finished.out)
            equal(report["detector"], name, "the detector in the report")
            equal(report["stored"], 3000, f"readings stored with {name}")
            heard[name] = {row[0] for row in rows(data / name, "SELECT DISTINCT model FROM anomalies")}
            equal(report["alarms"], rows(data / name, "SELECT COUNT(*) FROM alarms")[0][0], f"alarms of {name}")
        equal(heard["bank"], {"bank"}, "who spoke")
        expect("bank" in heard["default"] and len(heard["default"]) > 1, f"default is several: {heard}")
        expect(heard["ensemble"] <= {"novelty", "asset-chart"}, f"{heard}")
        equal(heard["asset-chart"], {"asset-chart"}, "who spoke")
        for name in ("event-forest", "window-forest", "fire", "online-forest", "novelty", "shingle-clusters", "pca-error",
                     "windowed-gaussian"):
            expect(heard[name] <= {name}, f"{name}: {heard[name]}")
        equal(heard["fire"], set(), "a pump has no fire")
        for name in ("novelty", "windowed-gaussian"):
            expect(heard[name], f"{name} finds nothing")
        names = tocsin("evaluate", "list").ended(0).out.split("smoke, occupancy")[0]
        help = tocsin("replay", "--help").ended(0).out
        finished = tocsin("replay", table, "--detector", "nosuch")
        expect(finished.code == 64 and "nosuch" in finished.err, f"{finished.code} {shortened(finished.text)}")
        for entry in (line.split()[0] for line in names.splitlines()[1:] if line.strip()):
            expect(entry in finished.err or entry == "forest-hindsight", f"{entry} is not in the list: {shortened(finished.err)}")
        expect("--detector" in help and "--plots" in help, shortened(help))
        finished = tocsin("replay", table, "--detector", "forest", "--train-rows", "5000")
        expect(finished.code == 64 and "5000 rows" in finished.err, f"{finished.code} {shortened(finished.text)}")


@check("models: replay takes models from files: a forest, an LSTM of a metric; random-forest needs one")
def replayed_models():
    with folder() as data:
        table = wave(data / "wave.csv", 6000, jumps=(5500, 5501, 5502))
        quiet = wave(data / "quiet.csv", 6000)
        lstm = ("--set", "detection.lstm.units=8,4", "--set", "detection.lstm.epochs=1", "--set", "detection.lstm.sequenceLength=8")
        tocsin("train", quiet, "--out", data / "a.forest").ended(0)
        tocsin("train", quiet, "--model", "lstm", "--metric", "temperature", "--out", data / "a.lstm", *lstm).ended(0)
        finished = tocsin("replay", table, "--detector", "event-forest", "--model", data / "a.forest", "--json", "--data-dir", data / "f").ended(0)
        expect(json.loads(finished.out)["alarms"] >= 1, shortened(finished.out))
        tocsin("replay", table, "--detector", "lstm", "--model", f"temperature={data / 'a.lstm'}", "--data-dir", data / "l", "--quiet").ended(0)
        expect({row[0] for row in rows(data / "l", "SELECT DISTINCT model FROM anomalies")} <= {"lstm"}, "who spoke")
        for arguments, word in (
            (("--detector", "lstm", "--model", data / "a.lstm"), "METRIC="), (("--detector", "random-forest"), "trained model"),
            (("--detector", "forest", "--model", data / "a.forest"), "--model"), (("--model", table), "no model"),
        ):
            finished = tocsin("replay", table, *arguments)
            expect(finished.code in (1, 64) and word in finished.err, f"{arguments}: {finished.code} {shortened(finished.text)}")


@check("models: replay draws each sensor's recording with its incidents")
def pictures():
    with folder() as data:
        table = wave(data / "wave.csv", 1500, jumps=(1200, 1201, 1202))
        finished = tocsin("replay", table, "--plots", data / "plots", "--data-dir", data / "store").ended(0)
        expect("pictures" in finished.out, shortened(finished.out))
        picture = (data / "plots" / "pump.svg").read_text()
        for word in ("<svg", "temperature", "pressure", "expected", "incident", "spike"):
            expect(word in picture, f"'{word}' is missing in the picture")


@check("models: tune finds the score that keeps a budget, and the rule holds")
def tune():
    with folder() as data:
        jumps = set(range(1000, 17000, 400))
        table = wave(data / "wave.csv", 17280, jumps)
        finished = tocsin("tune", table, "--per-day", "1").ended(0)
        expect("rules:" in finished.out and "minimumScore" in finished.out, shortened(finished.out))
        rules = data / "rules.yaml"
        rules.write_text(finished.out[finished.out.index("rules:"):])
        before = json.loads(tocsin("replay", table, "--json").ended(0).out)
        after = json.loads(tocsin("replay", table, "--json", "--config", rules).ended(0).out)
        expect(after["alarms"] <= 2 < before["alarms"], f"{before['alarms']} alarms before, {after['alarms']} after")


@check("models: explain shows a finding by id and alarm, with a picture, and says what is wrong with an id")
def explain():
    with folder() as data:
        table = wave(data / "wave.csv", 1500, jumps=(1300,))
        tocsin("replay", table, "--store-events", "--data-dir", data / "store", "--quiet").ended(0)
        newest = tocsin("explain", "--last", "--data-dir", data / "store", "--out", data / "e.svg").ended(0).out
        for word in ("anomaly", "detector", "score", "expected", "alarm", "before"):
            expect(word in newest, f"'{word}' is missing: {shortened(newest)}")
        expect((data / "e.svg").read_text().startswith("<svg"), "no picture")
        listed = tocsin("explain", "--list", "--data-dir", data / "store").ended(0).out.split()
        one = json.loads(tocsin("explain", listed[0], "--json", "--data-dir", data / "store").ended(0).out)
        expect(isinstance(one, dict) and one, "no JSON")
        finished = tocsin("explain", "ffffffffffffffff", "--data-dir", data / "store")
        expect(finished.code in (1, 64) and "ffff" in finished.err, f"{finished.code} {shortened(finished.text)}")
        finished = tocsin("explain", "--last", "--data-dir", data / "none")
        expect(finished.code in (1, 64) and "there is no store" in finished.err, f"{finished.code} {shortened(finished.text)}")


@check("models: check names a maintenance time that is none, and a class that is not there")
def rules():
    with folder() as data:
        for text, word in (
            ('maintenance: [{when: "Sat 25:00"}]', "Sat 25:00"), ("rules: [{class: pumps, learns: false}]", "pumps"),
        ):
            (data / "tocsin.yaml").write_text(text)
            for arguments in (["check"], ["replay", data / "none.csv"]):
                finished = tocsin(*arguments, "--config", data / "tocsin.yaml", "--data-dir", data / "store", "--set", "server.port=0")
                expect(finished.code != 0 and word in finished.text, f"{arguments[0]}: {finished.code} {shortened(finished.text)}")


@check("models: forecast says when a limit is reached")
def forecast():
    with folder() as data:
        table = data / "ramp.csv"
        generator = random.Random(3)
        lines = ["time,level"] + [f"{1_760_000_000 + 600 * n},{20 + 0.1 * n + generator.gauss(0, 0.2):.3f}" for n in range(500)]
        table.write_text("\n".join(lines) + "\n")
        finished = tocsin("forecast", table, "--time", "time", "--value", "level", "--horizon", "12h", "--limit", "74").ended(0)
        expect("74" in finished.out and "reaches" in finished.out, shortened(finished.out))
        finished = tocsin("forecast", table, "--time", "time", "--value", "nosuch", "--horizon", "1h")
        expect(finished.code in (1, 64) and "nosuch" in finished.err, f"{finished.code} {shortened(finished.text)}")


@check("models: an alarm called false is closed, the same again raises nothing, also after a restart")
def feedback():
    def rows(first, last):
        generator = random.Random(first)
        return "".join(
            line("pump", NOW - 4000 + second, temperature=round(20 + generator.gauss(0, 0.5), 2)) for second in range(first, last))

    def jump(second):
        return line("pump", NOW - 4000 + second, temperature=60)

    with folder() as data:
        with Server(data) as server:
            equal(server.post(rows(0, 600) + jump(600)).status, 202, "status of the readings")
            alarm = soon(lambda: server.get("/alarms?state=open").json["items"], 10, "an alarm")[0]
            path = f"/alarms/{alarm['id']}/feedback"
            wrong = server.request("POST", path, b'{"feedback": "wrong"}')
            expect(wrong.status == 400 and "real, false or expected" in wrong.text, f"{wrong}")
            equal(server.request("POST", path, b"nonsense").status, 400, "status of nonsense")
            equal(server.request("POST", "/alarms/0000000000000000/feedback", b'{"feedback": "false"}').status, 404, "status without an alarm")
            other = server.request("POST", path, b'{"feedback": "false"}', headers={"Origin": "http://elsewhere.example"})
            equal(other.status, 403, "status from another site")
            answer = server.request("POST", path, b'{"feedback": "false", "note": "door was open"}')
            equal(answer.status, 202, f"status ({answer})")
            soon(lambda: not server.get("/alarms?state=open").json["items"], 10, "the alarm is closed")
            words = soon(lambda: server.get("/feedback").json["items"], 10, "the answer is kept")
            equal((words[0]["feedback"], words[0]["alarm_id"]), ("false", alarm["id"]), "what was said")
        with Server(data) as server:
            equal(server.post(rows(1000, 1800) + jump(1800)).status, 202, "status of the readings")
            found = soon(
                lambda: [one for one in server.get("/anomalies").json["items"] if one["note"]], 10, "an anomaly with a note")
            expect("false" in found[0]["note"] and found[0]["alarm_id"] is None, f"{found[0]}")
            spikes = [one for one in server.get("/alarms?state=open").json["items"] if one["kind"] == "spike"]
            equal(spikes, [], "open alarms of the same kind")


main()

"""`tocsin evaluate` by hand: lists, judges, writes JSON, and says what is wrong with its arguments."""

import json
import subprocess
import sys

sys.dont_write_bytecode = True
from support.harness import BINARY, SHARED_DATA, check, equal, expect, folder, main, require_shared


def evaluate(*arguments):
    return subprocess.run([BINARY, "evaluate", *map(str, arguments)], capture_output=True, text=True, timeout=300)


@check("evaluate: lists its detectors and names what is wrong with its arguments")
def arguments():
    listed = evaluate("list")
    equal(listed.returncode, 0, "exit code")
    for name in ("bank", "novelty", "asset-chart", "random-forest"):
        expect(f"  {name} " in listed.stdout, f"{name} is not listed")
    for words, hint in ((("nope",), "choose from nab"), (("nab",), "needs the folder"),
                        (("types", "--detector", "nope"), "with the detector bank"), (("nab", "/nowhere"), "/nowhere")):
        answer = evaluate(*words)
        expect(answer.returncode != 0, f"{words} was taken")
        expect(hint in answer.stderr, f"{words}: {answer.stderr}")


@check("evaluate: synthetic faults are found, named, and written as JSON")
def types():
    with folder() as place:
        answer = evaluate("types", "--detector", "bank", "--amplitude", "12", "--json", place / "types.json")
        equal(answer.returncode, 0, answer.stderr)
        report = json.loads((place / "types.json").read_text())
        equal(report["suite"], "types", "suite")
        rows = {row["part"]: row for row in report["tables"][0]["rows"]}
        for kind in ("stuck", "silence", "spike"):
            expect(rows[kind]["recall"] >= 0.9, f"{kind}: {rows[kind]}")


@check("evaluate: NAB, whole and causal, on the shared recordings")
def nab():
    require_shared("nab/labels/combined_windows.json")
    with folder() as place:
        answer = evaluate("nab", SHARED_DATA, "--detector", "novelty,windowed-gaussian", "--json", place / "nab.json")
        equal(answer.returncode, 0, answer.stderr)
        tables = json.loads((place / "nab.json").read_text())["tables"]
        fixed = {(row["name"], row["part"]): row for row in tables[1]["rows"]}
        expect(fixed["novelty", "causal"]["standard"] >= 65, str(fixed))
        expect(abs(fixed["windowed-gaussian", "causal"]["standard"] - 38.3) < 0.1, "the published figure is 38.3")


main()

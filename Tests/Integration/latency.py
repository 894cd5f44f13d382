"""How long a reading takes from `POST /ingest` to the live screen, and what its inference costs."""

import sys
import time

sys.dont_write_bytecode = True
from support.harness import Live, Server, check, equal, expect, folder, line, main

READINGS = 200
PAUSE = 0.04


@check("latency: from a posted reading to /live in under 2 s, inference under 1 ms")
def latency():
    with folder() as data, Server(data) as server:
        equal(server.post(line("probe", time.time(), temperature=20)).status, 202, "status of the first reading")
        sent = {}
        with Live(server, "/live?sensor_id=probe") as stream:
            connection = server.connection()
            for number in range(READINGS):
                value = 20 + number / 1000
                body = line("probe", time.time(), temperature=value)
                sent[value] = time.monotonic()
                connection.request("POST", "/ingest", body, {"Content-Type": "application/json"})
                response = connection.getresponse()
                response.read()
                equal(response.status, 202, "status")
                time.sleep(PAUSE)
            connection.close()
            seen = {}

            def arrived(live):
                for event in live.events:
                    if event.get("name") == "readings":
                        for _, value, _, _ in event["data"]["points"]:
                            seen.setdefault(value, event["at"])
                return len(seen.keys() & sent.keys()) == READINGS

            stream.wait(arrived, 10, f"all {READINGS} readings")
        delays = sorted((seen[value] - at) * 1000 for value, at in sent.items())
        p50, p99 = delays[READINGS // 2], delays[int(READINGS * 0.99) - 1]
        inference = server.get("/api/overview").json["inference_us"]
        print(f"latency from POST to /live: p50 {p50:.0f} ms, p99 {p99:.0f} ms; inference: mean {inference['mean']} µs, p99 {inference['p99']} µs")
        expect(p99 < 2000, f"p99 {p99:.0f} ms")
        expect(0 < inference["mean"] < 1000, f"inference {inference}")


main()

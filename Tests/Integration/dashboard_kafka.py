"""Kafka on the dashboard, in a real Chromium: the connection, how far behind each partition is, and a broker that is gone."""

import os
import sys
import time

from playwright.sync_api import sync_playwright

sys.dont_write_bytecode = True
from support import kafka
from support.harness import check, equal, expect, folder, line, main, soon
from support.kafka import TOPIC, configuration, source_of

CHROMIUM = os.environ.get("CHROMIUM", "/usr/bin/chromium")
START = int(time.time()) - 1000


@check("dashboard: a source of Kafka, the messages behind by partition, and brokers that are gone")
def _():
    with folder() as place, kafka.cluster() as cluster, sync_playwright() as playwright:
        cluster.create(TOPIC, 3)
        cluster.produce(TOPIC, [(f"s{n % 9}", line(f"s{n % 9}", START + n // 9, temperature=20 + n % 3), n % 3) for n in range(900)])
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        with kafka.Process(place / "data", *configuration(place, cluster)) as server:
            page = browser.new_page(viewport={"width": 1440, "height": 900})
            problems = []
            page.on("pageerror", lambda error: problems.append(str(error)))
            page.goto(f"http://127.0.0.1:{server.port}/")

            def row():
                page.wait_for_timeout(100)
                return page.evaluate("""() => [...document.querySelectorAll('#connections-rows > tr')].map((row) => ({
                    name: row.cells[0].textContent, state: row.cells[1].textContent, healthy: row.dataset.healthy,
                    behind: row.querySelector('.behind').textContent, heard: row.cells[3].textContent,
                    parts: [...row.querySelectorAll('.partitions tbody tr')].map((part) => [...part.cells].map((cell) => cell.textContent)) }))[0]""")

            def settled():
                found = row()
                return found if found and [part[1] for part in found["parts"]] == ["0", "0", "0"] else None

            shown = soon(settled, 30, "nothing is behind in three partitions")
            equal((shown["name"], shown["healthy"], shown["behind"]), ("plant (kafka)", "true", "0"), "the connection")
            equal([part[0] for part in shown["parts"]], [f"{TOPIC}/{number}" for number in range(3)], "partitions")
            expect(shown["heard"] != "none yet", "no message was heard of")
            page.click("#connections .partitions summary")
            expect(page.is_visible("#connections .partitions tbody tr"), "the partitions do not open")

            parts = source_of(server)["parts"]
            equal([part["labels"] for part in parts], [{"topic": TOPIC, "partition": str(number)} for number in range(3)], "parts in /health")
            expect(all(part["figures"]["kafka_consumer_lag"] == 0 for part in parts), f"lag in /health: {parts}")

            cluster.down()
            gone = soon(lambda: (found := row())["healthy"] == "false" and found, 60, "the page says that the brokers are gone")
            expect("broker" in gone["state"], f"its words: {gone['state']}")
            equal(page.inner_text("#situation-heading"), "No connection to plant", "what the page says first")
            page.set_viewport_size({"width": 390, "height": 844})
            page.wait_for_timeout(300)
            equal(page.evaluate("() => document.documentElement.scrollWidth <= innerWidth"), True, "no sideways scrolling on a telephone")
            if os.environ.get("PICTURE"):
                page.set_viewport_size({"width": 1440, "height": 900})
                page.screenshot(path=os.environ["PICTURE"], full_page=True)
            equal(problems, [], "errors of the page")
        browser.close()


main()

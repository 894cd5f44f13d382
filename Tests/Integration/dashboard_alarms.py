"""What people did with an alarm, and how well the alarms do, on the dashboard in a real Chromium."""

import json
import os
import random
import sys
import time

from playwright.sync_api import sync_playwright

sys.dont_write_bytecode = True
from support.alert_receivers import channels
from support.harness import Server, check, equal, expect, folder, line, main, soon

CHROMIUM = os.environ.get("CHROMIUM", "/usr/bin/chromium")
NOW = int(time.time())
EVIL = "<img src=x onerror=alert(1)>"


@check("dashboard: who did what with an alarm and when, as text and at once, and the figures beside their targets")
def _():
    with folder() as data, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        with Server(data, "--config", channels(data, system={"enabled": False})) as server:
            generator = random.Random(1)
            server.post("".join(line("p1", NOW - 400 + n, temperature=round(25 + generator.gauss(0, 0.3), 2)) for n in range(200)))
            server.post(line("p1", NOW - 199, temperature=90))
            alarm = soon(lambda: next(iter(server.get("/alarms?state=open").json["items"]), None), 15, "the alarm")

            def do(action, **body):
                answer = server.request("POST", f"/alarms/{alarm['id']}/{action}", json.dumps(body), {"Content-Type": "application/json"})
                equal(answer.status, 202, action)

            do("comment", by=EVIL, comment=f"seen\n{EVIL}")
            page = browser.new_page(viewport={"width": 1440, "height": 900})
            problems = []
            page.on("pageerror", lambda error: problems.append(str(error)))
            page.on("dialog", lambda dialog: (problems.append(dialog.message), dialog.dismiss()))
            page.goto(f"http://127.0.0.1:{server.port}/")
            page.wait_for_selector(".alarm .more")
            expect(not page.is_visible(".alarm .history"), "the history is open before anybody asks")
            page.click(".alarm .more")
            page.wait_for_selector(".alarm .history li time")

            def lines():
                page.wait_for_timeout(50)
                return page.evaluate("""() => [...document.querySelectorAll('.alarm .history li')].map((line) => [...line.children].slice(1).map((part) => part.textContent))""")

            equal(lines(), [[EVIL, "commented", f"seen\n{EVIL}"]], "the history")
            equal(page.evaluate("() => document.querySelectorAll('img').length"), 0, "images")
            do("acknowledge", by="Ida")
            do("assign", by="Ida", to="Jo")
            do("shelve", by="Jo", **{"for": "2h"})
            shown = soon(lambda: len(found := lines()) == 4 and found, 10, "what was done since, while it is open")
            equal([parts[:2] for parts in shown[1:3]], [["Ida", "assigned it to Jo"], ["Ida", "acknowledged"]], "the newest first")
            expect(shown[0][0] == "Jo" and shown[0][1].startswith("shelved until "), f"the shelf: {shown[0]}")
            actions = server.get(f"/alarms/{alarm['id']}/actions").json["items"]
            times = page.evaluate("() => [...document.querySelectorAll('.alarm .history time')].map((time) => time.dateTime)")
            equal(times, [action["at"] for action in actions], "when")
            care = page.inner_text(".alarm .care")
            expect("acknowledged by Ida at " in care and "shelved until " in care, care)
            page.keyboard.press("Escape")
            expect(not page.is_visible(".alarm .history"), "Escape does not close it")

            page.reload()
            page.wait_for_selector("#alarm-figures-rows tr")
            rows = page.evaluate("() => [...document.querySelectorAll('#alarm-figures-rows tr')].map((row) => [...row.cells].map((cell) => cell.textContent))")
            equal(len(rows), 10, "figures")
            equal(rows[1], ["New in the worst ten minutes", "1", "at most 10", "acceptable"], "the worst ten minutes")
            equal(rows[4][2:], ["at most 1 %", "too few alarms"], "the ten worst")
            expect("p1 (spike, 1)" in page.inner_text("#alarm-figures-worst"), page.inner_text("#alarm-figures-worst"))
            if os.environ.get("PICTURE"):
                page.click(".alarm .more")
                page.wait_for_selector(".alarm .history li time")
                page.screenshot(path=os.environ["PICTURE"], full_page=True)
            page.set_viewport_size({"width": 390, "height": 844})
            page.wait_for_timeout(300)
            equal(page.evaluate("() => document.documentElement.scrollWidth <= innerWidth"), True, "no sideways scrolling on a telephone")
            equal(problems, [], "errors of the page")
        browser.close()


main()

"""What people did with an alarm, and how well the alarms do, on the dashboard in a real Chromium."""

import datetime
import json
import os
import random
import sys
import time

from playwright.sync_api import sync_playwright

sys.dont_write_bytecode = True
from support.alert_receivers import Receiver, channels
from support.harness import Server, check, equal, expect, folder, line, main, soon

CHROMIUM = os.environ.get("CHROMIUM", "/usr/bin/chromium")
NOW = int(time.time())
EVIL = "<img src=x onerror=alert(1)>"
LONG = EVIL + "W" * 200


def do(server, id, action, **body):
    answer = server.request("POST", f"/alarms/{id}/{action}", json.dumps(body), {"Content-Type": "application/json"})
    equal(answer.status, 202, action)


def spikes(server, *sensors):
    """An open alarm for each sensor; their ids by sensor."""
    generator = random.Random(1)
    server.post("".join(line(name, NOW - 400 + n, temperature=round(25 + generator.gauss(0, 0.3), 2)) for n in range(200) for name in sensors))
    server.post("".join(line(name, NOW - 199, temperature=90) for name in sensors))

    def found():
        alarms = {item["sensor_id"]: item["id"] for item in server.get("/alarms?state=open").json["items"]}
        return alarms if set(sensors) <= set(alarms) else None

    return soon(found, 15, "the alarms")


def watched(page, problems):
    """Errors, scripts that run and questions; these are answered with yes."""
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on("dialog", lambda dialog: (problems.append(dialog.message), dialog.accept()))
    return page


def fits(page):
    page.set_viewport_size({"width": 390, "height": 844})
    page.wait_for_timeout(300)
    equal(page.evaluate("() => document.documentElement.scrollWidth <= innerWidth"), True, "no sideways scrolling on a telephone")
    equal(page.evaluate("() => document.querySelectorAll('img').length"), 0, "images")


def clock(text):
    """A time of the API as the page in this zone writes it."""
    return datetime.datetime.fromisoformat(text[:19] + "+00:00").astimezone().strftime("%H:%M:%S")


def in_view(page, selector):
    return page.evaluate("(selector) => { const box = document.querySelector(selector).getBoundingClientRect(); return box.top >= 0 && box.top < innerHeight; }", selector)


@check("dashboard: who did what with an alarm and when, as text and at once, and the figures beside their targets")
def _():
    with folder() as data, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        with Server(data, "--config", channels(data, system={"enabled": False})) as server:
            alarm = spikes(server, "p1")["p1"]
            do(server, alarm, "comment", by=EVIL, comment=f"seen\n{EVIL}")
            problems = []
            page = watched(browser.new_page(viewport={"width": 1440, "height": 900}), problems)
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
            do(server, alarm, "acknowledge", by="Ida")
            do(server, alarm, "assign", by="Ida", to="Jo")
            do(server, alarm, "shelve", by="Jo", **{"for": "2h"})
            shown = soon(lambda: len(found := lines()) == 4 and found, 10, "what was done since, while it is open")
            equal([parts[:2] for parts in shown[1:3]], [["Ida", "assigned it to Jo"], ["Ida", "acknowledged"]], "the newest first")
            expect(shown[0][0] == "Jo" and shown[0][1].startswith("shelved until "), f"the shelf: {shown[0]}")
            actions = server.get(f"/alarms/{alarm}/actions").json["items"]
            times = page.evaluate("() => [...document.querySelectorAll('.alarm .history time')].map((time) => time.dateTime)")
            equal(times, [action["at"] for action in actions], "when")
            at = next(action["at"] for action in actions if action["action"] == "acknowledge")
            soon(lambda: f"acknowledged by Ida at {clock(at)}" in page.inner_text(".alarm .care"), 10, f"the card says {clock(at)} as the history does")
            expect("shelved until " in page.inner_text(".alarm .care"), page.inner_text(".alarm .care"))
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
            fits(page)
            equal(problems, [], "errors of the page")
        browser.close()


@check("dashboard: a link leads to its alarm with history and charts, whether it is open or over, and says so of one that never was")
def _():
    with folder() as data, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        with Server(data, "--config", channels(data, system={"enabled": False})) as server:
            alarms = spikes(server, *(f"p{number}" for number in range(1, 8)))
            do(server, alarms["p1"], "comment", by="Ida", comment="on my way")
            problems = []
            page = watched(browser.new_page(viewport={"width": 1280, "height": 900}), problems)
            link = f"http://127.0.0.1:{server.port}/?alarm="
            page.goto(link + alarms["p1"])
            page.wait_for_selector("#alarm-list .alarm.linked .history li q")
            equal(page.get_attribute(".alarm.linked", "data-sensor"), "p1", "the alarm that is marked")
            equal(page.locator("[aria-current=true]").count(), 1, "marks")
            expect(in_view(page, ".alarm.linked"), "it is out of sight")
            expect("p1" in page.locator(".card h3").all_inner_texts(), f"charts of {page.locator('.card h3').all_inner_texts()}")
            equal(page.evaluate("() => localStorage.getItem('tocsin.pins')"), None, "sensors that are kept on the board")
            expect(not page.is_visible("#linked"), "it stands at the top as well")

            # Somebody handles it while the page is open.
            do(server, alarms["p1"], "feedback", feedback="expected")
            page.wait_for_selector("#linked .alarm[data-state=cleared]")
            expect("Cleared " in page.inner_text("#linked .fate"), page.inner_text("#linked"))
            expect(in_view(page, "#linked-heading"), "it leaves whoever reads it")
            page.click("#linked-close")
            expect(not page.is_visible("#linked") and "alarm=" not in page.url, f"it stays after it was closed: {page.url}")

            page.set_viewport_size({"width": 390, "height": 844})
            page.goto(link + alarms["p1"])
            page.wait_for_selector("#linked .alarm.linked .history li q")
            expect("temperature of p1" in page.inner_text("#linked .sentence"), page.inner_text("#linked"))
            expect(in_view(page, "#linked-heading"), "it is out of sight on a telephone")

            for unknown in ("0123456789abcdef", "performance", "..", "%3Cimg%20src%3Dx%3E" * 20):
                page.goto(link + unknown)
                page.wait_for_selector("#linked-note:not(:empty)")
                expect("There is no alarm" in page.inner_text("#linked-note"), page.inner_text("#linked-note"))
                equal(page.locator("#linked .alarm, .alarm.linked").count(), 0, f"cards for {unknown}")
                expect(in_view(page, "#linked"), "what is said is out of sight")
            page.evaluate("() => scrollTo(0, document.body.scrollHeight)")
            page.wait_for_timeout(1500)
            expect(not in_view(page, "#linked"), "whoever scrolls on is brought back")
            fits(page)
            equal(problems, [], "errors of the page")
        browser.close()


@check("dashboard: alerts that were given up, why, each sent again or discarded by itself; a failing channel says why")
def _():
    with folder() as data, Receiver() as receiver, sync_playwright() as playwright:
        receiver.status = 400
        hook = {"kind": "webhook", "name": "mes", "url": receiver.url}
        away = {"kind": "webhook", "name": "away", "url": "http://127.0.0.1:1/hook"}
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        with Server(data, "--config", channels(data, hook, away, system={"enabled": False})) as server:
            alarms = spikes(server, "p1", "p2", LONG)
            letters = soon(lambda: len(found := server.get("/alerts/dead").json["items"]) == 3 and found, 15, "three dead letters")
            problems = []
            page = watched(browser.new_page(viewport={"width": 1280, "height": 900}), problems)
            page.goto(f"http://127.0.0.1:{server.port}/")
            page.wait_for_selector("#dead-list li")
            rows = page.locator("#dead-list li")
            sensor = lambda number: letters[number]["alarm"]["sensor_id"]
            equal([rows.nth(n).locator("a").get_attribute("title") for n in range(3)], [sensor(n) for n in range(3)], "the newest first")
            first = rows.nth(0).inner_text()
            expect("spike · raised" in first and "to mes" in first and "400" in first and "given up " in first, first)
            equal(rows.nth(0).locator("a").get_attribute("href"), f"?alarm={alarms[sensor(0)]}", "the link of the alarm")

            failing = page.locator("#channels-rows tr", has_text="away")
            reason = next(item for item in server.get("/alerts/channels").json["items"] if item["channel"] == "away")["last_error"]
            equal(failing.locator(".why").inner_text(), reason, "why the channel fails")
            fits(page)

            # By keyboard: the focus goes on to the next letter.
            receiver.status = 200
            rows.nth(0).locator("[data-letter=resend]").focus()
            page.keyboard.press("Enter")
            soon(lambda: receiver.steps() == [f"raised {sensor(0)}"], 10, "the one that was sent again")
            soon(lambda: page.wait_for_timeout(50) or rows.count() == 2, 10, "it is gone from the list")
            equal(page.evaluate("() => document.activeElement.closest('li')?.querySelector('a').title"), sensor(1), "the focus")
            expect("Sent again: raised" in page.inner_text("#dead-said"), page.inner_text("#dead-said"))
            rows.nth(0).locator("[data-letter=discard]").click()
            soon(lambda: page.wait_for_timeout(50) or rows.count() == 1, 10, "the discarded one is gone from the list")
            equal([item["alarm"]["sensor_id"] for item in server.get("/alerts/dead").json["items"]], [sensor(2)], "what is left")
            page.click("[data-dead=resend]")
            soon(lambda: page.wait_for_timeout(50) or not page.is_visible("#dead-letters"), 10, "the list is gone")
            equal(page.inner_text("#dead-said"), "1 sent again", "what is said")
            equal(sorted(receiver.steps()), sorted([f"raised {sensor(0)}", f"raised {sensor(2)}"]), "what was sent")
            expect(len(problems) == 1 and problems[0].startswith("Throw this alert away?"), f"questions and errors: {problems}")

            # Ten thousand, and whatever a receiver may answer.
            alarm = server.get(f"/alarms/{alarms['p1']}").json | {"sensor_id": LONG, "sentence": LONG * 3}
            letter = {"channel": LONG, "reason": LONG * 10, "step": "raised", "attempts": 3, "recorded": alarm["raised"], "given_up": alarm["raised"], "alarm": alarm}
            channel = {"channel": LONG, "waiting": 1, "dead": 10_000, "failures": 3, "last_error": LONG * 10}
            page.route("**/alerts/dead?*", lambda route: route.fulfill(json={"items": [letter | {"id": n} for n in range(50)], "total": 10_000}))
            page.route("**/alerts/channels", lambda route: route.fulfill(json={"items": [channel]}))
            page.reload()
            page.wait_for_selector("#dead-list li")
            equal(rows.count(), 50, "letters")
            expect("9,950 more" in page.inner_text("#dead-letters-more"), page.inner_text("#dead-letters-more"))
            why = page.locator("#channels-rows .why").first
            expect(len(why.inner_text()) <= 161 and why.get_attribute("title") == LONG * 10, "the error is not shortened, or its title is")
            fits(page)
            equal(len(problems), 1, f"errors of the page: {problems}")
        browser.close()


main()

"""The dashboard in a real Chromium, against `tocsin demo`.

Prints one line per check, `PASS name` or `FAIL name: why`, and exits 1 if any failed. `scripts/test` runs it with the
Python of `.build/venv` (which holds Playwright) and Debian's chromium. With TOCSIN_URL set it tests the server there
instead of starting one.
"""

import contextlib
import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.parse
import urllib.request

from playwright.sync_api import Error, sync_playwright

ROOT = pathlib.Path(__file__).resolve().parents[2]
BINARY = ROOT / ".build" / "release" / "tocsin"
CHROMIUM = os.environ.get("CHROMIUM", "/usr/bin/chromium")
FIRST_SIGHT = 30  # seconds in which something must have happened on the screen
LATENCY_LIMIT = 2.0  # seconds from a reading to the screen
EVIL = "<img src=x onerror=alert(1)>"
PROBE = "latency_probe"

failures = 0


def check(name, ok, why=""):
    global failures
    failures += not ok
    print(f"PASS {name}" if ok else f"FAIL {name}: {why}", flush=True)


def wait_for(page, script, seconds, argument=None):
    """The first true value of `script` in the page, or None after `seconds`."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        value = page.evaluate(script, argument)
        if value:
            return value
        page.wait_for_timeout(100)
    return None


@contextlib.contextmanager
def demo():
    """The address of a running `tocsin demo`; the process is ended by its own id."""
    given = os.environ.get("TOCSIN_URL")
    if given:
        yield given if given.endswith("/") else given + "/"
        return
    folder = tempfile.mkdtemp(prefix="tocsin-dashboard-")
    log = open(pathlib.Path(folder) / "stderr.log", "w+", encoding="utf-8", errors="replace")
    process = subprocess.Popen(
        [BINARY, "demo", "--port", "0", "--data-dir", pathlib.Path(folder) / "data"],
        stdout=subprocess.PIPE, stderr=log, text=True, errors="replace")
    try:
        yield address(process, log)
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            code = process.wait(timeout=20)
            check("demo ends on SIGTERM with exit code 0", code == 0, f"exit code {code}")
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            check("demo ends on SIGTERM with exit code 0", False, "still running after 20 s")
        log.close()
        shutil.rmtree(folder, ignore_errors=True)


def address(process, log):
    found = threading.Event()
    answer = []

    def read():
        # Read to the end, so that a full pipe never stops the server.
        for line in process.stdout:
            if "Dashboard: " in line and not answer:
                answer.append(line.split("Dashboard: ", 1)[1].split()[0])
                found.set()
        found.set()

    threading.Thread(target=read, daemon=True).start()
    found.wait(timeout=30)
    if not answer:
        log.seek(0)
        sys.exit(f"FAIL demo starts: no line 'Dashboard: URL' within 30 s\n{log.read()[-2000:]}")
    return answer[0]


def post(base, reading):
    request = urllib.request.Request(
        base + "ingest", data=(json.dumps(reading) + "\n").encode(), method="POST",
        headers={"Content-Type": "application/x-ndjson"})
    try:
        with urllib.request.urlopen(request, timeout=10) as response:
            return response.status
    except urllib.error.HTTPError as error:
        return error.code


def check_first_sight(page):
    """What a person must see within half a minute of opening the page."""
    start = time.monotonic()

    def remaining():
        return max(1, FIRST_SIGHT - (time.monotonic() - start))

    total = "() => Number(document.getElementById('c-rate').dataset.total)"
    first = wait_for(page, f"() => ({total})() || null", remaining()) or 0
    moved = wait_for(page, f"(first) => ({total})() > first", remaining(), first)
    check("the readings counter moves", moved, f"stayed at {first}")
    painted = wait_for(page, """() => [...document.querySelectorAll('.plot canvas')].some((canvas) => {
        if (!canvas.width || !canvas.height) return false;
        const pixels = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data;
        let inked = 0;
        for (let index = 3; index < pixels.length; index += 4) inked += pixels[index] > 0;
        return inked > 200;
    }) && [...document.querySelectorAll('.plot .value')].some((value) => Number(value.dataset.time) > 0)""", remaining())
    check("a chart shows points", painted, "no chart has ink and a value")
    flag = wait_for(page, "() => document.querySelectorAll('.flag').length", remaining())
    check("an anomaly is marked on a chart", flag, "no marker")
    alarm = wait_for(page, "() => document.querySelector('.alarm .sentence')?.textContent", remaining())
    check("an alarm is listed with its sentence", alarm, "the list is empty")
    print(f"     all of it after {time.monotonic() - start:.1f} s")
    state = page.get_attribute("#link", "data-state")
    check("the connection is shown as live", state == "live", f"state {state}")
    if flag:
        page.locator(".flag").last.evaluate("(flag) => flag.focus()")
        said = wait_for(page, "() => !document.getElementById('tip').hidden && document.getElementById('tip').textContent", 3)
        check("a marker says its sentence on focus", said, "no tooltip")


def find(page, name, seconds=15):
    """Types into the search until the sensor is found, and moves to its row with the arrow keys."""
    active = """() => document.getElementById(document.getElementById('search').getAttribute('aria-activedescendant'))?.dataset.sensor"""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        page.fill("#search", "")
        page.wait_for_timeout(300)
        page.fill("#search", name)
        page.wait_for_timeout(1200)
        page.focus("#search")
        page.keyboard.press("ArrowUp")
        for _ in range(20):
            if page.evaluate(active) == name:
                return True
            page.keyboard.press("ArrowDown")
    return False


ON_BOARD = "(name) => [...document.querySelectorAll('#board .card')].some((card) => card.dataset.sensor === name)"


def show(page, name):
    """Puts the sensor of the active row on the board; it may stand there already, as the first sensors do."""
    if not page.evaluate(ON_BOARD, name):
        page.keyboard.press("Enter")
    return wait_for(page, ON_BOARD, 5, name)


def clear_search(page):
    page.focus("#search")
    page.keyboard.press("Escape")
    page.wait_for_timeout(300)


def check_keyboard(page):
    """Chooses a sensor without the mouse: search, arrow, Enter."""
    page.wait_for_selector("#sensor-list [role=option]", timeout=10_000)
    name = page.locator("#sensor-list [role=option]").last.get_attribute("data-sensor")
    check("the search and the arrow keys reach a sensor", find(page, name), f"{name} is not reached")
    before = page.evaluate(ON_BOARD, name)
    page.keyboard.press("Enter")
    toggled = wait_for(page, f"(given) => ({ON_BOARD})(given.name) !== given.before", 5, {"name": name, "before": before})
    check("the keyboard hides or shows a sensor", toggled, f"{name} did not change")
    page.keyboard.press("Enter")
    back = wait_for(page, f"(given) => ({ON_BOARD})(given.name) === given.before", 5, {"name": name, "before": before})
    check("the keyboard brings it back", back, f"{name} did not change back")
    clear_search(page)


def check_names(page, base, dialogs):
    """A sensor whose name is markup stays text, in the list and on the board."""
    status = post(base, {"sensor_id": EVIL, "timestamp": int(time.time() * 1000), "temperature": 21.5})
    check("ingest takes a reading", status == 202, f"status {status}")
    listed = find(page, EVIL)
    check("a sensor named with markup is listed", listed, "not in the list within 15 s")
    if listed:
        shown = show(page, EVIL) and page.evaluate(
            "(name) => [...document.querySelectorAll('.card h3')].some((head) => head.textContent === name)", EVIL)
        check("its chart is shown under its name", shown, "no card")
        page.wait_for_timeout(500)
        page.keyboard.press("Enter")
    images = page.evaluate("() => document.querySelectorAll('img').length")
    check("its markup is not executed", images == 0 and not dialogs, f"{images} images, dialogs {dialogs}")
    clear_search(page)


def check_latency(page, base):
    """From the moment a reading is sent to the moment the page shows it, five times."""
    post(base, {"sensor_id": PROBE, "timestamp": int(time.time() * 1000), "temperature": 20.0})
    if not find(page, PROBE):
        return check("reading to screen", False, f"{PROBE} is not listed")
    show(page, PROBE)
    script = """(given) => [...document.querySelectorAll('.card')].filter((card) => card.dataset.sensor === given.sensor)
        .some((card) => [...card.querySelectorAll('.value')].some((value) => given.value === null || value.dataset.value === String(given.value)))"""
    if not wait_for(page, script, 10, {"sensor": PROBE, "value": 20.0}):
        return check("reading to screen", False, "the first reading is not on its chart")
    page.wait_for_timeout(1500)
    times = []
    for step in range(5):
        value = 20.125 + step
        arrival = page.evaluate_handle("""(given) => { window.seen = new Promise((resolve) => {
            const isShown = () => [...document.querySelectorAll('.card .value')].some((value) => value.dataset.value === String(given));
            const observer = new MutationObserver(() => { if (isShown()) { observer.disconnect(); resolve(Date.now()); } });
            observer.observe(document.getElementById('board'), { subtree: true, attributes: true, childList: true });
            setTimeout(() => resolve(null), 10_000);
        }); }""", value)
        arrival.dispose()
        sent = time.time()
        post(base, {"sensor_id": PROBE, "timestamp": int(sent * 1000), "temperature": value})
        shown = page.evaluate("() => window.seen")
        times.append(shown / 1000 - sent if shown else float("inf"))
        page.wait_for_timeout(300)
    print(f"     reading to screen: {', '.join(f'{one:.2f} s' for one in times)}")
    check(f"reading to screen under {LATENCY_LIMIT:.0f} s", max(times) < LATENCY_LIMIT, f"slowest {max(times):.2f} s")
    page.keyboard.press("Enter")
    clear_search(page)


def check_widths(page):
    """Nothing is wider than the screen, and the theme follows the system."""
    for width, height in [(390, 844), (820, 1180), (1440, 900), (2560, 1440)]:
        page.set_viewport_size({"width": width, "height": height})
        page.wait_for_timeout(600)
        wide = page.evaluate("() => document.documentElement.scrollWidth - innerWidth")
        check(f"no sideways scrolling at {width} px", wide <= 0, f"{wide} px too wide")
    colours = []
    for scheme in ["light", "dark"]:
        page.emulate_media(color_scheme=scheme)
        page.wait_for_timeout(100)
        colours.append(page.evaluate("() => getComputedStyle(document.body).backgroundColor"))
    check("light and dark follow the system", colours[0] != colours[1], colours[0])


def check_structure(page):
    """What a screen reader needs to find its way."""
    found = page.evaluate("""() => ({
        live: document.querySelector('[aria-live=polite]') !== null,
        landmarks: ['header', 'main', 'footer'].every((name) => document.querySelector(`body > ${name}`)),
        headings: [...document.querySelectorAll('h1')].length === 1 && document.querySelectorAll('h2').length >= 4,
        named: [...document.querySelectorAll('button, input, [role=img]')].filter((one) => one.offsetParent !== null)
            .every((one) => (one.getAttribute('aria-label') || one.textContent || one.labels?.[0]?.textContent || '').trim() !== ''),
    })""")
    check("landmarks, headings, names and a live region", all(found.values()), str(found))


def run(page, base):
    problems, strangers, dialogs = [], [], []
    host = urllib.parse.urlsplit(base).netloc
    page.on("console", lambda message: problems.append(message.text) if message.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on("dialog", lambda dialog: (dialogs.append(dialog.message), dialog.dismiss()))
    page.on("request", lambda request: strangers.append(request.url)
            if urllib.parse.urlsplit(request.url).netloc not in (host, "") else None)
    page.goto(base, wait_until="load")
    check_first_sight(page)
    check_structure(page)
    check_keyboard(page)
    check_names(page, base, dialogs)
    check_latency(page, base)
    check_widths(page)
    check("no error in the console", not problems, "; ".join(problems[:3]))
    check("no request to another host", not strangers, ", ".join(strangers[:3]))


def main():
    if not os.environ.get("TOCSIN_URL") and not BINARY.exists():
        sys.exit(f"FAIL dashboard: {BINARY} is missing; run scripts/build first")
    with demo() as base, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        try:
            context = browser.new_context(viewport={"width": 1440, "height": 900}, reduced_motion="no-preference")
            run(context.new_page(), base)
        except Error as error:
            check("the page answers", False, str(error).splitlines()[0])
        finally:
            browser.close()
    sys.exit(1 if failures else 0)


main()

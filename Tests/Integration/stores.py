"""The operational store on real servers: PostgreSQL answers as SQLite does; while it is away, hung, full or locked, input
goes on into the spool and is stored later, once and in order; kills of either side change no row; two schemas never mix.
"""

import concurrent.futures
import contextlib
import http.client
import json
import random
import sqlite3
import sys
import threading
import time
import urllib.parse

sys.dont_write_bytecode = True
from support import postgres
from support.figures import settled
from support.harness import (
    DATABASE, Server, check, equal, expect, folder, iso, line, main, rows, shortened, soon, tocsin)
from support.trouble import TODAY, health, running, taken, told, trouble

RANDOM = random.Random(5)
KILLS = 6
START = 1_760_000_000
SENSORS = 16
SECONDS = 840
# Seconds of the stream in one request.
STEP = 6
# The wall clock must not act on the stream; small checkpoints, often, so that kills fall into them.
OPTIONS = ("--set", "engine.idleTimeout=1h", "--set", "checkpoint.interval=1s", "--set", "spool.segmentBytes=1MiB",
           "--set", "detection.forest.learningEvents=2000")
# A server that says nothing is given up soon.
IMPATIENT = ("--set", "store.postgres.connectTimeout=1s", "--set", "store.postgres.statementTimeout=2s")
DAY = 86400
SECRET = "geheim@77/x y"
SENSOR = "(SELECT name FROM sensors WHERE sensors.id = sensor_id)"
ALARM_COLUMNS = (
    f"SELECT id, {SENSOR}, metric, kind, state, severity, raised, last_seen, cleared, verdicts, score, p_value, sentence "
    "FROM alarms ORDER BY id")
TABLES = {
    "events": f"SELECT {SENSOR}, time, event_key, late, readings, encode(payload, 'hex') FROM sensor_events ORDER BY 1, 2, 3",
    "anomalies": f"SELECT id, alarm_id, {SENSOR}, metric, kind, detector, model, start, time, value, expected_low, expected_high, "
                 "score, p_value, contributions, sentence FROM anomalies ORDER BY id",
    "alarms": ALARM_COLUMNS,
    "models": "SELECT name, version, origin, format, summary, md5(data) FROM model_registry ORDER BY 1, 2",
    "dead letters": "SELECT DISTINCT reason, detail, encode(payload, 'hex'), readings FROM dead_letters ORDER BY 1, 2, 3",
}


# MARK: Parts

def stream():
    """Requests of a stream with spikes, drift, silence, disorder, duplicates and refused values: the same each time."""
    generator = random.Random(42)
    requests, held = [], []
    for second in range(0, SECONDS, STEP):
        lines = []
        for n in range(second, second + STEP):
            for sensor in range(SENSORS):
                if sensor == 7 and 400 <= n < 600:
                    continue
                value = 20 + sensor / 10 + generator.gauss(0, 0.5)
                if sensor % 11 == 3 and n % 271 == 100:
                    value += 40
                if sensor == 5 and n > 500:
                    value += (n - 500) * 0.02
                if sensor == 9 and n > 450:
                    value = 21.0
                if sensor == 13 and n % 100 == 0:
                    value = 900
                text = line(f"s{sensor:03}", START + n, f"{sensor}-{n}" if sensor % 4 == 0 else None,
                            temperature=round(value, 2), humidity=round(50 + generator.gauss(0, 1), 1))
                # Some come up to twenty seconds late, some twice.
                if generator.random() < 0.02:
                    held.append((second + generator.randrange(3, 20), text))
                else:
                    lines.append(text)
                if generator.random() < 0.005:
                    lines.append(text)
        lines += [text for due, text in held if due <= second]
        held = [(due, text) for due, text in held if due > second]
        requests.append("".join(lines).encode())
    return requests


def send(server, body):
    """True when the request was acknowledged."""
    try:
        return server.post(body, timeout=30).status == 202
    except (OSError, http.client.HTTPException):
        return False


def windows(server):
    """All windows through the API, sensor by sensor."""
    found = []
    for sensor in range(SENSORS):
        found += pages(server, f"/windows?sensor_id=s{sensor:03}")
    return sorted(json.dumps(item, sort_keys=True) for item in found)


def pages(server, path):
    found, separator = [], "&" if "?" in path else "?"
    while True:
        page = server.get(f"{path}{separator}limit=1000&offset={len(found)}").json["items"]
        found += page
        if len(page) < 1000:
            return found


def compare(whole, other):
    for name, wanted in whole.items():
        wanted, there = [tuple(row) for row in wanted], [tuple(row) for row in other[name]]
        missing = sorted(set(wanted) - set(there))
        further = sorted(set(there) - set(wanted))
        expect(not missing and not further, f"{name}: {len(missing)} of {len(wanted)} missing, {len(further)} that the whole run does not have: {shortened(missing[:1] + further[:1], 500)}")
        equal(len(there), len(wanted), f"rows of {name}")


def tables(database):
    return {name: database.query(query) for name, query in TABLES.items()}


def clear(database):
    database.query("DROP SCHEMA public CASCADE; CREATE SCHEMA public")


def quoted(value):
    return urllib.parse.quote(value, safe="")


def clean(*texts):
    """No text holds the secret, in any of its forms."""
    for text in texts:
        for form in (SECRET, quoted(SECRET), urllib.parse.quote_plus(SECRET), SECRET.replace("/", "\\/")):
            expect(form not in text, f"the password is shown: {shortened(text, 500)}")


# MARK: 1. The same answers

ANSWERED = {}


def answers():
    """By path: what SQLite and PostgreSQL answer to the same stream. Asked once for all checks."""
    paths = ["/events/latest?limit=1000", "/events/latest?limit=100&sensor_id=s003", "/anomalies?limit=1000", "/anomalies?metric=temperature&limit=1000",
             "/anomalies?sensor_id=s003&limit=1000", "/alarms?limit=1000", "/alarms?sensor_id=s005&limit=1000",
             f"/anomalies?start_time={iso(START + 300)}&end_time={iso(START + 600)}&limit=1000",
             "/windows?sensor_id=s001&metric=humidity&limit=1000", "/windows?sensor_id=s001&limit=1000"]
    paged = ["/events/latest?limit=30&offset=5", "/anomalies?limit=7&offset=2", "/alarms?limit=5&offset=3", "/windows?limit=100", "/windows?sensor_id=s001&limit=5&offset=7"]
    if ANSWERED:
        return ANSWERED
    found = []
    with folder() as place, postgres.server(place) as database:
        for name, environment in (("sqlite", {}), ("postgres", database.environment())):
            with Server(place / name, *OPTIONS, environment=environment) as server:
                for body in stream():
                    taken(server, body)
                settled(server)
                found.append({path: server.get(path).json["items"] for path in paths + paged})
                for path, items in found[-1].items():
                    if path.startswith("/events"):
                        for item in items:
                            del item["received"]
        expect(not (place / "postgres" / DATABASE).exists(), "a run on PostgreSQL makes an SQLite file")
        events = rows(place / "sqlite", f"SELECT {SENSOR}, time, event_key FROM sensor_events ORDER BY 1, 2, 3")
        stored = database.query(f'SELECT {SENSOR} COLLATE "C", time, event_key FROM sensor_events ORDER BY 1, 2, 3')
        compare({"events": [[str(field) for field in row] for row in events]}, {"events": stored})
    for path in paths + paged:
        expect(found[0][path], f"{path}: nothing is compared")
        ANSWERED[path] = (found[0][path], found[1][path], path in paged)
    return ANSWERED


@check("stores: PostgreSQL answers /events/latest, /anomalies, /alarms and /windows with the very items of SQLite, newest first")
def same_answers():
    for path, (sqlite, other, is_page) in answers().items():
        equal(len(other), len(sqlite), f"items of {path}")
        if not is_page and "events/latest?limit=1000" not in path:
            texts = [sorted(json.dumps(item, sort_keys=True) for item in items) for items in (sqlite, other)]
            for wanted, item in zip(*texts):
                equal(item, wanted, f"an item of {path}")
        for field in ("timestamp", "time", "raised", "start"):
            if field in other[0]:
                equal([item[field] for item in other], [item[field] for item in sqlite], f"'{field}' of {path}")
                break


@check("stores: migrate --status, --dry-run and migrate; PG_* variables, their _FILE forms and the URL all reach the server; no secret is shown")
def migrating():
    with folder() as place, postgres.server(place) as database:
        database.query(f"CREATE ROLE plant LOGIN PASSWORD '{SECRET}'")
        database.query("CREATE DATABASE plant OWNER plant")
        database.access("local all all trust", "host all all all scram-sha-256")
        files = {}
        for name, value in {"HOST": "127.0.0.1", "PORT": database.port, "DB": "plant", "USER": "plant", "PASSWORD": SECRET}.items():
            (place / name).write_text(f"{value}\n")
            files[f"PG_{name}_FILE"] = str(place / name)
        url = f"postgresql://plant:{quoted(SECRET)}@127.0.0.1:{database.port}/plant"
        (place / "url").write_text(url)
        variables = {"PG_HOST": "127.0.0.1", "PG_PORT": str(database.port), "PG_DB": "plant", "PG_USER": "plant"}
        secret = {"PG_PASSWORD_FILE": str(place / "PASSWORD")}
        ways = [variables | {"PG_PASSWORD": SECRET}, variables | secret, files, {"PG_URL": url}, {"PG_URL_FILE": str(place / "url")},
                {"PG_URL": url.replace("/plant", "/elsewhere").replace("plant:", "nobody:"), "PG_DB": "plant", "PG_USER": "plant"}]
        for way in ways:
            status = tocsin("migrate", "--status", environment=way).ended(0)
            expect("schema 0 of" in status.out and "to come" in status.out, f"{sorted(way)}: {shortened(status.text)}")
            clean(status.text)
        dry = tocsin("migrate", "--dry-run", environment=variables | secret).ended(0)
        expect("CREATE TABLE sensor_events" in dry.out, f"--dry-run prints no SQL: {shortened(dry.out)}")
        expect("schema 0 of" in tocsin("migrate", "--status", environment=files).ended(0).out, "--dry-run changed something")
        expect("schema 0 became" in tocsin("migrate", environment=variables | secret).ended(0).out, "migrate does not say what it did")
        again = tocsin("migrate", environment=variables | secret).ended(0)
        expect("became" not in again.out, f"the second migrate: {shortened(again.text)}")
        status = tocsin("migrate", "--status", environment=ways[3]).ended(0)
        expect("applied" in status.out and "to come" not in status.out, f"after migrate: {shortened(status.text)}")
        for way in (files, {"PG_URL": url}):
            with Server(place / "data", environment=way) as server:
                taken(server, line(f"pump-{len(way)}", TODAY, temperature=20))
                settled(server)
                equal(len(server.get(f"/events/latest?sensor_id=pump-{len(way)}").json["items"]), 1, "events over this login")
                clean(server.log, server.get("/health").text, server.get("/metrics").text)


# MARK: 2. The server in trouble

@check("stores: PostgreSQL is stopped under load and started again: acknowledged, spooled, stored once and in order, alarms told once")
def stopped():
    with running() as (data, database, server):
        trouble(database, server, data, database.stop, database.start, ["server"])


@check("stores: PostgreSQL is killed -9 under load: the same")
def killed():
    with running() as (data, database, server):
        trouble(database, server, data, database.kill, database.start, ["server"])


@check("stores: PostgreSQL hangs under load: the same")
def hung():
    with running(*IMPATIENT) as (data, database, server):
        trouble(database, server, data, database.pause, database.resume, ["server"], seconds=2, patience=20)


@check("stores: PostgreSQL has no connection left: the same")
def without_connections():
    with folder() as place, postgres.server(place) as database:
        database.query("CREATE ROLE plant LOGIN; GRANT ALL ON SCHEMA public TO plant")

        def begin():
            database.query("ALTER ROLE plant CONNECTION LIMIT 0; SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'plant'")
        with Server(place / "data", environment=database.environment() | {"PG_USER": "plant"}) as server:
            trouble(database, server, place / "data", begin, lambda: database.query("ALTER ROLE plant CONNECTION LIMIT -1"), ["connection left"])


@check("stores: PostgreSQL refuses logins: the same")
def logins_refused():
    with running() as (data, database, server):
        def begin():
            database.refuse_logins()
            database.query("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'tocsin'")
        trouble(database, server, data, begin, database.accept_logins, ["refuses the login"])


@check("stores: a table is locked for ten seconds: the same, and /health names the holder")
def locked():
    with running() as (data, database, server), contextlib.ExitStack() as lock:
        trouble(database, server, data, lambda: lock.enter_context(database.locked("sensor_events", "EXCLUSIVE")), lock.close,
                ["lock", "psql", "sensor_events"], seconds=4.5, patience=9)


# MARK: 3. kill -9 of the program

@check(f"stores: {KILLS} kills -9 of the program under load on PostgreSQL change no event, anomaly, alarm, window or model")
def kills():
    requests = stream()
    with folder() as place, postgres.server(place) as database:
        environment = database.environment()
        with Server(place / "whole", *OPTIONS, environment=environment) as server:
            for body in requests:
                taken(server, body)
            settled(server)
            whole_windows = windows(server)
        whole = tables(database)
        for name, found in whole.items():
            expect(found, f"the stream causes no {name}: nothing is compared")
        clear(database)

        position, slowest = 0, 0
        per_life = len(requests) // (KILLS + 1)
        for life in range(KILLS):
            server = Server(place / "killed", *OPTIONS, environment=environment)
            killer = threading.Timer(RANDOM.uniform(0.05, 0.5) if life % 3 else RANDOM.uniform(0.9, 1.3), server.kill)
            killer.start()
            last = position + per_life
            while position < last and send(server, requests[position]):
                position += 1
            killer.join()
            server.kill()
        started = time.monotonic()
        with Server(place / "killed", *OPTIONS, environment=environment) as server:
            slowest = time.monotonic() - started
            for body in requests[position:]:
                taken(server, body)
            settled(server)
            killed_windows = windows(server)
        compare(whole, tables(database))
        compare({"windows": [[text] for text in whole_windows]}, {"windows": [[text] for text in killed_windows]})
        equal(told(place / "killed"), told(place / "whole"), "alarms told")
        expect(slowest < 3, f"ready again after {slowest:.1f} s")


# MARK: 4. Starting without the server

def steady(first, count, spike=None):
    return "".join(line("boiler", TODAY - 20_000 + n, temperature=95 if n == spike else 20 + n % 7 / 10) for n in range(first, first + count))


@check("stores: the program starts while PostgreSQL is away, takes readings, finds anomalies, and stores all when it comes")
def starting_alone():
    with folder() as place, postgres.server(place) as database:
        database.stop()
        with Server(place / "data", environment=database.environment()) as server:
            taken(server, steady(0, 600, spike=550))
            equal(health(server)["status"], "degraded", "/health without a server")
            for n in range(600, 1000, 20):
                taken(server, steady(n, 20))
            database.start()
            settled(server)
            soon(lambda: health(server)["status"] == "ok", 10, "/health is ok")
            equal(database.value("SELECT count(*) FROM sensor_events"), "1000", "events stored")
            found = server.get("/anomalies?sensor_id=boiler").json["items"]
            expect(any(item["value"] == 95 for item in found), f"the spike was not found: {shortened(found)}")
        expect(any(step[1] == "raised" for step in told(place / "data")), "no alarm was told")


@check("stores: the same with a checkpoint and open alarms from before: as if PostgreSQL had never been away")
def starting_again_alone():
    parts = [steady(0, 600, spike=590), steady(600, 300, spike=700), steady(900, 300, spike=1100)]
    options = ("--set", "engine.idleTimeout=1h", "--set", "checkpoint.interval=1s")
    with folder() as place, postgres.server(place) as database:
        environment = database.environment()
        with Server(place / "whole", *options, environment=environment) as server:
            for body in parts:
                taken(server, body)
            settled(server)
        whole = tables(database)
        clear(database)
        with Server(place / "data", *options, environment=environment) as server:
            taken(server, parts[0])
            settled(server)
        expect(list((place / "data" / "checkpoints").glob("*.tck")), "there is no checkpoint")
        database.stop()
        with Server(place / "data", *options, environment=environment) as server:
            taken(server, parts[1])
            equal(health(server)["status"], "degraded", "/health without a server")
            # Ended without having stored it; the next one starts alone too.
            server.kill()
        with Server(place / "data", *options, environment=environment) as server:
            taken(server, parts[2])
            database.start()
            settled(server)
            soon(lambda: health(server)["status"] == "ok", 10, "/health is ok")
        compare(whole, tables(database) | {"models": whole["models"]})
        equal(told(place / "data"), told(place / "whole"), "alarms told")


@check("stores: SIGTERM while PostgreSQL is away: the program ends soon and with 0, because its spool holds everything; nothing is lost")
def ending_alone():
    with folder() as place, postgres.server(place) as database:
        environment = database.environment()
        server = Server(place / "data", environment=environment)
        try:
            taken(server, steady(0, 100))
            settled(server)
            database.stop()
            taken(server, steady(100, 100))
            started = time.monotonic()
            code = server.stop(30)
            took, log = time.monotonic() - started, server.log
        finally:
            server.kill()
        database.start()
        with Server(place / "data", environment=environment) as server:
            settled(server)
            equal(database.value("SELECT count(*) FROM sensor_events"), "200", "events stored by the next process")
        equal(code, 0, f"exit code after {took:.1f} s ({shortened(log[-400:], 400)})")
        expect(took < 15, f"the program ended after {took:.1f} s only")


# MARK: 5. Two programs, two schemas

@check("stores: two programs that start at once on an empty database both work; one brings the tables")
def two_at_once():
    with folder() as place, postgres.server(place) as database, concurrent.futures.ThreadPoolExecutor(4) as threads:
        for round_ in range(3):
            clear(database)
            ended = list(threads.map(lambda _: tocsin("migrate", environment=database.environment()), range(4)))
            equal([each.code for each in ended], [0] * 4, f"exit codes of four migrate at once ({shortened([each.text for each in ended])})")
        clear(database)
        servers = list(threads.map(lambda n: Server(place / f"data-{n}", environment=database.environment()), range(2)))
        with servers[0], servers[1]:
            list(threads.map(lambda n: taken(servers[n], "".join(line(f"p{n}", TODAY - 900 + at, temperature=20) for at in range(800))), range(2)))
            for n, server in enumerate(servers):
                settled(server)
                equal(health(server)["status"], "ok", f"/health of program {n}")
        equal(database.query("SELECT version FROM tocsin_migrations ORDER BY 1"), [["1"], ["2"]], "steps applied")
        equal(database.query(f"SELECT {SENSOR}, count(*) FROM sensor_events GROUP BY 1 ORDER BY 1"), [["p0", "800"], ["p1", "800"]], "events by program")


def run_fails(*options, environment=None):
    """`tocsin run` to its end, which is to come by itself."""
    return tocsin("run", "--port", 0, *options, environment=environment, timeout=20)


@check("stores: a newer schema of PostgreSQL is refused clearly, and nothing in it is changed")
def newer_schema():
    with folder() as place, postgres.server(place) as database:
        environment = database.environment()
        tocsin("migrate", environment=environment).ended(0)
        database.query("INSERT INTO tocsin_migrations (version, title) VALUES (99, 'of the future')")
        tocsin("migrate", environment=environment).failed_clearly("newer version", "99", "install the newer version")
        run_fails("--data-dir", place / "data", environment=environment).failed_clearly("newer version", "99")
        equal(database.value("SELECT count(*) FROM sensors"), "0", "sensors")


# MARK: 6. Logins and retention

@check("stores: a wrong password and a missing database are told with the remedy and without the secret")
def wrong_login():
    with folder() as place, postgres.server(place) as database:
        database.query("CREATE ROLE plant LOGIN PASSWORD 'right'; GRANT ALL ON SCHEMA public TO plant")
        database.access("local all all trust", "host all all all scram-sha-256")
        base = database.environment() | {"PG_USER": "plant"}
        url = f"postgresql://plant:{quoted(SECRET)}@127.0.0.1:{database.port}/postgres"
        for environment in (base | {"PG_PASSWORD": SECRET}, {"PG_URL": url}):
            for arguments in (["migrate"], ["migrate", "--status"]):
                finished = tocsin(*arguments, environment=environment).failed_clearly("login", "password", "pg_hba.conf")
                clean(finished.text)
        missing = base | {"PG_PASSWORD": "right", "PG_DB": "nowhere"}
        finished = tocsin("migrate", environment=missing).failed_clearly("nowhere", "createdb")
        expect("right" not in finished.text, f"the password is shown: {shortened(finished.text)}")
        # A run waits for it to be put right: readings are safe meanwhile.
        with Server(place / "data", environment=base | {"PG_PASSWORD": SECRET}) as server:
            taken(server, steady(0, 50))
            seen = soon(lambda: (seen := health(server))["status"] == "degraded" and seen, 10, "/health is degraded")
            expect("password" in seen["reason"], f"/health: {seen}")
            clean(server.log, json.dumps(seen), server.get("/metrics").text)
            database.query(f"ALTER ROLE plant PASSWORD '{SECRET}'")
            settled(server)
            equal(database.value("SELECT count(*) FROM sensor_events"), "50", "events after the password was put right")


@check("stores: retention on PostgreSQL drops the partitions of old days and leaves the others")
def retention():
    def partitions():
        return [name for name, in database.query("SELECT relname FROM pg_class WHERE relname ~ '^(sensor_events|windows)_[0-9]+$' AND relkind = 'r' ORDER BY 1")]

    def name(table, day):
        return f"{table}_" + time.strftime("%Y%m%d", time.gmtime(TODAY - day * DAY))
    with folder() as place, postgres.server(place) as database:
        environment = database.environment()
        with Server(place / "data", environment=environment) as server:
            for day in (6, 3, 1):
                taken(server, "".join(line(f"old-{day}", TODAY - day * DAY + 7200 + n, temperature=20 + n % 7) for n in range(700)))
            settled(server)
        equal(partitions(), sorted(name(table, day) for table in ("sensor_events", "windows") for day in (6, 3, 1)), "partitions before")
        before = dict(database.query("SELECT relname, oid FROM pg_class"))
        options = ("--set", "store.retention.events=2d", "--set", "store.retention.windows=5d")
        with Server(place / "data", *options, environment=environment) as server:
            kept = sorted([name("sensor_events", 1), name("windows", 1), name("windows", 3)])
            with contextlib.suppress(AssertionError):
                soon(lambda: partitions() == kept, 5, "partitions are dropped", 0.1)
            equal(partitions(), kept, f"partitions that are left ({shortened(server.log[-300:])})")
        equal(database.query(f"SELECT {SENSOR}, count(*) FROM sensor_events GROUP BY 1"), [["old-1", "700"]], "events that stay")
        after = dict(database.query("SELECT relname, oid FROM pg_class"))
        equal({each: after[each] for each in kept}, {each: before[each] for each in kept}, "partitions that stay are the same tables")


# MARK: 7. SQLite

def filled(data):
    with Server(data) as server:
        taken(server, steady(0, 600, spike=590))
        settled(server)


@check("stores: SQLite: migrate tells of an older schema, shows its steps, and brings it up to date with all rows")
def older_file():
    with folder() as data:
        filled(data)
        wanted = rows(data, "SELECT time, readings FROM sensor_events ORDER BY 1"), rows(data, ALARM_COLUMNS)
        database = sqlite3.connect(data / DATABASE)
        # What steps 4 and 5 brought is taken back.
        database.executescript("""
            DROP TABLE alarm_actions;
            ALTER TABLE alarms DROP COLUMN acknowledged; ALTER TABLE alarms DROP COLUMN acknowledged_by;
            ALTER TABLE alarms DROP COLUMN assignee; ALTER TABLE alarms DROP COLUMN shelved_until;
            ALTER TABLE alarms DROP COLUMN out_of_service; ALTER TABLE alarms DROP COLUMN latched;
            DROP TABLE jobs; DROP TABLE quality_reports; DROP TABLE checkpoints; DROP INDEX anomalies_metric_time;
            ALTER TABLE model_registry RENAME TO models; DELETE FROM meta WHERE key = 'sensor_events_deleted_until';
            PRAGMA user_version = 3;
            """)
        database.close()
        status = tocsin("migrate", "--status", "--data-dir", data).ended(0).out
        expect("schema 3 of 5" in status and status.count("applied") == 3 and status.count("to come") == 2, f"--status: {shortened(status)}")
        dry = tocsin("migrate", "--dry-run", "--data-dir", data).ended(0).out
        expect("CREATE TABLE jobs" in dry and "CREATE TABLE alarms" not in dry, f"--dry-run: {shortened(dry)}")
        equal(rows(data, "PRAGMA user_version"), [(3,)], "schema after --status and --dry-run")
        expect("schema 3 became 5" in tocsin("migrate", "--data-dir", data).ended(0).out, "migrate does not say what it did")
        equal((rows(data, "SELECT time, readings FROM sensor_events ORDER BY 1"), rows(data, ALARM_COLUMNS)), wanted, "rows after the migration")
        with Server(data) as server:
            equal(len(server.get("/events/latest?sensor_id=boiler&limit=1000").json["items"]), 600, "events through the API")


@check("stores: SQLite: a newer schema is refused clearly, and nothing in the file is changed")
def newer_file():
    with folder() as data:
        filled(data)
        database = sqlite3.connect(data / DATABASE)
        database.executescript("PRAGMA journal_mode = DELETE; PRAGMA user_version = 99;")
        database.close()
        content = (data / DATABASE).read_bytes()
        tocsin("migrate", "--data-dir", data).failed_clearly("newer version", "99", "install the newer version")
        run_fails("--data-dir", data).failed_clearly("newer version", "99")
        equal((data / DATABASE).read_bytes() == content, True, "the file is as it was")


@check("stores: two programs on one data folder: the second refuses and names the first's process, on SQLite and PostgreSQL")
def one_folder():
    with folder() as place, postgres.server(place) as database:
        for environment in ({}, database.environment()):
            with Server(place / f"data-{len(environment)}", environment=environment) as server:
                run_fails("--data-dir", server.data, environment=environment).failed_clearly(f"process {server.process.pid}")
                taken(server, steady(0, 20))
                settled(server)


main()

"""Faults of the operational store that only a whole program shows, on a real PostgreSQL: a full disk, commits whose answer
is lost, a wire that says nothing, kill -9 in the midst of a migration, two programs without a spool on one folder."""

import contextlib
import shutil
import sqlite3
import subprocess
import sys
import time

sys.dont_write_bytecode = True
from support import postgres
from support.disk import killed_at, small_disk
from support.figures import Balance, settled
from support.harness import BINARY, DATABASE, ENVIRONMENT, Server, check, equal, expect, folder, main, rows, shortened, soon, tocsin
from support.trouble import Load, Order, all_stored, taken, trouble
from support.wire import Wire, through

# A server that says nothing is given up soon.
IMPATIENT = ("--set", "store.postgres.connectTimeout=1s", "--set", "store.postgres.statementTimeout=1s")


# MARK: A full disk

@check("store faults: the disk of PostgreSQL's tables is full: acknowledged, spooled, stored once and in order when there is room")
def full_disk_of_tables():
    with small_disk("24m") as disk, folder() as place, postgres.server(place) as database:
        subprocess.run(["chown", "postgres", str(disk.path)], check=True)
        database.query(f"CREATE TABLESPACE small LOCATION '{disk.path}'")
        database.query(f"ALTER ROLE {postgres.USER} SET default_tablespace = small")
        with Server(place / "data", environment=database.environment()) as server:
            trouble(database, server, place / "data", disk.fill, disk.make_room, ["disk is full", "53100"], seconds=1)


@check("store faults: the disk of PostgreSQL's log is full and the server falls over: the same")
def full_disk_of_log():
    with small_disk("40m") as disk, folder() as place, postgres.server(place, {"restart_after_crash": "off"}) as database:
        database.stop()
        log = disk.path / "log"
        shutil.move(database.data / "pg_wal", log)
        (database.data / "pg_wal").symlink_to(log)
        subprocess.run(["chown", "-R", "postgres", str(disk.path)], check=True)
        database.start()

        def begin():
            disk.fill()
            # The log is in want of another file: the server ends by itself.
            with contextlib.suppress(AssertionError):
                database.query("CREATE TABLE more AS SELECT repeat('x', 1000) AS x FROM generate_series(1, 60000)")
            soon(lambda: not database.is_running, 20, "the server falls over")

        def end():
            disk.make_room()
            database.start()
        with Server(place / "data", environment=database.environment()) as server:
            trouble(database, server, place / "data", begin, end, ["server"], seconds=1)


# MARK: The wire

@check("store faults: 30 times the answer to a COMMIT is lost: nothing is stored twice, nothing is lost, nothing counts as a repetition")
def lost_commits():
    with folder() as place, postgres.server(place) as database, Wire(database.port) as wire:
        with Server(place / "data", environment=through(wire, database.environment())) as server:
            order = Order(database)
            with Balance(server) as balance, Load(server) as load:
                soon(lambda: load.sent >= 200 or load.problem, 30, "load")
                # The server has answered by then: what is written again would be there twice.
                for heard, cuts in ((True, 15), (False, 30)):
                    wire.cut_commits(2, heard, most=15)
                    soon(lambda: order.look() >= 0 and wire.cuts >= cuts or load.problem, 30, f"{cuts} commits without an answer", 0.05)
                wire.heal()
                load.done.set()
                load.join(40)
                expect(load.problem is None, f"a request: {load.problem}")
                settled(server)
            equal(wire.cuts, 30, "commits without an answer")
            all_stored(database, place / "data", load.sent, order)
            equal(balance.places, {"stored_total": load.sent, "late_total": 0, "duplicate_total": 0, "dead_lettered_total": 0, "spooled": 0},
                  "where the readings are said to be")


@check("store faults: kill -9 of the program whose COMMIT was not answered: the next one stores nothing twice")
def killed_after_lost_commit():
    with folder() as place, postgres.server(place) as database, Wire(database.port) as wire:
        environment, sent = through(wire, database.environment()), 0
        for life in range(4):
            server = Server(place / "data", environment=environment)
            try:
                with Load(server, sent) as load:
                    soon(lambda: load.sent >= sent + 200 or load.problem, 30, "load")
                    wire.cut_commits(1, most=1)
                    cuts = wire.cuts + 1
                    soon(lambda: wire.cuts >= cuts, 20, "a commit without an answer", 0.001)
                    load.done.set()
                    load.join(40)
                expect(load.problem is None, f"a request: {load.problem}")
                sent = load.sent
            finally:
                server.kill()
        with Server(place / "data", environment=environment) as server, Balance(server):
            settled(server)
        all_stored(database, place / "data", sent, Order(database))


@check("store faults: a wire that says nothing while connections stay open: the same as a server that is away")
def half_open():
    with folder() as place, postgres.server(place) as database, Wire(database.port) as wire:
        with Server(place / "data", *IMPATIENT, environment=through(wire, database.environment())) as server:
            trouble(database, server, place / "data", wire.silence, wire.speak, ["server"], seconds=1, patience=15)


# MARK: kill -9 in a migration

def postgres_schema(database):
    """What a migration makes: tables, indexes, constraints and comments."""
    return database.query("""
        SELECT c.relname, c.relkind, coalesce(pg_get_indexdef(i.indexrelid), ''), coalesce(obj_description(c.oid), '')
        FROM pg_class c LEFT JOIN pg_index i ON i.indexrelid = c.oid WHERE c.relnamespace = 'public'::regnamespace ORDER BY 1""")


@check("store faults: kill -9 in the midst of a migration of PostgreSQL: the schema is none or whole, and the next start completes it")
def killed_migration():
    with folder() as place, postgres.server(place) as database, Wire(database.port) as wire:
        environment = through(wire, database.environment())
        tocsin("migrate", environment=environment).ended(0)
        whole, seen = postgres_schema(database), set()
        # Messages to the server: logging in, taking the lock, the list of steps, the tables, the commit, letting go.
        for number in (4, 11, 13, 17, 19, 20, 21):
            database.query("DROP SCHEMA public CASCADE; CREATE SCHEMA public")
            wire.hold(number)
            with subprocess.Popen([BINARY, "migrate"], env=ENVIRONMENT | environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as process:
                expect(wire.holds.wait(60), f"there is no message {number}")
                process.kill()
            # The server may still be busy with what the killed one has sent.
            soon(lambda: database.value("SELECT count(*) FROM pg_stat_activity WHERE application_name = 'tocsin'") == "0", 20, "its connection is gone")
            found = [row[0] for row in postgres_schema(database)]
            steps = [] if "tocsin_migrations" not in found else database.query("SELECT version FROM tocsin_migrations")
            equal("sensors" in found, bool(steps), f"tables beside the steps written down, after a kill at message {number} ({found[:4]})")
            seen.add((bool(found), bool(steps)))
            wire.pass_on()
            tocsin("migrate", environment=environment).ended(0)
            equal(postgres_schema(database), whole, f"schema after a kill at message {number} and another start")
        equal(len(seen), 3, f"states after a kill: nothing, the list of steps, everything ({seen})")


@check("store faults: kill -9 in the midst of a migration of SQLite: the next start completes it, with all rows")
def killed_migration_of_file():
    with folder() as place:
        with Server(place / "data") as server:
            taken(server, "".join(f'{{"sensor_id": "a", "timestamp": {int(time.time()) - n}, "temperature": {20 + n % 7}}}\n' for n in range(600)))
            settled(server)
        events = rows(place / "data", "SELECT time, readings FROM sensor_events ORDER BY 1")
        schema = rows(place / "data", "SELECT type, name, sql FROM sqlite_schema ORDER BY 1, 2")
        kills = 0
        # The calls in between leave the same: nothing, or all.
        for number in (1, 2, 3, 5, 8, 12, 17):
            with contextlib.closing(sqlite3.connect(place / "data" / DATABASE)) as database:
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
            kills += killed_at("pwrite64", number, "migrate", "--data-dir", place / "data")
            version = rows(place / "data", "PRAGMA user_version")[0][0]
            expect(version in (3, 4, 5), f"schema {version} after a kill at write {number}")
            tocsin("migrate", "--data-dir", place / "data").ended(0)
            equal(rows(place / "data", "SELECT type, name, sql FROM sqlite_schema ORDER BY 1, 2"), schema, f"schema after a kill at write {number}")
            equal(rows(place / "data", "SELECT time, readings FROM sensor_events ORDER BY 1"), events, f"events after a kill at write {number}")
        expect(kills >= 4, f"only {kills} kills")


# MARK: Two programs

@check("store faults: two programs on one data folder without a spool, on PostgreSQL: the second refuses and names the first's process")
def one_folder_without_spool():
    # Waits for a lock of the data folder itself: the spool's and SQLite's are not there in this case.
    with folder() as place, postgres.server(place) as database:
        options = ("--set", "spool.enabled=false")
        with Server(place / "data", *options, environment=database.environment()) as server:
            second = None
            try:
                second = Server(place / "data", *options, environment=database.environment(), timeout=10)
            except AssertionError as refusal:
                expect(f"process {server.process.pid}" in str(refusal), f"the owner is not named: {shortened(str(refusal), 500)}")
            else:
                second.kill()
                raise AssertionError("the second program runs on the same folder")


@check("store faults: without a spool a server that is away holds the acknowledgement back, and nothing is acknowledged that is not stored")
def without_spool():
    with folder() as place, postgres.server(place) as database:
        with Server(place / "data", "--set", "spool.enabled=false", environment=database.environment()) as server, Balance(server):
            with Load(server, insists=True) as load:
                soon(lambda: load.sent >= 200 or load.problem, 30, "load")
                database.stop()
                seen = soon(lambda: (seen := server.request("GET", "/health").json)["status"] != "ok" and seen, 10, "/health tells of it")
                before = load.sent
                soon(lambda: load.refusals or load.problem, 10, "what cannot be stored is not acknowledged")
                database.start()
                soon(lambda: load.sent > before + 100 or load.problem, 30, "load goes on")
            expect(load.problem is None, f"a request: {load.problem}")
            settled(server)
        order = Order(database)
        equal(order.look(), load.sent, "events stored")
        equal(order.breaks, [], "gaps")
        print(f"     /health: {seen['status']}, {shortened(seen.get('reason', ''), 100)}; slowest POST {load.slowest:.2f} s")


main()

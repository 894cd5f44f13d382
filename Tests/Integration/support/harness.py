"""What the integration tests share: running the program, talking to it, and reporting checks.

A test file registers its checks with `@check("name")` and ends with `main()`, which runs them in order and prints one
line for each: `PASS name`, `FAIL name: why` or `SKIP name: why`. Only the standard library is used.
"""

import atexit
import collections
import contextlib
import http.client
import json
import os
import pathlib
import queue
import re
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
import traceback

BINARY = os.environ.get("TOCSIN_BINARY") or os.path.abspath(".build/release/tocsin")
DATABASE = "tocsin.sqlite"
# Recordings for evaluation stand beside the repository, where there are any.
SHARED_DATA = pathlib.Path("../shared/data")
# The program's own variables (SERVER_PORT and so on) must not reach it by chance.
ENVIRONMENT = {name: os.environ[name] for name in ("PATH", "HOME", "TMPDIR", "LANG", "LD_LIBRARY_PATH") if name in os.environ}

# MARK: Checks

CHECKS = []


class Skip(Exception):
    """The machine lacks what a check needs; the message says what."""


def check(name):
    """Registers a function as a check."""
    def register(function):
        CHECKS.append((name, function))
        return function
    return register


def expect(condition, why):
    if not condition:
        raise AssertionError(why)


def equal(got, wanted, what):
    expect(got == wanted, f"{what}: expected {shortened(wanted)}, got {shortened(got)}{difference(got, wanted)}")


def difference(got, wanted):
    """What one of two long lists has and the other has not."""
    if not (isinstance(got, list) and isinstance(wanted, list) and len(repr(wanted)) > 300):
        return ""
    have, want = collections.Counter(map(repr, got)), collections.Counter(map(repr, wanted))
    lacking, further = list((want - have).elements()), list((have - want).elements())
    return f"; {len(lacking)} are missing: {shortened(', '.join(lacking))}; {len(further)} too many: {shortened(', '.join(further))}"


def shortened(value, limit=300):
    text = value if isinstance(value, str) else repr(value)
    text = " | ".join(text.strip().splitlines())
    return text if len(text) <= limit else text[:limit] + "…"


def main():
    """Runs the checks, or only those whose names contain one of the command line's words."""
    wanted = sys.argv[1:]
    if not os.access(BINARY, os.X_OK):
        print(f"FAIL binary: {BINARY} is missing; run swift build -c release")
        sys.exit(1)
    failures = 0
    for name, function in CHECKS:
        if wanted and not any(word in name for word in wanted):
            continue
        try:
            function()
            line = f"PASS {name}"
        except Skip as reason:
            line = f"SKIP {name}: {reason}"
        except Exception as error:
            failures += 1
            why = str(error) if isinstance(error, AssertionError) else f"{type(error).__name__}: {error}"
            line = f"FAIL {name}: {shortened(why, 600)}"
            if not isinstance(error, AssertionError):
                traceback.print_exc()
        print(line, flush=True)
    sys.exit(1 if failures else 0)


# A busy machine is given so many times as long as an idle one would ever need.
PATIENCE = 3


def soon(condition, timeout, what, interval=0.02):
    """Waits until `condition()` is true and returns its value; fails after `timeout` seconds of an idle machine."""
    timeout *= PATIENCE
    deadline = time.monotonic() + timeout
    while True:
        value = condition()
        if value:
            return value
        expect(time.monotonic() < deadline, f"not within {timeout} s: {what}")
        time.sleep(interval)


@contextlib.contextmanager
def folder():
    """A new folder, deleted at the end."""
    path = pathlib.Path(tempfile.mkdtemp(prefix="tocsin-test-"))
    try:
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)


# MARK: Commands

class Finished:
    """A command that has ended."""

    def __init__(self, arguments, code, out, err):
        self.arguments, self.code, self.out, self.err = arguments, code, out, err

    @property
    def text(self):
        return self.out + self.err

    @property
    def json(self):
        try:
            return json.loads(self.out)
        except ValueError:
            raise AssertionError(f"{self}: standard output is not JSON: {shortened(self.out)} {shortened(self.err)}")

    def __str__(self):
        return "tocsin " + shortened(" ".join(self.arguments), 120)

    def ended(self, code):
        """Fails unless it ended with `code`."""
        equal(self.code, code, f"{self}: exit code ({shortened(self.err or self.out)})")
        return self

    def failed_clearly(self, *words):
        """Fails unless it ended with 1 and a message that holds the words."""
        self.ended(1)
        for word in words:
            expect(str(word).lower() in self.text.lower(), f"{self}: no '{word}' in the message: {shortened(self.text)}")
        expect("Fatal error" not in self.text, f"{self}: it crashed: {shortened(self.text)}")
        return self


def tocsin(*arguments, stdin=None, timeout=120, environment=None, user=None, cwd=None):
    """Runs a command to its end. Death by a signal is always a failure."""
    arguments = [str(argument) for argument in arguments]
    binary = BINARY
    try:
        process = subprocess.run(
            [binary, *arguments], input=stdin, stdin=None if stdin is not None else subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=timeout, env=ENVIRONMENT | (environment or {}),
            user=user, cwd=cwd)
    except subprocess.TimeoutExpired:
        raise AssertionError(f"tocsin {shortened(' '.join(arguments), 120)} did not end within {timeout} s")
    out, err = (stream.decode("utf-8", "replace") for stream in (process.stdout, process.stderr))
    finished = Finished(arguments, process.returncode, out, err)
    if process.returncode < 0:
        raise AssertionError(f"{finished} died by {signal.Signals(-process.returncode).name}: {shortened(err[-400:])}")
    return finished


# MARK: Server

class Answer:
    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    @property
    def text(self):
        return self.body.decode("utf-8", "replace")

    @property
    def json(self):
        return json.loads(self.body)

    def __str__(self):
        return f"{self.status} {shortened(self.text)}"


class Server:
    """`tocsin run` on a free port, ready when the constructor returns; a context manager that ends it orderly."""

    def __init__(self, data, *options, command="run", environment=None, timeout=30):
        self.data = data and pathlib.Path(data)
        handle, self.log_path = tempfile.mkstemp(prefix="tocsin-log-")
        os.close(handle)
        atexit.register(pathlib.Path(self.log_path).unlink, missing_ok=True)
        arguments = [command, "--port", "0", *(["--data-dir", str(data)] if data else []), *map(str, options)]
        with open(self.log_path, "wb") as log:
            self.process = subprocess.Popen(
                [BINARY, *arguments], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=log,
                env=ENVIRONMENT | {"LOG_LEVEL": "info"} | (environment or {}))
        self.lines = queue.Queue()
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()
        try:
            self.port = self._announced_port(timeout * PATIENCE)
            soon(self._is_ready, timeout, "/readyz answers 200")
        except BaseException:
            self.kill()
            raise

    def _read(self):
        for line in self.process.stdout:
            self.lines.put(line.decode("utf-8", "replace"))
        self.lines.put(None)

    def _announced_port(self, timeout):
        deadline = time.monotonic() + timeout
        while True:
            try:
                line = self.lines.get(timeout=max(0.01, deadline - time.monotonic()))
            except queue.Empty:
                raise AssertionError(f"the server announced no address within {timeout} s; {shortened(self.log[-300:])}")
            if line is None:
                raise AssertionError(f"the server ended with {self.process.wait()}: {shortened(self.log[-600:], 600)}")
            if match := re.search(r"Dashboard: http://[^/]*:(\d+)/", line):
                return int(match[1])

    def _is_ready(self):
        expect(self.process.poll() is None, f"the server ended with {self.process.returncode}: {shortened(self.log[-600:], 600)}")
        with contextlib.suppress(OSError, http.client.HTTPException):
            return self.request("GET", "/readyz", timeout=5).status == 200
        return False

    @property
    def log(self):
        return pathlib.Path(self.log_path).read_text("utf-8", "replace")

    def connection(self, timeout=30):
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)

    def request(self, method, path, body=None, headers=None, timeout=30, **options):
        connection = self.connection(timeout)
        try:
            connection.request(method, path, body, headers or {}, **options)
            response = connection.getresponse()
            return Answer(response.status, response.headers, response.read())
        finally:
            connection.close()

    def get(self, path, status=200):
        answer = self.request("GET", path)
        equal(answer.status, status, f"GET {path} ({shortened(answer.text)})")
        return answer

    def post(self, body, kind="application/x-ndjson", timeout=40):
        return self.request("POST", "/ingest", body if isinstance(body, bytes) else body.encode(), {"Content-Type": kind}, timeout)

    def stop(self, timeout=30):
        """Ends it by SIGTERM and returns the exit code; fails when it does not end in time."""
        self.process.send_signal(signal.SIGTERM)
        return self.ended(timeout)

    def ended(self, timeout=30):
        try:
            code = self.process.wait(timeout)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError(f"the server did not end within {timeout} s; {shortened(self.log[-300:])}")
        self.reader.join(5)
        return code

    def kill(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self.reader.join(5)

    def __enter__(self):
        return self

    def __exit__(self, kind, error, trace):
        if self.process.poll() is None:
            if kind is None:
                equal(self.stop(), 0, "exit code after SIGTERM")
            else:
                self.kill()
        elif kind is None and self.process.returncode < 0 and self.process.returncode != -signal.SIGKILL:
            raise AssertionError(f"the server died by signal {-self.process.returncode}: {shortened(self.log[-400:])}")


class Live:
    """A reader of `GET /live`: events as dictionaries with `name`, `id`, `data`, `at` (monotonic seconds)."""

    def __init__(self, server, path="/live", last_event_id=None):
        self.connection = server.connection(timeout=60)
        headers = {"Accept": "text/event-stream"} | ({"Last-Event-ID": last_event_id} if last_event_id else {})
        self.connection.request("GET", path, headers=headers)
        self.response = self.connection.getresponse()
        equal(self.response.status, 200, f"GET {path}")
        self.socket = self.connection.sock
        self.events, self.comments = [], []
        self.changed = threading.Condition()
        self.thread = threading.Thread(target=self._read, daemon=True)
        self.thread.start()

    def _read(self):
        event = {}
        with contextlib.suppress(OSError, ValueError, AttributeError, http.client.HTTPException):
            while line := self.response.readline():
                field, _, value = line.decode("utf-8").rstrip("\r\n").partition(":")
                value = value.removeprefix(" ")
                with self.changed:
                    if not line.strip():
                        if "data" in event:
                            text = event["data"]
                            self.events.append(event | {"data": json.loads(text), "at": time.monotonic()})
                        event = {}
                    elif field == "":
                        self.comments.append(value)
                    else:
                        event["name" if field == "event" else field] = value
                    self.changed.notify_all()

    def named(self, name):
        with self.changed:
            return [event for event in self.events if event.get("name") == name]

    def wait(self, condition, timeout, what):
        with self.changed:
            expect(self.changed.wait_for(lambda: condition(self), timeout), f"not within {timeout} s on /live: {what}")
            return condition(self)

    def close(self):
        with contextlib.suppress(OSError):
            self.socket.shutdown(socket.SHUT_RDWR)
        self.thread.join(5)
        self.connection.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


# MARK: Data

def iso(seconds):
    """RFC 3339 with milliseconds; `seconds` since 1970."""
    whole, milliseconds = divmod(round(seconds * 1000), 1000)
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(whole)) + f".{milliseconds:03d}Z"


def line(sensor, seconds, event_id=None, **metrics):
    """One wide event as a JSON line."""
    fields = {"event_id": event_id} if event_id else {}
    return json.dumps(fields | {"sensor_id": sensor, "timestamp": iso(seconds), **metrics}) + "\n"


def rows(data, query, *arguments):
    """Rows of a data folder's database, which is left exactly as it is."""
    path = pathlib.Path(data) / DATABASE
    expect(path.exists(), f"there is no database {path}")
    connection = sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=10)
    try:
        return connection.execute(query, arguments).fetchall()
    finally:
        connection.close()


def stored_events(data):
    """(sensor, milliseconds, readings) of every stored event."""
    query = "SELECT s.name, e.time, e.readings FROM sensor_events e JOIN sensors s ON s.id = e.sensor_id"
    return [(sensor, time // 1_000_000, readings) for sensor, time, readings in rows(data, query)]


def require_shared(path):
    """The path of a shared recording."""
    found = SHARED_DATA / path
    if not found.exists():
        raise Skip(f"{found} is not there")
    return found


def is_root():
    return os.geteuid() == 0

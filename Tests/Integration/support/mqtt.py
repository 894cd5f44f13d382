"""A mosquitto broker for tests: on a free port of 127.0.0.1, its data in a folder that the test gives.

    with harness.folder() as path, mqtt.broker(path) as broker:
        broker.publish("plant/p1", [b"21.5"], qos=1)
        broker.kill()
        broker.start()

`broker(path, tls=True, mutual=True, users={"tocsin": "secret"}, acl=["topic read plant/#"])`. The client that publishes
is a small one of its own, so that the test knows of each message whether the broker has acknowledged it.
"""

import contextlib
import os
import pathlib
import select
import shutil
import signal
import socket
import struct
import subprocess
import threading

from support.harness import Skip, soon


def program(name):
    """The path of one of mosquitto's programs; skips the check where it is missing."""
    found = shutil.which(name, path=os.environ.get("PATH", "") + ":/usr/sbin:/usr/local/sbin")
    if not found:
        raise Skip(f"{name} is not installed (Debian: mosquitto, mosquitto-clients)")
    return found


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Broker:
    """One broker. `start`, `kill` and `stop` may be called again and again; its data stays until the folder goes."""

    def __init__(self, folder, tls=False, mutual=False, users=None, acl=None, settings=()):
        self.folder = pathlib.Path(folder) / "mosquitto"
        self.folder.mkdir(parents=True)
        self.port = free_port()
        self.process = None
        self.tls = tls
        # How often it was started.
        self.lives = 0
        lines = [
            f"listener {self.port} 127.0.0.1", "max_queued_messages 0", "max_inflight_messages 0", "persistence true",
            f"persistence_location {self.folder}/", "autosave_interval 1", "autosave_on_changes true",
            f"log_dest file {self.folder}/mosquitto.log", "log_type all",
        ]
        if os.geteuid() == 0:
            lines.append("user root")
        if tls:
            self.certificates()
            lines += [f"cafile {self.folder}/ca.pem", f"certfile {self.folder}/server.pem", f"keyfile {self.folder}/server.key"]
            lines += ["require_certificate true"] if mutual else []
        if users:
            for number, (user, password) in enumerate(users.items()):
                first = ["-c"] if number == 0 else []
                self.run(program("mosquitto_passwd"), "-b", *first, self.folder / "passwords", user, password)
            lines += [f"password_file {self.folder}/passwords", "allow_anonymous false"]
        else:
            lines.append("allow_anonymous true")
        if acl is not None:
            (self.folder / "acl").write_text("\n".join(acl) + "\n")
            lines.append(f"acl_file {self.folder}/acl")
        lines += [line.replace("@", str(self.folder)) for line in settings]
        (self.folder / "mosquitto.conf").write_text("\n".join(lines) + "\n")

    @property
    def url(self):
        return f"{'mqtts://localhost' if self.tls else 'mqtt://127.0.0.1'}:{self.port}"

    @property
    def log(self):
        path = self.folder / "mosquitto.log"
        return path.read_text("utf-8", "replace") if path.exists() else ""

    def run(self, *arguments):
        subprocess.run([str(argument) for argument in arguments], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    # MARK: Life

    def start(self):
        self.lives += 1
        self.process = subprocess.Popen(
            [program("mosquitto"), "-c", str(self.folder / "mosquitto.conf")], stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL)
        soon(self.is_listening, 10, "mosquitto listens")

    def is_listening(self):
        if self.process.poll() is not None:
            raise AssertionError(f"mosquitto ended with {self.process.returncode}: {self.log[-400:]}")
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 1):
            return True
        return False

    def kill(self):
        """As by `kill -9`."""
        if self.process and self.process.poll() is None:
            self.process.kill()
            self.process.wait()

    def stop(self):
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            self.process.wait(10)

    def saved(self):
        """The bytes of its last save, to be asked for when it is dead: what stands there it knows again."""
        path = self.folder / "mosquitto.db"
        return path.read_bytes() if path.exists() else b""

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.kill()

    def certificates(self):
        """An authority, a server (localhost) and a client certificate."""
        openssl = shutil.which("openssl")
        if not openssl:
            raise Skip("openssl is not installed")
        make = [openssl, "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"]
        self.run(*make, "-subj", "/CN=Test CA", "-keyout", self.folder / "ca.key", "-out", self.folder / "ca.pem")
        for name, subject in (("server", "localhost"), ("client", "tocsin")):
            self.run(
                *make, "-subj", f"/CN={subject}", "-addext", f"subjectAltName=DNS:{subject}", "-keyout",
                self.folder / f"{name}.key", "-out", self.folder / f"{name}.pem", "-CA", self.folder / "ca.pem", "-CAkey",
                self.folder / "ca.key")

    # MARK: Messages

    def publish(self, topic, payloads, qos=1, retain=False, user=None):
        """Returns when the broker has acknowledged all."""
        with Publisher(self, user=user) as publisher:
            for payload in payloads:
                publisher.send(topic, payload, qos, retain)
            publisher.finish()

    def latest(self, topic, timeout=5):
        """The next (or retained) message of a topic as text; None when none comes in time."""
        done = subprocess.run(
            [program("mosquitto_sub"), "-h", "127.0.0.1", "-p", str(self.port), "-t", topic, "-C", "1", "-W", str(timeout)],
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        return done.stdout.rstrip("\n") if done.returncode == 0 else None


@contextlib.contextmanager
def broker(folder, **options):
    with Broker(folder, **options) as one:
        yield one


class Publisher:
    """A client of MQTT 3.1.1 that publishes and nothing else. `acknowledged` holds the payloads that the broker has."""

    def __init__(self, broker, user=None, window=200, client=""):
        self.broker, self.window = broker, window
        self.waiting, self.acknowledged = {}, []
        self.next = 0
        self.socket = socket.create_connection(("127.0.0.1", broker.port), 5)
        self.unread = b""
        body = field(b"MQTT") + bytes([4, 2 | (0xC0 if user else 0)]) + struct.pack(">H", 0) + field(client.encode())
        if user:
            body += field(user[0].encode()) + field(user[1].encode())
        self.socket.sendall(b"\x10" + length(len(body)) + body)
        answer = self.socket.recv(4, socket.MSG_WAITALL)
        if answer[:2] != b"\x20\x02" or answer[3:] != b"\x00":
            raise ConnectionError(f"the broker refused: {answer.hex()}")

    def send(self, topic, payload, qos=1, retain=False):
        """Suspends while too many are unacknowledged; raises OSError when the broker has gone."""
        body = field(topic.encode())
        if qos:
            self.next = self.next % 65_535 + 1
            self.waiting[self.next] = payload
            body += struct.pack(">H", self.next)
        body += payload
        self.socket.sendall(bytes([0x30 | qos << 1 | retain]) + length(len(body)) + body)
        while len(self.waiting) >= self.window:
            self._read(5)
        self._read(0)

    def finish(self, timeout=20):
        while self.waiting:
            self._read(timeout)

    def drain(self):
        """Reads what a broker that has gone has still acknowledged."""
        with contextlib.suppress(OSError):
            while True:
                self._read(1)

    def _read(self, timeout):
        ready, _, _ = select.select([self.socket], [], [], timeout)
        if not ready:
            if timeout:
                raise TimeoutError("the broker does not acknowledge")
            return
        data = self.socket.recv(65_536)
        if not data:
            raise ConnectionResetError("the broker has gone")
        self.unread += data
        while len(self.unread) >= 4:
            kind, packet = self.unread[0] >> 4, struct.unpack(">H", self.unread[2:4])[0]
            self.unread = self.unread[4:]
            if kind == 5:
                self.socket.sendall(b"\x62\x02" + struct.pack(">H", packet))
            elif packet in self.waiting:
                self.acknowledged.append(self.waiting.pop(packet))

    def close(self):
        with contextlib.suppress(OSError):
            self.socket.sendall(b"\xe0\x00")
        self.socket.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


class Client:
    """A client of MQTT 3.1.1 that publishes and hears. `messages` holds what has come: (topic, payload, retained)."""

    def __init__(self, broker, name, filters=(), will=None):
        self.messages = []
        self.socket = socket.create_connection(("127.0.0.1", broker.port), 5)
        flags, rest = 2, b""
        if will:
            flags |= 0b01100 if will[2] else 0b00100
            rest = field(will[0].encode()) + field(will[1])
        self._send(0x10, field(b"MQTT") + bytes([4, flags]) + struct.pack(">H", 0) + field(name.encode()) + rest)
        if filters:
            wanted = b"".join(field(one.encode()) + b"\x01" for one in filters)
            self._send(0x82, struct.pack(">H", 1) + wanted)
        self.granted = threading.Event()
        threading.Thread(target=self._read, daemon=True).start()
        if filters and not self.granted.wait(10):
            raise TimeoutError("the broker grants no subscription")

    def _send(self, head, body):
        self.socket.sendall(bytes([head]) + length(len(body)) + body)

    def _read(self):
        unread = b""
        with contextlib.suppress(OSError):
            self.socket.settimeout(None)
            while data := self.socket.recv(65_536):
                unread += data
                while packet := split(unread):
                    head, body, unread = packet
                    if head >> 4 == 9:
                        self.granted.set()
                    elif head >> 4 == 3:
                        topic, payload, number = published(head, body, 4)
                        self.messages.append((topic.decode(), payload, bool(head & 1)))
                        if number:
                            self._send(0x40, number)

    def publish(self, topic, payload, retain=False):
        """At QoS 0."""
        self._send(0x30 | retain, field(topic.encode()) + payload)

    def cut(self):
        """Goes without a word: the broker tells its will."""
        with contextlib.suppress(OSError):
            self.socket.shutdown(socket.SHUT_RDWR)
        self.socket.close()

    def close(self):
        with contextlib.suppress(OSError):
            self._send(0xE0, b"")
        self.socket.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def field(value):
    return struct.pack(">H", len(value)) + value


def length(value):
    out = bytearray()
    while True:
        value, low = divmod(value, 128)
        out.append(low | (0x80 if value else 0))
        if not value:
            return bytes(out)


class Tap:
    """A proxy in front of a broker that notes what passes: `delivered`, the payloads that it has passed on to the client;
    `confirmed`, those that the client has acknowledged (QoS 1); `lines`, every packet in words."""

    KINDS = ("?", "CONNECT", "CONNACK", "PUBLISH", "PUBACK", "PUBREC", "PUBREL", "PUBCOMP", "SUBSCRIBE", "SUBACK",
             "UNSUBSCRIBE", "UNSUBACK", "PINGREQ", "PINGRESP", "DISCONNECT", "AUTH")

    def __init__(self, port):
        self.target = port
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.delivered, self.confirmed, self.lines = set(), set(), []
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def url(self):
        return f"mqtt://127.0.0.1:{self.port}"

    def _accept(self):
        while True:
            try:
                near, _ = self.listener.accept()
            except OSError:
                return
            try:
                far = socket.create_connection(("127.0.0.1", self.target), 5)
            except OSError:
                near.close()
                continue
            far.settimeout(None)
            state = {"version": 4, "payloads": {}}
            for one in (near, far):
                one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            threading.Thread(target=self._pump, args=(near, far, state, ">"), daemon=True).start()
            threading.Thread(target=self._pump, args=(far, near, state, "<"), daemon=True).start()

    def _pump(self, source, sink, state, direction):
        unread = b""
        with contextlib.suppress(OSError):
            while data := source.recv(65_536):
                if direction == ">":
                    unread = self._note(unread + data, state, direction)
                    sink.sendall(data)
                else:
                    # Delivered is what the client's side of the connection has taken.
                    sink.sendall(data)
                    unread = self._note(unread + data, state, direction)
        self.lines.append(f"{direction} end")
        # The other direction may still hold something: only this one ends.
        with contextlib.suppress(OSError):
            sink.shutdown(socket.SHUT_WR)

    def _note(self, data, state, direction):
        while packet := split(data):
            head, body, data = packet
            kind = self.KINDS[head >> 4]
            if kind == "CONNECT":
                state["version"] = body[6]
            elif kind == "PUBLISH":
                topic, payload, number = published(head, body, state["version"])
                if direction == "<":
                    self.delivered.add(payload)
                    state["payloads"][number] = payload
                self.lines.append(f"{direction} PUBLISH {number} {topic.decode()}")
                continue
            elif kind == "PUBACK" and direction == ">":
                self.confirmed.add(state["payloads"].get(body[:2]))
            self.lines.append(f"{direction} {kind} {body[:40].hex()}")
        return data

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.listener.close()


def split(data):
    """First byte and body of the packet that data begin with, and the rest; None while it is not whole."""
    size, shift, start = 0, 0, 1
    while True:
        if start >= len(data):
            return None
        size |= (data[start] & 0x7F) << shift
        shift += 7
        start += 1
        if not data[start - 1] & 0x80:
            break
    return None if len(data) < start + size else (data[0], data[start:start + size], data[start + size:])


def published(head, body, version):
    """Topic, payload and packet id (as bytes) of a PUBLISH."""
    end = 2 + struct.unpack(">H", body[:2])[0]
    topic, body = body[2:end], body[end:]
    number = b""
    if head & 6:
        number, body = body[:2], body[2:]
    if version == 5:
        size, shift, start = 0, 0, 0
        while True:
            size |= (body[start] & 0x7F) << shift
            shift += 7
            start += 1
            if not body[start - 1] & 0x80:
                break
        body = body[start + size:]
    return topic, body, number


class Swallower:
    """A proxy in front of a broker that can go on listening and say nothing: a half-open connection."""

    def __init__(self, port):
        self.target = port
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.swallows = False
        self.closed = False
        self.accepted = 0
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while not self.closed:
            try:
                near, _ = self.listener.accept()
            except OSError:
                return
            self.accepted += 1
            # A new connection reaches the broker: only the old one is dead.
            self.swallows = False
            far = socket.create_connection(("127.0.0.1", self.target))
            state = {"dead": False}
            for source, sink in ((near, far), (far, near)):
                threading.Thread(target=self._pump, args=(source, sink, state), daemon=True).start()

    def _pump(self, source, sink, state):
        with contextlib.suppress(OSError):
            while data := source.recv(65_536):
                state["dead"] = state["dead"] or self.swallows
                if not state["dead"]:
                    sink.sendall(data)
        if not state["dead"]:
            for one in (source, sink):
                with contextlib.suppress(OSError):
                    one.shutdown(socket.SHUT_RDWR)

    def close(self):
        self.closed = True
        self.listener.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

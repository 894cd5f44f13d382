"""A wire between a program and a server that can be cut at the worst moment, or say nothing."""

import contextlib
import socket
import struct
import threading

from support.harness import expect

# A simple query of libpq, whole: kind, length, text.
COMMIT = b"Q\x00\x00\x00\x0bCOMMIT\x00"
# Only who writes asks for it.
WRITER = b"pg_current_xact_id"


class Wire:
    """Passes bytes on between its own port and the server's; a context manager.

    `cut_commits(every, heard)`: every so manieth COMMIT of a writer is passed on, its answer is not: the client's
    connection is reset. With `heard` the server's answer has come back to the wire by then, so that the transaction is
    there for certain; without, the server may learn of the loss before it has begun to commit. `silence()`: connections
    stay open and are taken, and nothing is passed on until `speak()`. `hold(number)`: the `number`th request from now on
    and what follows is taken and not passed on, until `pass_on()`; `holds` is set then. A request is what a client says
    first, and what it says after an answer.
    """

    def __init__(self, port):
        self.target = port
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.lock = threading.Lock()
        self.open, self.commits, self.cuts = set(), 0, 0
        self.every, self.heard, self.most = None, True, 0
        self.speaks = threading.Event()
        self.speaks.set()
        self.holds, self.passed = threading.Event(), None
        threading.Thread(target=self._accept, daemon=True).start()

    def cut_commits(self, every, heard=True, most=1 << 30):
        with self.lock:
            self.every, self.heard, self.most = every, heard, self.cuts + most

    def heal(self):
        with self.lock:
            self.every = None

    def silence(self):
        self.speaks.clear()

    def speak(self):
        self.speaks.set()

    def hold(self, number):
        with self.lock:
            self.holds, self.passed = threading.Event(), number - 1

    def pass_on(self):
        with self.lock:
            self.holds, self.passed = threading.Event(), None

    # MARK: Parts

    def _accept(self):
        with contextlib.suppress(OSError):
            while True:
                client, _ = self.listener.accept()
                threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client):
        self.speaks.wait()
        try:
            server = socket.create_connection(("127.0.0.1", self.target), timeout=10)
        except OSError:
            client.close()
            return
        server.settimeout(None)
        for each in (client, server):
            each.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with self.lock:
            self.open |= {client, server}
        cut, answered = threading.Event(), threading.Event()
        back = threading.Thread(target=self._back, args=(client, server, cut, answered), daemon=True)
        back.start()
        self._forth(client, server, cut, answered)
        back.join()
        with self.lock:
            self.open -= {client, server}
        for each in (client, server):
            each.close()

    def _forth(self, client, server, cut, answered):
        tail, is_writer = b"", False
        answered.set()
        with contextlib.suppress(OSError):
            while data := client.recv(1 << 16):
                self.speaks.wait()
                if self._is_held(answered):
                    continue
                seen = tail + data
                tail = seen[-(len(WRITER) - 1):]
                is_writer = is_writer or WRITER in seen
                # A writer waits for the answer: it is the last of what was sent.
                if is_writer and seen.endswith(COMMIT) and self._is_due():
                    cut.set()
                    server.sendall(data)
                    if not self.heard:
                        self._reset(client)
                        self._reset(server)
                    return
                server.sendall(data)
        with contextlib.suppress(OSError):
            server.shutdown(socket.SHUT_WR)

    def _back(self, client, server, cut, answered):
        with contextlib.suppress(OSError):
            while data := server.recv(1 << 16):
                self.speaks.wait()
                if cut.is_set():
                    break
                answered.set()
                client.sendall(data)
        if cut.is_set():
            self._reset(client)
            with contextlib.suppress(OSError):
                server.shutdown(socket.SHUT_RDWR)
        else:
            with contextlib.suppress(OSError):
                client.shutdown(socket.SHUT_WR)

    def _is_held(self, answered):
        with self.lock:
            if self.passed is None:
                return False
            if not self.holds.is_set() and answered.is_set():
                answered.clear()
                if self.passed == 0:
                    self.holds.set()
                else:
                    self.passed -= 1
            return self.holds.is_set()

    def _is_due(self):
        with self.lock:
            self.commits += 1
            if self.every is None or self.commits % self.every or self.cuts >= self.most:
                return False
            self.cuts += 1
            return True

    @staticmethod
    def _reset(end):
        """As a crashed peer does; also wakes whoever waits for it."""
        with contextlib.suppress(OSError):
            end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            end.shutdown(socket.SHUT_RDWR)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.speaks.set()
        self.listener.close()
        with self.lock:
            left = list(self.open)
        for each in left:
            self._reset(each)


def through(wire, environment):
    """The environment of a program that is to go through the wire."""
    expect("PG_PORT" in environment, "there is no port to be replaced")
    return environment | {"PG_PORT": str(wire.port), "PG_SSLMODE": "disable"}

"""Where alerts go in the tests of faults: a web receiver that behaves as it is told, a plain mail server, and a port that
takes connections and says nothing."""

import http.server
import json
import socket
import socketserver
import threading
import time


class Receiver:
    """Answers POSTs with the given statuses in turn, then with `status`; keeps what it got.

    `status`, `headers` and `pause` (seconds before the answer) may be changed at any time; `away` makes it break every
    connection off without an answer.
    """

    def __init__(self, *statuses, port=0):
        self.requests, self.waiting = [], list(statuses)
        self.status, self.headers, self.pause, self.away, self.tries = 200, {}, 0.0, False, []
        receiver = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                receiver.tries.append(time.monotonic())
                if receiver.away:
                    self.close_connection = True
                    return
                if receiver.pause:
                    time.sleep(receiver.pause)
                status = receiver.waiting.pop(0) if receiver.waiting else receiver.status
                receiver.requests.append((status, dict(self.headers), body, self.path))
                self.send_response(status)
                for name, value in receiver.headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def do_HEAD(self):
                self.send_response(405)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_):
                pass

        class Server(http.server.ThreadingHTTPServer):
            def handle_error(self, *_):
                """A connection that breaks is part of the test."""

        self.server = Server(("127.0.0.1", port), Handler)
        self.port = self.server.server_port
        self.url = f"http://127.0.0.1:{self.port}/hook"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()

    def delivered(self):
        """The bodies that were answered with 200."""
        return [json.loads(body) for status, _, body, _ in list(self.requests) if status == 200]

    def steps(self):
        """`raised pump-1` for each CloudEvent that was taken."""
        return [f"{event['data']['step']} {event['data']['alarm']['sensor_id']}" for event in self.delivered()]


class MailServer:
    """As much of SMTP (RFC 5321) as a client needs to hand over a message."""

    def __init__(self):
        self.messages, self.times = [], []
        mails = self

        class Handler(socketserver.StreamRequestHandler):
            def say(self, text):
                self.wfile.write(text.encode() + b"\r\n")

            def handle(self):
                self.say("220 mail.test")
                while line := self.rfile.readline():
                    word = line.strip().upper()
                    if word.startswith(b"EHLO"):
                        self.say("250-mail.test\r\n250 8BITMIME")
                    elif word == b"DATA":
                        self.say("354 go on")
                        lines = []
                        while (part := self.rfile.readline()) not in (b".\r\n", b""):
                            lines.append(part)
                        mails.messages.append(b"".join(lines).decode("utf-8", "replace"))
                        mails.times.append(time.monotonic())
                        self.say("250 taken")
                    elif word == b"QUIT":
                        self.say("221 bye")
                        return
                    else:
                        self.say("250 ok")

        class Server(socketserver.ThreadingTCPServer):
            allow_reuse_address = True
            daemon_threads = True

            def handle_error(self, *_):
                """A client that hangs up is no error of the test."""

        self.server = Server(("127.0.0.1", 0), Handler)
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()


class Silent:
    """Takes connections and says nothing: what a half-open TCP connection looks like from the other side."""

    def __init__(self):
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}/hook"
        self.taken = []
        threading.Thread(target=self._take, daemon=True).start()

    def _take(self):
        try:
            while True:
                self.taken.append(self.socket.accept()[0])
        except OSError:
            pass

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()
        for connection in self.taken:
            connection.close()


def free_port():
    """A port at which nobody listens now."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return probe.getsockname()[1]


def channels(path, *entries, **alerts):
    """Writes a configuration with these channels (dictionaries) and further keys of `alerts`; gives its path."""
    configuration = {"alerts": {"allowPrivateTargets": True, "console": {"enabled": False}, "channels": list(entries)} | alerts}
    file = path / "alerts.yaml"
    # JSON is YAML.
    file.write_text(json.dumps(configuration))
    return file

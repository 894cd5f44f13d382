"""Receivers of alerts on free ports of 127.0.0.1 as they are in earnest: web addresses behind TLS, and a mail server with
STARTTLS and login.

    files = receivers.certificates(path)
    with receivers.Web(files) as web, receivers.Mail(files) as mail:
        web.secure, web.plain, mail.port
        web.requests[-1].path, .headers, .body
"""

import base64
import contextlib
import http.server
import pathlib
import shutil
import socketserver
import ssl
import subprocess
import threading
import types

from support.harness import Skip


def certificates(folder):
    """An authority (ca.pem), and a server's certificate for 127.0.0.1 and localhost."""
    openssl = shutil.which("openssl")
    if not openssl:
        raise Skip("openssl is not installed")
    folder = pathlib.Path(folder)
    make = [openssl, "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"]

    def run(*arguments):
        subprocess.run([*make, *map(str, arguments)], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    run("-subj", "/CN=Test CA", "-keyout", folder / "ca.key", "-out", folder / "ca.pem")
    run("-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1", "-keyout", folder / "server.key",
        "-out", folder / "server.pem", "-CA", folder / "ca.pem", "-CAkey", folder / "ca.key")
    return folder


def context(folder):
    found = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    found.load_cert_chain(folder / "server.pem", folder / "server.key")
    return found


class Web:
    """Takes every POST with `status`, over TLS at the port `secure` and without at `plain`."""

    def __init__(self, folder, status=202):
        web = self
        self.requests, self.status = [], status

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                web.requests.append(types.SimpleNamespace(path=self.path, headers=self.headers, body=body, tls=self.server.tls))
                self.send_response(web.status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", "2")
                self.end_headers()
                self.wfile.write(b"{}")

            def log_message(self, *_):
                pass

        self.servers = []
        for tls in (True, False):
            server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
            server.tls, server.daemon_threads = tls, True
            server.handle_error = lambda *_: None
            if tls:
                server.socket = context(folder).wrap_socket(server.socket, server_side=True)
            threading.Thread(target=server.serve_forever, daemon=True).start()
            self.servers.append(server)
        self.secure, self.plain = (server.server_port for server in self.servers)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for server in self.servers:
            server.shutdown()
            server.server_close()


class Mail:
    """A mail server that offers STARTTLS, and AUTH behind it; `mails` holds (login, from, [to], text)."""

    def __init__(self, folder):
        mail = self
        self.mails = []

        class Handler(socketserver.StreamRequestHandler):
            def say(self, *lines):
                for place, line in enumerate(lines):
                    self.wfile.write((line[:3] + ("-" if place + 1 < len(lines) else " ") + line[4:] + "\r\n").encode())
                self.wfile.flush()

            def handle(self):
                login, sender, to, tls = None, None, [], False
                self.say("220 mail.test")
                while line := self.rfile.readline().decode().rstrip("\r\n"):
                    word, _, rest = line.partition(" ")
                    match word.upper():
                        case "EHLO":
                            self.say("250 mail.test", *(["250 AUTH PLAIN LOGIN"] if tls else ["250 STARTTLS"]))
                        case "STARTTLS":
                            self.say("220 go ahead")
                            secured = context(folder).wrap_socket(self.connection, server_side=True)
                            self.connection, tls = secured, True
                            self.rfile, self.wfile = secured.makefile("rb"), secured.makefile("wb")
                        case "AUTH" if tls and rest.upper().startswith("PLAIN "):
                            login = base64.b64decode(rest[6:]).decode().split("\0")[1:]
                            self.say("235 welcome")
                        case "MAIL" if login:
                            sender, to = rest, []
                            self.say("250 fine")
                        case "RCPT":
                            to.append(rest)
                            self.say("250 fine")
                        case "DATA":
                            self.say("354 go on")
                            text = []
                            while (part := self.rfile.readline().decode().rstrip("\r\n")) != ".":
                                text.append(part)
                            mail.mails.append((login, sender, to, "\n".join(text)))
                            self.say("250 taken")
                        case "QUIT":
                            self.say("221 bye")
                            return
                        case _:
                            self.say("503 not now")

        self.server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.server.handle_error = lambda *_: None
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        with contextlib.suppress(OSError):
            self.server.shutdown()
            self.server.server_close()

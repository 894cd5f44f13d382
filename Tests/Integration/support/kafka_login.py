"""A broker that knows logins and certificates, and a group that gives nobody anything: it answers what a client of Kafka asks
until it is a member. It notes who came in, how, who was refused, and what was asked.
"""

import base64
import hashlib
import hmac
import http.server
import json
import os
import socket
import ssl
import struct
import threading
import time

API_VERSIONS, HANDSHAKE, AUTHENTICATE, METADATA = 18, 17, 36, 3
COORDINATOR, JOIN, SYNC, HEARTBEAT, LEAVE = 10, 11, 14, 12, 13
# (lowest, highest version) of what is answered.
VERSIONS = {API_VERSIONS: (0, 0), HANDSHAKE: (0, 1), AUTHENTICATE: (0, 0), METADATA: (0, 1), COORDINATOR: (0, 1), JOIN: (5, 5),
            SYNC: (3, 3), HEARTBEAT: (3, 3), LEAVE: (1, 1)}
UNSUPPORTED_VERSION, LOGIN_FAILED = 35, 58


def text(value):
    return struct.pack(">h", len(value)) + value.encode()


class Broker:
    """Takes `users` (name to password) by PLAIN and SCRAM, and `token` by OAUTHBEARER. `tls` is an SSLContext."""

    def __init__(self, users={}, token=None, tls=None, topic="sensor-events"):
        self.users, self.token, self.tls, self.topic = users, token, tls, topic
        # (mechanism, who); None where there was no login.
        self.entered, self.refused = [], []
        # (what, body) of the requests of members.
        self.asked = []
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def address(self):
        return f"127.0.0.1:{self.port}"

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.listener.close()

    def _accept(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection):
        try:
            if self.tls:
                connection = self.tls.wrap_socket(connection, server_side=True)
            Session(self, connection).run()
        except ssl.SSLError as error:
            self.refused.append(("TLS", str(error)))
        except (OSError, EOFError):
            pass
        finally:
            connection.close()


class Session:
    def __init__(self, broker, connection):
        self.broker, self.connection = broker, connection
        self.mechanism = self.user = self.scram = None

    def _take(self, count):
        data = b""
        while len(data) < count:
            more = self.connection.recv(count - len(data))
            if not more:
                raise EOFError
            data += more
        return data

    def run(self):
        while True:
            (size,) = struct.unpack(">i", self._take(4))
            message = self._take(size)
            api, version, number = struct.unpack(">hhi", message[:8])
            (length,) = struct.unpack(">h", message[8:10])
            body = message[10 + max(0, length):]
            answer = struct.pack(">i", number) + self._answer(api, version, body)
            self.connection.sendall(struct.pack(">i", len(answer)) + answer)

    def _answer(self, api, version, body):
        if api == API_VERSIONS:
            return struct.pack(">hi", UNSUPPORTED_VERSION if version else 0, len(VERSIONS)) + b"".join(
                struct.pack(">hhh", key, *versions) for key, versions in VERSIONS.items())
        if api == HANDSHAKE:
            self.mechanism = body[2:].decode()
            return struct.pack(">hi", 0, 1) + text(self.mechanism)
        if api == AUTHENTICATE:
            (size,) = struct.unpack(">i", body[:4])
            reply = self._login(body[4:4 + size])
            if reply is None:
                self.broker.refused.append((self.mechanism, self.user))
                return struct.pack(">h", LOGIN_FAILED) + text("the login is wrong") + struct.pack(">i", -1)
            return struct.pack(">hhi", 0, -1, len(reply)) + reply
        if api != METADATA:
            self.broker.asked.append((api, body))
        here = text("127.0.0.1") + struct.pack(">i", self.broker.port)
        if api == COORDINATOR:
            return (struct.pack(">ihh", 0, 0, -1) if version else struct.pack(">h", 0)) + struct.pack(">i", 1) + here
        if api == JOIN:
            return struct.pack(">ihi", 0, 0, 1) + text("range") + text("another") + text("member-1") + struct.pack(">i", 0)
        if api == SYNC:
            return struct.pack(">ihi", 0, 0, 0)
        if api in (HEARTBEAT, LEAVE):
            return struct.pack(">ih", 0, 0)
        # The first question of a client that may ask: it is in.
        certificate = self.connection.getpeercert() if self.broker.tls else None
        name = next((value for part in (certificate or {}).get("subject", ()) for key, value in part if key == "commonName"), None)
        self.broker.entered.append((self.mechanism, self.user or name))
        one = struct.pack(">i", 1) + here + struct.pack(">h", -1)
        partition = struct.pack(">hiiiiii", 0, 0, 1, 1, 1, 1, 1)
        topic = struct.pack(">h", 0) + text(self.broker.topic) + struct.pack(">bi", 0, 1) + partition
        return struct.pack(">i", 1) + one + struct.pack(">ii", 1, 1) + topic

    def _login(self, data):
        """The server's word, or None."""
        if self.mechanism == "PLAIN":
            _, self.user, password = data.decode().split("\0")
            return b"" if self.broker.users.get(self.user) == password else None
        if self.mechanism == "OAUTHBEARER":
            self.user = data.decode().split("Bearer ")[1].split("\x01")[0]
            return b"" if self.user == self.broker.token else None
        return self._scram(data.decode(), self.mechanism.removeprefix("SCRAM-").replace("-", "").lower())

    def _scram(self, message, algorithm):
        """RFC 5802 without channel binding."""
        parts = dict(part.split("=", 1) for part in message.removeprefix("n,,").split(","))
        if self.scram is None:
            self.user = parts["n"]
            salt, nonce = os.urandom(16), parts["r"] + "server"
            first = f"r={nonce},s={base64.b64encode(salt).decode()},i=4096"
            self.scram = (message.removeprefix("n,,"), first, salt)
            return first.encode()
        bare, first, salt = self.scram
        def code(key, data):
            return hmac.new(key, data, algorithm).digest()
        salted = hashlib.pbkdf2_hmac(algorithm, self.broker.users.get(self.user, "").encode(), salt, 4096)
        signed = f"{bare},{first},c={parts['c']},r={parts['r']}".encode()
        key = code(salted, b"Client Key")
        stored = hashlib.new(algorithm, key).digest()
        proof = bytes(one ^ other for one, other in zip(key, code(stored, signed)))
        if self.user not in self.broker.users or base64.b64decode(parts["p"]) != proof:
            return None
        return b"v=" + base64.b64encode(code(code(salted, b"Server Key"), signed))


class TokenService:
    """An OpenID Connect token endpoint: gives whoever knows `secret` the same token."""

    def __init__(self, client, secret):
        def part(value):
            return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()
        now = int(time.time())
        self.token = f"{part({'alg': 'none'})}.{part({'sub': client, 'iat': now, 'exp': now + 3600})}."
        wanted = "Basic " + base64.b64encode(f"{client}:{secret}".encode()).decode()
        service = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                self.rfile.read(int(self.headers["Content-Length"]))
                isKnown = self.headers["Authorization"] == wanted
                body = json.dumps({"access_token": service.token, "token_type": "Bearer", "expires_in": 3600} if isKnown else {"error": "invalid_client"}).encode()
                self.send_response(200 if isKnown else 401)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/token"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()

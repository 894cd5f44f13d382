"""A schema registry for tests: Confluent's interface over HTTP, as far as programs use it, on a free port of 127.0.0.1.

    with registry.server() as running:
        running.set_compatibility("plant-value", "BACKWARD")
        number = running.register("plant-value", {"type": "record", …})
        running.stop()
        running.start()

What messages look like is in schemas.py.

`user` and `password` are asked for where they are given; `fault` makes it fail: a status, "garbage", or seconds of delay.
Rules: Avro's schema resolution (Apache Avro 1.12, "Schema Resolution") for BACKWARD, FORWARD, FULL and their transitive
kinds; for Protobuf that a field's number keeps its wire type.
"""

import base64
import contextlib
import http.client
import http.server
import json
import re
import threading
import time
import urllib.parse

from support.schemas import kind_of, primitive, resolved


class Refused(Exception):
    """What the registry answers instead: status, its own number, words."""

    def __init__(self, status, number, words):
        super().__init__(f"{number}: {words}")
        self.status, self.number, self.words = status, number, words


# MARK: The server

class Registry:
    def __init__(self, user=None, password=None):
        self.user, self.password = user, password
        self.lock = threading.Lock()
        self.schemas, self.subjects, self.levels = {}, {}, {}
        self.level = "BACKWARD"
        # Of answers to come: a status, "garbage", seconds of delay, or none.
        self.fault = None
        self.requests = []
        self.port = 0
        self.running = None

    def start(self):
        """Again on the port that it had."""
        registry = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                registry.answer(self)

            do_POST = do_PUT = do_DELETE = do_GET

            def log_message(self, *_):
                pass

        class Server(http.server.ThreadingHTTPServer):
            daemon_threads = True
            allow_reuse_address = True

            def handle_error(self, *_):
                pass

        self.running = Server(("127.0.0.1", self.port), Handler)
        self.port = self.running.server_address[1]
        threading.Thread(target=self.running.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def stop(self):
        if self.running:
            self.running.shutdown()
            self.running.server_close()
            self.running = None

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    def answer(self, request):
        length = int(request.headers.get("Content-Length") or 0)
        body = request.rfile.read(length)
        path = urllib.parse.urlparse(request.path).path
        with self.lock:
            self.requests.append(f"{request.command} {path}")
        fault = self.fault
        if isinstance(fault, float):
            time.sleep(fault)
        status, words = 200, None
        try:
            if self.user is not None and request.headers.get("Authorization") != self.login():
                raise Refused(401, 40101, "User cannot be authenticated")
            if isinstance(fault, int):
                raise Refused(fault, fault * 100 + 1, "as the test wants it")
            parts = [urllib.parse.unquote(part) for part in path.strip("/").split("/")]
            with self.lock:
                words = self.route(request.command, parts, json.loads(body or b"{}"))
        except Refused as refused:
            status, words = refused.status, {"error_code": refused.number, "message": refused.words}
        except (ValueError, KeyError, IndexError, TypeError, AttributeError) as error:
            status, words = 422, {"error_code": 42201, "message": f"Invalid schema: {error}"}
        text = b"<html>not a registry</html>" if fault == "garbage" else json.dumps(words).encode()
        with contextlib.suppress(OSError):
            request.send_response(status)
            request.send_header("Content-Type", "application/vnd.schemaregistry.v1+json")
            request.send_header("Content-Length", str(len(text)))
            request.end_headers()
            request.wfile.write(text)

    def login(self):
        return "Basic " + base64.b64encode(f"{self.user}:{self.password}".encode()).decode()

    def route(self, method, parts, body):
        match (method, *parts):
            case ("GET", "schemas", "ids", number):
                return self.schema(int(number))
            case ("GET", "subjects"):
                return sorted(self.subjects)
            case ("GET", "subjects", subject, "versions"):
                return list(range(1, len(self.versions(subject)) + 1))
            case ("GET", "subjects", subject, "versions", version):
                return self.version(subject, version)
            case ("POST", "subjects", subject, "versions"):
                return {"id": self.add(subject, body)}
            case ("POST", "subjects", subject):
                return self.find(subject, body)
            case ("POST", "compatibility", "subjects", subject, "versions", version):
                older = self.version(subject, version)
                return {"is_compatible": not faults(self.level_of(subject), self.entry(body), [older])}
            case ("GET", "config"):
                return {"compatibilityLevel": self.level}
            case ("GET", "config", subject):
                return {"compatibilityLevel": self.level_of(subject)}
            case ("PUT", "config", *subject):
                level = body["compatibility"]
                if level not in LEVELS:
                    raise Refused(422, 42203, "Invalid compatibility level")
                if subject:
                    self.levels[subject[0]] = level
                else:
                    self.level = level
                return {"compatibility": level}
        raise Refused(404, 404, "HTTP 404 Not Found")

    # MARK: What it holds

    def schema(self, number):
        if number not in self.schemas:
            raise Refused(404, 40403, f"Schema {number} not found")
        entry = dict(self.schemas[number])
        if entry["schemaType"] == "AVRO":
            # As the real one does.
            del entry["schemaType"]
        return entry

    def versions(self, subject):
        if subject not in self.subjects:
            raise Refused(404, 40401, f"Subject '{subject}' not found.")
        return self.subjects[subject]

    def version(self, subject, version):
        numbers = self.versions(subject)
        place = len(numbers) if version == "latest" else int(version)
        if not 0 < place <= len(numbers):
            raise Refused(404, 40402, f"Version {version} not found.")
        return {"subject": subject, "version": place, "id": numbers[place - 1]} | self.schemas[numbers[place - 1]]

    def entry(self, body):
        entry = {"schema": body["schema"], "schemaType": body.get("schemaType") or "AVRO"}
        if body.get("references"):
            entry["references"] = body["references"]
        if entry["schemaType"] == "AVRO":
            json.loads(entry["schema"]) if entry["schema"].lstrip()[:1] in "{[\"" else primitive(entry["schema"])
        return entry

    def add(self, subject, body):
        entry = self.entry(body)
        numbers = self.subjects.get(subject, [])
        known = next((number for number, other in self.schemas.items() if other == entry), None)
        if known in numbers:
            return known
        level = self.level_of(subject)
        older = [self.schemas[number] for number in numbers]
        if why := faults(level, entry, older if level.endswith("_TRANSITIVE") else older[-1:]):
            raise Refused(409, 409, f"Schema being registered is incompatible with an earlier schema: {why[0]}")
        number = known or len(self.schemas) + 1
        self.schemas[number] = entry
        self.subjects.setdefault(subject, []).append(number)
        return number

    def find(self, subject, body):
        entry = self.entry(body)
        for place, number in enumerate(self.versions(subject)):
            if self.schemas[number] == entry:
                return {"subject": subject, "version": place + 1, "id": number} | entry
        raise Refused(404, 40403, "Schema not found")

    def level_of(self, subject):
        return self.levels.get(subject, self.level)

    # MARK: Use from a test, over HTTP

    def call(self, method, path, body=None):
        """The answer as (status, value)."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        headers = {"Content-Type": "application/vnd.schemaregistry.v1+json"}
        if self.user is not None:
            headers["Authorization"] = self.login()
        try:
            connection.request(method, path, None if body is None else json.dumps(body), headers)
            response = connection.getresponse()
            return response.status, json.loads(response.read())
        finally:
            connection.close()

    def register(self, subject, schema, kind="AVRO", references=None):
        """The schema's id; `Refused` where it is not compatible."""
        text = schema if isinstance(schema, str) else json.dumps(schema)
        body = {"schema": text} | ({} if kind == "AVRO" else {"schemaType": kind})
        body |= {"references": references} if references else {}
        status, answer = self.call("POST", f"/subjects/{urllib.parse.quote(subject, '')}/versions", body)
        if status != 200:
            raise Refused(status, answer["error_code"], answer["message"])
        return answer["id"]

    def set_compatibility(self, subject, level):
        status, answer = self.call("PUT", f"/config/{urllib.parse.quote(subject, '')}", {"compatibility": level})
        if status != 200:
            raise Refused(status, answer["error_code"], answer["message"])

    def asked(self, path):
        with self.lock:
            return self.requests.count(f"GET {path}")


@contextlib.contextmanager
def server(user=None, password=None):
    running = Registry(user, password).start()
    try:
        yield running
    finally:
        running.stop()


# MARK: Compatibility

LEVELS = {
    kind + suffix for kind in ("BACKWARD", "FORWARD", "FULL") for suffix in ("", "_TRANSITIVE")} | {"NONE"}
# A value of the first may be read as any of the others.
PROMOTIONS = {
    "int": {"long", "float", "double"}, "long": {"float", "double"}, "float": {"double"}, "string": {"bytes"},
    "bytes": {"string"}}


def faults(level, new, older):
    """Why `new` may not follow these; empty where it may."""
    found = []
    for old in older:
        if level != "NONE" and new["schemaType"] != old["schemaType"]:
            found.append("the type of the schema is another")
        elif new["schemaType"] == "PROTOBUF" and level != "NONE":
            found += protobuf_faults(new["schema"], old["schema"])
        elif new["schemaType"] == "AVRO":
            first, second = parsed(new["schema"]), parsed(old["schema"])
            if level.startswith(("BACKWARD", "FULL")):
                found += unreadable(first, second)
            if level.startswith(("FORWARD", "FULL")):
                found += unreadable(second, first)
    return found


def parsed(text):
    """An Avro schema with every name replaced by what it stands for, but inside itself."""
    schema = json.loads(text) if text.lstrip()[:1] in "{[\"" else text.strip()
    return resolved(schema, {}, "")


def unreadable(reader, writer, place="", depth=0):
    """Why what `writer` wrote cannot be read as `reader`."""
    if depth > 32:
        return []
    here = place or "the schema"
    if kind_of(writer) == "union":
        return [why for branch in writer for why in unreadable(reader, branch, place, depth + 1)]
    if kind_of(reader) == "union":
        if any(not unreadable(branch, writer, place, depth + 1) for branch in reader):
            return []
        return [f"{here}: no branch takes {kind_of(writer)}"]
    read, wrote = kind_of(reader), kind_of(writer)
    if read != wrote:
        return [] if read in PROMOTIONS.get(wrote, ()) else [f"{here}: {wrote} cannot be read as {read}"]
    if read == "array":
        return unreadable(reader["items"], writer["items"], place + "[]", depth + 1)
    if read == "map":
        return unreadable(reader["values"], writer["values"], place + "{}", depth + 1)
    if read in ("record", "enum", "fixed", "error"):
        known = {reader["name"].split(".")[-1]} | {alias.split(".")[-1] for alias in reader.get("aliases", [])}
        if writer["name"].split(".")[-1] not in known:
            return [f"{here}: {writer['name']} is not {reader['name']}"]
    if read == "fixed":
        return [] if reader["size"] == writer["size"] else [f"{here}: the size is another"]
    if read == "enum":
        missing = set(writer["symbols"]) - set(reader["symbols"])
        return [f"{here}: {sorted(missing)} are unknown"] if missing and "default" not in reader else []
    if read not in ("record", "error"):
        return []
    found = []
    written = {field["name"]: field for field in writer["fields"]}
    for field in reader["fields"]:
        names = [field["name"], *field.get("aliases", [])]
        other = next((written[name] for name in names if name in written), None)
        if other:
            found += unreadable(field["type"], other["type"], f"{place}.{field['name']}", depth + 1)
        elif "default" not in field:
            found.append(f"{place}.{field['name']}: it is new and has no default")
    return found


def protobuf_fields(text):
    """(wire type, name) by number, of the first message."""
    wires = {"double": 1, "fixed64": 1, "sfixed64": 1, "float": 5, "fixed32": 5, "sfixed32": 5}
    varints = {"int32", "int64", "uint32", "uint64", "sint32", "sint64", "bool"}
    pattern = r"^\s*(?:optional\s+)?([\w.]+)\s+(\w+)\s*=\s*(\d+)\s*;"
    return {
        int(number): (wires.get(kind, 0 if kind in varints else 2), name)
        for kind, name, number in re.findall(pattern, text, re.MULTILINE)}


def protobuf_faults(new, old):
    first, second = protobuf_fields(new), protobuf_fields(old)
    return [
        f"field {number} has another type" for number in sorted(first.keys() & second.keys())
        if first[number][0] != second[number][0]]

"""OpenTelemetry metrics as a Collector sends them: `ExportMetricsServiceRequest` in protobuf and in protobuf's JSON, and the
answers read back. Field numbers of opentelemetry-proto 1.x.

    points = [point(time, value=21.5, attributes={"state": "idle"})]
    body = protobuf([resource({"host.name": "web"}, [metric("temp", "gauge", points, unit="Cel")])])
"""

import json
import struct

from support.protobuf import varint

KINDS = {"gauge": 5, "sum": 7, "histogram": 9, "exponentialHistogram": 10, "summary": 11}
ATTRIBUTES = {"gauge": 7, "sum": 7, "histogram": 9, "exponentialHistogram": 1, "summary": 7}
FLAGS = {"gauge": 8, "sum": 8, "histogram": 10, "exponentialHistogram": 10, "summary": 8}


def resource(attributes, metrics):
    return {"attributes": attributes, "metrics": metrics}


def metric(name, kind, points, unit=""):
    return {"name": name, "kind": kind, "points": points, "unit": unit}


def point(time, value=None, attributes=None, **fields):
    """`time` in nanoseconds; a whole number is sent as an integer. Further: count, sum, min, max, quantiles, flags."""
    return {"time": time, "value": value, "attributes": attributes or {}} | fields


# MARK: Protobuf

def field(number, value):
    """bytes: length-delimited; str: the same; float: double; int: varint; ("fixed", n): fixed64."""
    if isinstance(value, str):
        value = value.encode()
    if isinstance(value, bytes):
        return varint(number << 3 | 2) + varint(len(value)) + value
    if isinstance(value, float):
        return varint(number << 3 | 1) + struct.pack("<d", value)
    if isinstance(value, tuple):
        return varint(number << 3 | 1) + struct.pack("<Q", value[1] & (1 << 64) - 1)
    return varint(number << 3) + varint(value)


def attributes(number, values):
    return b"".join(field(number, field(1, key) + field(2, field(3, value) if isinstance(value, int) else field(1, value)))
                    for key, value in values.items())


def encoded(kind, one):
    out = attributes(ATTRIBUTES[kind], one["attributes"]) + field(2, ("fixed", one["time"] - 10**9)) + field(3, ("fixed", one["time"]))
    value = one["value"]
    if isinstance(value, float):
        out += field(4, value)
    elif value is not None:
        out += field(6, ("fixed", value))
    if "count" in one:
        out += field(4, ("fixed", one["count"])) + field(5, float(one["sum"]))
    if kind == "histogram":
        out += field(6, struct.pack("<2Q", 1, one["count"] - 1)) + field(7, struct.pack("<d", 5.0))
    if kind == "exponentialHistogram":
        # scale (zigzag), zero count, and the positive buckets
        out += field(6, 2 << 1) + field(7, ("fixed", 0)) + field(8, field(1, 3 << 1) + field(2, varint(1) + varint(one["count"] - 1)))
    for name, number in (("min", 11), ("max", 12)):
        if name in one:
            out += field(number + (kind == "exponentialHistogram"), float(one[name]))
    for quantile, value in one.get("quantiles", []):
        out += field(6, field(1, float(quantile)) + field(2, float(value)))
    if one.get("flags"):
        out += field(FLAGS[kind], one["flags"])
    return out


def protobuf(resources):
    def of_metric(one):
        points = b"".join(field(1, encoded(one["kind"], each)) for each in one["points"])
        temporality = {"sum": field(2, 2) + field(3, 1), "histogram": field(2, 2), "exponentialHistogram": field(2, 2)}
        return field(1, one["name"]) + field(3, one["unit"]) + field(KINDS[one["kind"]], points + temporality.get(one["kind"], b""))

    return b"".join(
        field(1, field(1, attributes(1, one["attributes"]))
              + field(2, field(1, field(1, "otelcol/hostmetrics")) + b"".join(field(2, of_metric(each)) for each in one["metrics"])))
        for one in resources)


# MARK: JSON

def as_json(resources):
    def of_attributes(values):
        return [{"key": key, "value": {"intValue": str(value)} if isinstance(value, int) else {"stringValue": value}}
                for key, value in values.items()]

    def of_point(one):
        found = {"attributes": of_attributes(one["attributes"]), "timeUnixNano": str(one["time"])}
        value = one["value"]
        if isinstance(value, int):
            found["asInt"] = str(value)
        elif isinstance(value, float) and value != value:
            found["asDouble"] = "NaN"
        elif value is not None:
            found["asDouble"] = value
        if "count" in one:
            found |= {"count": str(one["count"]), "sum": one["sum"]}
        found |= {name: one[name] for name in ("min", "max", "flags") if name in one}
        if "quantiles" in one:
            found["quantileValues"] = [{"quantile": quantile, "value": value} for quantile, value in one["quantiles"]]
        return found

    def of_metric(one):
        return {"name": one["name"], "unit": one["unit"], one["kind"]: {"dataPoints": [of_point(each) for each in one["points"]]}}

    return json.dumps({"resourceMetrics": [
        {"resource": {"attributes": of_attributes(one["attributes"])},
         "scopeMetrics": [{"scope": {"name": "otelcol/hostmetrics"}, "metrics": [of_metric(each) for each in one["metrics"]]}]}
        for one in resources]}).encode()


# MARK: Answers

def fields(data):
    """{number: last value} of a message; texts as bytes."""
    found, place = {}, 0

    def read():
        nonlocal place
        number = shift = 0
        while True:
            byte = data[place]
            place += 1
            number |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return number

    while place < len(data):
        key = read()
        if key & 7 == 2:
            length = read()
            found[key >> 3], place = data[place:place + length], place + length
        elif key & 7 == 0:
            found[key >> 3] = read()
        else:
            raise ValueError(f"wire type {key & 7} in an answer")
    return found


def status(answer):
    """(code, message) of a google.rpc.Status, in whichever form the answer has."""
    if answer.headers["Content-Type"].startswith("application/json"):
        return answer.json["code"], answer.json["message"]
    found = fields(answer.body)
    return found.get(1, 0), found.get(2, b"").decode()


def partial_success(answer):
    """(rejected data points, message) of an ExportMetricsServiceResponse."""
    if answer.headers["Content-Type"].startswith("application/json"):
        found = answer.json.get("partialSuccess", {})
        return int(found.get("rejectedDataPoints", 0)), found.get("errorMessage", "")
    found = fields(fields(answer.body).get(1, b""))
    return found.get(1, 0), found.get(2, b"").decode()

"""Avro and Protobuf for tests: schemas with their names resolved, and messages with the framing of a schema registry.

    value = schemas.avro(number, schema, {"sensor_id": "s1", …})
    value = schemas.protobuf(number, [(1, "string", "s1"), (2, "double", 21.5)])
"""

import struct

from support.protobuf import varint

PRIMITIVES = {"null", "boolean", "int", "long", "float", "double", "bytes", "string"}


# MARK: Avro types

def primitive(word):
    if word.strip() not in PRIMITIVES:
        raise ValueError(f"unknown type {word}")


def resolved(schema, names, space):
    if isinstance(schema, str):
        full = schema if "." in schema or not space else f"{space}.{schema}"
        return schema if schema in PRIMITIVES else names.get(full, names.get(schema)) or primitive(schema)
    if isinstance(schema, list):
        return [resolved(branch, names, space) for branch in schema]
    kind = schema["type"]
    if isinstance(kind, (dict, list)):
        return resolved(kind, names, space)
    if kind in ("record", "error", "enum", "fixed"):
        space = schema.get("namespace", space)
        result = dict(schema)
        names[f"{space}.{schema['name']}" if space else schema["name"]] = result
        if kind in ("record", "error"):
            result["fields"] = [field | {"type": resolved(field["type"], names, space)} for field in schema["fields"]]
        return result
    if kind == "array":
        return schema | {"items": resolved(schema["items"], names, space)}
    if kind == "map":
        return schema | {"values": resolved(schema["values"], names, space)}
    return schema if kind in PRIMITIVES else resolved(kind, names, space)


def kind_of(schema):
    return "union" if isinstance(schema, list) else schema if isinstance(schema, str) else schema["type"]


# MARK: Messages

def framed(number, payload):
    return b"\0" + struct.pack(">I", number) + payload


def avro(number, schema, value):
    """A value in Avro's binary encoding, with the framing."""
    return framed(number, encoded(resolved(schema, {}, ""), value))


def zigzag(number):
    return varint((number << 1) ^ (number >> 63))


def encoded(schema, value):
    kind = kind_of(schema)
    match kind:
        case "null":
            return b""
        case "boolean":
            return bytes([bool(value)])
        case "int" | "long":
            return zigzag(value)
        case "float":
            return struct.pack("<f", value)
        case "double":
            return struct.pack("<d", value)
        case "string" | "bytes":
            data = value.encode() if isinstance(value, str) else value
            return zigzag(len(data)) + data
        case "enum":
            return zigzag(schema["symbols"].index(value))
        case "fixed":
            return value
        case "record" | "error":
            return b"".join(encoded(field["type"], value[field["name"]]) for field in schema["fields"])
        case "array":
            items = b"".join(encoded(schema["items"], item) for item in value)
            return (zigzag(len(value)) + items if value else b"") + b"\0"
        case "map":
            items = b"".join(encoded("string", key) + encoded(schema["values"], item) for key, item in value.items())
            return (zigzag(len(value)) + items if value else b"") + b"\0"
        case "union":
            place = next(place for place, branch in enumerate(schema) if (kind_of(branch) == "null") == (value is None))
            return zigzag(place) + encoded(schema[place], value)
    raise ValueError(f"cannot write {kind}")


def protobuf(number, fields, indexes=b"\0"):
    """Fields are (number, kind, value): kinds are double, int, string and message (bytes)."""
    out = b""
    for place, kind, value in fields:
        match kind:
            case "double":
                out += varint(place << 3 | 1) + struct.pack("<d", value)
            case "int":
                out += varint(place << 3) + varint(value % (1 << 64))
            case _:
                data = value.encode() if isinstance(value, str) else value
                out += varint(place << 3 | 2) + varint(len(data)) + data
    return out if number is None else framed(number, indexes + out)

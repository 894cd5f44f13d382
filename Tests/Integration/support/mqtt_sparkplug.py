"""A Sparkplug B 3.0 edge node for tests: births that give aliases, data by alias, deaths, and what its host commands.

    with EdgeNode(broker, "edge") as node:
        node.birth({"temp": 21.5})
        node.device_birth("pump", {"flow": 1.5})
        node.data({"temp": 21.6})
        node.cut()          # its will is the NDEATH

Field numbers are those of the specification's `sparkplug_b.proto`.
"""

import struct
import time

from support import mqtt
from support.protobuf import varint

GROUP = "plant"
REBIRTH = b"Node Control/Rebirth"


def whole(number, value):
    return varint(number << 3) + varint(value)


def text(number, value):
    return varint(number << 3 | 2) + varint(len(value)) + value


def metric(name=None, alias=None, value=None, at=None, typed=True):
    """A double, or whole numbers as Int64; only what is given. `typed`: a name comes with its type."""
    typed = typed and name
    body = text(1, name.encode()) if name else b""
    if alias is not None:
        body += whole(2, alias)
    if at:
        body += whole(3, at)
    if isinstance(value, float):
        body += (whole(4, 10) if typed else b"") + varint(13 << 3 | 1) + struct.pack("<d", value)
    elif value is not None:
        body += (whole(4, 4) if typed else b"") + whole(11, value)
    return text(2, body)


class EdgeNode:
    """One session. Times are milliseconds since 1970; without one, now."""

    def __init__(self, broker, name, session=0, group=GROUP):
        self.name, self.session, self.group, self.sequence, self.aliases = name, session, group, 0, {}
        death = (self.topic("NDEATH"), metric("bdSeq", value=session), 1)
        self.client = mqtt.Client(broker, f"node-{group}-{name}-{session}", [self.topic("NCMD")], death)

    def topic(self, kind, device=None):
        return f"spBv1.0/{self.group}/{kind}/{self.name}" + (f"/{device}" if device else "")

    @property
    def rebirths_asked(self):
        return sum(topic == self.topic("NCMD") and REBIRTH in body and body.endswith(b"\x70\x01")
                   for topic, body, _ in self.client.messages)

    def birth(self, metrics, at=None):
        self.sequence, self.aliases = 0, {}
        first = metric("bdSeq", value=self.session) + metric(REBIRTH.decode(), value=0)
        self._publish("NBIRTH", None, first + self._named(None, metrics), at)

    def device_birth(self, device, metrics, at=None):
        self._publish("DBIRTH", device, self._named(device, metrics), at)

    def data(self, metrics, at=None):
        self._publish("NDATA", None, self._aliased(None, metrics), at)

    def device_data(self, device, metrics, at=None):
        self._publish("DDATA", device, self._aliased(device, metrics), at)

    def device_death(self, device, at=None):
        self._publish("DDEATH", device, b"", at)

    def lose(self):
        """A message is lost on its way."""
        self.sequence += 1

    def raw(self, kind, body, device=None):
        self.client.publish(self.topic(kind, device), body)

    def _named(self, device, metrics):
        body = b""
        for name, value in metrics.items():
            alias = self.aliases.setdefault((device, name), len(self.aliases) + 1)
            body += metric(name, alias, value)
        return body

    def _aliased(self, device, metrics):
        return b"".join(metric(None, self.aliases[device, name], value) for name, value in metrics.items())

    def _publish(self, kind, device, metrics, at):
        at = at or round(time.time() * 1000)
        self.raw(kind, whole(1, at) + metrics + whole(3, self.sequence % 256), device)
        self.sequence += 1

    def cut(self):
        self.client.cut()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.client.close()

"""A Kafka cluster in a process of its own: the mock cluster inside of librdkafka, driven over standard input.

    python3 kafka_host.py LIBRARY BROKERS

prints {"brokers": "127.0.0.1:…"} and then answers each line of standard input, a JSON array of a command and its arguments,
with one line: {"ok": …} or {"error": …}. It ends with its standard input.
"""

import base64
import contextlib
import ctypes
import json
import sys

PRODUCER, CONSUMER = 0, 1
COPY = 2
TOPIC, PARTITION, VALUE, KEY, FLAGS, TIME, HEADERS, END = 1, 3, 4, 5, 7, 8, 10, 0
QUEUE_FULL, PARTITION_EOF = -184, -191


class Message(ctypes.Structure):
    _fields_ = [
        ("err", ctypes.c_int), ("topic", ctypes.c_void_p), ("partition", ctypes.c_int32), ("payload", ctypes.c_void_p),
        ("length", ctypes.c_size_t), ("key", ctypes.c_void_p), ("key_length", ctypes.c_size_t), ("offset", ctypes.c_int64),
        ("opaque", ctypes.c_void_p)]


class Element(ctypes.Structure):
    _fields_ = [
        ("topic", ctypes.c_char_p), ("partition", ctypes.c_int32), ("offset", ctypes.c_int64), ("metadata", ctypes.c_void_p),
        ("metadata_size", ctypes.c_size_t), ("opaque", ctypes.c_void_p), ("err", ctypes.c_int), ("reserved", ctypes.c_void_p)]


class List(ctypes.Structure):
    _fields_ = [("count", ctypes.c_int), ("size", ctypes.c_int), ("elements", ctypes.POINTER(Element))]


class Library:
    """The functions of librdkafka that the tests use, by their names without the prefix."""

    POINTERS = {
        "conf_new", "new", "mock_cluster_new", "consumer_poll", "topic_partition_list_new", "topic_partition_list_add",
        "topic_name", "headers_new"}
    TEXTS = {"mock_cluster_bootstraps", "err2str", "topic_name"}

    def __init__(self, path):
        self.library = ctypes.CDLL(path)

    def __getattr__(self, name):
        function = getattr(self.library, "rd_kafka_" + name)
        if name in self.TEXTS:
            function.restype = ctypes.c_char_p
        elif name in self.POINTERS:
            function.restype = ctypes.c_void_p
        setattr(self, name, function)
        return function

    def check(self, code, what):
        if code != 0:
            raise RuntimeError(f"{what}: {self.err2str(code).decode()}")

    def client(self, kind, properties):
        conf, text = ctypes.c_void_p(self.conf_new()), ctypes.create_string_buffer(512)
        for name, value in properties.items():
            if self.conf_set(conf, name.encode(), str(value).encode(), text, len(text)) != 0:
                raise RuntimeError(text.value.decode())
        client = self.new(kind, conf, text, ctypes.c_size_t(len(text)))
        if not client:
            raise RuntimeError(text.value.decode())
        return ctypes.c_void_p(client)


class Host:
    def __init__(self, path, brokers):
        self.kafka = Library(path)
        self.count = brokers
        self.owner = self.kafka.client(PRODUCER, {"client.id": "mock"})
        self.cluster = ctypes.c_void_p(self.kafka.mock_cluster_new(self.owner, brokers))
        with contextlib.suppress(AttributeError):
            # Where the library has it: groups of tests need not wait for more members.
            self.kafka.mock_group_initial_rebalance_delay_ms(self.cluster, 100)
        self.brokers = self.kafka.mock_cluster_bootstraps(self.cluster).decode()
        self.sender = None

    def create(self, topic, partitions):
        self.kafka.check(self.kafka.mock_topic_create(self.cluster, topic.encode(), partitions, 1), f"topic {topic}")

    def down(self, *brokers):
        for broker in brokers or range(1, self.count + 1):
            self.kafka.check(self.kafka.mock_broker_set_down(self.cluster, broker), f"broker {broker}")

    def up(self, *brokers):
        for broker in brokers or range(1, self.count + 1):
            self.kafka.check(self.kafka.mock_broker_set_up(self.cluster, broker), f"broker {broker}")

    def slow(self, milliseconds):
        for broker in range(1, self.count + 1):
            self.kafka.check(self.kafka.mock_broker_set_rtt(self.cluster, broker, milliseconds), f"broker {broker}")

    def errors(self, api, *codes):
        """The next requests of a kind (1 = fetch, 8 = commit, 11 = join, 12 = heartbeat, 14 = sync) fail with these codes."""
        array = (ctypes.c_int * len(codes))(*codes)
        self.kafka.mock_push_request_errors_array(
            self.cluster, ctypes.c_int16(api), ctypes.c_size_t(len(codes)), array)

    def produce(self, topic, messages):
        """Messages are [key, value, partition]: texts, or {"base64": …} for bytes; value None for a tombstone, partition None for
        that of the key."""
        if self.sender is None:
            self.sender = self.kafka.client(PRODUCER, {
                "bootstrap.servers": self.brokers, "enable.idempotence": "true", "linger.ms": 5, "message.max.bytes": 20_000_000,
                "queue.buffering.max.messages": 1_000_000, "compression.type": "lz4"})
        name = topic.encode()
        for key, value, partition in messages:
            key = None if key is None else key.encode()
            if isinstance(value, dict):
                value = base64.b64decode(value["base64"])
            elif value is not None:
                value = value.encode()
            arguments = [
                ctypes.c_int(TOPIC), ctypes.c_char_p(name), ctypes.c_int(FLAGS), ctypes.c_int(COPY), ctypes.c_int(KEY),
                ctypes.c_char_p(key), ctypes.c_size_t(len(key or b"")), ctypes.c_int(VALUE), ctypes.c_char_p(value),
                ctypes.c_size_t(len(value or b""))]
            if partition is not None:
                arguments += [ctypes.c_int(PARTITION), ctypes.c_int32(partition)]
            while True:
                code = self.kafka.producev(self.sender, *arguments, ctypes.c_int(END))
                self.kafka.poll(self.sender, 0 if code == 0 else 20)
                if code != QUEUE_FULL:
                    break
            self.kafka.check(code, f"message to {topic}")
        self.kafka.check(self.kafka.flush(self.sender, 30000), f"messages to {topic}")

    def consume(self, topic, partitions, seconds):
        """All that is in a topic now: [partition, offset, key, value, headers]."""
        reader = self.kafka.client(CONSUMER, {
            "bootstrap.servers": self.brokers, "group.id": "tests", "enable.auto.commit": "false",
            "auto.offset.reset": "earliest", "enable.partition.eof": "true"})
        self.kafka.poll_set_consumer(reader)
        wanted = ctypes.c_void_p(self.kafka.topic_partition_list_new(partitions))
        for partition in range(partitions):
            self.kafka.topic_partition_list_add(wanted, topic.encode(), partition)
            ctypes.cast(wanted, ctypes.POINTER(List)).contents.elements[partition].offset = 0
        self.kafka.check(self.kafka.assign(reader, wanted), f"partitions of {topic}")
        found, ended = [], set()
        for _ in range(int(seconds * 10)):
            while pointer := self.kafka.consumer_poll(reader, 100 if len(ended) < partitions else 0):
                message = ctypes.cast(pointer, ctypes.POINTER(Message)).contents
                if message.err == PARTITION_EOF:
                    ended.add(message.partition)
                elif message.err == 0:
                    found.append([
                        message.partition, message.offset, self.text(message.key, message.key_length),
                        self.text(message.payload, message.length), self.headers(pointer)])
                self.kafka.message_destroy(ctypes.c_void_p(pointer))
            if len(ended) == partitions:
                break
        self.kafka.topic_partition_list_destroy(wanted)
        self.kafka.destroy_flags(reader, 8)
        return found

    def text(self, pointer, length):
        return None if not pointer else ctypes.string_at(pointer, length).decode("utf-8", "backslashreplace")

    def headers(self, message):
        """By name; the last of a name counts."""
        headers = ctypes.c_void_p()
        if self.kafka.message_headers(ctypes.c_void_p(message), ctypes.byref(headers)) != 0:
            return {}
        found, name, value, length = {}, ctypes.c_char_p(), ctypes.c_void_p(), ctypes.c_size_t()
        place = 0
        while self.kafka.header_get_all(
                headers, ctypes.c_size_t(place), ctypes.byref(name), ctypes.byref(value), ctypes.byref(length)) == 0:
            found[name.value.decode()] = self.text(value.value, length.value)
            place += 1
        return found

    def committed(self, group, topic, partitions):
        """Offsets by partition; None where the group has none."""
        reader = self.kafka.client(CONSUMER, {"bootstrap.servers": self.brokers, "group.id": group, "enable.auto.commit": "false"})
        wanted = ctypes.c_void_p(self.kafka.topic_partition_list_new(partitions))
        for partition in range(partitions):
            self.kafka.topic_partition_list_add(wanted, topic.encode(), partition)
        self.kafka.check(self.kafka.committed(reader, wanted, 10000), f"offsets of {group}")
        elements = ctypes.cast(wanted, ctypes.POINTER(List)).contents.elements
        found = [elements[index].offset for index in range(partitions)]
        self.kafka.topic_partition_list_destroy(wanted)
        self.kafka.destroy_flags(reader, 8)
        return [offset if offset >= 0 else None for offset in found]


COMMANDS = {"create", "down", "up", "slow", "errors", "produce", "consume", "committed"}


def main():
    host = Host(sys.argv[1], int(sys.argv[2]))
    print(json.dumps({"brokers": host.brokers}), flush=True)
    for line in sys.stdin:
        try:
            command, *arguments = json.loads(line)
            if command not in COMMANDS:
                raise RuntimeError(f"no such command: {command}")
            answer = {"ok": getattr(host, command)(*arguments)}
        except Exception as error:
            answer = {"error": f"{type(error).__name__}: {error}"}
        print(json.dumps(answer), flush=True)


main()

"""Logins, tokens, certificates and membership at Kafka: they reach the broker as configured, secrets come from files and are told to
nobody, and a refusal stands in /health.
"""

import contextlib
import json
import ssl
import sys

sys.dont_write_bytecode = True
from support import kafka
from support.harness import check, equal, expect, folder, main, soon, tocsin
from support.kafka import TOPIC, source_of
from support.kafka_login import HEARTBEAT, JOIN, LEAVE, Broker, TokenService
from support.receivers import certificates, context

SECRET = "hunter2, with a comma"


@contextlib.contextmanager
def process(place, broker, properties, secrets="", **source):
    """The program with one source, and `secrets` in the file that KAFKA_PROPERTIES_FILE names."""
    path, file = place / "tocsin.yaml", place / "client.properties"
    path.write_text(json.dumps({
        "kafka": {"bootstrapServers": broker.address, "library": kafka.library(), "properties": properties},
        "sources": [{"kind": "kafka", "name": "plant", "topics": [TOPIC]} | source]}))
    file.write_text(secrets)
    with kafka.Process(place / "data", "--config", path, environment={"KAFKA_PROPERTIES_FILE": str(file)}) as server:
        yield server


def silent(server, *secrets):
    """Nobody is told of a secret."""
    told = server.log + server.get("/health").text + server.get("/metrics").text
    for secret in secrets:
        expect(secret not in told, "a secret is told")


def login(mechanism):
    properties = {"security.protocol": "SASL_PLAINTEXT", "sasl.mechanism": mechanism}
    secrets = f"# of the plant's cluster\nsasl.username=tocsin\nsasl.password={SECRET}\n"
    with folder() as place, Broker({"tocsin": SECRET}) as broker, process(place, broker, properties, secrets) as server:
        soon(lambda: (mechanism, "tocsin") in broker.entered, 20, "it is in", 0.1)
        equal(broker.refused, [], "refusals")
        silent(server, SECRET)
    with folder() as place, Broker({"tocsin": "another"}) as broker, process(place, broker, properties, secrets) as server:
        soon(lambda: "login is wrong" in source_of(server)["text"] or "uthentication" in source_of(server)["text"], 20,
             "/health says that the login is refused", 0.1)
        expect(not source_of(server)["healthy"], "a refused login is healthy")
        equal(broker.entered, [], "entered with a wrong password")
        silent(server, SECRET)


for one in ("PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"):
    check(f"security: {one}: in with the password from a file; a wrong one stands in /health, and nowhere the password")(
        lambda mechanism=one: login(mechanism))


@check("security: OAUTHBEARER with the token of an OpenID Connect service; a library without it is refused with a remedy")
def _():
    properties = {"security.protocol": "SASL_PLAINTEXT", "sasl.mechanism": "OAUTHBEARER", "sasl.oauthbearer.method": "oidc",
                  "sasl.oauthbearer.client.id": "tocsin"}
    with folder() as place, TokenService("tocsin", "s3cret") as service, Broker(token=service.token) as broker:
        properties |= {"sasl.oauthbearer.token.endpoint.url": service.url}
        secrets = "sasl.oauthbearer.client.secret=s3cret"
        if not kafka.has_feature("oidc"):
            path = place / "tocsin.yaml"
            path.write_text(json.dumps({"kafka": {"bootstrapServers": broker.address, "library": kafka.library(), "properties": properties},
                                        "sources": [{"kind": "kafka", "name": "plant"}]}))
            answer = tocsin("run", "--config", path, "--data-dir", place / "data", "--set", "server.port=0")
            expect(answer.code != 0 and "kafka.library" in answer.text, f"a library without OIDC: {answer.text}")
            return
        with process(place, broker, properties, secrets) as server:
            soon(lambda: ("OAUTHBEARER", service.token) in broker.entered, 20, "it is in", 0.1)
            silent(server, "s3cret", service.token)
        with process(place, broker, properties, "sasl.oauthbearer.client.secret=wrong0") as server:
            soon(lambda: not source_of(server)["healthy"] and "oken" in source_of(server)["text"] + server.log, 30,
                 "it says that it gets no token", 0.1)
            silent(server, "wrong0")


@check("security: TLS takes known authorities only, and mTLS shows the client's certificate")
def _():
    with folder() as place:
        keys = certificates(place)
        mutual = context(keys)
        mutual.verify_mode = ssl.CERT_REQUIRED
        mutual.load_verify_locations(keys / "ca.pem")
        known = {"security.protocol": "SSL", "ssl.ca.location": str(keys / "ca.pem")}
        own = {"ssl.certificate.location": str(keys / "server.pem"), "ssl.key.location": str(keys / "server.key")}
        with Broker(tls=context(keys)) as broker:
            with process(place, broker, {"security.protocol": "SSL"}) as server:
                soon(lambda: "certificate" in source_of(server)["text"] + server.log, 20, "an unknown authority is told", 0.1)
                equal(broker.entered, [], "entered though the broker's authority is unknown")
            with process(place, broker, known):
                soon(lambda: broker.entered, 20, "it is in by TLS", 0.1)
        with Broker(tls=mutual) as broker:
            with process(place, broker, known) as server:
                soon(lambda: broker.refused, 20, "the broker refuses whoever shows no certificate", 0.1)
                soon(lambda: not source_of(server)["healthy"], 20, "/health says so", 0.1)
                equal(broker.entered, [], "entered without a certificate")
            with process(place, broker, known | own):
                soon(lambda: (None, "localhost") in broker.entered, 20, "it is in by its certificate", 0.1)


@check("membership: a process with an instanceID joins under it and does not leave when it stops; another leaves")
def _():
    for instance in ("press-7", None):
        with folder() as place, Broker() as broker:
            # With the cooperative protocol librdkafka leaves a member without partitions to the session's end.
            with process(place, broker, {"partition.assignment.strategy": "range"}, **({"instanceID": instance} if instance else {})):
                soon(lambda: HEARTBEAT in dict(broker.asked), 30, "it is a member", 0.1)
            if instance is None:
                soon(lambda: LEAVE in dict(broker.asked), 10, "it leaves the group", 0.1)
            asked = dict(broker.asked)
            equal(b"press-7" in asked[JOIN], instance is not None, "the instance's name in the request to join")
            expect(instance is None or LEAVE not in asked, "it left the group, though it is to keep its place")


main()

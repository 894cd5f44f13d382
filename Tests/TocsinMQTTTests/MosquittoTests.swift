import Foundation
import Testing
import TocsinCore
import TocsinMQTT

/// A source that runs against a real broker.
private struct Running {
    let source: MQTTSource
    let delivery: HeldDelivery
    let task: Task<Void, any Error>

    init(
        _ broker: Mosquitto, isOpen: Bool = true, topic: String = "plant/{sensor}",
        _ change: (inout MQTTSettings, inout SubscriptionSettings) -> Void = { _, _ in }
    ) throws {
        var settings = MQTTSettings(address: broker.address)
        settings.clientID = "source"
        settings.backoff.first = .milliseconds(10)
        settings.backoff.longest = .milliseconds(50)
        var subscription = SubscriptionSettings(topics: [try TopicTemplate(topic)])
        change(&settings, &subscription)
        let source = try MQTTSource(
            name: "mqtt", settings: settings, subscription: subscription, decoder: PlainDecoder(), table: SeriesTable(),
            identity: SourceID(1), clock: SystemClock())
        let delivery = HeldDelivery(isOpen: isOpen)
        self.source = source
        self.delivery = delivery
        task = Task { try await source.run(delivery: delivery) }
    }

    /// Until the status is as wanted.
    func wait(_ condition: (MQTTStatus) -> Bool, line: Int = #line) async throws {
        try await eventually("the status of line \(line) comes") { condition(source.status) }
    }

    func stop() async {
        delivery.release()
        task.cancel()
        _ = await task.result
    }
}

private func messages(_ range: Range<Int>, _ qos: QoS, isRetained: Bool = false) -> [MQTTMessage] {
    range.map { number in
        MQTTMessage(topic: "plant/p\(number % 50)", payload: Array("\(number)".utf8), qos: qos, isRetained: isRetained)
    }
}

private func publisher(_ broker: Mosquitto, _ version: MQTTSettings.Version = .automatic) throws -> MQTTPublisher {
    var settings = MQTTSettings(address: broker.address)
    settings.version = version
    settings.backoff.first = .milliseconds(10)
    settings.backoff.longest = .milliseconds(50)
    return try MQTTPublisher(settings: settings)
}

@Suite(Mosquitto.condition, .timeLimit(.minutes(5))) struct MosquittoTests {
    @Test(arguments: [MQTTSettings.Version.v311, .v5], QoS.allCases)
    func `every message arrives once and in order`(version: MQTTSettings.Version, qos: QoS) async throws {
        let broker = try Mosquitto()
        defer { broker.end() }
        try broker.start()
        let running = try Running(broker) { settings, subscription in
            settings.version = version
            subscription.qos = qos
        }
        try await running.wait { $0.state == .running }
        let publisher = try publisher(broker, version)
        for start in stride(from: 0, to: 3000, by: 500) {
            try await publisher.publish(messages(start..<start + 500, qos))
        }
        try await publisher.flush()
        try await running.delivery.waitFor(3000)
        #expect(running.delivery.payloads == (0..<3000).map(String.init))
        #expect(running.delivery.positions == running.delivery.positions.sorted())
        await running.stop()
        #expect(running.source.status.unacknowledged == 0)
        await publisher.close()
    }

    @Test(arguments: [MQTTSettings.Version.v311, .v5])
    func `what was not durable comes again to the next process, what was does not`(version: MQTTSettings.Version)
        async throws
    {
        let broker = try Mosquitto()
        defer { broker.end() }
        try broker.start()
        let publisher = try publisher(broker)
        let first = try Running(broker, isOpen: true) { settings, _ in settings.version = version }
        try await first.wait { $0.state == .running }
        try await publisher.publish(messages(0..<100, .atLeastOnce))
        try await first.delivery.waitFor(100)
        try await first.wait { $0.unacknowledged == 0 }
        await first.stop()
        // While nobody is there the broker keeps what comes.
        try await publisher.publish(messages(100..<200, .atLeastOnce))
        try await publisher.flush()
        let second = try Running(broker, isOpen: false) { settings, _ in settings.version = version }
        // 3.1.1: this broker sends 20 at a time.
        try await second.delivery.waitFor(version == .v311 ? 20 : 100)
        #expect(second.source.status.isSessionPresent)
        second.delivery.fail(TocsinError(.file, "the engine has stopped"))
        await second.stop()
        let third = try Running(broker) { settings, _ in settings.version = version }
        try await third.delivery.waitFor(100)
        #expect(third.delivery.payloads == (100..<200).map(String.init))
        await third.stop()
        await publisher.close()
    }

    /// This broker confirms messages a moment before it saves them: it is killed when what it has confirmed is on disk,
    /// and while the source has not acknowledged all of that.
    @Test func `a broker killed ten times loses nothing that it acknowledged`() async throws {
        let broker = try Mosquitto()
        defer { broker.end() }
        try broker.start()
        let running = try Running(broker)
        try await running.wait { $0.state == .running }
        let publisher = try publisher(broker)
        for round in 0..<10 {
            try await publisher.publish(messages(round * 1000..<round * 1000 + 1000, .atLeastOnce))
            try await publisher.flush()
            try await Task.sleep(for: .milliseconds(100))
            broker.kill()
            try broker.start()
        }
        try await eventually("all messages have come") {
            Set(running.delivery.payloads).count == 10_000
        }
        // Kills may double what the broker had not noted yet; the engine recognises that by id or time.
        #expect(running.delivery.payloads.count < 20_000)
        try await running.wait { $0.reconnects >= 10 }
        await running.stop()
        await publisher.close()
    }

    @Test func `a broker that is away at start is waited for`() async throws {
        let broker = try Mosquitto()
        defer { broker.end() }
        let running = try Running(broker)
        try await running.wait { $0.lastError?.contains("refused") == true }
        #expect(!running.source.status.isHealthy)
        try broker.start()
        try await running.wait { $0.state == .running && $0.isSubscriptionAlive == true }
        await running.stop()
    }

    @Test func `a wrong password is said, the right one works`() async throws {
        let broker = try Mosquitto(["password_file @/passwords", "allow_anonymous false"])
        defer { broker.end() }
        #expect(broker.run("mosquitto_passwd", "-b", "-c", "@/passwords", "tocsin", "right"))
        try broker.start()
        for version in [MQTTSettings.Version.v5, .v311] {
            let wrong = try Running(broker) { settings, _ in
                settings.version = version
                (settings.username, settings.password) = ("tocsin", "wrong")
            }
            try await wrong.wait {
                $0.lastError?.contains("not authorized") == true || $0.lastError?.contains("wrong user") == true
            }
            await wrong.stop()
        }
        let right = try Running(broker) { settings, _ in (settings.username, settings.password) = ("tocsin", "right") }
        try await right.wait { $0.isHealthy }
        await right.stop()
    }

    @Test(arguments: [SubscriptionSettings.Retained.take, .ignore], [MQTTSettings.Version.v5, .v311])
    func `retained messages are taken once, or not at all`(
        retained: SubscriptionSettings.Retained, version: MQTTSettings.Version
    ) async throws {
        let broker = try Mosquitto()
        defer { broker.end() }
        try broker.start()
        let publisher = try publisher(broker)
        try await publisher.publish(messages(0..<20, .atLeastOnce, isRetained: true))
        try await publisher.flush()
        let running = try Running(broker) { settings, subscription in
            settings.version = version
            subscription.retained = retained
        }
        try await running.wait { $0.state == .running }
        broker.kill()
        try broker.start()
        try await running.wait { $0.state == .running && $0.reconnects > 0 }
        try await publisher.publish(messages(20..<21, .atLeastOnce))
        let expected = (retained == .take ? 0 : 20)..<21
        let wanted = Set(expected.map(String.init))
        // A fresh subscription of 3.1.1 is asked for again, and brings them again.
        try await eventually("all messages have come") { wanted.isSubset(of: running.delivery.payloads) }
        #expect(Set(running.delivery.payloads) == wanted)
        await running.stop()
        await publisher.close()
    }

    @Test func `two sources of one group share the messages`() async throws {
        let broker = try Mosquitto()
        defer { broker.end() }
        try broker.start()
        let sources = try ["a", "b"].map { id in
            try Running(broker, topic: "$share/tocsin/plant/{sensor}") { settings, _ in settings.clientID = id }
        }
        for one in sources { try await one.wait { $0.state == .running } }
        let publisher = try publisher(broker)
        try await publisher.publish(messages(0..<1000, .atLeastOnce))
        try await publisher.flush()
        try await eventually("all messages have come") {
            sources.map(\.delivery.payloads.count).reduce(0, +) >= 1000
        }
        #expect(Set(sources.flatMap(\.delivery.payloads)).count == 1000)
        #expect(sources.allSatisfy { $0.delivery.payloads.count > 100 })
        for one in sources { await one.stop() }
        await publisher.close()
    }

    @Test func `an ACL that forbids the probe switches it off with a note, data go on`() async throws {
        let broker = try Mosquitto(["allow_anonymous true", "acl_file @/acl"])
        defer { broker.end() }
        try broker.write("acl", "topic readwrite plant/#\n")
        try broker.start()
        let running = try Running(broker)
        try await running.wait { $0.lastError != nil && $0.state == .running }
        let publisher = try publisher(broker)
        try await publisher.publish(messages(0..<10, .atLeastOnce))
        try await running.delivery.waitFor(10)
        try await running.wait { $0.isHealthy }
        await running.stop()
        await publisher.close()
    }

    @Test func `TLS: the authority, the name and our own certificate are checked`() async throws {
        let broker = try Mosquitto([
            "allow_anonymous true", "cafile @/ca.pem", "certfile @/server.pem", "keyfile @/server.key",
            "require_certificate true",
        ])
        defer { broker.end() }
        try #require(makeCertificates(broker), "openssl is needed for this test")
        try broker.start()
        func running(_ change: (inout TLSSettings) -> Void) throws -> Running {
            try Running(broker) { settings, _ in
                settings.address = MQTTAddress(host: "localhost", port: broker.port, usesTLS: true)
                settings.tls.authorities = broker.folder.path + "/ca.pem"
                settings.tls.certificate = broker.folder.path + "/client.pem"
                settings.tls.key = broker.folder.path + "/client.key"
                change(&settings.tls)
            }
        }
        let good = try running { _ in }
        try await good.wait { $0.isHealthy && $0.isSubscriptionAlive == true }
        await good.stop()
        let insecure = try running {
            $0.authorities = nil
            $0.allowsAnyCertificate = true
        }
        try await insecure.wait { $0.isHealthy }
        await insecure.stop()
        for (change, words) in [
            ({ $0.authorities = nil }, "certificate verify failed"), ({ $0.serverName = "elsewhere" }, "name"),
            ({ ($0.certificate, $0.key) = (nil, nil) }, "certificate required"),
        ] as [((inout TLSSettings) -> Void, String)] {
            let bad = try running(change)
            try await bad.wait { $0.lastError != nil }
            #expect(bad.source.status.lastError?.contains(words) == true, "\(bad.source.status.lastError ?? "")")
            await bad.stop()
        }
    }

    private func makeCertificates(_ broker: Mosquitto) -> Bool {
        let key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"]
        func make(_ name: String, _ subject: String) -> Bool {
            broker.run(
                "openssl", "req", "-x509", key[0], key[1], key[2], key[3], key[4], key[5], key[6], "-subj",
                "/CN=\(subject)",
                "-addext", "subjectAltName=DNS:\(subject)", "-keyout", "@/\(name).key", "-out", "@/\(name).pem",
                "-CA", "@/ca.pem", "-CAkey", "@/ca.key")
        }
        return broker.run(
            "openssl", "req", "-x509", key[0], key[1], key[2], key[3], key[4], key[5], key[6], "-subj", "/CN=Test CA",
            "-keyout", "@/ca.key", "-out", "@/ca.pem")
            && make("server", "localhost") && make("client", "tocsin")
    }
}

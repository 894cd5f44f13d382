import Synchronization
import Testing
import TocsinCore
import TocsinMQTT

/// A source against a broker played by the test.
private struct Stage {
    let broker: FakeBroker
    let source: MQTTSource
    let delivery: HeldDelivery
    let events: AsyncStream<MQTTEvent>
    let task: Task<Void, any Error>

    init(
        _ answers: FakeBroker.Answers = .init(), isOpen: Bool = false, clock: any WallClock = SystemClock(),
        _ change: (inout MQTTSettings, inout SubscriptionSettings) -> Void = { _, _ in },
        onDecoded: (@Sendable (inout any MessageDecoding) -> [MQTTMessage])? = nil
    ) async throws {
        let broker = try await FakeBroker(answers)
        self.broker = broker
        var settings = MQTTSettings(address: broker.address)
        settings.clientID = "test"
        settings.backoff.first = .milliseconds(1)
        settings.backoff.longest = .milliseconds(5)
        var subscription = SubscriptionSettings(topics: [try TopicTemplate("plant/{sensor}")])
        subscription.watchdog.isEnabled = false
        change(&settings, &subscription)
        let (stream, continuation) = AsyncStream.makeStream(of: MQTTEvent.self)
        events = stream
        let source = try MQTTSource(
            name: "mqtt", settings: settings, subscription: subscription, decoder: PlainDecoder(), table: SeriesTable(),
            identity: SourceID(1), clock: clock, onDecoded: onDecoded, observe: { continuation.yield($0) })
        self.source = source
        let delivery = HeldDelivery(isOpen: isOpen)
        self.delivery = delivery
        task = Task { try await source.run(delivery: delivery) }
    }

    /// Ends the source as an orderly stop does.
    func end() async {
        delivery.release()
        task.cancel()
        _ = await task.result
        await broker.stop()
    }
}

@Suite(.timeLimit(.minutes(5))) struct SourceTests {
    @Test func `nothing is acknowledged before it is durable, then all in order`() async throws {
        let stage = try await Stage()
        var seen = stage.broker.seen.makeAsyncIterator()
        #expect(await seen.next() == .connect(version: 5, flags: 0))
        #expect(await seen.next() == .subscribe(["plant/+"]))
        var bytes: [UInt8] = []
        for id: UInt16 in 1...10 { bytes += stage.broker.publish("\(id)", id: id, qos: .atLeastOnce) }
        try await stage.broker.send(bytes)
        try await stage.delivery.waitFor(10)
        #expect(stage.source.status.unacknowledged == 10)
        stage.delivery.release()
        for id: UInt16 in 1...10 {
            #expect(await seen.next() == .acknowledgement(Acknowledgement(.publishAcknowledgement, id)))
        }
        #expect(stage.delivery.payloads == (1...10).map(String.init))
        await stage.end()
        #expect(stage.source.status.state == .stopped)
        #expect(stage.source.status.unacknowledged == 0)
    }

    @Test func `QoS 2 is taken once, whatever the broker repeats`() async throws {
        let stage = try await Stage { _, subscription in subscription.qos = .exactlyOnce }
        var seen = stage.broker.seen.makeAsyncIterator()
        await seen.subscribed()
        try await stage.broker.send(stage.broker.publish("a", id: 5, qos: .exactlyOnce))
        try await stage.delivery.waitFor(1)
        try await stage.broker.send(stage.broker.publish("a", id: 5, qos: .exactlyOnce, again: true))
        try await eventually("the copy is recognised") { stage.source.status.repeated > 0 }
        stage.delivery.release()
        #expect(await seen.next() == .acknowledgement(Acknowledgement(.publishReceived, 5)))
        try await stage.broker.send(stage.broker.publish("a", id: 5, qos: .exactlyOnce, again: true) + [0x62, 2, 0, 5])
        #expect(await seen.next() == .acknowledgement(Acknowledgement(.publishReceived, 5)))
        #expect(await seen.next() == .acknowledgement(Acknowledgement(.publishComplete, 5)))
        try await stage.broker.send([0x62, 2, 0, 5])
        #expect(await seen.next() == .acknowledgement(Acknowledgement(.publishComplete, 5, reason: 0x92)))
        #expect(stage.delivery.payloads == ["a"])
        await stage.end()
    }

    @Test func `a lost connection doubles nothing: what is durable meanwhile is acknowledged on the next one`()
        async throws
    {
        let stage = try await Stage(.init(connect: [(0, 0), (1, 0)]))
        var seen = stage.broker.seen.makeAsyncIterator()
        await seen.subscribed()
        try await stage.broker.send(
            stage.broker.publish("a", id: 1, qos: .atLeastOnce) + stage.broker.publish("b", id: 2, qos: .atLeastOnce))
        try await stage.delivery.waitFor(2)
        try await stage.broker.hangUp()
        #expect(await seen.nextEnd() == .closed)
        #expect(await seen.next() == .connect(version: 5, flags: 0))
        #expect(await seen.next() == .subscribe(["plant/+"]))
        try await stage.broker.send(stage.broker.publish("a", id: 1, qos: .atLeastOnce, again: true))
        try await stage.broker.send(
            stage.broker.publish("b", id: 2, qos: .atLeastOnce, again: true)
                + stage.broker.publish("c", id: 3, qos: .atLeastOnce))
        try await stage.delivery.waitFor(3)
        stage.delivery.release()
        var acknowledged: Set<UInt16> = []
        while acknowledged.count < 3, case .acknowledgement(let one)? = await seen.next() {
            acknowledged.insert(one.packetID)
        }
        #expect(acknowledged == [1, 2, 3])
        #expect(stage.delivery.payloads == ["a", "b", "c"])
        #expect(stage.source.status.reconnects == 1)
        await stage.end()
    }

    @Test func `a broker that knows only 3_1_1 is spoken to in 3_1_1`() async throws {
        let stage = try await Stage(.init(connect: [(0, 1), (0, 0)]), isOpen: true)
        var seen = stage.broker.seen.makeAsyncIterator()
        #expect(await seen.next() == .connect(version: 5, flags: 0))
        #expect(await seen.nextEnd() == .closed)
        #expect(await seen.next() == .connect(version: 4, flags: 0))
        #expect(await seen.next() == .subscribe(["plant/+"]))
        try await stage.broker.send(stage.broker.publish("a", id: 1, qos: .atLeastOnce, version: .v311))
        #expect(await seen.next() == .acknowledgement(Acknowledgement(.publishAcknowledgement, 1)))
        await stage.end()
    }

    @Test func `a session of 3_1_1 that goes on may have lost a fresh subscription: it is asked for again`()
        async throws
    {
        let stage = try await Stage(.init(connect: [(0, 0), (1, 0)]), isOpen: true) { settings, _ in
            settings.version = .v311
        }
        var seen = stage.broker.seen.makeAsyncIterator()
        await seen.subscribed()
        try await eventually("the subscription is granted") { stage.source.status.state == .running }
        try await stage.broker.hangUp()
        #expect(await seen.nextEnd() == .closed)
        #expect(await seen.next() == .connect(version: 4, flags: 0))
        #expect(await seen.next() == .subscribe(["plant/+"]))
        await stage.end()
    }

    @Test(arguments: [(MQTTSettings.Version.v5, "not authorized"), (.v311, "the broker refuses the subscription")])
    func `a refused subscription is named at once`(version: MQTTSettings.Version, reason: String) async throws {
        let stage = try await Stage(.init(refuses: "secret"), isOpen: true) { settings, subscription in
            settings.version = version
            subscription.topics += (try? [TopicTemplate("secret/#")]) ?? []
        }
        for await event in stage.events {
            if case .connected = event { continue }
            #expect(event == .refused(filter: "secret/#", reason: reason))
            break
        }
        var seen = stage.broker.seen.makeAsyncIterator()
        await seen.subscribed()
        // What is granted goes on.
        try await stage.broker.send(
            stage.broker.publish("a", qos: .atMostOnce, version: version == .v5 ? .v5 : .v311))
        try await stage.delivery.waitFor(1)
        let status = stage.source.status
        #expect(status.state == .refused)
        #expect(!status.isHealthy)
        #expect(status.refusals == ["secret/#": reason])
        #expect(status.summary.contains("secret/#"))
        await stage.end()
    }

    @Test func `a subscription without echo is not alive: the connection is made anew, then the probe is given up`()
        async throws
    {
        let stage = try await Stage(.init(echoes: false), isOpen: true) { _, subscription in
            subscription.watchdog.isEnabled = true
            subscription.watchdog.interval = .milliseconds(1)
            subscription.watchdog.timeout = .milliseconds(1)
        }
        var kinds: [String] = []
        for await event in stage.events {
            kinds.append(String("\(event)".prefix(24)))
            if case .note = event { break }
        }
        #expect(
            kinds == [
                "connected, MQTT 5, a new", "the subscription is not ", "not connected: the subsc",
                "connected, MQTT 5, a new",
                "no probe on tocsin/test/",
            ])
        #expect(stage.source.status.isSubscriptionAlive == nil)
        await stage.end()
    }

    @Test func `a probe that was given up is said, and tried again without harm to the connection`() async throws {
        let stage = try await Stage(.init(echoes: false), isOpen: true) { _, subscription in
            subscription.watchdog.isEnabled = true
            subscription.watchdog.interval = .milliseconds(1)
            subscription.watchdog.timeout = .seconds(1)
            subscription.watchdog.retry = .milliseconds(1)
        }
        try await eventually("the probe is given up") { stage.source.status.watchdogOff != nil }
        let summary = stage.source.status.summary
        #expect(summary.hasPrefix("running, watchdog off: no probe on tocsin/test/probe has ever come back"))
        let connects = stage.source.status.connects
        let probes = stage.broker.probes
        try await eventually("it is tried again") { stage.broker.probes >= probes + 3 }
        #expect(stage.source.status.connects == connects)
        stage.broker.echo()
        try await eventually("the echo has come") { stage.source.status.isSubscriptionAlive == true }
        #expect(stage.source.status.watchdogOff == nil)
        #expect(stage.source.status.summary == "running")
        await stage.end()
    }

    @Test func `a client id with wildcards has a probe too`() async throws {
        let stage = try await Stage { settings, subscription in
            settings.clientID = "line#1/+"
            subscription.watchdog.isEnabled = true
        }
        var seen = stage.broker.seen.makeAsyncIterator()
        _ = await seen.next()
        #expect(await seen.next() == .subscribe(["plant/+"]))
        #expect(await seen.next() == .subscribe(["tocsin/line_1/_/probe"]))
        await stage.end()
    }

    @Test func `presence that is refused for the moment is told on the next connection`() async throws {
        let stage = try await Stage(.init(reasons: [0x97]), isOpen: true) { _, subscription in
            subscription.presenceTopic = "tocsin/here"
        }
        var seen = stage.broker.seen.makeAsyncIterator()
        #expect(await seen.nextPublish() == .publish(topic: "tocsin/here", payload: "online"))
        try await eventually("the refusal is said") { stage.source.status.lastError?.contains("for now") == true }
        try await stage.broker.hangUp()
        #expect(await seen.nextPublish() == .publish(topic: "tocsin/here", payload: "online"))
        await stage.end()
    }

    @Test func `presence that is forbidden is not told again at once`() async throws {
        let stage = try await Stage(.init(reasons: [0x87]), isOpen: true) { _, subscription in
            subscription.presenceTopic = "tocsin/here"
        }
        var seen = stage.broker.seen.makeAsyncIterator()
        #expect(await seen.nextPublish() == .publish(topic: "tocsin/here", payload: "online"))
        try await eventually("the refusal is said") { stage.source.status.lastError?.contains("any more") == true }
        try await stage.broker.hangUp()
        await seen.subscribed()
        stage.task.cancel()
        #expect(await seen.next() == .disconnect)
        await stage.end()
    }

    @Test func `a broker without QoS 1 gets will, presence and probes at QoS 0`() async throws {
        let stage = try await Stage(.init(connect: [(0, 0x9b), (0, 0)], maximumQoS: 0), isOpen: true) {
            _, subscription in
            subscription.presenceTopic = "tocsin/here"
            subscription.watchdog.isEnabled = true
        }
        var seen = stage.broker.seen.makeAsyncIterator()
        #expect(await seen.next() == .connect(version: 5, flags: 0b0010_1100))
        #expect(await seen.nextEnd() == .closed)
        #expect(await seen.next() == .connect(version: 5, flags: 0b0010_0100))
        #expect(await seen.nextPublish() == .publish(topic: "tocsin/here", payload: "online"))
        try await eventually("the echo has come") { stage.source.status.isSubscriptionAlive == true }
        #expect(stage.broker.highestQoS == .atMostOnce)
        await stage.end()
    }

    @Test func `a broker that takes no answers is left, and they do not pile up`() async throws {
        let stage = try await Stage(isOpen: true) { settings, _ in settings.answerTimeout = .seconds(1) }
        var seen = stage.broker.seen.makeAsyncIterator()
        await seen.subscribed()
        try await stage.broker.stopReading()
        let releases = [UInt8](repeatElement([0x62, 2, 0, 7], count: 5_000_000).joined())
        let sending = Task { [broker = stage.broker] in try await broker.send(releases) }
        try await eventually("the connection is given up") {
            stage.source.status.lastError?.contains("takes nothing that is sent to it") == true
        }
        await stage.end()
        _ = await sending.result
    }

    @Test func `an echo proves the subscription`() async throws {
        let stage = try await Stage(isOpen: true) { _, subscription in subscription.watchdog.isEnabled = true }
        try await eventually("the echo has come") { stage.source.status.isSubscriptionAlive == true }
        #expect(stage.source.status.isHealthy)
        #expect(stage.source.status.messages == 0)
        await stage.end()
    }

    @Test func `a message beyond the limit is cut for the decoder, and its neighbours are whole`() async throws {
        let stage = try await Stage(isOpen: true) { _, subscription in subscription.maximumMessageBytes = 1000 }
        var seen = stage.broker.seen.makeAsyncIterator()
        await seen.subscribed()
        let long = String(repeating: "x", count: 3_000_000)
        for (id, text) in ["a", long, "", "b"].enumerated() {
            try await stage.broker.send(stage.broker.publish(text, id: UInt16(id + 1), qos: .atLeastOnce))
        }
        for id: UInt16 in 1...4 {
            #expect(await seen.next() == .acknowledgement(Acknowledgement(.publishAcknowledgement, id)))
        }
        #expect(stage.delivery.lengths == [1, 1001, 1])
        #expect(stage.delivery.rejects == 1)
        #expect(stage.source.status.overlong == 1)
        await stage.end()
    }

    @Test func `properties beyond all bounds make a message too long, and hold up nothing`() async throws {
        let stage = try await Stage(isOpen: true) { _, subscription in subscription.maximumMessageBytes = 1000 }
        var seen = stage.broker.seen.makeAsyncIterator()
        await seen.subscribed()
        // The second one's payload of 900 bytes begins within what is kept, and ends beyond.
        for (id, values) in [[60_000, 60_000, 60_000], [60_000 - 25, 11_500], []].enumerated() {
            try await stage.broker.send(
                published(String(repeating: "x", count: 900), id: UInt8(id + 1), properties: values))
        }
        for id: UInt16 in 1...3 {
            #expect(await seen.next() == .acknowledgement(Acknowledgement(.publishAcknowledgement, id)))
        }
        #expect(stage.delivery.lengths == [1001, 1001, 900])
        #expect(stage.source.status.overlong == 2)
        #expect(stage.source.status.reconnects == 0)
        await stage.end()
    }

    /// A message to plant/p1 at QoS 1 with user properties whose values have so many bytes, the first one's name 60,000.
    private func published(_ payload: String, id: UInt8, properties values: [Int]) -> [UInt8] {
        var properties = FieldWriter()
        for (number, length) in values.enumerated() {
            properties.byte(0x26)
            properties.binary([UInt8](repeating: 0x6e, count: number == 0 ? 60_000 : 0))
            properties.binary([UInt8](repeating: 0x76, count: length))
        }
        var body = FieldWriter()
        body.text("plant/p1")
        body.number(UInt16(id))
        body.list(properties)
        body.bytes += Array(payload.utf8)
        var packet = FieldWriter()
        packet.list(body)
        return [0x32] + packet.bytes
    }

    @Test func `a clock that is set back is followed, and messages of one moment keep their order`() async throws {
        let clock = HandClock(seconds: 10_000)
        let stage = try await Stage(isOpen: true, clock: clock)
        var seen = stage.broker.seen.makeAsyncIterator()
        await seen.subscribed()
        let pair = stage.broker.publish("a", qos: .atMostOnce) + stage.broker.publish("b", qos: .atMostOnce)
        for (number, seconds) in [Int64(10_000), 4000].enumerated() {
            clock.set(seconds: seconds)
            try await stage.broker.send(pair)
            try await stage.delivery.waitFor(2 * (number + 1))
        }
        let times = stage.delivery.times.map(\.nanoseconds)
        #expect(times == [10_000_000_000_000, 10_000_000_001_000, 4_000_000_000_000, 4_000_000_001_000])
        await stage.end()
    }

    @Test func `long topics fill a batch as payloads do`() async throws {
        let stage = try await Stage(isOpen: true) { _, subscription in
            subscription.batchBytes = 100_000
            subscription.batchDelay = .seconds(3600)
        }
        var seen = stage.broker.seen.makeAsyncIterator()
        await seen.subscribed()
        var writer = PacketWriter(version: .v5)
        for number in 1...4 {
            let name = "\(number)" + String(repeating: "x", count: 60_000)
            writer.publish(MQTTMessage(topic: "plant/\(name)", payload: [0x31]))
        }
        try await stage.broker.send(writer.bytes)
        try await stage.delivery.waitFor(4)
        #expect(stage.delivery.batches == 2)
        await stage.end()
    }

    @Test func `damaged bytes end the connection with words, and the next one works`() async throws {
        let stage = try await Stage(isOpen: true)
        var seen = stage.broker.seen.makeAsyncIterator()
        await seen.subscribed()
        try await stage.broker.send([0x30, 3, 0, 9, 0x61])
        #expect(await seen.nextEnd() == .closed)
        await seen.subscribed()
        #expect(stage.source.status.lastError?.contains("a packet ends before its fields do") == true)
        try await stage.broker.send(stage.broker.publish("a", qos: .atMostOnce))
        try await stage.delivery.waitFor(1)
        await stage.end()
    }

    @Test func `while the window is full nothing is read`() async throws {
        let stage = try await Stage { settings, subscription in
            settings.version = .v311
            subscription.window = 100
            subscription.batchMessages = 50
        }
        var seen = stage.broker.seen.makeAsyncIterator()
        await seen.subscribed()
        // More than the buffers between the two hold.
        let filler = String(repeating: "x", count: 20_000)
        let count: UInt16 = 2000
        let sending = Task { [broker = stage.broker] in
            for id in 1...count {
                try await broker.send(broker.publish("\(id)" + filler, id: id, qos: .atLeastOnce, version: .v311))
            }
        }
        try await stage.delivery.waitFor(100)
        let taken = stage.source.status.unacknowledged
        #expect(taken >= 100 && taken < 1000)
        stage.delivery.release()
        try await sending.value
        try await stage.delivery.waitFor(Int(count))
        for id in 1...count {
            #expect(await seen.next() == .acknowledgement(Acknowledgement(.publishAcknowledgement, id)))
        }
        await stage.end()
    }

    @Test func `presence: the will at the connection, online when subscribed, offline at an orderly end`() async throws
    {
        let stage = try await Stage(isOpen: true) { _, subscription in subscription.presenceTopic = "tocsin/here" }
        var seen = stage.broker.seen.makeAsyncIterator()
        // Will flag, QoS 1, retained.
        #expect(await seen.next() == .connect(version: 5, flags: 0b0010_1100))
        _ = await seen.next()
        #expect(await seen.next() == .publish(topic: "tocsin/here", payload: "online"))
        stage.task.cancel()
        #expect(await seen.next() == .publish(topic: "tocsin/here", payload: "offline"))
        #expect(await seen.next() == .disconnect)
        await stage.end()
    }

    @Test func `a Sparkplug host says that it is there, and again when its old will comes late`() async throws {
        let stage = try await Stage(isOpen: true) { _, subscription in subscription.sparkplugHostID = "tocsin" }
        var seen = stage.broker.seen.makeAsyncIterator()
        // Clean start, and a will at QoS 1, retained.
        #expect(await seen.next() == .connect(version: 5, flags: 0b0010_1110))
        #expect(stage.broker.sessionExpiry == 0)
        await seen.subscribed()
        guard case .publish("spBv1.0/STATE/tocsin", let birth)? = await seen.nextPublish() else {
            Issue.record("no birth")
            return
        }
        #expect(birth.hasPrefix("{\"online\":true,\"timestamp\":1"))
        var writer = PacketWriter(version: .v5)
        writer.publish(
            MQTTMessage(topic: "spBv1.0/STATE/tocsin", payload: Array("{\"online\":false,\"timestamp\":1}".utf8)))
        try await stage.broker.send(writer.bytes)
        #expect(await seen.nextPublish() == .publish(topic: "spBv1.0/STATE/tocsin", payload: birth))
        #expect(stage.source.status.messages == 0)
        await stage.end()
    }

    @Test func `what the decoder asks for is published`() async throws {
        let stage = try await Stage(
            isOpen: true,
            onDecoded: { _ in
                [MQTTMessage(topic: "spBv1.0/g/NCMD/n", payload: Array("rebirth".utf8))]
            })
        var seen = stage.broker.seen.makeAsyncIterator()
        await seen.subscribed()
        try await stage.broker.send(stage.broker.publish("a", qos: .atMostOnce))
        #expect(await seen.next() == .publish(topic: "spBv1.0/g/NCMD/n", payload: "rebirth"))
        await stage.end()
    }

    @Test func `an engine that has stopped ends the source; trouble that passes makes the broker send again`()
        async throws
    {
        let stage = try await Stage(.init(connect: [(0, 0), (1, 0)]))
        var seen = stage.broker.seen.makeAsyncIterator()
        await seen.subscribed()
        try await stage.broker.send(stage.broker.publish("a", id: 1, qos: .atLeastOnce))
        try await stage.delivery.waitFor(1)
        stage.delivery.fail(TocsinError(.file, "the disk is full", isRetriable: true))
        #expect(await seen.nextEnd() == .closed)
        await seen.subscribed()
        stage.delivery.fail(TocsinError(.file, "the engine has stopped"))
        try await stage.broker.send(stage.broker.publish("a", id: 1, qos: .atLeastOnce, again: true))
        let error = await #expect(throws: TocsinError.self) { try await stage.task.value }
        #expect(error?.message == "the engine has stopped")
        #expect(stage.delivery.payloads == ["a", "a"])
        await stage.broker.stop()
    }
}

extension AsyncStream<FakeBroker.Seen>.Iterator {
    /// The client is where it wants to be; a busy machine may have cost it a first connection.
    fileprivate mutating func subscribed() async {
        while let one = await next() { if case .subscribe = one { return } }
    }

    /// What comes next: the end of the connection, before which a last word may be read, or not.
    fileprivate mutating func nextEnd() async -> FakeBroker.Seen? {
        let one = await next()
        return one == .disconnect ? await next() : one
    }

    /// The next message, whatever else comes before.
    fileprivate mutating func nextPublish() async -> FakeBroker.Seen? {
        while let one = await next() {
            if case .publish = one { return one }
        }
        return nil
    }
}

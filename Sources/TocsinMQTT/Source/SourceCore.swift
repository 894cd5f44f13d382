internal import NIOCore
internal import Synchronization
internal import TocsinCore

/// The part of a source that lives on its event loop: connection, session, gathering, watchdog.
///
/// `@unchecked Sendable`: all but `status` and `batches`, which have their own locks, and the constants is touched on
/// `loop` only.
final class SourceCore: BrokerLinkUser, @unchecked Sendable {
    let settings: MQTTSettings
    let subscription: SubscriptionSettings
    let clientID: String
    let connector: BrokerConnector
    let clock: any WallClock
    let observe: @Sendable (MQTTEvent) -> Void
    let status: Mutex<MQTTStatus>
    let batches = Handoff<GatheredMessages>()
    var loop: any EventLoop { connector.loop }

    var link: BrokerLink?
    var version: ProtocolVersion
    var session = InboundSession()
    var identifiers = PacketIdentifiers()
    var watchdog: SubscriptionWatchdog?
    var requests: [UInt16: [SubscribeRequest]] = [:]
    /// When (monotonic) the broker granted what was last asked for.
    var subscribedAt: Int64?
    var refusals: [String: String] = [:]
    var nextTryOfRefused: Int64 = 0
    /// Topics of our own messages that the broker has not acknowledged, by packet id.
    var publications: [UInt16: String] = [:]
    /// Topics to which it takes none, and when (monotonic) it said so.
    var refusedTopics: [String: Int64] = [:]
    /// Topics to which it takes none for now, on this connection.
    var doubtfulTopics: Set<String> = []
    /// When our presence is to be told again; nil = it has been taken.
    var nextPresence: Int64?
    /// The highest that the broker offers.
    var maximumQoS = QoS.exactlyOnce
    var echoes = 0
    var failedProbes = 0
    var isProbing: Bool
    /// A probe that was given up is tried once more: its failure costs no connection of ours.
    var isProbeOnTrial = false
    var nextProbeTrial: Int64 = 0
    var probePause: Int64
    /// The last connection ended while a probe was on trial: the broker may have hung up because of it.
    var endedOnTrial = false
    /// Since when the broker takes nothing of what is sent to it.
    var unwritableSince: Int64?
    var lastMessage: Int64
    var hostBirth: Int64 = 0
    var topics = TopicCache()
    var ownTopics: [UInt8] = []
    var ownGeneration = 0
    var gatherer: MessageGatherer
    var counters: (messages: Int, bytes: Int, repeated: Int, retained: Int, overlong: Int) = (0, 0, 0, 0, 0)
    /// Of the messages of this read.
    private var arrival: Timestamp?
    private var isFlushScheduled = false
    private var answers: PacketWriter?
    private var isStopping = false
    private var ended: CheckedContinuation<LinkClosure?, Never>?

    /// Batches that may wait for the engine before reading stops.
    static let waitingBatches = 4
    static let retryOfRefused = Duration.seconds(30)
    /// So long a broker may take to save a subscription that it has granted.
    static let savingTime = Duration.seconds(60)
    /// A refusal of our messages holds for new connections too while it is as young as this.
    static let refusalIsRecent = Duration.seconds(300)
    static let longestProbePause = Duration.seconds(86_400).nanoseconds

    init(
        _ settings: MQTTSettings, _ subscription: SubscriptionSettings, clientID: String, connector: BrokerConnector,
        clock: any WallClock, observe: @escaping @Sendable (MQTTEvent) -> Void
    ) {
        self.settings = settings
        self.subscription = subscription
        self.clientID = clientID
        self.connector = connector
        self.clock = clock
        self.observe = observe
        let now = clock.now()
        status = Mutex(MQTTStatus(since: now))
        version = settings.version == .v311 ? .v311 : .v5
        isProbing = subscription.watchdog.isEnabled
        probePause = subscription.watchdog.retry.nanoseconds
        lastMessage = SystemClock.monotonicNanoseconds
        // Rises over restarts as well, so that a place names one message.
        gatherer = MessageGatherer(first: now.nanoseconds / 1000)
    }

    // MARK: Life of a connection

    /// Connects, and returns when the connection is over: with its reason, or nil when the source is to stop.
    func serve() async -> LinkClosure? {
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                loop.execute { self.open(continuation) }
            }
        } onCancel: {
            loop.execute { self.stop() }
        }
    }

    private func open(_ continuation: CheckedContinuation<LinkClosure?, Never>) {
        guard !isStopping else { return continuation.resume(returning: nil) }
        ended = continuation
        setState(.connecting)
        connector.open(connectRequest(), payloadLimit: subscription.maximumMessageBytes + 1, user: self) {
            [weak self] closure in
            self?.finish(closure)
        }
    }

    private func finish(_ closure: LinkClosure?) {
        link = nil
        let continuation = ended
        ended = nil
        continuation?.resume(returning: closure)
    }

    /// Reads no more; what has been gathered is handed over, the connection stays for the last acknowledgements.
    private func stop() {
        isStopping = true
        flush()
        batches.finish()
        let continuation = ended
        ended = nil
        continuation?.resume(returning: nil)
    }

    /// A failure that no reconnection mends.
    func fail() { loop.execute { self.stop() } }

    /// The last words of an orderly end.
    func farewell() async {
        let left = loop.makePromise(of: Void.self)
        loop.execute {
            self.setState(.stopped)
            guard let link = self.link, link.isOpen else { return left.succeed() }
            for message in self.presence(isOnline: false) { self.publish(message) }
            self.link = nil
            link.leave(left)
        }
        try? await left.futureResult.get()
    }

    func closed(_ link: BrokerLink, _ closure: LinkClosure) {
        if closure.wantsOlderVersion, settings.version == .automatic { version = .v311 }
        if closure.wantsLowerQoS { maximumQoS = .atMostOnce }
        // What came is kept: after a reconnection its acknowledgement goes to the same session.
        flush()
        var closure = closure
        closure.text = withRefusals(closure.text)
        requests = [:]
        publications = [:]
        nextPresence = nil
        unwritableSince = nil
        identifiers = PacketIdentifiers()
        if watchdog?.isWaiting == true { _ = isProbeHopeless(isEnd: true) }
        watchdog = nil
        finish(closure)
    }

    func opened(_ link: BrokerLink, _ answer: ConnectAcknowledgement) {
        self.link = link
        guard !isStopping else { return }
        session.begin(isSessionPresent: answer.isSessionPresent)
        maximumQoS = answer.properties.maximumQoS.flatMap { QoS(rawValue: $0) } ?? .exactlyOnce
        forgetRefusedTopics()
        probeSooner()
        status.withLock {
            $0.connects += 1
            $0.version = link.version
            $0.isSessionPresent = answer.isSessionPresent
            $0.isSubscriptionAlive = nil
        }
        observe(.connected(version: link.version, isSessionPresent: answer.isSessionPresent))
        if answer.properties.hasSharedSubscriptions == false, subscription.topics.contains(where: { $0.group != nil }) {
            observe(.note("the broker has no shared subscriptions"))
        }
        if answer.properties.hasWildcards == false { observe(.note("the broker has no wildcard subscriptions")) }
        subscribe(isSessionPresent: answer.isSessionPresent)
    }

    // MARK: Messages

    func received(_ header: PublishHeader, _ body: UnsafeRawBufferPointer, on link: BrokerLink) {
        let topicBytes = UnsafeRawBufferPointer(rebasing: body[header.topic])
        var payload = UnsafeRawBufferPointer(rebasing: body[header.payload])
        let topic = topics.index(of: topicBytes) { learn($0) }
        if topics.generation != ownGeneration {
            ownGeneration = topics.generation
            ownTopics.removeAll(keepingCapacity: true)
        }
        if topic >= ownTopics.count { ownTopics.append(ownKind(topics.envelopes[topic].topic)) }
        var delivery: Delivery?
        if header.qos != .atMostOnce {
            var hash = StableHash()
            hash.combine(topicBytes.bindMemory(to: UInt8.self).span)
            hash.combine(payload.bindMemory(to: UInt8.self).span)
            let taken = Delivery(packetID: header.packetID, qos: header.qos, content: hash.value)
            switch session.receive(taken, isDuplicate: header.isDuplicate) {
            case .take: delivery = taken
            case .ignore:
                counters.repeated += 1
                return
            case .acknowledge(let kind):
                counters.repeated += 1
                answer(link) { $0.acknowledge(kind, header.packetID) }
                return
            }
        }
        let isOwn = ownTopics[topic] != 0
        if isOwn || (header.isRetained && subscription.retained == .ignore) {
            if isOwn { heardOwn(ownTopics[topic], payload) } else { counters.retained += 1 }
            if let delivery, let kind = session.settle(delivery) {
                answer(link) { $0.acknowledge(kind, delivery.packetID) }
            }
            return
        }
        if payload.count > subscription.maximumMessageBytes {
            counters.overlong += 1
            payload = UnsafeRawBufferPointer(rebasing: payload.prefix(subscription.maximumMessageBytes + 1))
        }
        counters.messages += 1
        counters.bytes += payload.count
        let time = arrival ?? clock.now()
        arrival = time
        gatherer.add(payload, topic: topic, of: topics, at: time)
        if let delivery { gatherer.add(delivery) }
        if gatherer.count >= subscription.batchMessages || gatherer.byteCount >= subscription.batchBytes { flush() }
    }

    private func learn(_ topic: String) -> MessageEnvelope {
        subscription.topics.envelope(of: topic)
    }

    func readEnded(on link: BrokerLink) -> Bool {
        arrival = nil
        if let answers {
            link.send(answers.bytes)
            self.answers = nil
        }
        if gatherer.count > 0, !isFlushScheduled {
            isFlushScheduled = true
            loop.scheduleTask(in: .nanoseconds(subscription.batchDelay.nanoseconds)) {
                self.isFlushScheduled = false
                self.flush()
            }
        }
        noteProgress()
        return mayRead
    }

    /// Not beyond the window, not while the engine is behind, and not while the broker takes no answers: they would pile up.
    private var mayRead: Bool {
        !isStopping && batches.count < Self.waitingBatches && session.unacknowledged < subscription.window
            && link?.isWritable != false
    }

    /// There may be room again.
    func roomAppeared() {
        loop.execute {
            if self.mayRead { self.link?.resumeReading() }
        }
    }

    func flush() {
        guard gatherer.count > 0 else { return }
        batches.give(gatherer.take(received: clock.now()))
    }

    // MARK: Acknowledgements

    /// Collects what is sent at the end of a read.
    func answer(_ link: BrokerLink, _ body: (inout PacketWriter) -> Void) {
        var writer = answers ?? PacketWriter(version: link.version)
        answers = nil
        body(&writer)
        answers = writer
    }

    /// The messages are durable: tells the broker, if it still knows them.
    func settle(_ deliveries: [Delivery]) {
        loop.execute {
            var writer = PacketWriter(version: self.link?.version ?? .v5)
            writer.bytes.reserveCapacity(deliveries.count * 4)
            for delivery in deliveries {
                if let kind = self.session.settle(delivery) { writer.acknowledge(kind, delivery.packetID) }
            }
            self.link?.send(writer.bytes)
            self.noteProgress()
            if self.mayRead { self.link?.resumeReading() }
        }
    }

    /// The messages could not be made durable for now: the broker is to send them again.
    func abandon(_ deliveries: [Delivery], _ reason: String) {
        loop.execute {
            for delivery in deliveries { self.session.abandon(delivery) }
            self.link?.close(reason)
        }
    }

    func received(_ acknowledgement: Acknowledgement, on link: BrokerLink) {
        switch acknowledgement.kind {
        case .publishRelease:
            if let reason = session.release(acknowledgement.packetID) {
                answer(link) { $0.acknowledge(.publishComplete, acknowledgement.packetID, reason: reason) }
            }
        case .publishReceived where acknowledgement.reason < 0x80:
            answer(link) { $0.acknowledge(.publishRelease, acknowledgement.packetID) }
        default:
            identifiers.free(acknowledgement.packetID)
            let topic = publications.removeValue(forKey: acknowledgement.packetID)
            if let topic, acknowledgement.reason >= 0x80 { notTaken(topic, acknowledgement.reason) }
        }
    }

    func pinged(_ isAnswer: Bool, on link: BrokerLink) {
        if isAnswer { session.answered() } else { session.pinged() }
    }

    func writabilityChanged(on link: BrokerLink) {
        unwritableSince = link.isWritable ? nil : SystemClock.monotonicNanoseconds
        if mayRead { link.resumeReading() }
    }

    /// On the loop. Nothing is sent while there is no connection, nor where the broker takes nothing.
    func publish(_ message: MQTTMessage) {
        guard let link, link.isOpen, refusedTopics[message.topic] == nil else { return }
        var message = message
        message.qos = min(message.qos, maximumQoS)
        var packetID: UInt16 = 0
        if message.qos != .atMostOnce {
            guard let id = identifiers.take() else { return }
            packetID = id
            publications[id] = message.topic
        }
        var writer = PacketWriter(version: link.version)
        writer.publish(message, packetID: packetID)
        link.send(writer.bytes)
    }

    // MARK: Status

    func setState(_ state: MQTTStatus.State) {
        let now = clock.now()
        status.withLock {
            guard $0.state != state else { return }
            $0.state = state
            $0.since = now
        }
    }

    /// Once a read, not once a message.
    func noteProgress() {
        let now = clock.now()
        let waiting = batches.count
        let isFresh = status.withLock { status in
            let isFresh = status.messages != counters.messages
            if isFresh { status.lastMessage = now }
            status.messages = counters.messages
            status.bytes = counters.bytes
            status.repeated = counters.repeated
            status.retainedIgnored = counters.retained
            status.overlong = counters.overlong
            status.batchesInFlight = waiting
            status.unacknowledged = session.unacknowledged
            status.topics = topics.count
            return isFresh
        }
        if isFresh {
            lastMessage = SystemClock.monotonicNanoseconds
            proved()
        }
    }
}

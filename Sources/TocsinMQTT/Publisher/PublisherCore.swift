internal import NIOCore
internal import Synchronization
internal import TocsinCore

/// The part of a publisher that lives on its event loop.
///
/// `@unchecked Sendable`: all but `status` and the constants is touched on the loop only.
final class PublisherCore: BrokerLinkUser, @unchecked Sendable {
    private struct Submission {
        var messages: [MQTTMessage]
        var next = 0
        var token: UInt64
        var promise: EventLoopPromise<Void>
    }

    private struct Sent {
        var order: Int
        var message: MQTTMessage
        var isReceived = false
    }

    let status: Mutex<PublisherStatus>
    private let settings: MQTTSettings
    private let connector: BrokerConnector
    private let clientID: String
    private let wantedWindow: Int
    private let clock: any WallClock
    private var version: ProtocolVersion
    private var window = 1
    private var maximumQoS = QoS.exactlyOnce
    private var link: BrokerLink?
    private var isConnecting = false
    private var isClosed = false
    private var attempt = 0
    private var waiting: [Submission] = []
    private var flushes: [EventLoopPromise<Void>] = []
    private var identifiers = PacketIdentifiers()
    private var sent: [UInt16: Sent] = [:]
    private var again: [Sent] = []
    private var order = 0
    /// Bytes put into one write.
    private static let writeBytes = 64 << 10

    init(_ settings: MQTTSettings, clientID: String, window: Int, connector: BrokerConnector, clock: any WallClock) {
        self.settings = settings
        self.connector = connector
        self.clientID = clientID
        wantedWindow = min(max(window, 1), 65_535)
        self.clock = clock
        version = settings.version == .v311 ? .v311 : .v5
        status = Mutex(PublisherStatus())
    }

    // MARK: Work

    func submit(_ messages: [MQTTMessage], _ token: UInt64, _ promise: EventLoopPromise<Void>) {
        guard !isClosed else { return promise.fail(CancellationError()) }
        waiting.append(Submission(messages: messages, token: token, promise: promise))
        connect()
        pump()
    }

    func cancel(_ token: UInt64) {
        guard let index = waiting.firstIndex(where: { $0.token == token }) else { return }
        waiting.remove(at: index).promise.fail(CancellationError())
    }

    func flush(_ promise: EventLoopPromise<Void>) {
        flushes.append(promise)
        connect()
        finishFlushes()
    }

    func close(_ left: EventLoopPromise<Void>) {
        isClosed = true
        for submission in waiting { submission.promise.fail(CancellationError()) }
        waiting = []
        for promise in flushes { promise.fail(CancellationError()) }
        flushes = []
        guard let link else { return left.succeed() }
        self.link = nil
        link.leave(left)
    }

    private func pump() {
        guard let link, link.isOpen else { return }
        var writer = PacketWriter(version: link.version)
        var done: [EventLoopPromise<Void>] = []
        while link.isWritable, let message = nextMessage(&done) {
            var packetID: UInt16 = 0
            if message.qos != .atMostOnce {
                // There is one: the window is smaller than the number of ids.
                guard let id = identifiers.take() else { break }
                packetID = id
                order += 1
                sent[id] = Sent(order: order, message: message)
            }
            writer.publish(message, packetID: packetID)
            if writer.bytes.count >= Self.writeBytes {
                link.send(writer.bytes)
                writer.bytes.removeAll(keepingCapacity: true)
            }
        }
        link.send(writer.bytes)
        let unacknowledged = sent.count
        status.withLock { $0.unacknowledged = unacknowledged }
        for promise in done { promise.succeed() }
        finishFlushes()
    }

    private func nextMessage(_ done: inout [EventLoopPromise<Void>]) -> MQTTMessage? {
        if let first = again.first {
            return sent.count >= limit(of: first.message) ? nil : again.removeFirst().message
        }
        while var first = waiting.first {
            guard first.next < first.messages.count else {
                done.append(waiting.removeFirst().promise)
                continue
            }
            var message = first.messages[first.next]
            message.qos = min(message.qos, maximumQoS)
            guard message.qos == .atMostOnce || sent.count < limit(of: message) else { return nil }
            first.next += 1
            waiting[0].next = first.next
            status.withLock { $0.published += 1 }
            if first.next == first.messages.count { done.append(waiting.removeFirst().promise) }
            return message
        }
        return nil
    }

    /// A broker of 3.1.1 does not say how many it allows; some close the connection beyond 20 of QoS 2.
    private func limit(of message: MQTTMessage) -> Int {
        message.qos == .exactlyOnce && version == .v311 ? min(window, 20) : window
    }

    private func finishFlushes() {
        guard waiting.isEmpty, sent.isEmpty, again.isEmpty, link?.isWritable ?? false else { return }
        for promise in flushes { promise.succeed() }
        flushes = []
    }

    // MARK: Connection

    private func connect() {
        guard link == nil, !isConnecting, !isClosed else { return }
        isConnecting = true
        var request = ConnectRequest(
            version: version, clientID: clientID, isCleanStart: true,
            keepAliveSeconds: UInt16(clamping: max(1, settings.keepAlive.components.seconds)))
        request.username = settings.username
        request.password = settings.password
        connector.open(request, payloadLimit: 1 << 20, user: self) { [weak self] in self?.ended($0) }
    }

    private func ended(_ closure: LinkClosure) {
        link = nil
        isConnecting = false
        again = again + sent.values.sorted { $0.order < $1.order }.filter { !$0.isReceived }
        sent = [:]
        identifiers = PacketIdentifiers()
        if closure.wantsOlderVersion, settings.version == .automatic { version = .v311 }
        status.withLock {
            $0.isConnected = false
            $0.lastError = closure.text
        }
        guard !isClosed else { return }
        let delay = settings.backoff.delay(attempt: attempt, share: .random(in: 0...1))
        attempt += 1
        connector.loop.scheduleTask(in: .nanoseconds(delay.nanoseconds)) { [weak self] in self?.connect() }
    }

    func opened(_ link: BrokerLink, _ answer: ConnectAcknowledgement) {
        guard !isClosed else { return link.close("the publisher was closed") }
        self.link = link
        isConnecting = false
        attempt = 0
        window = min(wantedWindow, Int(answer.properties.receiveMaximum ?? 65_535))
        maximumQoS = answer.properties.maximumQoS.flatMap { QoS(rawValue: $0) } ?? .exactlyOnce
        status.withLock {
            $0.isConnected = true
            $0.connects += 1
        }
        pump()
    }

    func closed(_ link: BrokerLink, _ closure: LinkClosure) { ended(closure) }

    func received(_ acknowledgement: Acknowledgement, on link: BrokerLink) {
        let id = acknowledgement.packetID
        if acknowledgement.kind == .publishReceived, acknowledgement.reason < 0x80, sent[id] != nil {
            sent[id]?.isReceived = true
            var writer = PacketWriter(version: link.version)
            writer.acknowledge(.publishRelease, id)
            return link.send(writer.bytes)
        }
        guard sent.removeValue(forKey: id) != nil else { return }
        identifiers.free(id)
        let isRefused = acknowledgement.reason >= 0x80
        status.withLock {
            if isRefused {
                $0.refused += 1
                $0.lastError = "the broker refuses a message: \(ReasonWords.v5(acknowledgement.reason))"
            } else {
                $0.acknowledged += 1
            }
        }
    }

    func readEnded(on link: BrokerLink) -> Bool {
        pump()
        return true
    }

    func writabilityChanged(on link: BrokerLink) { pump() }
    func received(_ header: PublishHeader, _ body: UnsafeRawBufferPointer, on link: BrokerLink) {}
    func subscribed(_ packetID: UInt16, _ codes: [UInt8], _ text: String?, on link: BrokerLink) {}
    func ticked(_ now: Int64, on link: BrokerLink) {}
    func pinged(_ isAnswer: Bool, on link: BrokerLink) {}
}

import NIOCore
import NIOPosix
import Synchronization
import TocsinMQTT

/// A broker played by the test: it answers CONNECT, SUBSCRIBE and PINGREQ as it is told, and shows everything else.
final class FakeBroker: Sendable {
    struct Answers: Sendable {
        /// By connection, the last one for all further: CONNACK's flags and code.
        var connect: [(UInt8, UInt8)] = [(0, 0)]
        /// Code for filters that hold this text.
        var refuses: String?
        /// Passes probes back as a broker does.
        var echoes = true
        /// What CONNACK says of it in version 5.
        var maximumQoS: UInt8?
        /// Reasons of PUBACK in version 5, one for each message but probes; 0 for all further.
        var reasons: [UInt8] = []
    }

    enum Seen: Sendable, Equatable {
        case connect(version: UInt8, flags: UInt8)
        case subscribe([String])
        case publish(topic: String, payload: String)
        case acknowledgement(Acknowledgement)
        case disconnect
        case closed
    }

    let seen: AsyncStream<Seen>
    private let channel: any Channel
    private let shared: Shared

    final class Shared: Sendable {
        let answers: Answers
        let continuation: AsyncStream<Seen>.Continuation
        let connections = Mutex(0)
        let current = Mutex<(any Channel)?>(nil)
        /// The connection whose end is still to be told.
        let open = Mutex<ObjectIdentifier?>(nil)
        let echoes: Mutex<Bool>
        let probes = Mutex(0)
        let reasons: Mutex<[UInt8]>
        let highestQoS = Mutex(QoS.atMostOnce)
        /// Of the latest CONNECT in version 5.
        let sessionExpiry = Mutex<UInt32?>(nil)
        init(_ answers: Answers, _ continuation: AsyncStream<Seen>.Continuation) {
            self.answers = answers
            self.continuation = continuation
            echoes = Mutex(answers.echoes)
            reasons = Mutex(answers.reasons)
        }
    }

    init(_ answers: Answers = Answers()) async throws {
        let (stream, continuation) = AsyncStream.makeStream(of: Seen.self)
        seen = stream
        let shared = Shared(answers, continuation)
        self.shared = shared
        // One loop for all connections.
        channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton.next())
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(FakeConnection(shared))
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
    }

    /// Probes that came so far.
    var probes: Int { shared.probes.withLock { $0 } }
    /// Of all messages that came.
    var highestQoS: QoS { shared.highestQoS.withLock { $0 } }
    var sessionExpiry: UInt32? { shared.sessionExpiry.withLock { $0 } }

    /// Passes probes back from now on.
    func echo() { shared.echoes.withLock { $0 = true } }

    /// The latest connection is read no more.
    func stopReading() async throws {
        try await shared.current.withLock { $0 }?.setOption(.autoRead, value: false).get()
    }

    var address: MQTTAddress { MQTTAddress(host: "127.0.0.1", port: channel.localAddress?.port ?? 0) }

    /// To the latest connection.
    func send(_ bytes: [UInt8]) async throws {
        guard let channel = shared.current.withLock({ $0 }) else { return }
        try await channel.writeAndFlush(channel.allocator.buffer(bytes: bytes)).get()
    }

    func publish(_ text: String, id: UInt16 = 0, qos: QoS, again: Bool = false, version: ProtocolVersion = .v5)
        -> [UInt8]
    {
        var writer = PacketWriter(version: version)
        writer.publish(
            MQTTMessage(topic: "plant/p1", payload: Array(text.utf8), qos: qos), packetID: id, isDuplicate: again)
        return writer.bytes
    }

    func hangUp() async throws { try await shared.current.withLock { $0 }?.close().get() }

    func stop() async { try? await channel.close().get() }
}

private final class FakeConnection: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    private let shared: FakeBroker.Shared
    private var unread: [UInt8] = []
    private var version = ProtocolVersion.v5

    init(_ shared: FakeBroker.Shared) { self.shared = shared }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        unread += Array(unwrapInboundIn(data).readableBytesView)
        while let header = try? unread.withUnsafeBytes({ try FixedHeader.read($0) }),
            unread.count >= header.packetLength
        {
            let body = Array(unread[header.headerLength..<header.packetLength])
            unread.removeFirst(header.packetLength)
            try? body.withUnsafeBytes { try handle(header, $0, context) }
        }
    }

    func channelInactive(context: ChannelHandlerContext) { end(ObjectIdentifier(context.channel)) }

    /// Once for each connection, and before the beginning of the next: a busy machine may learn of both at the same time.
    private func end(_ connection: ObjectIdentifier) {
        let wasOpen = shared.open.withLock { open in
            defer { if open == connection { open = nil } }
            return open == connection
        }
        if wasOpen { shared.continuation.yield(.closed) }
    }

    private func handle(_ header: FixedHeader, _ body: UnsafeRawBufferPointer, _ context: ChannelHandlerContext) throws
    {
        func send(_ bytes: [UInt8]) {
            context.writeAndFlush(NIOAny(context.channel.allocator.buffer(bytes: bytes)), promise: nil)
        }
        var reader = PacketReader(body)
        switch header.kind {
        case .connect:
            _ = try reader.readText()
            let level = try reader.readByte()
            version = level == 5 ? .v5 : .v311
            let flags = try reader.readByte()
            _ = try reader.readUInt16()
            if version == .v5 {
                let properties = try reader.readProperties()
                shared.sessionExpiry.withLock { $0 = properties.sessionExpirySeconds }
            }
            if let older = shared.open.withLock({ $0 }) { end(older) }
            shared.open.withLock { $0 = ObjectIdentifier(context.channel) }
            shared.current.withLock { $0 = context.channel }
            let number = shared.connections.withLock { count in
                defer { count += 1 }
                return count
            }
            let answers = shared.answers.connect
            let (session, code) = answers[min(number, answers.count - 1)]
            shared.continuation.yield(.connect(version: level, flags: flags))
            let limit: [UInt8] = shared.answers.maximumQoS.map { [0x24, $0] } ?? []
            let properties = version == .v5 ? [UInt8(limit.count)] + limit : []
            send([0x20, UInt8(2 + properties.count), session, code] + properties)
            if code != 0 { context.close(promise: nil) }
        case .subscribe:
            let id = try reader.readRange(2)
            if version == .v5 { _ = try reader.readProperties() }
            var filters: [String] = []
            var codes: [UInt8] = []
            while reader.remaining > 0 {
                filters.append(try reader.readText())
                let isRefused = shared.answers.refuses.map { filters.last?.contains($0) ?? false } ?? false
                codes.append(isRefused ? (version == .v5 ? 0x87 : 0x80) : try reader.readByte() & 3)
                if isRefused { _ = try reader.readByte() }
            }
            let answer = Array(body[id]) + (version == .v5 ? [0] : []) + codes
            send([0x90, UInt8(answer.count)] + answer)
            shared.continuation.yield(.subscribe(filters))
        case .publish:
            let publish = try IncomingPacket.readPublish(header.flags, body, version)
            let topic = String(decoding: body[publish.topic], as: UTF8.self)
            let isProbe = topic.hasSuffix("/probe")
            shared.highestQoS.withLock { $0 = max($0, publish.qos) }
            if publish.qos == .atLeastOnce {
                let reason = isProbe ? 0 : shared.reasons.withLock { $0.isEmpty ? 0 : $0.removeFirst() }
                let id = [UInt8(publish.packetID >> 8), UInt8(publish.packetID & 0xff)]
                send(reason == 0 ? [0x40, 2] + id : [0x40, 3] + id + [reason])
            }
            if isProbe {
                shared.probes.withLock { $0 += 1 }
                var writer = PacketWriter(version: version)
                writer.publish(MQTTMessage(topic: topic, payload: Array(body[publish.payload])))
                if shared.echoes.withLock({ $0 }) { send(writer.bytes) }
            } else {
                shared.continuation.yield(
                    .publish(topic: topic, payload: String(decoding: body[publish.payload], as: UTF8.self)))
            }
        case .pingRequest: send([0xd0, 0])
        case .disconnect: shared.continuation.yield(.disconnect)
        case .publishAcknowledgement, .publishReceived, .publishRelease, .publishComplete:
            if case .acknowledgement(let seen) = try IncomingPacket.read(header, body, version: version) {
                shared.continuation.yield(.acknowledgement(seen))
            }
        default: break
        }
    }
}

internal import NIOCore
internal import TocsinCore

/// Why a connection is over.
struct LinkClosure: Sendable, Error {
    var text: String
    /// The broker knows only 3.1.1.
    var wantsOlderVersion = false
    /// The broker does not offer the QoS of our last will.
    var wantsLowerQoS = false
    /// Another client has come with our client id (only version 5 says so).
    var isTakenOver = false
}

/// Who uses a connection; called on its event loop only.
protocol BrokerLinkUser: AnyObject {
    func opened(_ link: BrokerLink, _ answer: ConnectAcknowledgement)
    func received(_ header: PublishHeader, _ body: UnsafeRawBufferPointer, on link: BrokerLink)
    func received(_ acknowledgement: Acknowledgement, on link: BrokerLink)
    func subscribed(_ packetID: UInt16, _ codes: [UInt8], _ text: String?, on link: BrokerLink)
    /// All bytes of a read have been handled; false = do not read on.
    func readEnded(on link: BrokerLink) -> Bool
    func ticked(_ now: Int64, on link: BrokerLink)
    func pinged(_ isAnswer: Bool, on link: BrokerLink)
    /// The channel takes more, or no more.
    func writabilityChanged(on link: BrokerLink)
    func closed(_ link: BrokerLink, _ closure: LinkClosure)
}

/// One connection to a broker: packets in and out, keep-alive, and the reason of its end. Lives on one event loop.
final class BrokerLink: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    let request: ConnectRequest
    let settings: MQTTSettings
    /// Payload bytes that are kept of a message.
    private let payloadLimit: Int
    /// Let go at the end.
    private var user: (any BrokerLinkUser)?
    private var context: ChannelHandlerContext?
    private var unread = ByteBuffer()
    /// Bytes of an overlong message that are thrown away as they come.
    private var skipped = 0
    private var keepAlive: KeepAlive
    private let deadline: Int64
    private var timer: RepeatedTask?
    private(set) var isOpen = false
    private var isOver = false
    private(set) var isReading = true
    /// Packets of this read, and when the last one ended.
    private var packets: Int64 = 0
    private var lastRead: Int64 = 0
    /// Brokers send each message by itself, and to wake up for each costs several µs on either side: beyond this many
    /// packets a millisecond the next read waits for a millisecond.
    private static let packetsPerMillisecond: Int64 = 2

    var version: ProtocolVersion { request.version }

    init(_ request: ConnectRequest, _ settings: MQTTSettings, payloadLimit: Int, user: any BrokerLinkUser) {
        self.request = request
        self.settings = settings
        self.payloadLimit = payloadLimit
        self.user = user
        let now = SystemClock.monotonicNanoseconds
        keepAlive = KeepAlive(interval: settings.keepAlive, timeout: settings.answerTimeout, now: now)
        deadline = now &+ settings.connectTimeout.nanoseconds
    }

    func handlerAdded(context: ChannelHandlerContext) { self.context = context }
    func handlerRemoved(context: ChannelHandlerContext) { self.context = nil }

    func channelActive(context: ChannelHandlerContext) {
        var writer = PacketWriter(version: version)
        writer.connect(request)
        send(writer.bytes)
        let link = NIOLoopBound(self, eventLoop: context.eventLoop)
        timer = context.eventLoop.scheduleRepeatedTask(initialDelay: .milliseconds(200), delay: .milliseconds(200)) {
            _ in
            link.value.tick()
        }
        context.fireChannelActive()
        context.read()
    }

    var isWritable: Bool { context?.channel.isWritable ?? false }

    func send(_ bytes: [UInt8]) {
        guard let context, !bytes.isEmpty else { return }
        context.writeAndFlush(wrapOutboundOut(context.channel.allocator.buffer(bytes: bytes)), promise: nil)
    }

    /// Reads on after a pause.
    func resumeReading() {
        guard !isReading, let context else { return }
        isReading = true
        context.read()
    }

    /// An orderly end: says goodbye and waits, for a second at most, until the broker closes. Closing with unread bytes
    /// would reset the connection, and the broker would lose our last acknowledgements.
    /// - Parameter left: called when the connection is over.
    func leave(_ left: EventLoopPromise<Void>) {
        guard !isOver, let context else { return left.succeed() }
        var writer = PacketWriter(version: version)
        writer.disconnect()
        send(writer.bytes)
        isOver = true
        isOpen = false
        timer?.cancel()
        user = nil
        context.channel.closeFuture.whenComplete { _ in left.succeed() }
        isReading = true
        context.read()
        let link = NIOLoopBound(self, eventLoop: context.eventLoop)
        context.eventLoop.scheduleTask(in: .seconds(1)) { link.value.context?.close(promise: nil) }
    }

    /// Ends the connection for a reason of our own.
    func close(_ text: String) { end(LinkClosure(text: text)) }

    // MARK: Reading

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard !isOver else { return }
        var incoming = unwrapInboundIn(data)
        keepAlive.heard()
        if unread.readableBytes == 0 {
            unread = incoming
        } else {
            unread.discardReadBytes()
            unread.writeBuffer(&incoming)
        }
        do {
            let used = try unread.withUnsafeReadableBytes { try handle($0) }
            unread.moveReaderIndex(forwardBy: used)
        } catch {
            end(LinkClosure(text: FailureWords.describe(error, settings.address.description)))
        }
        // What is left of a large read must not hold all of its memory.
        if unread.readableBytes == 0 {
            unread = ByteBuffer()
        } else if unread.readableBytes < unread.readerIndex {
            unread = ByteBuffer(buffer: unread)
        }
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        context.fireChannelReadComplete()
        guard !isOver else { return context.read() }
        isReading = user?.readEnded(on: self) ?? false
        let now = SystemClock.monotonicNanoseconds
        let isBusy = packets &* 1_000_000 > (now &- lastRead) &* Self.packetsPerMillisecond
        lastRead = now
        packets = 0
        guard isReading else { return }
        guard isBusy else { return context.read() }
        let link = NIOLoopBound(self, eventLoop: context.eventLoop)
        context.eventLoop.scheduleTask(in: .milliseconds(1)) { link.value.context?.read() }
    }

    private func handle(_ bytes: UnsafeRawBufferPointer) throws(MalformedPacket) -> Int {
        var offset = min(skipped, bytes.count)
        skipped -= offset
        while !isOver, offset < bytes.count {
            let rest = UnsafeRawBufferPointer(rebasing: bytes[offset...])
            guard let header = try FixedHeader.read(rest) else { break }
            let wanted = wantedLength(of: header)
            guard rest.count >= wanted else { break }
            let body = UnsafeRawBufferPointer(rebasing: rest[header.headerLength..<wanted])
            try handle(header, body)
            packets &+= 1
            let used = min(header.packetLength, rest.count)
            skipped = header.packetLength - used
            offset += used
        }
        return offset
    }

    /// Of a PUBLISH beyond all bounds only its beginning is kept: topic, properties and as much as the decoder needs to
    /// see that it is too long.
    private func wantedLength(of header: FixedHeader) -> Int {
        let bound = header.kind == .publish ? payloadLimit + (128 << 10) : 1 << 20
        return min(header.packetLength, header.headerLength + bound)
    }

    private func handle(_ header: FixedHeader, _ body: UnsafeRawBufferPointer) throws(MalformedPacket) {
        if header.kind == .publish {
            guard isOpen else { throw MalformedPacket("a message before its answer to CONNECT") }
            let isCut = body.count < header.bodyLength
            var publish = try IncomingPacket.readPublish(header.flags, body, version, isCut: isCut)
            if isCut {
                // Topic and properties may have taken the room: the decoder still needs to see that it is too long.
                publish.payload = min(publish.payload.lowerBound, body.count - payloadLimit)..<body.count
            }
            user?.received(publish, body, on: self)
            return
        }
        switch try IncomingPacket.read(header, body, version: version) {
        case .connectAcknowledgement(let answer): connected(answer)
        case .acknowledgement(let acknowledgement): user?.received(acknowledgement, on: self)
        case .subscribeAcknowledgement(let packetID, let codes, let text):
            user?.subscribed(packetID, codes, text, on: self)
        case .pingResponse: user?.pinged(true, on: self)
        case .disconnect(let reason, let properties):
            let detail = [properties.reason, properties.serverReference].compactMap { $0 }.joined(separator: ", ")
            end(
                LinkClosure(
                    text: "the broker disconnected: \(ReasonWords.v5(reason))" + (detail.isEmpty ? "" : " (\(detail))"),
                    isTakenOver: reason == 0x8e))
        case .publish, .other: break
        }
    }

    private func connected(_ answer: ConnectAcknowledgement) {
        guard answer.code == 0 else {
            let isOld = answer.code < 0x80
            let words = isOld ? ReasonWords.connect311(answer.code) : ReasonWords.v5(answer.code)
            let detail = answer.properties.reason.map { " (\($0))" } ?? ""
            end(
                LinkClosure(
                    text: "the broker refused the connection: \(words)\(detail)",
                    wantsOlderVersion: version == .v5 && (answer.code == 1 || answer.code == 0x84),
                    wantsLowerQoS: answer.code == 0x9b && (request.will?.qos ?? .atMostOnce) > .atMostOnce))
            return
        }
        if let seconds = answer.properties.serverKeepAliveSeconds, seconds > 0 {
            let interval = min(settings.keepAlive, .seconds(Int64(seconds)))
            keepAlive = KeepAlive(
                interval: interval, timeout: settings.answerTimeout, now: SystemClock.monotonicNanoseconds)
        }
        isOpen = true
        user?.opened(self, answer)
    }

    // MARK: Time and end

    private func tick() {
        guard !isOver else { return }
        let now = SystemClock.monotonicNanoseconds
        guard isOpen else {
            if now > deadline { close("the broker at \(settings.address) did not answer CONNECT in time") }
            return
        }
        switch keepAlive.tick(now: now, isReading: isReading) {
        case .none: break
        case .ping:
            var writer = PacketWriter(version: version)
            writer.ping()
            send(writer.bytes)
            user?.pinged(false, on: self)
        case .dead:
            close("the broker at \(settings.address) does not answer any more")
            return
        }
        user?.ticked(now, on: self)
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        user?.writabilityChanged(on: self)
        context.fireChannelWritabilityChanged()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        end(LinkClosure(text: FailureWords.describe(error, settings.address.description)))
    }

    func channelInactive(context: ChannelHandlerContext) {
        end(LinkClosure(text: "\(settings.address) closed the connection without a word"))
        context.fireChannelInactive()
    }

    private func end(_ closure: LinkClosure) {
        guard !isOver else { return }
        isOver = true
        isOpen = false
        timer?.cancel()
        context?.close(promise: nil)
        user?.closed(self, closure)
        user = nil
    }
}

internal import TocsinCore
internal import TocsinMeasure

/// Publishes a stream as fast as the broker takes it; at QoS 1 with a bounded number under way.
struct StreamPublisher {
    let socket: ClientSocket
    private let stream: MQTTStream
    private let isConfirmed: Bool
    private var offset = 0
    private var confirmed = 0
    private var unread: [UInt8] = []
    private var buffer = [UInt8](repeating: 0, count: 65_536)
    private static let writeBytes = 256 << 10

    init(_ address: HTTPAddress, _ stream: MQTTStream, qos: Int) throws(TocsinError) {
        socket = try ClientSocket(to: address)
        self.stream = stream
        isConfirmed = qos > 0
        try MQTTHandshake.exchange(socket, MQTTPackets.connect(client: "bench-publisher"), awaiting: 2)
    }

    var isDone: Bool { offset == stream.bytes.count && (!isConfirmed || confirmed == stream.count) }

    private var limit: Int {
        isConfirmed
            ? min(stream.count, confirmed + MQTTBenchSettings.window) * stream.packetBytes : stream.bytes.count
    }

    var wantsToWrite: Bool { offset < limit }

    mutating func push() throws(TocsinError) {
        while wantsToWrite {
            switch socket.send(stream.bytes[offset..<min(limit, offset + Self.writeBytes)]) {
            case .bytes(let count): offset += count
            case .wait: return
            case .closed: throw MQTTHandshake.lost
            }
        }
    }

    /// Acknowledgements.
    mutating func receive() throws(TocsinError) {
        switch socket.receive(into: &buffer) {
        case .wait: return
        case .closed: throw MQTTHandshake.lost
        case .bytes(let count):
            unread += buffer[..<count]
            var found = 0
            let rest = MQTTPackets.scan(unread[...]) { head, _ in if head >> 4 == 4 { found += 1 } }
            confirmed += found
            unread.removeFirst(rest)
        }
    }
}

/// A subscriber that does nothing but count, and confirm at QoS 1: the limit for all that do more.
struct CountingSubscriber {
    let socket: ClientSocket
    private(set) var count = 0
    private var unread: [UInt8] = []
    private var answers: [UInt8] = []
    private var buffer = [UInt8](repeating: 0, count: 256 << 10)

    init(_ address: HTTPAddress, qos: Int) throws(TocsinError) {
        socket = try ClientSocket(to: address)
        try MQTTHandshake.exchange(socket, MQTTPackets.connect(client: "bench-counter"), awaiting: 2)
        try MQTTHandshake.exchange(socket, MQTTPackets.subscribe("bench/#", qos: qos), awaiting: 9)
    }

    var wantsToWrite: Bool { !answers.isEmpty }

    mutating func push() throws(TocsinError) {
        switch socket.send(answers[...]) {
        case .bytes(let count): answers.removeFirst(count)
        case .wait: return
        case .closed: throw MQTTHandshake.lost
        }
    }

    mutating func receive() throws(TocsinError) {
        let read: Int
        switch socket.receive(into: &buffer) {
        case .wait: return
        case .closed: throw MQTTHandshake.lost
        case .bytes(let count): read = count
        }
        var (found, given) = (0, answers)
        answers = []
        let take = { (head: UInt8, body: ArraySlice<UInt8>) in
            guard head >> 4 == 3 else { return }
            found += 1
            guard head & 6 != 0, body.count >= 2 else { return }
            let place = body.startIndex + 2 + Int(body[body.startIndex]) << 8 + Int(body[body.startIndex + 1])
            guard place + 1 < body.endIndex else { return }
            given += [0x40, 2, body[place], body[place + 1]]
        }
        if unread.isEmpty {
            let rest = MQTTPackets.scan(buffer[..<read], take)
            unread = Array(buffer[rest..<read])
        } else {
            unread += buffer[..<read]
            unread.removeFirst(MQTTPackets.scan(unread[...], take))
        }
        count += found
        answers = given
        if wantsToWrite { try push() }
    }
}

enum MQTTHandshake {
    static let lost = TocsinError(
        .network, "the broker has closed the connection", remedy: "its own log says why; it must let anybody in")

    /// Sends a packet and waits for the answer of a kind.
    static func exchange(_ socket: ClientSocket, _ packet: [UInt8], awaiting kind: UInt8) throws(TocsinError) {
        guard case .bytes(packet.count) = socket.send(packet[...]) else { throw lost }
        var readiness = Readiness()
        var buffer = [UInt8](repeating: 0, count: 256)
        let deadline = MachineClock.monotonic() + 10_000_000_000
        while MachineClock.monotonic() < deadline {
            readiness.removeAll()
            readiness.add(socket, isWriting: false)
            readiness.wait(nanoseconds: 100_000_000)
            switch socket.receive(into: &buffer) {
            case .wait: continue
            case .closed: throw lost
            case .bytes:
                // CONNACK has its code at its end, SUBACK what was granted.
                guard buffer[0] >> 4 == kind, buffer[2 + Int(buffer[1]) - 1] < 0x80,
                    kind != 2 || buffer[3] == 0
                else { throw TocsinError(.network, "the broker refuses the bench's connection or subscription") }
                return
            }
        }
        throw TocsinError(.network, "the broker does not answer within ten seconds")
    }
}

import Testing
import TocsinMQTT

/// The only packet in `bytes`.
private func read(_ bytes: [UInt8], _ version: ProtocolVersion = .v5) throws -> IncomingPacket? {
    try bytes.withUnsafeBytes { raw in
        guard let header = try FixedHeader.read(raw), raw.count == header.packetLength else { return nil }
        return try IncomingPacket.read(
            header, UnsafeRawBufferPointer(rebasing: raw[header.headerLength...]), version: version)
    }
}

@Suite struct CodecTests {
    @Test func `CONNECT of 3.1.1 is the standard's own example with a will, a user and a password`() {
        var request = ConnectRequest(version: .v311, clientID: "c", isCleanStart: true, keepAliveSeconds: 10)
        request.will = MQTTMessage(topic: "w", payload: [1, 2], qos: .atLeastOnce, isRetained: true)
        request.username = "u"
        request.password = "p"
        var writer = PacketWriter(version: .v311)
        writer.connect(request)
        #expect(
            writer.bytes == [
                0x10, 26, 0, 4, 0x4d, 0x51, 0x54, 0x54, 4, 0b1110_1110, 0, 10, 0, 1, 0x63, 0, 1, 0x77, 0, 2, 1, 2, 0, 1,
                0x75,
                0, 1, 0x70,
            ])
    }

    @Test func `CONNECT of 5 tells how long the session lasts and how wide the window is`() {
        var request = ConnectRequest(version: .v5, clientID: "c", isCleanStart: false, keepAliveSeconds: 60)
        request.sessionExpirySeconds = 3600
        request.receiveMaximum = 1000
        var writer = PacketWriter(version: .v5)
        writer.connect(request)
        #expect(
            writer.bytes == [
                0x10, 22, 0, 4, 0x4d, 0x51, 0x54, 0x54, 5, 0, 0, 60, 8, 0x11, 0, 0, 0x0e, 0x10, 0x21, 0x03, 0xe8, 0, 1,
                0x63,
            ])
    }

    @Test(arguments: [ProtocolVersion.v311, .v5], QoS.allCases)
    func `PUBLISH comes back as it was written`(version: ProtocolVersion, qos: QoS) throws {
        let message = MQTTMessage(topic: "a/ü", payload: Array("21.5".utf8), qos: qos, isRetained: true)
        var writer = PacketWriter(version: version)
        writer.publish(message, packetID: 0x1234, isDuplicate: qos != .atMostOnce)
        let packet = try read(writer.bytes, version)
        guard case .publish(let header) = packet else {
            Issue.record("not a message: \(String(describing: packet))")
            return
        }
        let body = Array(writer.bytes.dropFirst(2))
        #expect(header.qos == qos)
        #expect(header.isRetained)
        #expect(header.isDuplicate == (qos != .atMostOnce))
        #expect(header.packetID == (qos == .atMostOnce ? 0 : 0x1234))
        #expect(String(decoding: body[header.topic], as: UTF8.self) == "a/ü")
        #expect(String(decoding: body[header.payload], as: UTF8.self) == "21.5")
    }

    @Test(arguments: [0, 1, 127, 128, 16_383, 16_384, 2_097_151, 2_097_152])
    func `lengths of one to four bytes`(payload: Int) throws {
        var writer = PacketWriter(version: .v311)
        writer.publish(MQTTMessage(topic: "t", payload: [UInt8](repeating: 7, count: payload)))
        let header = try writer.bytes.withUnsafeBytes { try FixedHeader.read($0) }
        #expect(header?.packetLength == writer.bytes.count)
        #expect(header?.bodyLength == payload + 3)
        // Without its last length byte nothing is known yet.
        let known = header?.headerLength ?? 0
        #expect(try writer.bytes.prefix(known - 1).withUnsafeBytes { try FixedHeader.read($0) } == nil)
    }

    @Test func `the broker's answers`() throws {
        #expect(
            try read([0x20, 2, 1, 0], .v311)
                == .connectAcknowledgement(ConnectAcknowledgement(isSessionPresent: true, code: 0, properties: .init()))
        )
        var properties = PacketProperties()
        properties.receiveMaximum = 20
        properties.maximumQoS = 1
        properties.assignedClientID = "x"
        properties.reason = "no"
        #expect(
            try read(
                [0x20, 16, 0, 0x87, 14, 0x21, 0, 20, 0x24, 1, 0x12, 0, 1, 0x78, 0x1f, 0, 2, 0x6e, 0x6f].withLength)
                == .connectAcknowledgement(
                    ConnectAcknowledgement(isSessionPresent: false, code: 0x87, properties: properties)))
        #expect(
            try read([0x90, 4, 0, 7, 1, 0x80], .v311)
                == .subscribeAcknowledgement(packetID: 7, codes: [1, 0x80], text: nil))
        #expect(
            try read([0x90, 5, 0, 7, 0, 2, 0x87])
                == .subscribeAcknowledgement(packetID: 7, codes: [2, 0x87], text: nil))
        #expect(try read([0x40, 2, 0, 9]) == .acknowledgement(Acknowledgement(.publishAcknowledgement, 9)))
        #expect(
            try read([0x40, 3, 0, 9, 0x10])
                == .acknowledgement(Acknowledgement(.publishAcknowledgement, 9, reason: 0x10)))
        #expect(try read([0x62, 2, 0, 9]) == .acknowledgement(Acknowledgement(.publishRelease, 9)))
        #expect(try read([0xd0, 0]) == .pingResponse)
        #expect(try read([0xe0, 1, 0x8e]) == .disconnect(reason: 0x8e, properties: .init()))
    }

    @Test(
        arguments: [
            [0x36, 3, 0, 1, 0x61], [0x32, 6, 0, 1, 0x61, 0, 0, 0], [0x30, 3, 0, 0, 0], [0x30, 3, 0, 9, 0x61],
            [0x30, 5, 0, 1, 0x61, 9, 1], [0x30, 7, 0, 1, 0x61, 3, 0x23, 0, 1], [0x30, 5, 0, 1, 0x61, 1, 0x7e],
            [0x60, 2, 0, 9], [0x40, 1, 0], [0x10, 0], [0xf0, 0], [0x82, 0], [0x20, 1, 0],
        ] as [[UInt8]])
    func `packets that break the rules are refused`(bytes: [UInt8]) {
        #expect(throws: MalformedPacket.self) { try read(bytes) }
    }

    @Test func `a length of five bytes and the kind 0 are refused`() {
        #expect(throws: MalformedPacket.self) {
            try ([0x30, 0x80, 0x80, 0x80, 0x80] as [UInt8]).withUnsafeBytes { try FixedHeader.read($0) }
        }
        #expect(throws: MalformedPacket.self) {
            try ([0x00, 0] as [UInt8]).withUnsafeBytes { try FixedHeader.read($0) }
        }
    }

    @Test func `reasons are words`() {
        #expect(ReasonWords.connect311(4) == "wrong user name or password")
        #expect(ReasonWords.v5(0x87) == "not authorized")
        #expect(ReasonWords.v5(0x8e) == "another client has connected with the same client id")
        #expect(ReasonWords.v5(0xff) == "unknown reason 255")
    }

    /// Outside data never traps: whole packets with flipped, cut and inserted bytes.
    @Test func `damaged bytes are a packet or an error`() {
        var seeds: [[UInt8]] = [
            [0x20, 9, 0, 0, 6, 0x21, 0, 20, 0x24, 1, 0x27], [0x90, 5, 0, 7, 0, 2, 0x87], [0x40, 4, 0, 9, 0x10, 0],
            [0xe0, 6, 0x8e, 4, 0x1f, 0, 1, 0x61],
        ]
        for qos in QoS.allCases {
            var writer = PacketWriter(version: .v5)
            writer.publish(MQTTMessage(topic: "site/a/b", payload: [1, 2, 3], qos: qos), packetID: 5)
            seeds.append(writer.bytes)
        }
        var random = Rolling(state: 42)
        var outcomes: Set<String> = []
        for round in 0..<200_000 {
            var bytes = seeds[round % seeds.count]
            for _ in 0...random.next(3) {
                let place = random.next(bytes.count)
                switch random.next(4) {
                case 0: bytes[place] = UInt8(random.next(256))
                case 1: bytes[place] ^= 1 << UInt8(random.next(8))
                case 2: bytes.insert(UInt8(random.next(256)), at: place)
                default: if bytes.count > 1 { bytes.removeLast(random.next(bytes.count - 1)) }
                }
            }
            // The link hands over what the header says, or a beginning of it.
            let version: ProtocolVersion = random.next(2) == 0 ? .v5 : .v311
            bytes.withUnsafeBytes { raw in
                do {
                    guard let header = try FixedHeader.read(raw), header.headerLength <= raw.count else { return }
                    let body = UnsafeRawBufferPointer(
                        rebasing: raw[header.headerLength..<min(raw.count, header.packetLength)])
                    if case .publish(let header) = try IncomingPacket.read(header, body, version: version) {
                        #expect(header.payload.upperBound <= body.count && header.topic.upperBound <= body.count)
                    }
                    outcomes.insert("read")
                } catch {
                    outcomes.insert("refused")
                }
            }
        }
        #expect(outcomes == ["read", "refused"])
    }
}

extension [UInt8] {
    /// The packet with its second byte set to what its length is.
    fileprivate var withLength: [UInt8] {
        var copy = self
        copy[1] = UInt8(count - 2)
        return copy
    }
}

/// A small generator (xorshift64*): same seed, same damage.
struct Rolling {
    var state: UInt64

    mutating func next(_ limit: Int) -> Int {
        state ^= state >> 12
        state ^= state << 25
        state ^= state >> 27
        return Int((state &* 0x2545_f491_4f6c_dd1d) >> 33) % max(limit, 1)
    }
}

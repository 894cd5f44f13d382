/// How surely a message is delivered: at most once, at least once, exactly once.
public enum QoS: UInt8, Sendable, Comparable, CaseIterable {
    case atMostOnce, atLeastOnce, exactlyOnce

    public static func < (left: Self, right: Self) -> Bool { left.rawValue < right.rawValue }
}

/// Where the parts of a PUBLISH stand in its body.
public struct PublishHeader: Sendable, Equatable {
    public var qos: QoS
    public var isDuplicate: Bool
    public var isRetained: Bool
    public var topic: Range<Int>
    /// 0 at QoS 0.
    public var packetID: UInt16
    public var payload: Range<Int>
}

/// PUBACK, PUBREC, PUBREL or PUBCOMP.
public struct Acknowledgement: Sendable, Equatable {
    public var kind: PacketKind
    public var packetID: UInt16
    public var reason: UInt8
    public var text: String?

    public init(_ kind: PacketKind, _ packetID: UInt16, reason: UInt8 = 0, text: String? = nil) {
        self.kind = kind
        self.packetID = packetID
        self.reason = reason
        self.text = text
    }
}

/// The broker's answer to CONNECT.
public struct ConnectAcknowledgement: Sendable, Equatable {
    public var isSessionPresent: Bool
    public var code: UInt8
    public var properties: PacketProperties

    public init(isSessionPresent: Bool, code: UInt8, properties: PacketProperties) {
        self.isSessionPresent = isSessionPresent
        self.code = code
        self.properties = properties
    }
}

/// A packet that a broker sends, taken apart without copying payloads.
public enum IncomingPacket: Sendable, Equatable {
    case connectAcknowledgement(ConnectAcknowledgement)
    case publish(PublishHeader)
    case acknowledgement(Acknowledgement)
    case subscribeAcknowledgement(packetID: UInt16, codes: [UInt8], text: String?)
    case pingResponse
    case disconnect(reason: UInt8, properties: PacketProperties)
    /// Nothing that this client would wait for (UNSUBACK).
    case other

    /// - Parameter body: the packet behind its fixed header.
    public static func read(
        _ header: FixedHeader, _ body: UnsafeRawBufferPointer, version: ProtocolVersion
    ) throws(MalformedPacket) -> IncomingPacket {
        var reader = PacketReader(body)
        switch header.kind {
        case .publish: return .publish(try readPublish(header.flags, body, version))
        case .publishAcknowledgement, .publishReceived, .publishRelease, .publishComplete:
            guard header.flags == (header.kind == .publishRelease ? 2 : 0) else {
                throw MalformedPacket("an acknowledgement with the wrong flags")
            }
            var result = Acknowledgement(header.kind, try reader.readUInt16())
            if version == .v5, reader.remaining > 0 {
                result.reason = try reader.readByte()
                if reader.remaining > 0 { result.text = try reader.readProperties().reason }
            }
            return .acknowledgement(result)
        case .connectAcknowledgement:
            let flags = try reader.readByte()
            let code = try reader.readByte()
            // A broker that knows only 3.1.1 answers in its own form.
            let properties = version == .v5 && reader.remaining > 0 ? try reader.readProperties() : PacketProperties()
            return .connectAcknowledgement(
                ConnectAcknowledgement(isSessionPresent: flags & 1 != 0, code: code, properties: properties))
        case .subscribeAcknowledgement:
            let packetID = try reader.readUInt16()
            let text = version == .v5 ? try reader.readProperties().reason : nil
            let codes = body[try reader.readRange(reader.remaining)]
            return .subscribeAcknowledgement(packetID: packetID, codes: Array(codes), text: text)
        case .pingResponse: return .pingResponse
        case .disconnect:
            let reason = reader.remaining > 0 ? try reader.readByte() : 0
            let properties = version == .v5 && reader.remaining > 0 ? try reader.readProperties() : PacketProperties()
            return .disconnect(reason: reason, properties: properties)
        case .unsubscribeAcknowledgement: return .other
        case .connect, .subscribe, .unsubscribe, .pingRequest, .authentication:
            throw MalformedPacket("a packet of kind \(header.kind) that no broker may send here")
        }
    }

    /// The hot path: about 15 ns.
    /// - Parameter isCut: `body` is the beginning of a longer one; its properties may reach beyond it.
    public static func readPublish(
        _ flags: UInt8, _ body: UnsafeRawBufferPointer, _ version: ProtocolVersion, isCut: Bool = false
    ) throws(MalformedPacket) -> PublishHeader {
        guard let qos = QoS(rawValue: flags >> 1 & 3) else { throw MalformedPacket("a message of QoS 3") }
        var reader = PacketReader(body)
        let topic = try reader.readField()
        var packetID: UInt16 = 0
        if qos != .atMostOnce {
            packetID = try reader.readUInt16()
            guard packetID != 0 else { throw MalformedPacket("a message with packet id 0") }
        }
        if version == .v5, let properties = try isCut ? reader.readPropertiesIfWhole() : reader.readProperties() {
            guard properties.topicAlias == nil else {
                throw MalformedPacket("a topic alias, which this client does not allow")
            }
        }
        guard !topic.isEmpty else { throw MalformedPacket("a message without a topic") }
        return PublishHeader(
            qos: qos, isDuplicate: flags & 8 != 0, isRetained: flags & 1 != 0, topic: topic, packetID: packetID,
            payload: reader.position..<body.count)
    }
}

/// A message to be published.
public struct MQTTMessage: Sendable, Equatable {
    public var topic: String
    public var payload: [UInt8]
    public var qos: QoS
    public var isRetained: Bool

    public init(topic: String, payload: [UInt8], qos: QoS = .atMostOnce, isRetained: Bool = false) {
        self.topic = topic
        self.payload = payload
        self.qos = qos
        self.isRetained = isRetained
    }
}

/// What the first packet says.
public struct ConnectRequest: Sendable {
    public var version: ProtocolVersion
    public var clientID: String
    public var isCleanStart: Bool
    public var keepAliveSeconds: UInt16
    public var username: String?
    public var password: String?
    public var will: MQTTMessage?
    /// Version 5: how long the broker keeps the session of a client that is away.
    public var sessionExpirySeconds: UInt32 = 0
    /// Version 5: most messages of QoS 1 and 2 that may be unacknowledged.
    public var receiveMaximum: UInt16 = 65_535

    public init(version: ProtocolVersion, clientID: String, isCleanStart: Bool, keepAliveSeconds: UInt16) {
        self.version = version
        self.clientID = clientID
        self.isCleanStart = isCleanStart
        self.keepAliveSeconds = keepAliveSeconds
    }
}

/// One line of a SUBSCRIBE.
public struct SubscribeRequest: Sendable, Equatable {
    public var filter: String
    public var qos: QoS
    /// Version 5: 0 retained messages always, 1 for a new subscription only, 2 never.
    public var retainHandling: UInt8

    public init(filter: String, qos: QoS, retainHandling: UInt8 = 0) {
        self.filter = filter
        self.qos = qos
        self.retainHandling = retainHandling
    }
}

/// Puts packets one after another into `bytes`, ready to be sent.
public struct PacketWriter: Sendable {
    public var bytes: [UInt8] = []
    public var version: ProtocolVersion

    public init(version: ProtocolVersion) { self.version = version }

    /// Longest body that the protocol can express.
    public static let maximumBody = 268_435_455

    public mutating func connect(_ request: ConnectRequest) {
        var body = FieldWriter()
        body.text("MQTT")
        body.byte(request.version.rawValue)
        var flags: UInt8 = request.isCleanStart ? 2 : 0
        if let will = request.will { flags |= 4 | will.qos.rawValue << 3 | (will.isRetained ? 0x20 : 0) }
        // 3.1.1 allows no password without a user.
        let username = request.username ?? (request.version == .v311 && request.password != nil ? "" : nil)
        if username != nil { flags |= 0x80 }
        if request.password != nil { flags |= 0x40 }
        body.byte(flags)
        body.number(request.keepAliveSeconds)
        if request.version == .v5 {
            var properties = FieldWriter()
            properties.byte(0x11)
            properties.number(request.sessionExpirySeconds)
            properties.byte(0x21)
            properties.number(request.receiveMaximum)
            body.list(properties)
        }
        body.text(request.clientID)
        if let will = request.will {
            if request.version == .v5 { body.byte(0) }
            body.text(will.topic)
            body.binary(will.payload)
        }
        if let username { body.text(username) }
        if let password = request.password { body.text(password) }
        packet(.connect, 0, body)
    }

    /// Nothing is written when the packet would be longer than the protocol allows.
    public mutating func publish(_ message: MQTTMessage, packetID: UInt16 = 0, isDuplicate: Bool = false) {
        let topic = message.topic.utf8.prefix(65_535)
        let head = 2 + topic.count + (message.qos == .atMostOnce ? 0 : 2) + (version == .v5 ? 1 : 0)
        guard message.payload.count <= Self.maximumBody - head else { return }
        bytes.append(
            PacketKind.publish.rawValue << 4 | (isDuplicate ? 8 : 0) | message.qos.rawValue << 1
                | (message.isRetained ? 1 : 0))
        length(head + message.payload.count)
        bytes.append(UInt8(topic.count >> 8))
        bytes.append(UInt8(topic.count & 0xff))
        bytes.append(contentsOf: topic)
        if message.qos != .atMostOnce {
            bytes.append(UInt8(packetID >> 8))
            bytes.append(UInt8(packetID & 0xff))
        }
        if version == .v5 { bytes.append(0) }
        bytes.append(contentsOf: message.payload)
    }

    /// Four bytes; five or more only where there is a reason to tell.
    public mutating func acknowledge(_ kind: PacketKind, _ packetID: UInt16, reason: UInt8 = 0) {
        let tellsReason = version == .v5 && reason != 0
        bytes.append(kind.rawValue << 4 | (kind == .publishRelease ? 2 : 0))
        bytes.append(tellsReason ? 3 : 2)
        bytes.append(UInt8(packetID >> 8))
        bytes.append(UInt8(packetID & 0xff))
        if tellsReason { bytes.append(reason) }
    }

    public mutating func subscribe(_ requests: [SubscribeRequest], packetID: UInt16) {
        var body = FieldWriter()
        body.number(packetID)
        if version == .v5 { body.byte(0) }
        for request in requests {
            body.text(request.filter)
            body.byte(request.qos.rawValue | (version == .v5 ? request.retainHandling << 4 : 0))
        }
        packet(.subscribe, 2, body)
    }

    public mutating func ping() { bytes += [PacketKind.pingRequest.rawValue << 4, 0] }

    public mutating func disconnect(reason: UInt8 = 0) {
        var body = FieldWriter()
        if version == .v5, reason != 0 { body.byte(reason) }
        packet(.disconnect, 0, body)
    }

    /// Any packet with a body made by the caller.
    public mutating func packet(_ kind: PacketKind, _ flags: UInt8, _ body: FieldWriter) {
        bytes.append(kind.rawValue << 4 | flags)
        length(body.bytes.count)
        bytes += body.bytes
    }

    private mutating func length(_ value: Int) { bytes.appendVariableInteger(value) }
}

/// The fields of a packet's body.
public struct FieldWriter: Sendable {
    public var bytes: [UInt8] = []

    public init() {}

    public mutating func byte(_ value: UInt8) { bytes.append(value) }
    public mutating func number(_ value: UInt16) { bytes += [UInt8(value >> 8), UInt8(value & 0xff)] }
    public mutating func number(_ value: UInt32) {
        number(UInt16(value >> 16))
        number(UInt16(value & 0xffff))
    }
    public mutating func text(_ value: String) { binary(Array(value.utf8)) }

    /// At most 65,535 bytes; what is longer is cut.
    public mutating func binary(_ value: [UInt8]) {
        let kept = value.prefix(65_535)
        number(UInt16(kept.count))
        bytes += kept
    }

    /// A property list with its length.
    public mutating func list(_ properties: FieldWriter) {
        bytes.appendVariableInteger(properties.bytes.count)
        bytes += properties.bytes
    }
}

extension [UInt8] {
    mutating func appendVariableInteger(_ value: Int) {
        var rest = value
        repeat {
            let low = UInt8(rest & 0x7f)
            rest >>= 7
            append(rest > 0 ? low | 0x80 : low)
        } while rest > 0
    }
}

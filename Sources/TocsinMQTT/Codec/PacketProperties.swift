/// What this client heeds of a packet's properties (MQTT 5.0, section 2.2.2); all others are read over.
public struct PacketProperties: Sendable, Equatable {
    public var sessionExpirySeconds: UInt32?
    public var assignedClientID: String?
    public var serverKeepAliveSeconds: UInt16?
    public var receiveMaximum: UInt16?
    public var maximumQoS: UInt8?
    public var isRetainAvailable: Bool?
    public var maximumPacketBytes: UInt32?
    public var topicAlias: UInt16?
    public var hasWildcards: Bool?
    public var hasSharedSubscriptions: Bool?
    public var reason: String?
    public var serverReference: String?

    public init() {}
}

extension PacketReader {
    /// A property list with its length; without any about 3 ns.
    public mutating func readProperties() throws(MalformedPacket) -> PacketProperties {
        var properties = PacketProperties()
        let length = try readVariableInteger()
        guard length <= remaining else { throw MalformedPacket("the properties reach beyond the packet") }
        let end = position + length
        while position < end { try readProperty(into: &properties) }
        guard position == end else { throw MalformedPacket("a property reaches beyond its list") }
        return properties
    }

    /// nil where the list reaches beyond the bytes that are there: then only its length has been read.
    mutating func readPropertiesIfWhole() throws(MalformedPacket) -> PacketProperties? {
        var ahead = self
        let length = try ahead.readVariableInteger()
        guard length <= ahead.remaining else {
            self = ahead
            return nil
        }
        return try readProperties()
    }

    private mutating func readProperty(into properties: inout PacketProperties) throws(MalformedPacket) {
        switch try readByte() {
        case 0x11: properties.sessionExpirySeconds = try readUInt32()
        case 0x12: properties.assignedClientID = try readText()
        case 0x13: properties.serverKeepAliveSeconds = try readUInt16()
        case 0x1c: properties.serverReference = try readText()
        case 0x1f: properties.reason = try readText()
        case 0x21: properties.receiveMaximum = try readUInt16()
        case 0x23: properties.topicAlias = try readUInt16()
        case 0x24: properties.maximumQoS = try readByte()
        case 0x25: properties.isRetainAvailable = try readByte() != 0
        case 0x27: properties.maximumPacketBytes = try readUInt32()
        case 0x28: properties.hasWildcards = try readByte() != 0
        case 0x2a: properties.hasSharedSubscriptions = try readByte() != 0
        case 0x01, 0x17, 0x19, 0x29: _ = try readByte()
        case 0x22: _ = try readUInt16()
        case 0x02, 0x18: _ = try readUInt32()
        case 0x0b: _ = try readVariableInteger()
        case 0x03, 0x08, 0x09, 0x15, 0x16, 0x1a: _ = try readField()
        case 0x26:
            _ = try readField()
            _ = try readField()
        case let unknown: throw MalformedPacket("a property of the unknown kind \(unknown)")
        }
    }
}

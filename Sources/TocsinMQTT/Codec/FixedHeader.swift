/// The version of the protocol that a connection speaks.
public enum ProtocolVersion: UInt8, Sendable, CustomStringConvertible {
    case v311 = 4
    case v5 = 5

    public var description: String { self == .v5 ? "5" : "3.1.1" }
}

/// The kinds of packets (MQTT 5.0, table 2-1).
public enum PacketKind: UInt8, Sendable {
    case connect = 1, connectAcknowledgement, publish, publishAcknowledgement, publishReceived, publishRelease,
        publishComplete, subscribe, subscribeAcknowledgement, unsubscribe, unsubscribeAcknowledgement, pingRequest,
        pingResponse, disconnect, authentication
}

/// The first two to five bytes of each packet.
public struct FixedHeader: Sendable, Equatable {
    public var kind: PacketKind
    public var flags: UInt8
    /// Bytes of the packet behind the header.
    public var bodyLength: Int
    public var headerLength: Int

    public var packetLength: Int { headerLength + bodyLength }

    /// nil while there are too few bytes.
    public static func read(_ bytes: UnsafeRawBufferPointer) throws(MalformedPacket) -> FixedHeader? {
        guard let first = bytes.first else { return nil }
        guard let kind = PacketKind(rawValue: first >> 4) else {
            throw MalformedPacket("a packet of the unknown kind \(first >> 4)")
        }
        var length = 0
        for index in 1...4 {
            guard index < bytes.count else { return nil }
            length |= Int(bytes[index] & 0x7f) << (7 * (index - 1))
            if bytes[index] & 0x80 == 0 {
                return FixedHeader(kind: kind, flags: first & 0x0f, bodyLength: length, headerLength: index + 1)
            }
        }
        throw MalformedPacket("a packet's length has more than four bytes")
    }
}

/// A message's share in the session: what its acknowledgement needs.
public struct Delivery: Sendable, Equatable {
    public var packetID: UInt16
    public var qos: QoS
    /// Hash of topic and payload.
    public var content: UInt64

    public init(packetID: UInt16, qos: QoS, content: UInt64) {
        self.packetID = packetID
        self.qos = qos
        self.content = content
    }
}

/// The receiving half of a session (MQTT 5.0, section 4.3): which messages are not durable yet, and which come again.
///
/// It outlives connections. A repeated message is recognised while the first copy is not durable, and, when its
/// acknowledgement may have got lost with the connection, afterwards: until an answered ping proves that the broker has
/// it. A packet id alone is no proof, since ids are used again; topic and payload must be the same too.
public struct InboundSession: Sendable {
    private enum State {
        static let free: UInt8 = 0
        static let pending: UInt8 = 1
        /// QoS 2: durable, PUBREC sent, PUBREL to come.
        static let recorded: UInt8 = 2
        /// QoS 1: PUBACK sent, perhaps not received.
        static let acknowledged: UInt8 = 3
    }

    public enum Arrival: Sendable, Equatable {
        case take
        /// The first copy is on its way: its acknowledgement serves for both.
        case ignore
        /// Durable before: the broker did not get the acknowledgement.
        case acknowledge(PacketKind)
    }

    private var states = [UInt8](repeating: State.free, count: 65_536)
    private var contents = [UInt64](repeating: 0, count: 65_536)
    /// How many pings had been sent when a message of QoS 1 was acknowledged: the next one's answer proves that.
    private var pingsBefore = [UInt32](repeating: 0, count: 65_536)
    private var pings: UInt32 = 0
    /// Of the pings those whose answers have come, or cannot come any more.
    private var endedPings: UInt32 = 0
    /// What was acknowledged before so many pings has arrived.
    private var provedPings: UInt32 = 0
    /// Messages taken that are not durable yet.
    public private(set) var unacknowledged = 0

    public init() {}

    public mutating func receive(_ delivery: Delivery, isDuplicate: Bool) -> Arrival {
        let id = Int(delivery.packetID)
        let isSame = contents[id] == delivery.content
        switch states[id] {
        case State.pending where isSame: return .ignore
        case State.recorded where isSame && delivery.qos == .exactlyOnce: return .acknowledge(.publishReceived)
        case State.acknowledged
        where isSame && isDuplicate && delivery.qos == .atLeastOnce && pingsBefore[id] >= provedPings:
            return .acknowledge(.publishAcknowledgement)
        case State.pending: break
        default: unacknowledged += 1
        }
        states[id] = State.pending
        contents[id] = delivery.content
        return .take
    }

    /// The message is durable.
    /// - Returns: what to send; nil when the session has forgotten the message meanwhile.
    public mutating func settle(_ delivery: Delivery) -> PacketKind? {
        let id = Int(delivery.packetID)
        guard states[id] == State.pending, contents[id] == delivery.content else { return nil }
        unacknowledged -= 1
        if delivery.qos == .exactlyOnce {
            states[id] = State.recorded
            return .publishReceived
        }
        states[id] = State.acknowledged
        pingsBefore[id] = pings
        return .publishAcknowledgement
    }

    /// The message could not be made durable: the next copy is to be taken.
    public mutating func abandon(_ delivery: Delivery) {
        let id = Int(delivery.packetID)
        guard states[id] == State.pending, contents[id] == delivery.content else { return }
        unacknowledged -= 1
        states[id] = State.free
    }

    /// PUBREL.
    /// - Returns: the reason of the PUBCOMP; nil when none may be sent yet.
    public mutating func release(_ packetID: UInt16) -> UInt8? {
        switch states[Int(packetID)] {
        case State.recorded:
            states[Int(packetID)] = State.free
            return 0
        case State.pending: return nil
        default: return 0x92
        }
    }

    /// A ping was sent: its answer will prove the acknowledgements sent before.
    public mutating func pinged() { pings &+= 1 }

    /// The answer has come.
    public mutating func answered() {
        guard endedPings < pings else { return }
        endedPings += 1
        provedPings = endedPings
    }

    /// A connection has been made.
    /// - Parameter isSessionPresent: the broker still has the session.
    public mutating func begin(isSessionPresent: Bool) {
        endedPings = pings
        guard !isSessionPresent else { return }
        for id in states.indices { states[id] = State.free }
        unacknowledged = 0
    }
}

/// Messages of a broker as they came: payloads one after another, and what each envelope says.
public struct MessageBatch: Sendable {
    /// All payloads; what stands between two of them means nothing.
    public var bytes: [UInt8] = []
    /// By message, rising; of length 0 for a message without a payload (a tombstone).
    public var payloads: [ByteRange] = []
    /// By message: row of `envelopes`. Empty: all are of `envelopes[0]`, or there are none.
    public var envelopeOfMessage: [UInt32] = []
    public var envelopes: [MessageEnvelope] = []
    /// By message: when its sender or the broker dated it, or when it came. Empty where nothing is known.
    public var times: [Timestamp] = []

    public init() {}

    @inlinable public var count: Int { payloads.count }

    /// Everything but the bytes, for a batch that has these: shared, not copied, unless most envelopes are of other
    /// messages. About 5 ns a message then.
    public var withoutBytes: MessageBatch {
        var notes = self
        notes.bytes = []
        guard envelopes.count > count, !envelopeOfMessage.isEmpty else { return notes }
        var rows = [UInt32](repeating: 0, count: envelopes.count)
        notes.envelopes = []
        for message in envelopeOfMessage.indices {
            let row = Int(envelopeOfMessage[message])
            guard row < envelopes.count else { continue }
            if rows[row] == 0 {
                notes.envelopes.append(envelopes[row])
                rows[row] = UInt32(truncatingIfNeeded: notes.envelopes.count)
            }
            notes.envelopeOfMessage[message] = rows[row] - 1
        }
        return notes
    }

    /// Some of the messages, without their bytes, which begin at `first` of these; nil where there are not so many.
    public func part(_ messages: Range<Int>, from first: UInt32) -> MessageBatch? {
        guard messages.lowerBound >= 0, messages.upperBound <= count else { return nil }
        var part = MessageBatch()
        part.payloads = payloads[messages].map {
            ByteRange(offset: Int($0.offset &- first), length: Int($0.length))
        }
        if envelopeOfMessage.count == count { part.envelopeOfMessage = Array(envelopeOfMessage[messages]) }
        part.envelopes = envelopes
        if times.count == count { part.times = Array(times[messages]) }
        return part.withoutBytes
    }

    /// nil for a message without one.
    public func envelope(of message: Int) -> MessageEnvelope? {
        guard !envelopeOfMessage.isEmpty else { return envelopes.first }
        guard message < envelopeOfMessage.count, Int(envelopeOfMessage[message]) < envelopes.count else { return nil }
        return envelopes[Int(envelopeOfMessage[message])]
    }

    /// Adds a message; a line end is put behind it, so that texts never run into each other.
    @inlinable
    public mutating func append(_ payload: UnsafeRawBufferPointer) {
        payloads.append(ByteRange(offset: bytes.count, length: payload.count))
        unsafe bytes.append(contentsOf: payload)
        bytes.append(0x0A)
    }
}

/// What a topic or a key says of the messages that came under it; what a payload says itself wins.
public struct MessageEnvelope: Sendable, Hashable {
    public var topic: String
    public var sensor: String?
    public var metric: String?
    public var zone: String?
    public var unit: String?
    /// Further levels of the topic that a template names.
    public var fields: [String: String]

    public init(
        topic: String, sensor: String? = nil, metric: String? = nil, zone: String? = nil, unit: String? = nil,
        fields: [String: String] = [:]
    ) {
        self.topic = topic
        self.sensor = sensor
        self.metric = metric
        self.zone = zone
        self.unit = unit
        self.fields = fields
    }
}

/// Messages into columns. A message that cannot be decoded becomes a `Reject` and never harms its neighbours.
public protocol MessageDecoding: Sendable {
    /// Fetches what decoding these needs and is not at hand: schemas. Throws `TocsinError` with `isRetriable` true where
    /// waiting can help; messages whose schema does not exist are left to `decode`, which rejects them.
    mutating func prepare(for messages: MessageBatch) async throws

    /// The batch's `bytes` are those of the messages, its `messageStarts` their beginnings.
    mutating func decode(_ messages: MessageBatch, origin: Origin, table: SeriesTable) -> Batch
}

extension MessageDecoding {
    public mutating func prepare(for messages: MessageBatch) async throws {}
}

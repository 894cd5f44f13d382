/// The unit of work: the columns of readings decoded from one chunk of input (structure of arrays).
///
/// Event `e` came from `sensors[e]` at `times[e]` and holds the readings `firstReading[e] ..< firstReading[e + 1]`. One
/// without readings says that the sensor goes away, by its own or its broker's word.
/// Batches cross threads and `await`s; readings never do. A batch is never changed after decoding.
public struct Batch: Sendable {
    // One row per event.
    public var sensors: [SensorID] = []
    public var times: [Timestamp] = []
    /// Content hash of the device's own `event_id`; 0 where the event has none (then (series, time) identifies it).
    public var eventKeys: [UInt64] = []
    /// Where the event stands in `bytes`: for dead letters and the stored payload.
    public var payloads: [ByteRange] = []
    /// Ground truth that came with the event. Only evaluation reads it; no detector ever does.
    public var labels: [EventLabel] = []
    /// `count + 1` offsets into the reading columns.
    public var firstReading: [UInt32] = [0]

    // One row per reading.
    public var series: [SeriesID] = []
    public var values: [Double] = []

    /// What could not be decoded; the raw bytes are in `bytes`.
    public var rejects: [Reject] = []

    /// The raw chunk that all byte ranges refer to.
    public var bytes: [UInt8] = []
    /// CSV only: the header line with its line end, without which a row says nothing.
    public var header: [UInt8] = []
    public var origin: Origin
    /// Where each event came from, in a batch that was put together from several: row of `origins` by event. Empty: all
    /// events are of `origin`.
    public var originOfEvent: [UInt32] = []
    public var origins: [Origin] = []
    /// Where each message begins in `bytes`, rising, for a source whose coordinate counts messages (an offset of Kafka):
    /// the first is at `origin.position`, each further one at the next. Empty: the coordinate counts bytes.
    public var messageStarts: [UInt32] = []
    /// What its source knew of these messages beside their bytes (which it has not): needed to decode them again. nil for
    /// a source of bytes.
    public var messages: MessageBatch?

    public init(origin: Origin) { self.origin = origin }

    @inlinable
    public func origin(of event: Int) -> Origin {
        originOfEvent.isEmpty ? origin : origins[Int(originOfEvent[event])]
    }

    @inlinable
    public func source(of event: Int) -> SourceID {
        originOfEvent.isEmpty ? origin.source : origins[Int(originOfEvent[event])].source
    }

    /// Where a payload of an event or a reject stands in its source.
    public func place(of payload: ByteRange, in origin: Origin) -> Int64 {
        guard !messageStarts.isEmpty else { return origin.position &+ Int64(payload.offset) }
        return origin.position &+ Int64(message(of: payload))
    }

    /// The number of the message that a payload is of, or is a part of; 0 where `messageStarts` is empty.
    public func message(of payload: ByteRange) -> Int {
        // The last one that begins at or before it.
        var (low, high) = (0, messageStarts.count)
        while low < high {
            let middle = (low + high) / 2
            if messageStarts[middle] <= payload.offset { low = middle + 1 } else { high = middle }
        }
        return max(0, low - 1)
    }

    @inlinable public var eventCount: Int { sensors.count }
    @inlinable public var readingCount: Int { values.count }
    /// Readings plus undecodable messages: what promise 1 counts as "in".
    public var inputCount: Int { values.count + rejectCount }
    /// Messages and fields that could not be decoded.
    public var rejectCount: Int { rejects.reduce(0) { $0 + $1.count } }

    @inlinable public func readings(of event: Int) -> Range<Int> {
        Int(firstReading[event])..<Int(firstReading[event + 1])
    }

    /// The event gives no readings: its sensor goes away, and nothing is expected of it until it sends again.
    @inlinable
    public func isDeparture(_ event: Int) -> Bool { firstReading[event] == firstReading[event + 1] }

    /// Closes the event under construction: call after its readings were appended.
    @inlinable
    public mutating func appendEvent(
        sensor: SensorID, time: Timestamp, key: UInt64, payload: ByteRange, label: EventLabel
    ) {
        sensors.append(sensor)
        times.append(time)
        eventKeys.append(key)
        payloads.append(payload)
        labels.append(label)
        firstReading.append(UInt32(truncatingIfNeeded: values.count))
    }
}

extension Batch {
    /// Reasons that can take turns; a reject is put together with one of the last so many.
    private static let mostReasons = 8

    /// Adds a reject. Where there are `most` of them already, those of one reason that stand close together become one: a
    /// body of short nonsense would else take many times its size.
    public mutating func add(_ reject: Reject, most: Int) {
        guard rejects.count >= most, reject.reason.isOfWhole else {
            rejects.append(reject)
            return
        }
        for place in rejects.indices.suffix(Self.mostReasons).reversed() where rejects[place].reason == reject.reason {
            guard let joined = rejects[place].payload.joined(with: reject.payload) else { continue }
            rejects[place].payload = joined
            rejects[place].count += reject.count
            return
        }
        rejects.append(reject)
    }
}

/// `offset ..< offset + length` in a batch's bytes.
public struct ByteRange: Hashable, Sendable {
    public var offset: UInt32
    public var length: UInt32

    @inlinable public init(offset: Int, length: Int) {
        self.offset = UInt32(offset)
        self.length = UInt32(length)
    }

    @inlinable public var range: Range<Int> { Int(offset)..<Int(offset) + Int(length) }

    /// Refused input that is kept in one piece.
    private static let mostJoined = 64 << 10

    /// Both and what stands between them; nil where that is much more than is kept in one piece.
    public func joined(with other: ByteRange) -> ByteRange? {
        let start = min(range.lowerBound, other.range.lowerBound)
        let end = max(range.upperBound, other.range.upperBound)
        guard end - start <= max(Self.mostJoined, Int(length)) else { return nil }
        return ByteRange(offset: start, length: end - start)
    }
}

/// Where a batch came from. `position + payload.offset` is the place of an event in its source (byte offset for files).
public struct Origin: Sendable {
    public var source: SourceID
    public var sourceName: String
    /// Byte offset in the file, sequence number of the request, and so on: the source's own coordinate.
    public var position: Int64
    /// When the bytes arrived, by the injected clock.
    public var received: Timestamp
    /// Where the source goes on behind this batch; nil for one that cannot go back.
    public var resume: ReadPosition?

    public init(
        source: SourceID, sourceName: String, position: Int64, received: Timestamp, resume: ReadPosition? = nil
    ) {
        self.resume = resume
        self.source = source
        self.sourceName = sourceName
        self.position = position
        self.received = received
    }
}

/// Ground truth carried by simulated or labelled input.
public struct EventLabel: Hashable, Sendable {
    /// 0 = no label given, 1 = labelled normal, 2 = labelled anomalous without a type, 3 + kind = anomalous of that kind.
    public var rawValue: UInt8
    @inlinable public init(rawValue: UInt8) { self.rawValue = rawValue }

    public static let none = EventLabel(rawValue: 0)
    public static let normal = EventLabel(rawValue: 1)
    public static let anomalous = EventLabel(rawValue: 2)
    public static func anomalous(_ kind: AnomalyKind) -> EventLabel { EventLabel(rawValue: 3 + kind.rawValue) }

    @inlinable public var isAnomalous: Bool { rawValue >= 2 }
    public var kind: AnomalyKind? { rawValue >= 3 ? AnomalyKind(rawValue: rawValue - 3) : nil }
}

/// One message (line, row, array element) or one field of it that could not become a reading; or many that stand close
/// together, see `Batch.add`.
public struct Reject: Sendable {
    public var reason: DeadLetterReason
    /// One sentence for a person: what was wrong and where ("field `temperature` is the string \"abc\"").
    /// Of several: of the first.
    public var detail: String
    /// Of several: from the first to the last, with what stands between them.
    public var payload: ByteRange
    /// So many messages or fields.
    public var count: Int

    public init(reason: DeadLetterReason, detail: String, payload: ByteRange, count: Int = 1) {
        self.reason = reason
        self.detail = detail
        self.payload = payload
        self.count = count
    }
}

internal import TocsinCore

/// The messages of a roll as flat columns, in the order in which they came.
struct BronzeColumns: Sendable {
    /// What all events of a batch share.
    struct Origin: Sendable {
        var source: String
        var received: Int64
        var record: UInt64
        /// Row of `chunks`.
        var chunk: Int
    }

    /// The bytes of a batch, shared with it.
    struct Chunk: Sendable {
        var bytes: [UInt8]
        /// CSV: the header line, without which a row says nothing.
        var header: [UInt8]
    }

    private(set) var keepsPayload: Bool
    private(set) var origins: [Origin] = []

    // One row per event.
    private(set) var sensors: [UInt32] = []
    private(set) var times: [Int64] = []
    private(set) var keys: [UInt64] = []
    /// Place in its source.
    private(set) var positions: [Int64] = []
    /// Row of `origins`.
    private(set) var originOfEvent: [UInt32] = []
    private(set) var payloadStarts: [UInt32] = []
    private(set) var payloadLengths: [UInt32] = []
    /// One more than there are events.
    private(set) var firstReading: [UInt32] = [0]

    // One row per reading.
    private(set) var series: [UInt32] = []
    private(set) var values: [Double] = []

    private(set) var chunks: [Chunk] = []
    /// Of all chunks.
    private(set) var byteCount = 0

    init(keepsPayload: Bool) { self.keepsPayload = keepsPayload }

    var eventCount: Int { sensors.count }
    var readingCount: Int { values.count }
    /// What the roll's size is measured by.
    var size: Int { keepsPayload ? byteCount : 64 * eventCount + 16 * readingCount }

    /// Forgets the messages and keeps the memory.
    mutating func removeAll(keepsPayload: Bool) {
        self.keepsPayload = keepsPayload
        origins.removeAll(keepingCapacity: true)
        sensors.removeAll(keepingCapacity: true)
        times.removeAll(keepingCapacity: true)
        keys.removeAll(keepingCapacity: true)
        positions.removeAll(keepingCapacity: true)
        originOfEvent.removeAll(keepingCapacity: true)
        payloadStarts.removeAll(keepingCapacity: true)
        payloadLengths.removeAll(keepingCapacity: true)
        firstReading.removeAll(keepingCapacity: true)
        firstReading.append(0)
        series.removeAll(keepingCapacity: true)
        values.removeAll(keepingCapacity: true)
        chunks.removeAll(keepingCapacity: true)
        byteCount = 0
    }

    /// Copies a batch's columns and shares its bytes: about 20 ns an event.
    mutating func append(_ batch: Batch, record: UInt64) {
        guard batch.eventCount > 0 else { return }
        let isSingle = batch.originOfEvent.isEmpty
        let firstOrigin = UInt32(origins.count)
        if keepsPayload {
            chunks.append(Chunk(bytes: batch.bytes, header: batch.header))
            byteCount += batch.bytes.count
        }
        for origin in isSingle ? [batch.origin] : batch.origins {
            origins.append(
                Origin(
                    source: origin.sourceName, received: origin.received.nanoseconds, record: record,
                    chunk: chunks.count - 1))
        }
        let events = batch.eventCount
        let firstEvent = sensors.count
        sensors.append(contentsOf: batch.sensors.lazy.map(\.index))
        times.append(contentsOf: batch.times.lazy.map(\.nanoseconds))
        keys.append(contentsOf: batch.eventKeys)
        if isSingle {
            originOfEvent.append(contentsOf: repeatElement(firstOrigin, count: events))
            if batch.messageStarts.isEmpty {
                let position = batch.origin.position
                positions.append(contentsOf: batch.payloads.lazy.map { position &+ Int64($0.offset) })
            } else {
                positions.append(contentsOf: batch.payloads.lazy.map { batch.place(of: $0, in: batch.origin) })
            }
        } else {
            originOfEvent.append(contentsOf: batch.originOfEvent.lazy.map { firstOrigin &+ $0 })
            for event in 0..<events {
                positions.append(batch.place(of: batch.payloads[event], in: batch.origin(of: event)))
            }
        }
        if keepsPayload {
            payloadStarts.append(contentsOf: batch.payloads.lazy.map(\.offset))
            payloadLengths.append(contentsOf: batch.payloads.lazy.map(\.length))
        }
        let base = firstReading[firstEvent]
        firstReading.append(contentsOf: batch.firstReading.dropFirst().lazy.map { base &+ $0 })
        series.append(contentsOf: batch.series.lazy.map(\.index))
        values.append(contentsOf: batch.values)
    }
}

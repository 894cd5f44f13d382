public import TocsinCore

/// Which optional columns a batch record has.
struct BatchColumns: OptionSet {
    let rawValue: UInt16
    /// Events that have an id of their own.
    static let eventKeys = BatchColumns(rawValue: 1)
    static let labels = BatchColumns(rawValue: 2)
    /// Not every event has exactly one reading.
    static let readingCounts = BatchColumns(rawValue: 4)
    /// The events have different times.
    static let times = BatchColumns(rawValue: 8)
    static let names = BatchColumns(rawValue: 16)
    /// The source's coordinate counts messages.
    static let messages = BatchColumns(rawValue: 32)
    /// The messages with their envelopes, behind the raw bytes.
    static let envelopes = BatchColumns(rawValue: 64)
    /// Rejects that stand for several messages.
    static let rejectCounts = BatchColumns(rawValue: 128)
    static let all: BatchColumns = [
        .eventKeys, .labels, .readingCounts, .times, .names, .messages, .envelopes, .rejectCounts,
    ]
}

extension SpoolEntry {
    /// Appends a batch entry: about 10 ns a reading and the memcpy of its bytes; no allocation but the writer's growth.
    public static func encode(_ batch: Batch, names: NewNames?, into writer: inout StateWriter) {
        let events = batch.eventCount
        precondition(
            batch.times.count == events && batch.eventKeys.count == events && batch.payloads.count == events
                && batch.labels.count == events && batch.firstReading.count == events + 1
                && batch.series.count == batch.values.count,
            "the columns of a batch have different lengths")
        writer.write(Kind.batch.rawValue)
        let columns = columns(of: batch, names)
        writer.write(columns.rawValue)
        encodeInput(batch, into: &writer)
        if columns.contains(.envelopes) { batch.messages?.encode(into: &writer) }
        if columns.contains(.names) { names?.encode(into: &writer) }
        writer.write(varint: UInt64(events))
        writer.write(varint: UInt64(batch.readingCount))
        batch.sensors.write(to: &writer)
        encodeTimes(batch.times, isConstant: !columns.contains(.times), &writer)
        if columns.contains(.eventKeys) { batch.eventKeys.write(to: &writer) }
        if columns.contains(.labels) { batch.labels.write(to: &writer) }
        if columns.contains(.readingCounts) {
            let firsts = batch.firstReading
            writer.write(varints: events) { UInt64(firsts[$0 + 1] &- firsts[$0]) }
        }
        encodePayloads(batch.payloads, &writer)
        batch.series.write(to: &writer)
        batch.values.write(to: &writer)
        writer.write(varint: UInt64(batch.rejects.count))
        for reject in batch.rejects {
            writer.write(text: reject.reason.rawValue)
            writer.write(text: reject.detail)
            writer.write(varint: UInt64(reject.payload.offset))
            writer.write(varint: UInt64(reject.payload.length))
            if columns.contains(.rejectCounts) { writer.write(varint: UInt64(reject.count)) }
        }
        if columns.contains(.messages) {
            let starts = batch.messageStarts
            writer.write(varint: UInt64(starts.count))
            writer.write(varints: starts.count) { UInt64(starts[$0] &- ($0 == 0 ? 0 : starts[$0 - 1])) }
        }
    }

    private static func columns(of batch: Batch, _ names: NewNames?) -> BatchColumns {
        var columns: BatchColumns = []
        if batch.eventKeys.contains(where: { $0 != 0 }) { columns.insert(.eventKeys) }
        if batch.labels.contains(where: { $0 != .none }) { columns.insert(.labels) }
        // Offsets that begin with 0, end with the number of events and never fall are 0, 1, 2 … or skip somewhere.
        let firsts = batch.firstReading
        if firsts.indices.contains(where: { Int(firsts[$0]) != $0 }) || batch.readingCount != batch.eventCount {
            columns.insert(.readingCounts)
        }
        let first = batch.times.first
        if batch.times.contains(where: { $0 != first }) { columns.insert(.times) }
        if let names, !names.isEmpty { columns.insert(.names) }
        if batch.rejects.contains(where: { $0.count != 1 }) { columns.insert(.rejectCounts) }
        if let messages = batch.messages {
            columns.insert(.envelopes)
            let isKnown = messages.payloads.lazy.map(\.offset).elementsEqual(batch.messageStarts)
            if !isKnown { columns.insert(.messages) }
        } else if !batch.messageStarts.isEmpty {
            columns.insert(.messages)
        }
        return columns
    }

    /// Raw bytes, header and origin stand first: they can be had where the rest is of no use.
    private static func encodeInput(_ batch: Batch, into writer: inout StateWriter) {
        writer.write(batch.origin.source.index)
        writer.write(text: batch.origin.sourceName)
        writer.write(batch.origin.position)
        writer.write(batch.origin.received)
        writer.write(batch.origin.resume != nil)
        batch.origin.resume?.save(to: &writer)
        writer.write(blob: batch.header)
        writer.write(blob: batch.bytes)
    }

    private static func encodeTimes(_ times: [Timestamp], isConstant: Bool, _ writer: inout StateWriter) {
        guard let first = times.first else { return }
        writer.write(first)
        if isConstant { return }
        var previous = first.nanoseconds
        writer.write(varints: times.count - 1) { index in
            let time = times[index + 1].nanoseconds
            defer { previous = time }
            return zigzag(time &- previous)
        }
    }

    /// Per event the gap after the payload before it, and the length.
    static func encodePayloads(_ payloads: [ByteRange], _ writer: inout StateWriter) {
        var end: Int64 = 0
        writer.write(varints: 2 * payloads.count) { index in
            let payload = payloads[index / 2]
            guard index % 2 == 0 else { return UInt64(payload.length) }
            let gap = Int64(payload.offset) - end
            end = Int64(payload.offset) + Int64(payload.length)
            return zigzag(gap)
        }
    }
}

extension SpoolEntry {
    /// Small numbers of either sign as small numbers.
    static func zigzag(_ number: Int64) -> UInt64 { UInt64(bitPattern: (number << 1) ^ (number >> 63)) }
    static func unzigzag(_ number: UInt64) -> Int64 {
        Int64(bitPattern: number >> 1) ^ -Int64(bitPattern: number & 1)
    }
}

extension Array {
    /// Writes a column of plain numbers (ids, values, labels) without its count: one memcpy.
    fileprivate func write(to writer: inout StateWriter) {
        unsafe withUnsafeBytes { source in unsafe writer.write(raw: source) }
    }
}

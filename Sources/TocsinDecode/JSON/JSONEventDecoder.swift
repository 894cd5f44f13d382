internal import CSimdJSON
internal import TocsinCore

/// Decodes runs of JSON messages. Keeps only what saves work: the names seen, and their ids in the series table.
struct JSONEventDecoder {
    private let columns: JSONColumns
    private let plan: FieldPlan
    private let limits: DecodeLimits
    private var keys = JSONKeys()
    /// More is parsed in pieces: of short messages the parser's columns take thirty times the bytes.
    private static let pieceBytes = 1 << 20

    init(_ plan: FieldPlan, limits: DecodeLimits) {
        self.plan = plan
        self.limits = limits
        columns = JSONColumns(plan)
    }

    mutating func decode(_ run: consuming InputRun, origin: Origin, table: SeriesTable) -> Batch {
        let layout = run.layout
        var batch = Batch(origin: origin)
        batch.bytes = run.bytes
        let bytes = batch.bytes
        let longest = limits.maximumMessageBytes
        guard bytes.count > Self.pieceBytes else {
            let isParsed = columns.parse(bytes, layout: layout, longest: longest)
            collect(bytes, at: 0, isParsed, table, &batch)
            return batch
        }
        if layout == .documents {
            decode(documentsOf: bytes, table, &batch)
            return batch
        }
        var start = 0
        while start < bytes.count {
            let end = Self.endOfPiece(bytes.span, from: start)
            let piece = Array(bytes[start..<end])
            let isParsed = columns.parse(piece, layout: layout, longest: longest)
            collect(piece, at: start, isParsed, table, &batch)
            start = end
        }
        return batch
    }

    private mutating func decode(documentsOf bytes: [UInt8], _ table: SeriesTable, _ batch: inout Batch) {
        var start = 0
        var messages: [ByteRange] = []
        func piece(through end: Int) -> (bytes: [UInt8], isParsed: Bool) {
            let piece = Array(bytes[start..<end])
            return (piece, columns.parse(piece, messages: messages[...], longest: limits.maximumMessageBytes))
        }
        var end = 0
        JSONFramer.messages(in: bytes.span) { range in
            if !messages.isEmpty, range.upperBound - start > Self.pieceBytes {
                let (piece, isParsed) = piece(through: end)
                collect(piece, at: start, isParsed, table, &batch)
                messages.removeAll(keepingCapacity: true)
            }
            if messages.isEmpty { start = range.lowerBound }
            messages.append(ByteRange(offset: range.lowerBound - start, length: range.count))
            end = range.upperBound
        }
        guard !messages.isEmpty else { return }
        let (piece, isParsed) = piece(through: end)
        collect(piece, at: start, isParsed, table, &batch)
    }

    /// Behind the last line end of a piece, or behind the line that is longer than one.
    private static func endOfPiece(_ bytes: Span<UInt8>, from start: Int) -> Int {
        guard bytes.count - start > pieceBytes else { return bytes.count }
        var end = start + pieceBytes
        while end > start, bytes[end - 1] != UInt8(ascii: "\n") { end -= 1 }
        if end > start { return end }
        return Text.endOfLine(bytes, from: start).map { $0 + 1 } ?? bytes.count
    }

    /// - Parameter start: where the parsed bytes stand in those of the batch.
    private mutating func collect(
        _ bytes: [UInt8], at start: Int, _ isParsed: Bool, _ table: SeriesTable, _ batch: inout Batch
    ) {
        guard isParsed else {
            let clipped = ByteRange(offset: start, length: min(bytes.count, limits.clippedBytes))
            batch.rejects.append(
                Reject(reason: .tooLong, detail: "The chunk does not fit into memory.", payload: clipped))
            return
        }
        keys.follow(columns, table)
        // The parse before ran without the lock; only the names are looked up under it.
        unsafe bytes.withUnsafeBufferPointer { raw in
            let parsed = unsafe columns.parsed(raw)
            table.withIndex { index in
                var collector = unsafe JSONCollector(
                    parsed: parsed, plan: plan, limits: limits, batch: batch, start: start)
                batch = Batch(origin: collector.batch.origin)
                collector.collect(&keys, &index)
                swap(&batch, &collector.batch)
            }
        }
    }
}

/// The metric ids of the parser's field names, resolved when first needed.
struct JSONKeys {
    struct Key {
        var name: MetricName
        var metric: MetricID?
        /// Names no metric of its own where the topic does.
        var isValue: Bool
    }

    private(set) var keys: [Key] = []
    var cache = SeriesCache()
    private var table: SeriesTable?

    /// Takes over new names; another table makes all ids void.
    mutating func follow(_ columns: JSONColumns, _ table: SeriesTable) {
        if self.table !== table {
            self.table = table
            cache.removeAll()
            for position in keys.indices { keys[position].metric = nil }
        }
        while keys.count < columns.keyCount {
            let name = columns.metric(ofKey: keys.count)
            keys.append(Key(name: name, metric: nil, isValue: columns.isValue(key: keys.count)))
        }
    }

    /// Nil when the table has no room for another metric.
    @inline(__always)
    mutating func metric(_ key: Int, _ index: inout SeriesIndex) -> MetricID? {
        if let known = keys[key].metric { return known }
        let metric = index.metric(keys[key].name.name.utf8.span)
        keys[key].metric = metric
        return metric
    }
}

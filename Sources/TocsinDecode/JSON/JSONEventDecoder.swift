internal import CSimdJSON
internal import TocsinCore

/// Decodes runs of JSON messages. Keeps only what saves work: the names seen, and their ids in the series table.
struct JSONEventDecoder {
    private let columns: JSONColumns
    private let plan: FieldPlan
    private let limits: DecodeLimits
    private var keys = JSONKeys()

    init(_ plan: FieldPlan, limits: DecodeLimits) {
        self.plan = plan
        self.limits = limits
        columns = JSONColumns(plan)
    }

    mutating func decode(_ run: consuming InputRun, origin: Origin, table: SeriesTable) -> Batch {
        let layout = run.layout
        var batch = Batch(origin: origin)
        batch.bytes = run.bytes
        guard columns.parse(batch.bytes, layout: layout, longest: limits.maximumMessageBytes) else {
            let clipped = ByteRange(offset: 0, length: min(batch.bytes.count, limits.clippedBytes))
            batch.rejects.append(
                Reject(reason: .tooLong, detail: "The chunk does not fit into memory.", payload: clipped))
            return batch
        }
        keys.follow(columns, table)
        // The parse above ran without the lock; only the names are looked up under it.
        let bytes = batch.bytes
        unsafe bytes.withUnsafeBufferPointer { raw in
            let parsed = unsafe columns.parsed(raw)
            table.withIndex { index in
                var collector = unsafe JSONCollector(parsed: parsed, plan: plan, limits: limits, batch: batch)
                batch = Batch(origin: origin)
                collector.collect(&keys, &index)
                swap(&batch, &collector.batch)
            }
        }
        return batch
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

public import TocsinCore
public import TocsinMeasure

/// A part of the way from bytes to stored verdicts that can be measured alone.
public enum PipelineStage: String, CaseIterable, Sendable {
    case decode, validate, deduplicate, bank, windows, forest, shard, join, persist, spool

    /// What is measured, in a few words.
    public var summary: String {
        switch self {
        case .decode: "bytes to columns"
        case .validate: "ranges, clocks, progress of the stream"
        case .deduplicate: "remembered times and keys"
        case .bank: "per-reading detectors"
        case .windows: "log, closing, all statistics"
        case .forest: "score and learn every window"
        case .shard: "deduplicate + bank + windows + features, as the engine runs them"
        case .join: "forests, alarms, names, ids"
        case .persist: "SQLite, one transaction each 16 batches"
        case .spool: "encode, checksum, append, force the disk"
        }
    }

    /// Reads `decode,bank`: names apart by commas.
    /// - Throws: `TocsinError(.usage)` naming the unknown word and all known ones.
    public static func list(_ text: String) throws(TocsinError) -> [PipelineStage] {
        var stages: [PipelineStage] = []
        for word in text.split(separator: ",") {
            let name = word.filter { !$0.isWhitespace }
            guard let stage = PipelineStage(rawValue: name) else {
                throw TocsinError(
                    .usage, "--stages does not know '\(name)'",
                    remedy: "choose from \(allCases.map(\.rawValue).joined(separator: ","))")
            }
            if !stages.contains(stage) { stages.append(stage) }
        }
        guard !stages.isEmpty else { throw TocsinError(.usage, "--stages names no stage") }
        return stages
    }
}

/// What one stage cost in the run that was the median of all.
public struct StageFigure: Sendable {
    public var name: String
    public var readings: Int
    public var cost: Cost

    public var nanosecondsPerReading: Double { Self.ratio(Double(cost.wallNanoseconds), readings) }
    public var cpuNanosecondsPerReading: Double { Self.ratio(Double(cost.cpuNanoseconds), readings) }
    public var readingsPerSecond: Double {
        cost.wallNanoseconds > 0 ? Double(readings) / Double(cost.wallNanoseconds) * 1e9 : 0
    }
    /// nil where nobody counts.
    public var allocationsPerReading: Double? { cost.allocations.map { Self.ratio(Double($0), readings) } }

    private static func ratio(_ value: Double, _ count: Int) -> Double { count > 0 ? value / Double(count) : 0 }

    /// The run in the middle by wall time.
    static func median(_ name: String, readings: Int, of costs: [Cost]) -> StageFigure {
        let sorted = costs.sorted { $0.wallNanoseconds < $1.wallNanoseconds }
        return StageFigure(name: name, readings: readings, cost: sorted.isEmpty ? Cost() : sorted[sorted.count / 2])
    }

    func write(to json: inout JSONWriter) {
        json.object {
            $0.field("stage", name)
            $0.field("nanoseconds_per_reading", nanosecondsPerReading)
            $0.field("cpu_nanoseconds_per_reading", cpuNanosecondsPerReading)
            $0.field("readings_per_second", readingsPerSecond)
            $0.key("allocations_per_reading")
            if let allocationsPerReading { $0.value(allocationsPerReading) } else { $0.null() }
        }
    }
}

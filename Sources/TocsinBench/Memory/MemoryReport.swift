internal import TocsinCore
internal import TocsinMeasure

/// What `MemoryBench` found.
public struct MemoryReport: Sendable {
    let settings: MemorySettings
    /// Resident bytes before the engine was made, and at the end.
    var before: Int64 = 0
    var after: Int64 = 0
    var peak: Int64 = 0
    var parts: [MemoryPart] = []
    /// After the warm-up.
    var readings = 0
    var cost = Cost()
    /// Paced only: from a batch's last event time until it was taken and room was made.
    var lag = HdrHistogram(lowest: 1000, highest: 3_600_000_000_000)
    var lastLag: Int64 = 0
    private static let patience: Int64 = 1_000_000_000

    init(settings: MemorySettings) { self.settings = settings }

    /// Paced: never more than a second behind at the end, and in 99 of 100 batches.
    var keptUp: Bool { lastLag <= Self.patience && lag.value(atQuantile: 0.99) <= Self.patience }

    private var grown: Int64 { max(0, after - before) }
    private var rest: Int64 { grown - Int64(parts.reduce(0) { $0 + $1.bytes }) }
    private var cpuNanoseconds: Double { readings > 0 ? Double(cost.cpuNanoseconds) / Double(readings) : 0 }
    private var nanoseconds: Double { readings > 0 ? Double(cost.wallNanoseconds) / Double(readings) : 0 }

    private func perSeries(_ bytes: Int64) -> Double { Double(bytes) / Double(max(1, settings.sensors)) }

    /// For people.
    public var text: String {
        var table = TextTable(["part", "memory", "bytes a series"])
        for part in parts {
            table.add([part.name, Figure.bytes(part.bytes), Figure.decimal(perSeries(Int64(part.bytes)))])
        }
        table.add([parts.isEmpty ? "all" : "rest", Figure.bytes(rest), Figure.decimal(perSeries(rest))])
        if !parts.isEmpty { table.add(["together", Figure.bytes(grown), Figure.decimal(perSeries(grown))]) }
        var lines = [
            Machine.current().line,
            "\(Figure.grouped(settings.sensors)) sensors, one series and one reading a second each, "
                + "\(Figure.grouped(settings.warmUp + settings.seconds)) s of event time "
                + (settings.isPaced ? "in real time" : "as fast as possible") + ", "
                + (settings.persists ? "windows and anomalies stored" : "nothing stored"), "",
            table.text, "",
            "resident before, after, peak  \(Figure.bytes(before)), \(Figure.bytes(after)), \(Figure.bytes(peak))",
            "cost of a reading             \(Figure.decimal(cpuNanoseconds)) ns CPU, \(Figure.decimal(nanoseconds)) ns "
                + "(after the warm-up; about 15 ns of it make the reading)",
        ]
        if settings.isPaced {
            lines.append(
                "lag p50, p99, max, last       "
                    + [lag.value(atQuantile: 0.5), lag.value(atQuantile: 0.99), lag.maximum, lastLag]
                    .map { Figure.milliseconds($0) }.joined(separator: ", "))
            lines.append(keptUp ? "It kept up." : "It did NOT keep up.")
        }
        return lines.joined(separator: "\n")
    }

    /// One JSON object and an end of line.
    public var json: [UInt8] {
        var json = JSONWriter()
        json.object {
            ReportFile.begin("memory", &$0)
            $0.field("sensors", settings.sensors)
            $0.field("seconds", settings.seconds)
            $0.field("warm_up_seconds", settings.warmUp)
            $0.field("is_paced", settings.isPaced)
            $0.field("persists", settings.persists)
            $0.field("resident_before_bytes", before)
            $0.field("resident_bytes", after)
            $0.field("peak_resident_bytes", peak)
            $0.field("bytes_per_series", perSeries(grown))
            $0.key("parts")
            $0.object { list in
                for part in parts { list.field(part.name, part.bytes) }
                list.field("rest", rest)
            }
            $0.field("readings", readings)
            $0.field("cpu_nanoseconds_per_reading", cpuNanoseconds)
            $0.field("nanoseconds_per_reading", nanoseconds)
            guard settings.isPaced else { return }
            $0.field("kept_up", keptUp)
            $0.field("lag_p99_ms", Double(lag.value(atQuantile: 0.99)) / 1e6)
            $0.field("lag_max_ms", Double(lag.maximum) / 1e6)
        }
        json.newline()
        return json.bytes
    }
}

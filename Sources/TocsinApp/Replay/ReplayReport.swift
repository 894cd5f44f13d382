public import TocsinCore
public import TocsinEngine
public import TocsinJobs

/// What a replay found, as a table for people or one JSON object for programs.
public struct ReplayReport: Sendable {
    /// What judged, and what is to be said of it: what it learnt from, who was not judged.
    public var detector: String
    public var notes: [String]
    /// Pictures drawn; nil = none were asked for.
    public var pictures: Int?
    public var files: Int
    public var bytes: Int64
    public var seconds: Double
    public var metrics: EngineMetrics.Snapshot
    public var sensors: Int
    public var series: Int
    /// Newest last, at most `alarmLimit`.
    public var alarms: [Alarm]
    public var alarmsTotal: Int
    public var labels: LabelEvaluation.Report?
    public var cpuSeconds: Double
    public var peakResidentBytes: Int64

    /// Alarms listed in the table.
    public static let alarmLimit = 20

    public var readingsPerSecond: Double { seconds > 0 ? Double(metrics.received) / seconds : 0 }

    public var table: String {
        var lines: [String] = []
        func row(_ name: String, _ value: String) {
            lines.append("  " + name + String(repeating: " ", count: max(1, 22 - name.count)) + value)
        }
        lines.append("Input")
        row("files", "\(files) (\(Self.size(bytes)))")
        row("sensors, series", "\(Self.grouped(sensors)), \(Self.grouped(series))")
        row("events", Self.grouped(metrics.events))
        row("readings", Self.grouped(metrics.received))
        lines.append("Fate of the readings")
        row("stored", Self.grouped(metrics.stored))
        row("late", Self.grouped(metrics.late))
        row("duplicate", Self.grouped(metrics.duplicate))
        row("dead letters", Self.grouped(metrics.deadLettered))
        for (reason, count) in metrics.deadLettersByReason.sorted(by: { $0.key.rawValue < $1.key.rawValue }) {
            row("  \(reason.rawValue)", Self.grouped(count))
        }
        lines.append("Found")
        row("detector", detector)
        for note in notes { row("", note) }
        row("windows", Self.grouped(metrics.windows))
        row("anomalies", Self.grouped(metrics.anomalies))
        for kind in AnomalyKind.allCases {
            if let count = metrics.anomaliesByKind[kind] { row("  \(kind.name)", Self.grouped(count)) }
        }
        row("alarms", Self.grouped(metrics.alarmsRaised))
        if let pictures { row("pictures", Self.grouped(pictures)) }
        lines += labelLines()
        lines.append("Speed")
        row("time", "\(Self.rounded(seconds)) s (CPU \(Self.rounded(cpuSeconds)) s)")
        row("readings per second", Self.grouped(Int(readingsPerSecond)))
        row("per reading", "\(Self.rounded(metrics.inference.mean * 1e6)) µs in detectors and windows")
        row("peak memory", Self.size(peakResidentBytes))
        lines += alarmLines()
        return lines.joined(separator: "\n")
    }

    public var json: [UInt8] {
        var writer = JSONWriter()
        writer.object {
            $0.field("files", files)
            $0.field("bytes", bytes)
            $0.field("sensors", sensors)
            $0.field("series", series)
            $0.field("events", Int64(metrics.events))
            $0.field("readings", Int64(metrics.received))
            $0.field("stored", Int64(metrics.stored))
            $0.field("late", Int64(metrics.late))
            $0.field("duplicate", Int64(metrics.duplicate))
            $0.field("dead_lettered", Int64(metrics.deadLettered))
            $0.key("dead_letters")
            $0.object { reasons in
                for (reason, count) in metrics.deadLettersByReason.sorted(by: { $0.key.rawValue < $1.key.rawValue }) {
                    reasons.field(reason.rawValue, Int64(count))
                }
            }
            $0.field("detector", detector)
            $0.field("windows", Int64(metrics.windows))
            $0.key("anomalies")
            $0.object { kinds in
                for kind in AnomalyKind.allCases {
                    if let count = metrics.anomaliesByKind[kind] { kinds.field(kind.name, Int64(count)) }
                }
            }
            $0.field("alarms", Int64(metrics.alarmsRaised))
            if let labels {
                $0.key("labels")
                $0.object {
                    $0.field("episodes", labels.episodes)
                    $0.field("episodes_found", labels.episodesFound)
                    $0.field("incidents", labels.incidents)
                    $0.field("incidents_right", labels.incidentsRight)
                    $0.field("precision", labels.precision)
                    $0.field("recall", labels.recall)
                    $0.field("f1", labels.f1)
                    $0.field("median_delay_seconds", labels.medianDelay)
                }
            }
            $0.field("seconds", seconds)
            $0.field("cpu_seconds", cpuSeconds)
            $0.field("readings_per_second", readingsPerSecond)
            $0.field("peak_resident_bytes", peakResidentBytes)
        }
        writer.newline()
        return writer.bytes
    }

    private func labelLines() -> [String] {
        guard let labels else { return [] }
        guard labels.labelledEvents > 0 else { return ["Labels", "  no event carried a label"] }
        func share(_ value: Double) -> String { value.isFinite ? "\(Self.rounded(value))" : "-" }
        return [
            "Against the labels",
            "  episodes found      \(labels.episodesFound) of \(labels.episodes) (recall \(share(labels.recall)))",
            "  incidents right     \(labels.incidentsRight) of \(labels.incidents) (precision \(share(labels.precision)))",
            "  F1                  \(share(labels.f1))",
            "  median delay        \(labels.medianDelay.isFinite ? Sentence.duration(labels.medianDelay) : "-")",
        ]
    }

    private func alarmLines() -> [String] {
        guard !alarms.isEmpty else { return [] }
        let heading = alarmsTotal > alarms.count ? "Alarms (the first \(alarms.count) of \(alarmsTotal))" : "Alarms"
        return [heading] + alarms.map { "  \($0.verdicts) × \($0.kind.name)  \($0.sentence)" }
    }

    static func grouped(_ number: some BinaryInteger) -> String {
        var text = ""
        for (position, digit) in String(number).reversed().enumerated() {
            if position > 0, position % 3 == 0, digit != "-" { text.append(",") }
            text.append(digit)
        }
        return String(text.reversed())
    }

    static func rounded(_ value: Double) -> Double { (value * 1000).rounded() / 1000 }

    static func size(_ bytes: Int64) -> String {
        let units = ["B", "KiB", "MiB", "GiB", "TiB"]
        var value = Double(bytes)
        var unit = 0
        while value >= 1024, unit < units.count - 1 {
            value /= 1024
            unit += 1
        }
        return unit == 0 ? "\(bytes) B" : "\((value * 10).rounded() / 10) \(units[unit])"
    }
}

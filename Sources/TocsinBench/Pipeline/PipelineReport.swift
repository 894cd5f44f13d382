internal import TocsinCore
internal import TocsinMeasure

/// What `PipelineBench` found.
public struct PipelineReport: Sendable {
    public var files: Int
    public var bytes: Int64
    public var readings: Int
    public var repeats: Int
    /// Each alone.
    public var stages: [StageFigure]
    /// One after the other on one thread; empty unless asked for.
    public var cumulative: [StageFigure]
    /// nil unless asked for.
    public var line: WholeLine?

    /// For people.
    public var text: String {
        var lines = [
            Machine.current().line,
            "\(Figure.grouped(readings)) readings in \(files) files (\(Figure.bytes(bytes))), median of \(repeats)", "",
            "Each stage alone, one thread", table(stages),
        ]
        if !cumulative.isEmpty { lines += ["", "One after the other, one thread", table(cumulative)] }
        if stages.allSatisfy({ $0.cost.allocations == nil }) {
            lines += ["", "Allocations are counted by allocation-gate, see Benchmarks/README.md."]
        }
        if let line {
            let speeds = line.readingsPerSecond
            let range =
                "(\(Figure.decimal(speeds.min() ?? 0, digits: 0)) to \(Figure.decimal(speeds.max() ?? 0, digits: 0)))"
            lines += [
                "", "Whole line, raw input durable too: tocsin replay --spool, all threads",
                "  readings per second  \(Figure.decimal(line.medianReadingsPerSecond, digits: 0)) \(range)",
                "  time, CPU            \(Figure.decimal(line.seconds, digits: 2)) s, "
                    + "\(Figure.decimal(line.cpuSeconds, digits: 2)) s",
                "  peak memory          \(Figure.bytes(line.peakResidentBytes))",
            ]
        }
        return lines.joined(separator: "\n")
    }

    /// One JSON object and an end of line.
    public var json: [UInt8] {
        var json = JSONWriter()
        json.object {
            ReportFile.begin("pipeline", &$0)
            $0.field("readings", readings)
            $0.field("bytes", bytes)
            $0.field("repeats", repeats)
            $0.key("stages")
            $0.array { list in for stage in stages { stage.write(to: &list) } }
            $0.key("cumulative")
            $0.array { list in for stage in cumulative { stage.write(to: &list) } }
            guard let line else { return }
            $0.key("whole_line")
            $0.object {
                $0.field("readings_per_second", line.medianReadingsPerSecond)
                $0.field("seconds", line.seconds)
                $0.field("cpu_seconds", line.cpuSeconds)
                $0.field("peak_resident_bytes", line.peakResidentBytes)
            }
        }
        json.newline()
        return json.bytes
    }

    private func table(_ figures: [StageFigure]) -> String {
        let counts = figures.contains { $0.cost.allocations != nil }
        var table = TextTable(
            ["stage", "ns/reading", "CPU ns/reading", "readings/s"] + (counts ? ["allocations/reading"] : []))
        for figure in figures {
            var cells = [
                figure.name, Figure.decimal(figure.nanosecondsPerReading),
                Figure.decimal(figure.cpuNanosecondsPerReading), Figure.decimal(figure.readingsPerSecond, digits: 0),
            ]
            if counts { cells.append(figure.allocationsPerReading.map { Figure.decimal($0, digits: 4) } ?? "-") }
            table.add(cells)
        }
        return table.text
    }
}

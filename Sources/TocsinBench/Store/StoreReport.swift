internal import TocsinCore
internal import TocsinMeasure

/// What `StoreBench` found.
public struct StoreReport: Sendable {
    let settings: StoreBenchSettings
    /// nil unless asked for.
    var writing: StoreWriteFigure?
    /// One for each way of asking; empty unless asked for.
    var listings: [ListingRun] = []

    init(settings: StoreBenchSettings) { self.settings = settings }

    /// For people.
    public var text: String {
        let name = settings.engine == .sqlite ? "SQLite" : "PostgreSQL"
        var lines = [
            Machine.current().line, "\(name), events of \(Figure.grouped(StoreBenchSettings.sensors)) sensors",
        ]
        if let writing { lines += ["", text(writing)] }
        for run in listings { lines += ["", text(run)] }
        return lines.joined(separator: "\n")
    }

    private func text(_ writing: StoreWriteFigure) -> String {
        var lines = [
            "Writing \(Figure.grouped(writing.rows)) events, \(Figure.grouped(writing.rowsPerWrite)) a transaction, each "
                + "durable; median of \(writing.rowsPerSecond.values.count)",
            "  rows per second      \(writing.rowsPerSecond.text())",
            "  rows per CPU second  \(writing.rowsPerCPUSecond.text())"
                + (settings.engine == .postgres ? " (of this process; the server's time is its own)" : ""),
            "  bytes an event       \(Figure.decimal(writing.bytesPerEvent)), indexes and message included",
            "  slowest write        \(Figure.milliseconds(writing.slowestWrite))",
        ]
        if !writing.psqlRatio.values.isEmpty {
            lines += [
                "  psql \\copy           \(writing.psqlRowsPerSecond.text()) of the same rows",
                "  times psql           \(writing.psqlRatio.text(digits: 2))",
            ]
        }
        return lines.joined(separator: "\n")
    }

    private func text(_ run: ListingRun) -> String {
        var table = TextTable(
            ["listing, ms", "p50", "p99", "max"] + (run.countsCPU ? ["CPU p50", "CPU p99"] : []) + ["rows each"])
        func cells(_ name: String, _ times: ListingTimes, rows: Int?) -> [String] {
            var cells = [name] + [0.5, 0.99, 1].map { Self.milliseconds(times.wall.value(atQuantile: $0)) }
            if run.countsCPU { cells += [0.5, 0.99].map { Self.milliseconds(times.cpu.value(atQuantile: $0)) } }
            return cells + [rows.map { Figure.decimal(Double($0) / Double(max(1, times.wall.count))) } ?? ""]
        }
        for figure in run.figures {
            table.add(cells("\(figure.table.rawValue): \(figure.filter.rawValue)", figure.times, rows: figure.rows))
        }
        table.add(cells("all", run.total, rows: nil))
        var lines = [
            "Listings of up to \(RecordQuery().limit) rows, \(run.name), \(Figure.grouped(settings.stored)) events and "
                + "\(Figure.grouped(settings.stored / Listings.eventsPerAnomaly)) anomalies stored",
            table.text,
        ]
        if let worst = run.worst {
            lines.append(
                "p99 of all \(Self.milliseconds(run.total.wall.value(atQuantile: 0.99))) ms; of the slowest kind "
                    + "\(Self.milliseconds(worst.times.wall.value(atQuantile: 0.99))) ms "
                    + "(\(worst.table.rawValue): \(worst.filter.rawValue))")
        }
        if let written = run.written {
            lines.append(
                "written meanwhile: \(Figure.decimal(written.rowsPerSecond, digits: 0)) rows/s of "
                    + "\(Figure.grouped(settings.ingest ?? 0)) wanted; slowest write "
                    + Figure.milliseconds(written.slowestWrite))
        }
        return lines.joined(separator: "\n")
    }

    private static func milliseconds(_ nanoseconds: Int64) -> String {
        Figure.decimal(Double(nanoseconds) / 1e6, digits: 2)
    }
}

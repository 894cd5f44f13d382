internal import TocsinCore
internal import TocsinMeasure

/// What `LakeBench` found.
public struct LakeReport: Sendable {
    let repeats: Int
    /// With the message as received, then without; empty unless asked for.
    var bronze: [BronzeFigure] = []
    /// nil unless asked for.
    var line: LakeLineFigure?
    var etl: ETLFigures?

    init(repeats: Int) { self.repeats = repeats }

    /// For people.
    public var text: String {
        var lines = [Machine.current().line, "\(repeats) runs each: median (least to most)"]
        if !bronze.isEmpty { lines += ["", bronzeText] }
        if let line { lines += ["", Self.text(line)] }
        if let etl { lines += ["", Self.text(etl)] }
        return lines.joined(separator: "\n")
    }

    private var bronzeText: String {
        var table = TextTable(["message", "readings/s", "CPU s", "bytes/reading", "files"])
        for figure in bronze {
            table.add([
                figure.keepsPayload ? "kept" : "left out", figure.readingsPerSecond.text(),
                figure.cpuSeconds.text(digits: 2), Figure.decimal(figure.bytesPerReading, digits: 2),
                "\(figure.files)",
            ])
        }
        return "Bronze alone: \(Figure.grouped(bronze.first?.readings ?? 0)) readings from the spool to Parquet\n"
            + table.text
    }

    private static func text(_ line: LakeLineFigure) -> String {
        [
            "Whole line of \(Figure.grouped(line.readings)) readings, raw input durable, in turn without and with the "
                + "lake's writer",
            "  readings per second alone     \(line.alone.text())",
            "  readings per second with it   \(line.beside.text())",
            "  of the speed lost             \(percent(line.loss))",
            "  CPU alone                     \(line.cpuAlone.text(digits: 2)) s",
            "  CPU with it, all in bronze    \(line.cpuBeside.text(digits: 2)) s",
            "  in bronze when all is stored  \(percent(line.shareWritten)), the rest "
                + "\(line.secondsBehind.text(digits: 2)) s later",
        ].joined(separator: "\n")
    }

    private static func text(_ etl: ETLFigures) -> String {
        var table = TextTable(["bronze to silver and gold/hourly", "rows", "rows/s", "CPU s"])
        for figure in etl.kinds + [etl.small, etl.pandas].compactMap(\.self) {
            table.add([
                figure.name, Figure.grouped(figure.rows), figure.rowsPerSecond.text(),
                figure.cpuSeconds.values.isEmpty ? "-" : figure.cpuSeconds.text(digits: 2),
            ])
        }
        var text = table.text
        if let times = etl.timesPandas {
            text += "\nThe small file: \(Figure.decimal(times)) times as fast as pandas"
        }
        return text
    }

    private static func percent(_ share: Spread) -> String {
        Spread(share.values.map { $0 * 100 }).text(digits: 1) + " %"
    }
}

extension ETLFigures {
    /// By the medians; nil where pandas was not asked.
    var timesPandas: Double? {
        guard let small, let pandas, pandas.rowsPerSecond.median > 0 else { return nil }
        return small.rowsPerSecond.median / pandas.rowsPerSecond.median
    }
}

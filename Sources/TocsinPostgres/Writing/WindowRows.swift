internal import TocsinCore

/// The windows of one write, in the order in which they are written: by series and start; of one window the one of most
/// readings, among equals the last.
struct WindowRows {
    struct Row {
        var series: Int32
        var definition: Int32
        var outcome: Int32
        var row: Int32
        var start: Int64
        var count: Double
    }

    private(set) var rows: [Row] = []
    let definitions: [WindowDefinition]

    /// - Throws: `TocsinError` where a batch does not have the promised form.
    init(_ outcomes: [BatchOutcome], _ numbers: RowNumbers, _ definitions: [WindowDefinition]) throws {
        self.definitions = definitions
        // One that is configured twice is one.
        let same = definitions.map { Int32(definitions.firstIndex(of: $0) ?? 0) }
        for (number, outcome) in outcomes.enumerated() {
            let batch = outcome.windows
            guard batch.statistics.count == batch.count * WindowStatistic.columns, batch.scores.count == batch.count
            else {
                throw TocsinError(
                    .store, "a batch of \(batch.count) windows has \(batch.statistics.count) statistics",
                    remedy: "Please report this with the text above.")
            }
            for row in 0..<batch.count {
                guard definitions.indices.contains(Int(batch.definition[row])) else {
                    throw TocsinError(
                        .store,
                        "a window has definition \(batch.definition[row]), and \(definitions.count) are configured",
                        remedy: "Please report this with the text above.")
                }
                rows.append(
                    Row(
                        series: numbers.series[Int(batch.series[row].index)],
                        definition: same[Int(batch.definition[row])], outcome: Int32(truncatingIfNeeded: number),
                        row: Int32(truncatingIfNeeded: row), start: batch.start[row].nanoseconds,
                        count: batch.value(.count, row: row)))
            }
        }
        arrange()
    }

    private mutating func arrange() {
        func key(_ row: Row) -> (Int32, Int64, Int32) { (row.series, row.start, row.definition) }
        rows.sort { key($0) < key($1) }
        var kept = 0
        for row in rows.indices.dropFirst() {
            if key(rows[kept]) < key(rows[row]) {
                kept += 1
                rows[kept] = rows[row]
            } else if rows[row].count >= rows[kept].count {
                rows[kept] = rows[row]
            }
        }
        if !rows.isEmpty { rows.removeLast(rows.count - 1 - kept) }
    }

    var days: [Int64: Int] {
        rows.reduce(into: [:]) { $0[DayPartitions.number(of: $1.start), default: 0] += 1 }
    }

    static let statistics = WindowStatistic.allCases.map(\.name)
    static let columns = (["start", "size", "slide", "series_id", "score"] + statistics).joined(separator: ", ")
    static let fields = Int16(5 + WindowStatistic.columns)

    /// The fields of `columns`.
    func append(_ row: Row, of outcomes: [BatchOutcome], to buffer: inout BinaryWriter) {
        let definition = definitions[Int(row.definition)]
        buffer.append(field: row.start)
        buffer.append(field: definition.size.nanoseconds)
        buffer.append(field: definition.slide.nanoseconds)
        buffer.append(field: row.series)
        buffer.append(field: outcomes[Int(row.outcome)].windows.scores[Int(row.row)])
        let first = Int(row.row) * WindowStatistic.columns
        for column in first..<first + WindowStatistic.columns {
            buffer.append(field: outcomes[Int(row.outcome)].windows.statistics[column])
        }
    }
}

/// When a labelled event can first be seen in the sensors at all, judged with hindsight by one fixed rule.
enum FireSign {
    /// Rows before an event that say what is usual, and rows before its label in which its sign may lie.
    static let history = 300
    static let lead = 60

    struct Event: Sendable {
        var rows: Range<Int>
        /// The first row with a sign; nil where there is none or too little before it to tell.
        var sign: Int?
        /// The column with the sign.
        var column: Int?
        /// Rows before it were too few to know what is usual.
        var lacksHistory = false
    }

    /// The labelled stretches of one recording with their first signs.
    ///
    /// A sign: in three rows in a row a column is further than six robust standard deviations (1.4826 × MAD, at least
    /// its smallest step) from its median in the `history` rows that end `lead` rows before the label.
    static func events(in table: LabelledTable) -> [Event] {
        RowRuns.find(in: table.targets.map { $0 >= 0.5 }).map { rows in
            let end = rows.lowerBound - lead
            guard end >= lead else { return Event(rows: rows, lacksHistory: true) }
            var event = Event(rows: rows)
            for column in 0..<table.width {
                let values = (0..<table.rowCount).map { table.values[$0 * table.width + column] }
                let last = min(event.sign ?? rows.upperBound, rows.upperBound)
                if let sign = sign(values, before: end, upTo: last) { (event.sign, event.column) = (sign, column) }
            }
            return event
        }
    }

    private static func sign(_ values: [Double], before end: Int, upTo last: Int) -> Int? {
        let usual = Array(values[max(0, end - history)..<end])
        let middle = median(usual)
        let steps = zip(values, values.dropFirst()).map { abs($1 - $0) }.filter { $0 > 1e-9 }
        let spread = max(1.4826 * median(usual.map { abs($0 - middle) }), steps.min() ?? .infinity)
        var run = 0
        for row in end..<min(last + 2, values.count) {
            run = abs(values[row] - middle) > 6 * spread ? run + 1 : 0
            if run == 3 { return row - 2 < last ? row - 2 : nil }
        }
        return nil
    }

    private static func median(_ values: [Double]) -> Double {
        let sorted = values.sorted()
        return sorted.isEmpty ? .nan : (sorted[(sorted.count - 1) / 2] + sorted[sorted.count / 2]) / 2
    }

    /// How ordinary the labelled rows of an event without sign are: the column that stands out most, and the share of
    /// quiet rows within ten minutes that lie at least as far from their median.
    static func ordinariness(of event: Event, in table: LabelledTable) -> (column: String, share: Double)? {
        let near = max(0, event.rows.lowerBound - 600)..<min(table.rowCount, event.rows.upperBound + 600)
        let quiet = near.filter { table.targets[$0] < 0.5 }
        guard quiet.count >= 60 else { return nil }
        let shares = (0..<table.width).map { column in
            let usual = quiet.map { table.values[$0 * table.width + column] }
            let middle = median(usual)
            let farthest = event.rows.map { abs(table.values[$0 * table.width + column] - middle) }.max() ?? 0
            return Double(usual.filter { abs($0 - middle) >= farthest }.count) / Double(usual.count)
        }
        return zip(table.columnNames, shares).min { $0.1 < $1.1 }.map { ($0.0, $0.1) }
    }
}

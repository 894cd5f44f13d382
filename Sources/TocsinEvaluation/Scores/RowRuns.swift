/// Maximal runs of true rows.
enum RowRuns {
    /// Half-open row ranges in ascending order; runs with fewer than `joinRows` rows between them become one. O(n).
    static func find(in flags: [Bool], joinRows: Int = 0) -> [Range<Int>] {
        var runs: [Range<Int>] = []
        var start: Int?
        for row in 0...flags.count {
            let isOn = row < flags.count && flags[row]
            if isOn {
                if start == nil { start = row }
            } else if let first = start {
                if let last = runs.last, first - last.upperBound < joinRows {
                    runs[runs.count - 1] = last.lowerBound..<row
                } else {
                    runs.append(first..<row)
                }
                start = nil
            }
        }
        return runs
    }
}

/// What each row of one file would earn or cost if it were flagged.
struct NABSweep {
    let scores: [Double]
    let probation: Int
    /// The windows in ascending order, cut to the file.
    let windows: [Range<Int>]
    /// Weighted value of a flag at each row.
    private(set) var values: [Double]
    private var windowOfRow: [Int32]
    private let falseNegativeWeight: Double

    var rows: Int { scores.count }

    init(_ file: NABFile, profile: NABProfile) {
        falseNegativeWeight = profile.falseNegativeWeight
        scores = file.scores.map(ScoreOrder.comparable)
        probation = NABScorer.probationaryRows(scores.count)
        let rows = 0..<scores.count
        let windows = file.windows.map { $0.clamped(to: rows) }.filter { !$0.isEmpty }
            .sorted { $0.lowerBound < $1.lowerBound }
        self.windows = windows
        values = Array(repeating: -profile.falsePositiveWeight, count: scores.count)
        windowOfRow = Array(repeating: -1, count: scores.count)
        fillOutside(profile)
        fillInside(profile)
    }

    /// False alarms are judged by their distance from the window before them, in widths of that window.
    private mutating func fillOutside(_ profile: NABProfile) {
        for (index, window) in windows.enumerated() where window.count > 1 {
            let end = index + 1 < windows.count ? windows[index + 1].lowerBound : rows
            guard window.upperBound < end else { continue }
            for row in window.upperBound..<end {
                let position = Double(row - window.upperBound + 1) / Double(window.count - 1)
                values[row] = NABScorer.scaledSigmoid(position) * profile.falsePositiveWeight
            }
        }
    }

    private mutating func fillInside(_ profile: NABProfile) {
        let earliest = NABScorer.scaledSigmoid(-1)
        for (index, window) in windows.enumerated() {
            for row in window {
                // The last row stands one row before the right edge, as in NAB, so that it still earns something.
                let position = -Double(window.upperBound - row) / Double(window.count)
                values[row] = NABScorer.scaledSigmoid(position) * profile.truePositiveWeight / earliest
                windowOfRow[row] = Int32(truncatingIfNeeded: index)
            }
        }
    }

    func window(of row: Int) -> Int? { windowOfRow[row] >= 0 ? Int(windowOfRow[row]) : nil }

    /// Windows with at least one scored row; the others can neither be found nor missed.
    var windowCount: Int { windows.count { $0.upperBound > probation } }

    /// What the file earns at a threshold, and its row counts.
    func result(name: String, threshold: Double) -> NABScorer.FileResult {
        var counts = PointCounts()
        var falseAlarms = 0.0
        var earned: [Double?] = Array(repeating: nil, count: windows.count)
        for row in probation..<rows {
            let isFlagged = scores[row] >= threshold && scores[row] > -.infinity
            guard let window = window(of: row) else {
                if isFlagged { falseAlarms += values[row] }
                if isFlagged { counts.falsePositives += 1 } else { counts.trueNegatives += 1 }
                continue
            }
            if isFlagged { earned[window] = max(earned[window] ?? 0, values[row]) }
            if isFlagged { counts.truePositives += 1 } else { counts.falseNegatives += 1 }
        }
        var raw = falseAlarms
        for (index, window) in windows.enumerated() where window.upperBound > probation {
            raw += earned[index] ?? -falseNegativeWeight
        }
        return NABScorer.FileResult(name: name, raw: raw, counts: counts)
    }
}

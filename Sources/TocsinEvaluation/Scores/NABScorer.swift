import Glibc

/// The scoring of the Numenta Anomaly Benchmark v1.1, figure for figure (Lavin and Ahmad, ICMLA 2015;
/// `nab/sweeper.py`).
///
/// The first 15 % of a file, at most 750 rows, are not scored. A row is flagged when its score is at or above the
/// threshold; NaN never is. A window earns what its earliest flag earns, a flag outside costs more the farther it is
/// from the window before it.
public enum NABScorer {
    /// One file's part of a result.
    public struct FileResult: Equatable, Sendable {
        public var name: String
        /// The file's score before normalisation.
        public var raw: Double
        /// Row counts, as NAB prints them.
        public var counts: PointCounts
    }

    /// A corpus at one threshold under one profile.
    public struct Result: Sendable {
        public var files: [FileResult]
        /// Sum of the files' raw scores.
        public var raw: Double
        /// 0 for a detector that never fires, 100 for a perfect one; 0 when there is no scored window.
        public var normalised: Double
        /// All rows of all files.
        public var counts: PointCounts { files.reduce(PointCounts()) { $0 + $1.counts } }
    }

    /// Scores a corpus at a given threshold. O(rows).
    public static func score(_ files: [NABFile], profile: NABProfile, threshold: Double) -> Result {
        var results: [FileResult] = []
        var windows = 0
        for file in files {
            let sweep = NABSweep(file, profile: profile)
            results.append(sweep.result(name: file.name, threshold: threshold))
            windows += sweep.windowCount
        }
        let raw = results.reduce(0) { $0 + $1.raw }
        return Result(files: results, raw: raw, normalised: normalise(raw, windows: windows, profile: profile))
    }

    /// The threshold that serves the whole corpus best under a profile, by NAB's sweep over all distinct scores; the
    /// highest of equally good ones. It is chosen on the labels, so its score is an upper bound. O(n log n).
    public static func optimize(
        _ files: [NABFile], profile: NABProfile
    ) -> (threshold: Double, normalised: Double) {
        let sweeps = files.map { NABSweep($0, profile: profile) }
        var rows: [(score: Double, file: Int, row: Int)] = []
        for (file, sweep) in sweeps.enumerated() {
            for row in sweep.probation..<sweep.rows { rows.append((sweep.scores[row], file, row)) }
        }
        rows.sort { $0.score > $1.score || ($0.score == $1.score && ($0.file, $0.row) < ($1.file, $1.row)) }
        let windows = sweeps.reduce(0) { $0 + $1.windowCount }

        var earned = sweeps.map { Array(repeating: -profile.falseNegativeWeight, count: $0.windows.count) }
        var total = -profile.falseNegativeWeight * Double(windows)
        // NAB begins above its highest score, 1; scores beyond that range get a start above them all.
        var best = (threshold: max(1.1, (rows.first?.score ?? 0).nextUp), raw: total)
        for (place, item) in rows.enumerated() {
            // Rows without a score close the list and are never flagged.
            guard item.score > -.infinity else { break }
            let value = sweeps[item.file].values[item.row]
            if let window = sweeps[item.file].window(of: item.row) {
                let gain = max(0, value - earned[item.file][window])
                earned[item.file][window] += gain
                total += gain
            } else {
                total += value
            }
            let isLastOfThreshold = place + 1 == rows.count || rows[place + 1].score != item.score
            if isLastOfThreshold, total > best.raw { best = (item.score, total) }
        }
        return (best.threshold, normalise(best.raw, windows: windows, profile: profile))
    }

    /// 100 × (raw - null) / (perfect - null), where null misses every window and perfect finds each at its first row.
    static func normalise(_ raw: Double, windows: Int, profile: NABProfile) -> Double {
        let null = -profile.falseNegativeWeight * Double(windows)
        let perfect = profile.truePositiveWeight * Double(windows)
        return perfect > null ? 100 * (raw - null) / (perfect - null) : 0
    }

    /// The probationary rows of a file of `count` rows.
    static func probationaryRows(_ count: Int) -> Int { min(Int((0.15 * Double(count)).rounded(.down)), 750) }

    /// 1 far before, 0 at the right edge of a window, -1 far behind it.
    static func scaledSigmoid(_ position: Double) -> Double {
        position >= 3 ? -1 : 2 / (1 + exp(5 * position)) - 1
    }
}

public import TocsinCore

extension FireModel {
    /// How a fire model is trained.
    public struct Training: Sendable {
        /// Seconds from the beginning of a labelled stretch that count as fire: later rows are an unusual state without
        /// change, and teach neither fire nor quiet. Default 120.
        public var onsetSeconds: Double
        /// Of the quiet rows every so many-th is learnt: neighbours are near copies. Default 5.
        public var quietStride: Int
        public var trees: Int
        /// Seconds between rows where no times are given. Default 1.
        public var rowSeconds: Double
        public var seed: UInt64
        /// At most so many at once; 0 = all cores.
        public var threads: Int

        public init(
            onsetSeconds: Double = 120, quietStride: Int = 5, trees: Int = 100, rowSeconds: Double = 1,
            seed: UInt64 = 1, threads: Int = 0
        ) {
            self.onsetSeconds = onsetSeconds
            self.quietStride = max(quietStride, 1)
            self.trees = trees
            self.rowSeconds = rowSeconds
            self.seed = seed
            self.threads = threads
        }
    }

    /// Trains a model on labelled recordings.
    ///
    /// The threshold is the least that gives no alarm on quiet time of the recordings when each fifth of the time is
    /// judged by a forest of the other fifths, and at least 0.5.
    ///
    /// - Parameters:
    ///   - rows: row after row, one value per column, each recording in order of time; NaN = missing.
    ///   - columns: their names; clocks, counters and labels are passed over.
    ///   - labels: per row, whether there was fire or smoke.
    ///   - recordings: per row the number of its recording (sensor, place, day); their rows must follow one another.
    ///   - times: per row; nil = `rowSeconds` apart.
    /// - Throws: `TocsinError(.model)` where sizes do not fit, the columns are those of no fire sensor, or no fire begins
    ///   within a recording after five minutes of it: such labels teach no change.
    public static func train(
        rows: [Double], columns: [String], labels: [Bool], recordings: [Int], times: [Timestamp]? = nil,
        settings: Training = Training()
    ) throws -> (model: FireModel, report: FireTrainingReport) {
        let examples = try FireExamples(
            rows: rows, columns: columns, labels: labels, recordings: recordings, times: times, settings: settings)
        guard examples.onsets > 0 else {
            throw TocsinError(
                .model,
                "No fire begins within a recording after its first \(Int(FireSettings().learningSeconds)) s: there is no "
                    + "change to learn from.",
                remedy: "Give recordings that hold at least some minutes before the fire.")
        }
        let fit = try examples.fit { _ in true }
        let validation = try examples.validate()
        guard let model = FireModel(forest: fit.forest, threshold: validation.threshold) else {
            throw TocsinError(.model, "The forest of change does not fit its own features.")
        }
        let numbers = FireDetector.featureNames.indices
        let kept = columns.indices.filter { !IdentifyingColumns.isNeverFeature(columns[$0]) }
        let values = labels.indices.flatMap { row in kept.map { rows[row * columns.count + $0] } }
        let identifying = IdentifyingColumns.find(rows: values, names: kept.map { columns[$0] }, recordings: recordings)
        var warnings = identifying.map { $0.sentence + " Only its change is used here." }
        if examples.onsets < 5 {
            warnings.append(
                "Only \(examples.onsets) beginning\(examples.onsets == 1 ? "" : "s") of a fire to learn from: trust the fixed "
                    + "limits, not this forest.")
        }
        if validation.found == 0 {
            warnings.append("The forest finds none of the fires when it has not learnt from them.")
        }
        let report = FireTrainingReport(
            fireRows: examples.targets.reduce(0, +), quietRows: examples.targets.count - examples.targets.reduce(0, +),
            onsets: examples.onsets, outOfBagError: fit.forest.outOfBagError, foundInUnseenBlocks: validation.found,
            falseAlarms: validation.falseAlarms, quietDays: examples.quietSeconds / 86_400,
            threshold: validation.threshold,
            importances: numbers.map { (FireDetector.featureNames[$0], fit.forest.impurityImportance[$0]) }
                .filter { $0.1 > 0.01 }.sorted { $0.1 > $1.1 },
            warnings: warnings)
        return (model, report)
    }
}

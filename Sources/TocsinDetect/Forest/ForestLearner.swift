/// A forest that starts by itself: it collects rows, trains, scores from the next row on, and trains again as it sees
/// more.
///
/// ```swift
/// var learner = try ForestLearner(names: features.names)
/// learner.observe(rows: rows, into: &scores)      // NaN while learning
/// ```
/// Rows are scored by the forest trained on earlier rows only, whatever the batch size: n rows in one call or in n
/// calls give the same scores. The training rows may hold up to two far outliers in five; they are thinned, see
/// `IsolationForest.Settings.outlierShare`.
public struct ForestLearner: Sendable {
    /// How a learner collects and trains.
    public struct Settings: Sendable {
        /// Rows before the first training. Default 1,000.
        public var firstRows: Int
        /// Rows kept for training. Default 4,096: sixteen times what one tree sees.
        public var keptRows: Int
        /// Trains again at 2, 4, 8 … 64 times the first rows and every 64 times after that, so that the first minutes
        /// of a day do not stand for all of it. Default true.
        public var retrains: Bool
        public var forest: IsolationForest.Settings
        /// Default 1; every training derives its own from it.
        public var seed: UInt64

        public init(
            firstRows: Int = 1000, keptRows: Int = 4096, retrains: Bool = true,
            forest: IsolationForest.Settings = .init(outlierShare: 0.02), seed: UInt64 = 1
        ) {
            self.firstRows = firstRows
            self.keptRows = keptRows
            self.retrains = retrains
            self.forest = forest
            self.seed = seed
        }
    }

    public let names: [String]
    public let settings: Settings
    /// nil while learning.
    public internal(set) var forest: IsolationForest?
    /// How often it was trained: the version of the model that speaks.
    public internal(set) var generation = 0
    /// Rows seen.
    public internal(set) var seen = 0
    var nextTraining: Int
    var kept: [Double] = []
    var keptSuspects: [Bool] = []
    var random: SplitMix64
    private var scratch = ScoringScratch()

    /// - Parameter forest: a forest trained elsewhere, which scores from the first row on; it is replaced by later
    ///   trainings only when `settings.retrains`.
    public init(names: [String], settings: Settings = Settings(), forest: IsolationForest? = nil) {
        self.names = names
        self.settings = settings
        self.forest = forest
        generation = forest == nil ? 0 : 1
        random = SplitMix64(seed: settings.seed)
        // A given forest that is not to be trained again stays for good.
        nextTraining = forest != nil && !settings.retrains ? .max : max(settings.firstRows, 16)
    }

    /// Rows that one forest scores before the next training; at least 1.
    public var rowsUntilTraining: Int { nextTraining == .max ? .max : max(nextTraining - seen, 1) }

    /// True until the first forest is trained.
    public var isLearning: Bool { forest == nil }
    /// 0…1: the share of the rows needed for the first training.
    public var progress: Double { isLearning ? min(1, Double(seen) / Double(max(settings.firstRows, 16))) : 1 }

    /// Scores rows and then learns them; replaces the content of `scores` with one score a row, NaN while learning.
    ///
    /// - Parameters:
    ///   - suspects: per row, true where another detector already called it anomalous.
    ///   - threads: at most so many cores for batches of some thousand rows; 0 = all there are. The scores do not depend
    ///     on it.
    public mutating func observe(
        rows: [Double], suspects: [Bool] = [], into scores: inout [Double], threads: Int = 1
    ) {
        scores.removeAll(keepingCapacity: true)
        let width = names.count
        guard width > 0 else { return }
        let count = rows.count / width
        var first = 0
        // Up to the row at which the next training is due, then again with the new forest.
        while first < count {
            let end = nextTraining == .max ? count : min(count, first + max(nextTraining - seen, 1))
            if let forest {
                forest.append(rows: rows, first..<end, to: &scores, scratch: &scratch, threads: threads)
            } else {
                scores.append(contentsOf: repeatElement(.nan, count: end - first))
            }
            for row in first..<end {
                keep(row, of: rows, isSuspect: row < suspects.count && suspects[row])
            }
            if seen >= nextTraining { trainNow() }
            first = end
        }
    }

    /// The score and p-value of one row that is not learned; nil while learning.
    public func score(_ row: [Double]) -> ForestScore? {
        guard let forest else { return nil }
        return ForestScore(forest.score(row), forest: forest)
    }

    /// Reservoir sampling (Vitter 1985, algorithm R) whose memory is bounded to 16 times the kept rows, so that old
    /// rows fade. Nothing is kept when no further training will come.
    private mutating func keep(_ row: Int, of rows: [Double], isSuspect: Bool) {
        seen += 1
        guard nextTraining < .max else { return }
        let width = names.count
        let capacity = max(settings.keptRows, settings.firstRows, 16)
        if keptSuspects.count < capacity {
            for feature in 0..<width { kept.append(rows[row * width + feature]) }
            keptSuspects.append(isSuspect)
            return
        }
        let place = random.next(below: min(seen, 16 * capacity))
        guard place < capacity else { return }
        for feature in 0..<width { kept[place * width + feature] = rows[row * width + feature] }
        keptSuspects[place] = isSuspect
    }

    private mutating func trainNow() {
        let first = max(settings.firstRows, 16)
        let trained = try? IsolationForest.train(
            rows: kept, names: names, suspects: keptSuspects, settings: settings.forest,
            seed: settings.seed &+ UInt64(generation) &* 0x9e37_79b9)
        // Training fails only on sizes that no later row can mend: then the learner stays with what it has.
        guard let trained, settings.retrains else {
            forest = trained ?? forest
            generation += trained == nil ? 0 : 1
            nextTraining = .max
            kept = []
            keptSuspects = []
            return
        }
        forest = trained
        generation += 1
        nextTraining = seen + min(seen, 64 * first)
    }
}

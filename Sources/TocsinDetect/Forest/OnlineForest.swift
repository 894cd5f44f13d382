/// An isolation forest that follows the stream and forgets: what has become usual stops being anomalous.
///
/// It keeps a reservoir of rows that fade exponentially (Aggarwal, "On biased reservoir sampling in the presence of
/// stream evolution", VLDB 2006) and replaces its trees in turn by new ones grown on samples of the reservoir, all of
/// them twice within the span it remembers. So its scores move smoothly, not in jumps, and its memory is bounded.
///
/// ```swift
/// var forest = OnlineForest(names: ["temperature", "humidity"])
/// forest.observe(rows: rows, into: &scores)       // NaN for the first 256 rows
/// ```
/// A row is scored by trees of earlier rows only, and n rows in one call or in n calls give the same scores. A row costs
/// about 3 µs with the default settings. Use `ForestLearner` where a fault may last for hours and must stay one: this
/// forest gets used to it.
public struct OnlineForest: Sendable {
    public struct Settings: Sendable, Equatable {
        /// 1…1000. Default 100.
        public var trees: Int
        /// Rows a tree, 8…4096. Default 256.
        public var sampleSize: Int
        /// Mean age, in rows, of what it knows; at least 16. After a change for good, half of what it knows is new after
        /// 0.7 times as many rows. Default 4,096.
        public var memory: Int
        /// Rows before the first score, at least 16. Default 256.
        public var firstRows: Int
        /// Default 1.
        public var seed: UInt64

        public init(
            trees: Int = 100, sampleSize: Int = 256, memory: Int = 4096, firstRows: Int = 256, seed: UInt64 = 1
        ) {
            self.trees = min(max(trees, 1), 1000)
            self.sampleSize = min(max(sampleSize, 8), 4096)
            self.memory = min(max(memory, 16), 1 << 40)
            self.firstRows = min(max(firstRows, 16), 1 << 20)
            self.seed = seed
        }
    }

    public let names: [String]
    public let settings: Settings
    /// The trees of this moment with the calibration of the last renewal; nil while learning. Its `contributions` say
    /// which features made a row stand out.
    public internal(set) var forest: IsolationForest?
    /// Rows seen.
    public internal(set) var seen = 0
    /// The reservoir, row after row, and the score each row got when it came (NaN before the first forest).
    var kept: [Double] = []
    var keptScores: [Double] = []
    /// Which tree is replaced next.
    var nextTree = 0
    var rowsUntilTree = 0
    var random: SplitMix64
    private var scratch = ScoringScratch()

    public init(names: [String], settings: Settings = Settings()) {
        self.names = names
        self.settings = settings
        random = SplitMix64(seed: settings.seed)
    }

    public var isLearning: Bool { forest == nil }
    /// Rows in the reservoir: at least four times what a tree sees.
    var capacity: Int {
        min(max(4 * settings.sampleSize, settings.firstRows), max(settings.memory, settings.firstRows))
    }
    /// Rows between two new trees: twice all trees within the memory.
    var rowsPerTree: Int { max(1, settings.memory / (2 * settings.trees)) }

    /// Scores rows (row after row, `names.count` values each) and then learns them; replaces the content of `scores`
    /// with one score a row, 0…1, high = anomalous, NaN while learning.
    public mutating func observe(rows: [Double], into scores: inout [Double]) {
        scores.removeAll(keepingCapacity: true)
        let width = names.count
        guard width > 0 else { return }
        let count = rows.count / width
        var first = 0
        // Up to the row at which the trees change.
        while first < count {
            let end = min(count, first + (forest == nil ? max(settings.firstRows - seen, 1) : max(rowsUntilTree, 1)))
            if let forest {
                forest.append(rows: rows, first..<end, to: &scores, scratch: &scratch, threads: 1)
            } else {
                scores.append(contentsOf: repeatElement(.nan, count: end - first))
            }
            for row in first..<end { keep(rows, row, score: scores[row]) }
            seen += end - first
            rowsUntilTree -= end - first
            if forest == nil {
                if seen >= settings.firstRows { begin() }
            } else if rowsUntilTree <= 0 {
                renew()
            }
            first = end
        }
    }

    /// The score and p-value of one row that is not learned; nil while learning.
    public func score(_ row: [Double]) -> ForestScore? {
        forest.map { ForestScore($0.score(row), forest: $0) }
    }

    /// A full reservoir takes one row of memory / capacity and drops another at random: ages are exponential.
    private mutating func keep(_ rows: [Double], _ row: Int, score: Double) {
        let width = names.count
        let capacity = capacity
        if keptScores.count < capacity {
            kept.append(contentsOf: rows[row * width..<(row + 1) * width])
            keptScores.append(score)
            return
        }
        let place = random.next(below: max(settings.memory, capacity))
        guard place < capacity else { return }
        for feature in 0..<width { kept[place * width + feature] = rows[row * width + feature] }
        keptScores[place] = score
    }

    /// All trees at once, with a scale of their own.
    private mutating func begin() {
        let trained = try? IsolationForest.train(
            rows: kept, names: names, settings: .init(trees: settings.trees, sampleSize: settings.sampleSize),
            seed: random.next())
        guard let trained else { return }
        forest = trained
        nextTree = 0
        rowsUntilTree = rowsPerTree
    }

    /// One new tree; after the last one of a round a look at scale and calibration.
    private mutating func renew() {
        rowsUntilTree = rowsPerTree
        guard var forest else { return }
        self.forest = nil
        let count = keptScores.count
        // The first forests have fewer rows than a sample; then all trees are grown again as soon as there are enough.
        guard forest.sampleSize == min(settings.sampleSize, count) else { return begin() }
        var builder = TreeBuilder(scaler: forest.scaler, width: names.count, sample: forest.sampleSize)
        var pool = Array(0..<Int32(count))
        builder.grow(kept, pool: &pool, random: &random)
        forest.replace(tree: nextTree, by: builder)
        nextTree += 1
        if nextTree >= settings.trees {
            nextTree = 0
            guard isInScale(forest) else { return begin() }
            let scores = keptScores.filter { !$0.isNaN }
            if scores.count >= 64 { forest.calibration = ScoreCalibration(scores: scores) }
        }
        self.forest = forest
    }

    /// Whether 32-bit thresholds in the forest's scale still tell the rows of today apart.
    private func isInScale(_ forest: IsolationForest) -> Bool {
        let now = FeatureScaler(rows: kept, width: names.count)
        return names.indices.allSatisfy { feature in
            let (was, isNow) = (forest.scaler.inverseScales[feature], now.inverseScales[feature])
            guard was > 0 || isNow > 0 else { return true }
            let shift = (now.centers[feature] - forest.scaler.centers[feature]).magnitude * was
            return shift < 1000 && isNow < 64 * was
        }
    }
}

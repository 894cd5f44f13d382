internal import TocsinCore

extension IsolationForest {
    /// Trains a forest. Same rows, settings and seed: same forest, bit for bit.
    ///
    /// - Parameters:
    ///   - rows: row after row, `names.count` values each; NaN where a feature is missing.
    ///   - suspects: per row, true where something else already called it anomalous; nil = none.
    /// - Throws: `TocsinError(.model)` when there is nothing to train on or the sizes do not fit.
    public static func train(
        rows: [Double], names: [String], suspects: [Bool]? = nil, settings: Settings = Settings(), seed: UInt64
    ) throws -> IsolationForest {
        let width = names.count
        guard width > 0, width <= 4096 else {
            throw TocsinError(.model, "A forest needs 1 to 4096 features, not \(width).")
        }
        let count = rows.count / width
        guard rows.count % width == 0, count >= 8 else {
            throw TocsinError(
                .model, "A forest needs at least 8 whole rows of \(width) features, got \(rows.count) values.",
                remedy: "Collect more events before training.")
        }
        guard (1...1000).contains(settings.trees), (2...4096).contains(settings.sampleSize) else {
            throw TocsinError(
                .model,
                "A forest has 1 to 1000 trees of 2 to 4096 samples, not \(settings.trees) of \(settings.sampleSize).")
        }
        let scaler = FeatureScaler(rows: rows, width: width)
        var table = [Float](repeating: 0, count: count * width)
        for row in 0..<count {
            for feature in 0..<width {
                table[row * width + feature] = scaler.scaled(rows[row * width + feature], feature)
            }
        }
        var random = SplitMix64(seed: seed)
        var pool = Array(0..<Int32(count))
        var normal = [Bool](repeating: true, count: count)
        if let share = settings.outlierShare {
            normal = Self.normalRows(table, width: width, suspects: suspects)
            pool = Self.thinned(normal: normal, share: share, random: &random)
        }
        let sample = min(settings.sampleSize, pool.count)
        var builder = TreeBuilder(table: table, width: width, sample: sample)
        for _ in 0..<settings.trees { builder.grow(pool: &pool, random: &random) }
        let uncalibrated = IsolationForest(
            names: names, trees: settings.trees, scaler: scaler, builder: builder,
            calibration: ScoreCalibration(scores: [0.5]))
        var scores: [Double] = []
        uncalibrated.score(rows: rows, into: &scores)
        let normalScores = scores.indices.filter { normal[$0] }.map { scores[$0] }
        return IsolationForest(
            names: names, trees: settings.trees, scaler: scaler, builder: builder,
            calibration: ScoreCalibration(scores: normalScores))
    }

    private init(
        names: [String], trees: Int, scaler: FeatureScaler, builder: TreeBuilder, calibration: ScoreCalibration
    ) {
        self.init(
            featureNames: names, trees: trees, sampleSize: builder.sample, calibration: calibration,
            depth: builder.depth, scaler: scaler, features: builder.features, thresholds: builder.thresholds,
            lengths: builder.lengths, leafSizes: builder.leafSizes)
    }

    /// Rows without a far outlier: within 8 interquartile ranges (about 11 standard deviations) in every feature, and
    /// not suspected. When that would leave out more than two rows in five, they are no outliers but the data.
    private static func normalRows(_ table: [Float], width: Int, suspects: [Bool]?) -> [Bool] {
        let count = table.count / width
        var normal = [Bool](repeating: true, count: count)
        for row in 0..<count {
            if let suspects, row < suspects.count, suspects[row] { normal[row] = false }
            for feature in 0..<width where abs(table[row * width + feature]) > 8 { normal[row] = false }
        }
        let kept = normal.count { $0 }
        return kept * 5 >= count * 3 && kept >= 8 ? normal : [Bool](repeating: true, count: count)
    }

    /// All normal rows and so many of the others, drawn at random, that they make up at most `share`.
    ///
    /// A few must stay: a forest that has never seen a far value cuts only inside the normal range and cannot tell
    /// 30 °C from 100 °C; a forest that sees many takes them for a second normal state.
    private static func thinned(normal: [Bool], share: Double, random: inout SplitMix64) -> [Int32] {
        var pool = normal.indices.filter { normal[$0] }.map { Int32($0) }
        var others = normal.indices.filter { !normal[$0] }.map { Int32($0) }
        let allowed = Int((Double(pool.count) * share.clamped(0, 0.5)).rounded(.up))
        for _ in 0..<min(allowed, others.count) {
            let pick = random.next(below: others.count)
            pool.append(others[pick])
            others.swapAt(pick, others.count - 1)
            others.removeLast()
        }
        return pool
    }
}

/// Grows trees into the complete-tree arrays.
private struct TreeBuilder {
    let table: [Float]
    let width: Int
    let sample: Int
    let depth: Int
    var features: [Int32] = []
    var thresholds: [Float] = []
    var lengths: [Float] = []
    var leafSizes: [UInt16] = []
    private var base = 0
    private var order: [Int32] = []

    init(table: [Float], width: Int, sample: Int) {
        self.table = table
        self.width = width
        self.sample = sample
        // ceil(log2(sample)): the average height, beyond which a row is normal anyway.
        depth = max(1, Int.bitWidth - max(sample - 1, 1).leadingZeroBitCount)
    }

    mutating func grow(pool: inout [Int32], random: inout SplitMix64) {
        let slots = 1 << depth
        base = features.count
        features.append(contentsOf: repeatElement(0, count: slots))
        thresholds.append(contentsOf: repeatElement(.infinity, count: slots))
        lengths.append(contentsOf: repeatElement(0, count: slots))
        leafSizes.append(contentsOf: repeatElement(0, count: slots))
        order = Array(0..<Int32(width))
        // The first `sample` entries become a sample without replacement (Fisher–Yates, stopped early).
        for place in 0..<sample { pool.swapAt(place, place + random.next(below: pool.count - place)) }
        split(&pool, 0..<sample, node: 1, level: 0, random: &random)
    }

    private mutating func split(
        _ pool: inout [Int32], _ range: Range<Int>, node: Int, level: Int, random: inout SplitMix64
    ) {
        guard level < depth, range.count > 1, let (feature, low, high) = cuttable(pool, range, &random) else {
            // The row goes left to the bottom from here (thresholds stay infinite).
            let leaf = node << (depth - level) - (1 << depth)
            lengths[base + leaf] = Float(Double(level) + IsolationForest.meanPathLength(range.count))
            leafSizes[base + leaf] = UInt16(clamping: range.count)
            return
        }
        // In (low, high]: both sides get at least one row.
        let cut = max(min(low + (high - low) * Float(random.nextUnit()), high), low.nextUp)
        features[base + node] = feature
        thresholds[base + node] = cut
        var middle = range.lowerBound
        for place in range where table[Int(pool[place]) * width + Int(feature)] < cut {
            pool.swapAt(place, middle)
            middle += 1
        }
        split(&pool, range.lowerBound..<middle, node: 2 * node, level: level + 1, random: &random)
        split(&pool, middle..<range.upperBound, node: 2 * node + 1, level: level + 1, random: &random)
    }

    /// A feature drawn at random among those that vary in these rows, with its range; nil when all rows are equal.
    private mutating func cuttable(
        _ pool: [Int32], _ range: Range<Int>, _ random: inout SplitMix64
    ) -> (feature: Int32, low: Float, high: Float)? {
        var candidates = width
        while candidates > 0 {
            let pick = random.next(below: candidates)
            let feature = order[pick]
            var low = Float.infinity
            var high = -Float.infinity
            for place in range {
                let value = table[Int(pool[place]) * width + Int(feature)]
                low = min(low, value)
                high = max(high, value)
            }
            if low < high { return (feature, low, high) }
            candidates -= 1
            order.swapAt(pick, candidates)
        }
        return nil
    }
}

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
        // Quartiles and calibration of a large table come from rows drawn evenly over all of it.
        let looked = Self.evenly(count, seed: ~seed)
        let view = looked.map { Self.gather(rows, $0, width) } ?? rows
        let scaler = FeatureScaler(rows: view, width: width)
        var random = SplitMix64(seed: seed)
        var pool = Array(0..<Int32(count))
        var normal: [Bool] = []
        if let share = settings.outlierShare {
            normal = Self.normalRows(rows, scaler: scaler, suspects: suspects)
            pool = Self.thinned(normal: normal, share: share, random: &random)
        }
        let sample = min(settings.sampleSize, pool.count)
        var builder = TreeBuilder(scaler: scaler, width: width, sample: sample)
        for _ in 0..<settings.trees { builder.grow(rows, pool: &pool, random: &random) }
        var forest = IsolationForest(
            featureNames: names, trees: settings.trees, sampleSize: sample,
            calibration: ScoreCalibration(scores: [0.5]), depth: builder.depth, scaler: scaler,
            features: builder.features, thresholds: builder.thresholds, lengths: builder.lengths,
            leafSizes: builder.leafSizes)
        var scores: [Double] = []
        forest.score(rows: view, into: &scores)
        let normalScores =
            normal.isEmpty
            ? scores : scores.indices.filter { normal[looked?[$0] ?? $0] }.map { scores[$0] }
        forest.calibration = ScoreCalibration(scores: normalScores)
        return forest
    }

    /// One row drawn from each of 32,768 equal stretches of a table of more than 65,536 rows; nil = take them all.
    private static func evenly(_ count: Int, seed: UInt64) -> [Int]? {
        let wanted = 32_768
        guard count > 2 * wanted else { return nil }
        var random = SplitMix64(seed: seed)
        return (0..<wanted).map { part in
            let first = part * count / wanted
            return first + random.next(below: (part + 1) * count / wanted - first)
        }
    }

    private static func gather(_ rows: [Double], _ chosen: [Int], _ width: Int) -> [Double] {
        var gathered: [Double] = []
        gathered.reserveCapacity(chosen.count * width)
        for row in chosen { gathered.append(contentsOf: rows[row * width..<(row + 1) * width]) }
        return gathered
    }

    /// Rows without a far outlier: within 8 interquartile ranges (about 11 standard deviations) in every feature, and
    /// not suspected. When that would leave out more than two rows in five, they are no outliers but the data.
    private static func normalRows(_ rows: [Double], scaler: FeatureScaler, suspects: [Bool]?) -> [Bool] {
        let width = scaler.centers.count
        let count = rows.count / width
        var normal = [Bool](repeating: true, count: count)
        for row in 0..<count {
            if let suspects, row < suspects.count, suspects[row] { normal[row] = false }
            for feature in 0..<width where abs(scaler.scaled(rows[row * width + feature], feature)) > 8 {
                normal[row] = false
            }
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

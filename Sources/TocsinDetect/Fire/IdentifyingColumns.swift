/// Says which features tell where or when a row was recorded instead of what happened.
///
/// A model that sees them learns the recording by heart: it is right in every test that mixes recordings and wrong at
/// the next place.
public enum IdentifyingColumns {
    /// A feature by which one can tell the recordings apart.
    public struct Finding: Sendable, Equatable {
        public let feature: String
        /// How well the best few cuts of this feature alone name the recording of unseen rows, 0…1: the mean share of
        /// right rows over the recordings.
        public let accuracy: Double
        /// For people.
        public var sentence: String {
            let share = Int((accuracy * 100).rounded(.down))
            return "\(feature) alone names the recording of \(share) % of the rows: a model may learn the place "
                + "instead of the event. Leave it out, or use its change over time."
        }
    }

    private static let words: Set<String> = [
        "utc", "cnt", "row", "rows", "index", "idx", "id", "timestamp", "time", "date", "datetime", "ts", "sno",
        "no", "seq", "sequence", "counter", "recording", "unnamed:0", "unnamed: 0", "uuid", "rowid", "epoch",
    ]
    private static let endings = ["_id", "_index", "_idx", "_timestamp", "_utc", "_date", "_datetime", "_seq"]

    /// True for names of clocks, counters and row numbers, whatever their case and unit: never features.
    public static func isNeverFeature(_ name: String) -> Bool {
        let base = SafetyLimits.metric(of: name)
        return words.contains(base) || endings.contains { base.hasSuffix($0) }
    }

    /// The features that all but identify the recording, the clearest first.
    ///
    /// For each feature a small tree of that feature alone guesses the recording, all recordings weighing the same; it
    /// learns from the first and third quarters of each and is judged on the others, so that what merely wanders does
    /// not count. About 10 ms a feature and 10,000 rows.
    ///
    /// - Parameters:
    ///   - rows: row after row, one value per name.
    ///   - recordings: per row the number of its recording.
    ///   - accuracy: from here on a feature is named. Default 0.95.
    public static func find(
        rows: [Double], names: [String], recordings: [Int], accuracy: Double = 0.95
    ) -> [Finding] {
        let kinds = Array(Set(recordings)).sorted()
        let width = names.count
        guard (2...255).contains(kinds.count), width > 0, rows.count == recordings.count * width else { return [] }
        let numbers = Dictionary(uniqueKeysWithValues: kinds.enumerated().map { ($0.element, $0.offset) })
        let labels = recordings.map { numbers[$0] ?? 0 }
        let learning = quarters(labels, kinds: kinds.count)
        var found: [Finding] = []
        for feature in 0..<width {
            let column = recordings.indices.map { rows[$0 * width + feature] }
            let known = column.indices.filter { learning[$0] }
            // A tree of 2 × recordings leaves in depth: a level for each halving, and two more.
            let depth = Int.bitWidth - (kinds.count - 1).leadingZeroBitCount + 2
            guard
                let fit = try? RandomForest.classifier(
                    rows: known.map { column[$0] }, names: [names[feature]], labels: known.map { labels[$0] },
                    classes: kinds.count,
                    settings: .init(
                        trees: 5, minimumLeafRows: max(1, known.count / 200), maximumDepth: depth,
                        classWeights: .balanced), seed: 1)
            else { continue }
            let share = Self.share(fit.forest, column, labels, unseen: learning, kinds: kinds.count)
            if share >= accuracy { found.append(Finding(feature: names[feature], accuracy: share)) }
        }
        return found.sorted { $0.accuracy > $1.accuracy }
    }

    /// True for the rows in the first and third quarter of their recording.
    private static func quarters(_ labels: [Int], kinds: Int) -> [Bool] {
        var sizes = [Int](repeating: 0, count: kinds)
        for label in labels { sizes[label] += 1 }
        var places = [Int](repeating: 0, count: kinds)
        return labels.map { label in
            let quarter = places[label] * 4 / sizes[label]
            places[label] += 1
            return quarter % 2 == 0
        }
    }

    private static func share(
        _ forest: RandomForest, _ column: [Double], _ labels: [Int], unseen learning: [Bool], kinds: Int
    ) -> Double {
        let answers = forest.predict(rows: column)
        var right = [Double](repeating: 0, count: kinds)
        var sizes = right
        for row in labels.indices where !learning[row] {
            let answer = answers[row * forest.outputs..<(row + 1) * forest.outputs]
            let most =
                forest.outputs == 1
                ? (answer.first.map { $0 >= 0.5 ? 1 : 0 } ?? 0)
                : (answer.indices.max { answer[$0] < answer[$1] } ?? answer.startIndex) - answer.startIndex
            sizes[labels[row]] += 1
            if most == labels[row] { right[labels[row]] += 1 }
        }
        let shares = zip(right, sizes).filter { $0.1 > 0 }.map { $0.0 / $0.1 }
        return shares.reduce(0, +) / Double(max(shares.count, 1))
    }
}

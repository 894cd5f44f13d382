public import TocsinCore
public import TocsinDetect

/// A forest as it was saved: it scores from the first row on. One that a person trained stays as it is.
public struct SavedForest: Sendable {
    public var version: Int
    public var origin: ModelOrigin
    public var forest: IsolationForest

    public init(version: Int, origin: ModelOrigin, forest: IsolationForest) {
        self.version = version
        self.origin = origin
        self.forest = forest
    }
}

/// A learning forest under its name, with the versions it has reached.
struct NamedLearner: Sendable {
    let name: String
    var learner: ForestLearner
    private var baseVersion: Int
    private var savedGeneration: Int

    /// Goes on from a saved forest where there is one with the same features.
    init(name: String, features: [String], settings: ForestSettings, saved: SavedForest?) {
        self.name = name
        let usable = saved.flatMap { $0.forest.featureNames == features ? $0 : nil }
        let forest = IsolationForest.Settings(
            trees: settings.trees, sampleSize: settings.samples, outlierShare: 0.02)
        // The name belongs to the seed: two models of one stream are not the same random trees.
        var hash = StableHash()
        hash.combine(settings.seed)
        hash.combine(name)
        learner = ForestLearner(
            names: features,
            settings: ForestLearner.Settings(
                firstRows: settings.learningRows, retrains: usable?.origin != .trained, forest: forest,
                seed: hash.value),
            forest: usable?.forest)
        // Above every version there is, also when that one cannot be used here.
        baseVersion = (saved?.version ?? 0) - learner.generation
        savedGeneration = learner.generation
    }

    var progress: LearningProgress? {
        learner.isLearning ? LearningProgress(name: name, progress: learner.progress) : nil
    }

    /// Learns rows one after the other, in parts up to the next training: every row is judged by the forest that scored
    /// it, wherever batches are cut.
    /// - Parameters:
    ///   - rows: feature after feature, row after row.
    ///   - judge: given each scored row's number, score and place in `rows`.
    /// - Returns: the forests trained on the way.
    mutating func observe(
        _ rows: [Double], now: Timestamp, judge: (Int, Double, Range<Int>, IsolationForest) -> Void
    ) -> [ModelRecord] {
        var trained: [ModelRecord] = []
        var scores: [Double] = []
        let width = max(learner.names.count, 1)
        let count = rows.count / width
        var first = 0
        while first < count {
            let part = min(count - first, learner.rowsUntilTraining)
            let forest = learner.forest
            learner.observe(
                rows: part == count ? rows : Array(rows[first * width..<(first + part) * width]), into: &scores)
            if let forest {
                for row in 0..<part where !scores[row].isNaN {
                    judge(first + row, scores[row], (first + row) * width..<(first + row + 1) * width, forest)
                }
            }
            if let record = takeTrained(now: now) { trained.append(record) }
            first += part
        }
        return trained
    }

    /// The record of a newly trained generation, once.
    private mutating func takeTrained(now: Timestamp) -> ModelRecord? {
        guard learner.generation > savedGeneration, let forest = learner.forest else { return nil }
        savedGeneration = learner.generation
        var summary = JSONWriter()
        summary.object {
            $0.field("rows", learner.seen)
            $0.field("trees", forest.trees)
            $0.field("sample_size", forest.sampleSize)
            $0.key("features")
            $0.array { list in
                for name in forest.featureNames { list.value(name) }
            }
        }
        return ModelRecord(
            name: name, version: baseVersion + learner.generation, origin: .learned, created: now,
            format: IsolationForest.format,
            summary: String(decoding: summary.bytes, as: UTF8.self), data: forest.saved())
    }

    // MARK: Checkpoint

    func save(to writer: inout StateWriter) {
        writer.write(text: name)
        writer.write(Int64(baseVersion))
        writer.write(Int64(savedGeneration))
        var state = StateWriter()
        learner.save(to: &state)
        writer.write(blob: state.bytes)
    }

    /// A learner of other features or settings than the saved one begins as it is: that is no error.
    /// - Returns: false for nonsense.
    mutating func restore(from reader: inout StateReader) -> Bool {
        guard let name = reader.readText(), let base = reader.read(Int64.self),
            let generation = reader.read(Int64.self), let bytes = reader.readBlob()
        else { return false }
        var state = StateReader(bytes)
        guard name == self.name,
            let saved = ForestLearner(restoring: &state, names: learner.names, settings: learner.settings)
        else { return true }
        learner = saved
        baseVersion = Int(base)
        savedGeneration = Int(generation)
        return true
    }
}

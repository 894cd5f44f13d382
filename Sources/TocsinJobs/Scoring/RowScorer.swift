#if canImport(Glibc)
internal import Glibc
#elseif canImport(Darwin)
internal import Darwin
#endif
public import TocsinCore
internal import TocsinDetect

/// Which detectors `tocsin score` asks.
public enum ScoringDetector: String, CaseIterable, Sendable {
    /// As the engine does where nothing is configured: the bank on every value, what the sensor never did before, how its
    /// metrics go together, and the event forest where a row has two values or more. The bank has the first word.
    case standard = "default"
    case bank
    case forest = "event-forest"
    /// What a series has not done before: for series with patterns, read every minute or more seldom.
    case novelty
    /// Fixed limits, changes of several metrics at once, and a trained forest where there is one: for smoke and fire sensors.
    case fire
    /// The trained forest of a smoke or fire sensor alone.
    case randomForest = "random-forest"

    /// Judges rows of smoke and fire sensors, and takes a model of `tocsin train --model random-forest`.
    var isOfFire: Bool { self == .fire || self == .randomForest }
}

/// What is said of one row.
public struct RowScore: Sendable, Equatable {
    /// nil for a row that could not be read.
    public var time: Timestamp?
    /// 0…1, high = anomalous; NaN while learning, or for a row without a value.
    public var score: Double
    public var pValue: Double
    public var isAnomalous: Bool
    public var kind: AnomalyKind?

    public init(time: Timestamp?, score: Double, pValue: Double, isAnomalous: Bool, kind: AnomalyKind?) {
        self.time = time
        self.score = score
        self.pValue = pValue
        self.isAnomalous = isAnomalous
        self.kind = kind
    }

    /// Of a row that could not be read.
    public static let unreadable = RowScore(time: nil, score: .nan, pValue: .nan, isAnomalous: false, kind: nil)
}

/// Scores rows one after the other without ever looking ahead: the first n scores do not depend on what follows.
///
/// Every group (sensor) has its own state. A row's score is that of its most surprising value.
public struct RowScorer: Sendable {
    private let detector: ScoringDetector
    private var bank: Bank
    private let features: EventFeatures
    private var learner: ForestLearner?
    /// By series, where novelty is asked.
    private var novelties: [UInt32: NoveltyDetector] = [:]
    /// By group, where fire is asked: each begins as this one.
    private var fires: [UInt32: FireDetector] = [:]
    private var newFire: FireDetector?
    /// By group, where all detectors are asked.
    private var ensembles: [UInt32: SensorEnsemble] = [:]
    private var evidence: [Double]
    /// By group: its newest event time, on which the bank measures gaps.
    private var newest: [UInt32: Timestamp] = [:]
    private var values: [Double]
    private let valueNames: [String]

    /// - Parameters:
    ///   - names: of the value columns.
    ///   - trainRows: rows that the forest learns from before it scores.
    ///   - model: a saved forest (`tocsin train --out`), used as it is from the first row on.
    /// - Throws: `TocsinError(.model)` when the model is damaged, or was trained on other columns; `.usage` where fire is asked
    ///   of columns that cannot tell of it, or a Random Forest without a model.
    public init(
        detector: ScoringDetector, names: [String], trainRows: Int, model: [UInt8]? = nil, seed: UInt64 = 1
    ) throws {
        self.detector = detector
        bank = Bank()
        features = EventFeatures(metrics: names)
        valueNames = names
        values = Array(repeating: .nan, count: names.count)
        evidence = Array(repeating: 0, count: names.count)
        if detector.isOfFire {
            newFire = try Self.fire(detector, names: names, model: model)
            return
        }
        let asksForest = detector == .forest || (detector == .standard && features.positions.count > 1)
        let saved = try model.map { try IsolationForest(saved: $0) }
        if let saved, saved.featureNames != features.names {
            throw TocsinError(
                .model, "the model was trained on other columns: \(saved.featureNames.joined(separator: ", "))",
                remedy: "name the same columns with --values, or train on these")
        }
        if asksForest, features.width > 0 {
            learner = ForestLearner(
                names: features.names,
                settings: ForestLearner.Settings(firstRows: trainRows, retrains: saved == nil, seed: seed),
                forest: saved)
        }
    }

    /// Scores one row and learns it.
    /// - Parameters:
    ///   - series: the series of the values present, and where each stands among the columns.
    public mutating func score(
        group: SensorID, time: Timestamp, series: [(id: SeriesID, column: Int, value: Double)]
    ) -> RowScore {
        for column in values.indices {
            values[column] = .nan
            evidence[column] = 0
        }
        let highWater = max(newest[group.index] ?? time, time)
        newest[group.index] = highWater
        var result = RowScore(time: time, score: .nan, pValue: .nan, isAnomalous: false, kind: nil)
        if let newFire {
            for entry in series { values[entry.column] = entry.value }
            addFire(of: group, beginningAs: newFire, time, to: &result)
            return result
        }
        var surprise = -1.0
        for entry in series {
            values[entry.column] = entry.value
            guard detector != .forest else { continue }
            if detector == .novelty {
                addNovelty(of: entry.id, entry.value, to: &result)
                continue
            }
            let assessment = bank.assess(series: entry.id, time: time, highWater: highWater, value: entry.value)
            evidence[entry.column] = assessment.evidence
            // A value that is part of a condition speaks for the row, however small its own surprise is.
            let weight = assessment.isAnomalous ? max(assessment.surprise, 1e3) : assessment.surprise
            guard weight > surprise else { continue }
            surprise = weight
            // While it learns its surprise means nothing yet; stuck and range may speak all the same.
            let isMeaningful = !assessment.isLearning || assessment.isAnomalous
            result.score = isMeaningful ? assessment.score : 0
            result.pValue = isMeaningful ? assessment.pValue : 1
            result.isAnomalous = assessment.isAnomalous
            result.kind = assessment.condition
        }
        if detector == .standard { addEnsemble(of: group, time, to: &result) }
        addForest(to: &result)
        return result
    }

    private static func fire(_ detector: ScoringDetector, names: [String], model: [UInt8]?) throws -> FireDetector {
        if detector == .randomForest, model == nil {
            throw TocsinError(
                .usage, "random-forest needs a trained model",
                remedy: "give --model a file that tocsin train --model random-forest --out has written")
        }
        let model = try model.map { try FireModel(saved: $0) }
        guard let fire = FireDetector(metrics: names, model: model) else {
            throw TocsinError(
                .usage, "these columns are of no smoke or fire sensor: \(names.joined(separator: ", "))",
                remedy: "name smoke, or particles together with a gas (PM2.5 and TVOC), or take another detector")
        }
        return fire
    }

    /// Half of the scale is the threshold. There is no p-value: limits and a trained forest know no frequency.
    private mutating func addFire(
        of group: SensorID, beginningAs new: FireDetector, _ time: Timestamp, to result: inout RowScore
    ) {
        let found = fires[group.index, default: new].observe(values, at: time)
        if detector == .randomForest {
            let threshold = new.model?.threshold ?? .infinity
            result.score = found.probability / (found.probability + threshold)
            result.isAnomalous = found.probability > 0 && found.probability >= threshold
        } else {
            result.score = found.score
            result.isAnomalous = found.isAlarming
        }
        result.kind = result.isAnomalous ? .fire : nil
    }

    private mutating func addEnsemble(of group: SensorID, _ time: Timestamp, to result: inout RowScore) {
        let (row, evidence) = (values, evidence)
        var found: [EnsembleFinding] = []
        ensembles[group.index, default: SensorEnsemble()].observe(
            time: time, values: row.span, evidence: evidence.span, into: &found)
        guard let finding = found.first, !result.isAnomalous else { return }
        result.score = finding.score
        result.pValue = finding.pValue
        result.isAnomalous = true
        result.kind = finding.kind
    }

    /// Half of the scale is the threshold; the p-value is the nominal one of the surprise in nats.
    private mutating func addNovelty(of series: SeriesID, _ value: Double, to result: inout RowScore) {
        let isReady = novelties[series.index]?.isReady ?? false
        let novelty = novelties[series.index, default: NoveltyDetector()].observe(value)
        let threshold = NoveltyDetector.defaultThreshold
        let score = isReady ? novelty.score / (novelty.score + threshold) : 0
        guard result.score.isNaN || score > result.score else { return }
        result.score = score
        result.pValue = isReady ? exp(-novelty.score) : 1
        result.isAnomalous = isReady && novelty.score >= threshold
        let isValue = novelty.value >= max(novelty.step, novelty.distribution, novelty.shape)
        result.kind = result.isAnomalous ? (isValue ? .spike : .pattern) : nil
    }

    private mutating func addForest(to result: inout RowScore) {
        guard learner != nil else { return }
        var row: [Double] = []
        features.append(values, to: &row)
        var scores: [Double] = []
        let before = learner?.forest
        learner?.observe(rows: row, into: &scores)
        guard let forest = before, let score = scores.first, !score.isNaN else { return }
        let judged = ForestScore(score, forest: forest)
        let isAnomalous = ForestRules.event.isAnomalous(judged)
        guard detector == .forest || (isAnomalous && !result.isAnomalous) else { return }
        result.score = judged.score
        result.pValue = judged.pValue
        result.isAnomalous = isAnomalous
        result.kind = isAnomalous ? .multivariate : nil
    }
}

import Testing
import TocsinCore
import TocsinDetect

@Suite struct ForestLearnerTests {
    /// A plant sensor: every fifth event far too hot and dry.
    static func plant(_ count: Int, seed: UInt64 = 5) -> (rows: [Double], isAnomaly: [Bool], features: EventFeatures) {
        let features = EventFeatures(metrics: ["temperature", "humidity"])
        var random = Random(seed)
        var rows: [Double] = []
        var isAnomaly: [Bool] = []
        for _ in 0..<count {
            isAnomaly.append(random.uniform() < 0.2)
            let event =
                isAnomaly[isAnomaly.count - 1]
                ? [random.uniform(80, 120), random.uniform(0, 20)] : [25 + random.normal(), 50 + 2 * random.normal()]
            features.append(event, to: &rows)
        }
        return (rows, isAnomaly, features)
    }

    @Test func learnsFromContaminatedRowsAndFindsTheRest() throws {
        let (rows, isAnomaly, features) = Self.plant(6000)
        var learner = ForestLearner(names: features.names)
        var scores: [Double] = []
        learner.observe(rows: Array(rows.prefix(500 * 3)), into: &scores)
        #expect(learner.isLearning && learner.progress == 0.5 && scores.allSatisfy { $0.isNaN })
        learner = ForestLearner(names: features.names)
        learner.observe(rows: rows, into: &scores)
        #expect(!learner.isLearning && learner.generation == 3)
        #expect(scores.prefix(1000).allSatisfy { $0.isNaN } && scores.dropFirst(1000).allSatisfy { !$0.isNaN })
        let forest = try #require(learner.forest)
        let flagged = (1000..<6000).map { ForestRules.event.isAnomalous(scores[$0], forest: forest) }
        let found = (1000..<6000).count { isAnomaly[$0] && flagged[$0 - 1000] }
        let wrong = (1000..<6000).count { !isAnomaly[$0] && flagged[$0 - 1000] }
        #expect(Double(found) > 0.97 * Double(isAnomaly[1000...].count { $0 }))
        #expect(wrong <= 5)
    }

    @Test func batchSizeDoesNotMatter() {
        let (rows, _, features) = Self.plant(2500)
        var whole: [Double] = []
        var learner = ForestLearner(names: features.names)
        learner.observe(rows: rows, into: &whole)
        var pieces: [Double] = []
        var other = ForestLearner(names: features.names)
        var part: [Double] = []
        var random = SplitMix64(seed: 2)
        var first = 0
        while first < 2500 {
            let end = min(2500, first + 1 + random.next(below: 300))
            other.observe(rows: Array(rows[first * 3..<end * 3]), into: &part)
            pieces += part
            first = end
        }
        #expect(whole.dropFirst(1000).elementsEqual(pieces.dropFirst(1000)))
        #expect(pieces.prefix(1000).allSatisfy { $0.isNaN })
    }

    @Test func verdictsCarryContributions() throws {
        let (rows, _, features) = Self.plant(1000)
        var learner = ForestLearner(names: features.names)
        var scores: [Double] = []
        learner.observe(rows: rows, into: &scores)
        let forest = try #require(learner.forest)
        var row: [Double] = []
        features.append([110, 5], to: &row)
        let verdict = try #require(
            EventVerdict.judge(
                score: forest.score(row), row: row, sensor: SensorID(4), time: seconds(1), forest: forest))
        #expect(verdict.kind == .multivariate && verdict.detector == .eventForest && verdict.series == nil)
        #expect(!verdict.contributions.isEmpty && verdict.pValue <= 1e-3)
        row = []
        features.append([25, 50], to: &row)
        #expect(
            EventVerdict.judge(
                score: forest.score(row), row: row, sensor: SensorID(4), time: seconds(1), forest: forest) == nil)
    }

    @Test func aForestTrainedElsewhereScoresAtOnce() throws {
        var learner = ForestLearner(names: ForestTests.names, forest: try ForestTests.forest())
        var scores: [Double] = []
        learner.observe(rows: [25, 50, 0.5], into: &scores)
        #expect(scores.count == 1 && !scores[0].isNaN)
        #expect(learner.score([25, 50, 0.5])?.score == scores[0])
    }
}

@Suite struct FeatureTests {
    @Test func aForestThatAPersonTrainedIsNotReplaced() throws {
        let (rows, _, features) = ForestLearnerTests.plant(3000)
        let trained = try IsolationForest.train(
            rows: rows, names: features.names, suspects: [], settings: .init(trees: 50), seed: 3)
        var scores: [Double] = []
        var pinned = ForestLearner(names: features.names, settings: .init(retrains: false), forest: trained)
        pinned.observe(rows: rows, into: &scores)
        #expect(pinned.generation == 1 && pinned.forest?.trees == 50)
        var learning = ForestLearner(names: features.names, settings: .init(retrains: true), forest: trained)
        learning.observe(rows: rows, into: &scores)
        #expect(learning.generation > 1 && learning.forest?.trees == 100)
    }

    @Test func eventsGiveMetricsAndRatios() {
        let features = EventFeatures(metrics: ["temperature", "humidity", "CNT", "UTC", "device_id", "Fire Alarm"])
        #expect(features.names == ["humidity", "temperature", "humidity/temperature"])
        var rows: [Double] = []
        features.append([25, 50, 7, 8, 9, 1], to: &rows)
        #expect(rows == [50, 25, 2])
        rows = []
        features.append([0, 50, 7, 8, 9, 1], to: &rows)
        #expect(rows[2].isNaN)
        features.append([], to: &rows)
        #expect(rows.count == 6 && rows[4].isNaN)
    }

    @Test func wideClassesGetFewRatios() {
        #expect(EventFeatures(metrics: (0..<6).map { "m\($0)" }).width == 6 + 15)
        #expect(EventFeatures(metrics: (0..<12).map { "m\($0)" }).width == 12 + 11)
        #expect(EventFeatures(metrics: ["row", "time"]).width == 0)
    }

    @Test func namesThatSayNothingOfTheWorld() {
        for name in ["UTC", "CNT", "row", "Index", "sensor_id", "event time", "Unnamed: 0", "timestamp[s]", ""] {
            #expect(!EventFeatures.isFeature(name), "\(name)")
        }
        for name in ["Temperature[C]", "humidity", "PM2.5", "Raw H2", "co", "pressure"] {
            #expect(EventFeatures.isFeature(name), "\(name)")
        }
    }

    @Test func windowsAreMeasuredInTheSeriesOwnScale() {
        var windows = WindowBatch()
        windows.series = [first]
        windows.statistics = [Double](repeating: 0, count: WindowStatistic.columns)
        func set(_ statistic: WindowStatistic, _ value: Double) { windows.statistics[statistic.rawValue] = value }
        set(.count, 60)
        set(.mean, 24)
        set(.standardDeviation, 4)
        set(.slope, 0.1)
        var row: [Double] = []
        #expect(WindowFeatures.append(windows, row: 0, baseline: (20, 2), span: .seconds(60), to: &row))
        #expect(row.count == WindowFeatures.width && row[0] == 2 && row[1] == 2 && row[3] == 3)
        #expect(!WindowFeatures.append(windows, row: 0, baseline: nil, span: .seconds(60), to: &row))
        set(.count, 7)
        #expect(!WindowFeatures.append(windows, row: 0, baseline: (20, 2), span: .seconds(60), to: &row))
        #expect(row.count == WindowFeatures.width)
    }
}

public import TocsinCore
internal import TocsinDetect

/// Trains an Isolation Forest on the events of a recording.
public struct ForestTraining: ModelTraining {
    public struct Report: Sendable {
        public var rows: Int
        public var features: [String]
        public var trees: Int
        public var sampleSize: Int
        /// Score above which an event of the training data is called anomalous.
        public var threshold: Double
        /// Share of the last fifth of the rows (in time order, not trained on) that would be flagged.
        public var flaggedShare: Double
    }

    private let settings: IsolationForest.Settings
    private let seed: UInt64
    private var metrics: [String] = []
    private var features: EventFeatures?
    private var rows: [Double] = []

    public init(trees: Int, sampleSize: Int, seed: UInt64) {
        settings = IsolationForest.Settings(trees: trees, sampleSize: sampleSize, outlierShare: 0.02)
        self.seed = seed
    }

    /// All must have the metrics of the first one.
    public mutating func add(_ event: TrainingEvent) -> Bool {
        if features == nil {
            metrics = event.metrics
            features = EventFeatures(metrics: event.metrics)
        }
        guard event.metrics == metrics, let features else { return false }
        features.append(event.values, to: &rows)
        return true
    }

    /// Trains on the first four fifths in time order, looks at the last fifth, then trains on all.
    /// - Throws: `TocsinError` when there are too few rows or no usable column.
    public func train() throws -> (record: ModelRecord, report: Report) {
        guard let features, features.width > 0 else {
            throw TocsinError(
                .format, "the recording has no event with a usable metric",
                remedy: "counters, times and labels are no features; see docs/configuration.md for mappings")
        }
        let width = features.width
        let count = rows.count / width
        guard count >= 64 else {
            throw TocsinError(
                .format, "\(count) events are too few to train on", remedy: "give a recording with 64 events or more")
        }
        let early = Array(rows[0..<(count * 4 / 5) * width])
        let trial = try IsolationForest.train(
            rows: early, names: features.names, suspects: [], settings: settings, seed: seed)
        var scores: [Double] = []
        trial.score(rows: Array(rows[early.count...]), into: &scores)
        let flagged = scores.count { ForestRules.event.isAnomalous($0, forest: trial) }
        let forest = try IsolationForest.train(
            rows: rows, names: features.names, suspects: [], settings: settings, seed: seed)
        let report = Report(
            rows: count, features: features.names, trees: forest.trees, sampleSize: forest.sampleSize,
            threshold: max(
                ForestRules.event.minimumScore,
                forest.calibration.threshold(pValue: ForestRules.event.maximumPValue)),
            flaggedShare: scores.isEmpty ? 0 : Double(flagged) / Double(scores.count))
        let name = "event-forest:" + features.positions.map { metrics[$0] }.joined(separator: "+")
        let record = ModelRecord(
            name: name, version: 1, origin: .trained, created: Timestamp(nanoseconds: 0),
            format: IsolationForest.format,
            summary: Self.summary(report), data: forest.saved())
        return (record, report)
    }

    public func train(progress: (String) -> Void) throws -> [TrainedModel] {
        let (record, report) = try train()
        return [
            TrainedModel(
                record: record,
                report: [
                    ("rows", "\(report.rows)"), ("features", report.features.joined(separator: ", ")),
                    ("forest", "\(report.trees) trees of \(report.sampleSize) samples"),
                    ("threshold", ReportText.number(report.threshold)),
                    (
                        "flagged",
                        ReportText.percent(report.flaggedShare) + " of the last fifth, by a forest that has not seen it"
                    ),
                ])
        ]
    }

    private static func summary(_ report: Report) -> String {
        var json = JSONWriter()
        json.object {
            $0.field("rows", report.rows)
            $0.field("trees", report.trees)
            $0.field("sample_size", report.sampleSize)
            $0.field("threshold", report.threshold)
            $0.field("flagged_share", report.flaggedShare)
            $0.key("features")
            $0.array { list in
                for name in report.features { list.value(name) }
            }
        }
        return String(decoding: json.bytes, as: UTF8.self)
    }
}

public import TocsinCore

/// One event to learn from, wherever it comes from.
public struct TrainingEvent: Sendable {
    public var sensor: String
    public var time: Timestamp
    public var metrics: [String]
    /// One for each metric.
    public var values: [Double]
    /// nil = not labelled.
    public var isAnomalous: Bool?

    public init(sensor: String, time: Timestamp, metrics: [String], values: [Double], isAnomalous: Bool? = nil) {
        self.sensor = sensor
        self.time = time
        self.metrics = metrics
        self.values = values
        self.isAnomalous = isAnomalous
    }
}

/// A model with what a person wants to know of its training.
public struct TrainedModel: Sendable {
    public var record: ModelRecord
    /// Name and text, in the order in which they are shown.
    public var report: [(name: String, text: String)]
    /// What to look at before trusting it.
    public var warnings: [String]

    public init(record: ModelRecord, report: [(name: String, text: String)], warnings: [String] = []) {
        self.record = record
        self.report = report
        self.warnings = warnings
    }
}

/// Takes events, then trains.
public protocol ModelTraining: Sendable {
    /// - Returns: false for an event that is of no use here.
    mutating func add(_ event: TrainingEvent) -> Bool
    /// - Parameter progress: one line at a time, for long work.
    /// - Throws: `TocsinError` when there is too little to learn from.
    func train(progress: (String) -> Void) throws -> [TrainedModel]
}

/// What `tocsin train --model` can train.
public enum ModelChoice: String, CaseIterable, Sendable {
    /// Isolation Forest on the metrics of an event and their ratios.
    case forest
    /// Random Forest of change for smoke and fire sensors; needs labels.
    case randomForest = "random-forest"
    /// LSTM autoencoder on the windows of a series, one for each metric.
    case lstm
}

enum ReportText {
    static func number(_ value: Double, digits: Int = 3) -> String {
        guard value.isFinite else { return "-" }
        var scale = 1.0
        for _ in 0..<digits { scale *= 10 }
        let rounded = (value * scale).rounded() / scale
        return rounded == rounded.rounded() && abs(rounded) < 1e15 ? "\(Int64(rounded))" : "\(rounded)"
    }

    static func percent(_ share: Double) -> String { number(share * 100, digits: 2) + " %" }
}

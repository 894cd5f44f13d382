/// What `tocsin replay` is asked beyond the configuration.
public struct ReplayOptions: Sendable {
    public var detector: ReplayDetector
    /// Rows of each sensor that a detector of the judges learns from before it judges.
    public var trainRows: Int
    /// Files of `tocsin train --out`; of an LSTM `METRIC=FILE`.
    public var models: [String]
    /// Folder for one picture of each sensor; nil = none.
    public var plots: String?

    public init(
        detector: ReplayDetector = .engine(.configured), trainRows: Int = 1000, models: [String] = [],
        plots: String? = nil
    ) {
        self.detector = detector
        self.trainRows = trainRows
        self.models = models
        self.plots = plots
    }
}

public import TocsinCore

/// What the ensemble found at one row of a sensor. Plain data: rows of findings cost no allocation.
public struct EnsembleFinding: Sendable {
    /// What was new, or wrong, most of all: for the sentence.
    public enum Evidence: UInt8, Sendable {
        /// A value in a range never visited.
        case value
        /// A step between two ranges never made, each of which may be usual.
        case step
        /// The last 52 readings together are distributed as never before.
        case distribution
        /// The last 24 readings run in a shape unlike all before.
        case shape
        /// The metrics do not go together as usual.
        case combination
    }

    /// How much one metric contributed; shares of the chart's finding may be negative.
    public struct Share: Sendable, Equatable {
        /// Index in the sensor's row.
        public var metric: Int
        public var share: Double
    }

    /// `pattern` for one metric, `multivariate` for a row.
    public var kind: AnomalyKind
    /// Index in the row of the metric it is about; for `multivariate` the metric that contributed most.
    public var metric: Int
    public var evidence: Evidence
    /// When it began and when it was found, in event time.
    public var start: Timestamp
    public var time: Timestamp
    /// The metric's reading; of a series read faster than every 20 s the mean of a minute.
    public var value: Double
    /// Where the metric usually lies; NaN while unknown.
    public var expectedLow: Double
    public var expectedHigh: Double
    /// 0…1, high = anomalous; 0.5 is the decision limit.
    public var score: Double
    /// Share of the sensor's own past rows that scored at least so high (conformal, with this row counted in).
    public var pValue: Double
    /// The four largest, by amount; unused places have share 0.
    public var contributions: InlineArray<4, Share>
    /// It only says that a known condition goes on.
    public var isContinuation: Bool
}

extension EnsembleFinding {
    static let noShares = InlineArray<4, Share>(repeating: Share(metric: 0, share: 0))

    /// Keeps the four of largest amount, largest first.
    static func insert(_ share: Share, into shares: inout InlineArray<4, Share>) {
        var place = 4
        while place > 0, abs(shares[place - 1].share) < abs(share.share) {
            if place < 4 { shares[place] = shares[place - 1] }
            place -= 1
        }
        if place < 4 { shares[place] = share }
    }
}

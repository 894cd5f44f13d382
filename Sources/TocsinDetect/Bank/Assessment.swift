public import TocsinCore

/// What the bank says of one reading. Plain data: no references, so it costs nothing to hand on.
public struct Assessment: Sendable {
    /// −ln p, 0 and above: the natural logarithm spares the hot path an exponential.
    public var surprise: Double
    /// 0…1, high = anomalous, monotone in `surprise`; 0.5 is the decision limit of `BankSettings.falseAlarmRate`.
    public var score: Double
    /// Readings inside this band are no spike. NaN until there is an expectation.
    public var expectedLow: Double
    public var expectedHigh: Double
    /// The value to report: the reading; for drift the new level, for noise the standard deviation.
    public var value: Double
    /// When the reported condition began (the reading's own time for a spike).
    public var start: Timestamp
    /// A verdict is due. At most one a reading, the most specific. nil = none.
    public var kind: AnomalyKind?
    /// What holds at this reading, reported now or not: with it every reading of a stuck or noisy stretch is marked,
    /// while `kind` is set only when it begins and at intervals.
    public var condition: AnomalyKind?
    /// `kind` only says that a known condition goes on.
    public var isContinuation: Bool
    /// The series has too few readings for more than stuck and range.
    public var isLearning: Bool

    /// Nothing is said yet.
    public init() { self.init(value: .nan, time: 0) }

    init(value: Double, time: Int64) {
        surprise = 0
        score = 0
        expectedLow = .nan
        expectedHigh = .nan
        self.value = value
        start = Timestamp(nanoseconds: time)
        kind = nil
        condition = nil
        isContinuation = false
        isLearning = false
    }

    /// Probability of a reading at least this unusual on data like the past of the series. About 5 ns.
    public var pValue: Double { exponential(-surprise) }
    /// Whether this reading belongs to an anomaly, newly reported or going on.
    public var isAnomalous: Bool { condition != nil }
}

/// A series from which no reading has come for longer than it ever should.
public struct SilenceFinding: Sendable {
    public var series: SeriesID
    /// Event time of its last reading.
    public var start: Timestamp
    /// The high-water mark at which the silence was seen.
    public var time: Timestamp
    /// Seconds without a reading so far.
    public var seconds: Double
    /// Seconds that would have been normal.
    public var limit: Double
    /// Nominal: the chance of such a gap if gaps beyond a third of the limit were exponential.
    public var pValue: Double
    public var score: Double
    public var isContinuation: Bool
}

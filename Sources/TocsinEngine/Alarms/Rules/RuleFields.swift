public import TocsinCore
public import TocsinDetect

/// What a rule may say of the series it is for; nil leaves it to the rules before it and to the defaults.
public struct RuleFields: Sendable, Equatable {
    /// Deviations from the middle of the expected band smaller than this, in the metric's unit, are no finding.
    public var minimumDeviation: Double?
    /// The same as a share of that level.
    public var minimumRelativeDeviation: Double?
    /// Which side of the expectation counts.
    public var direction: BankSettings.Direction?
    /// Kinds that may be reported. Fire is reported whatever stands here.
    public var kinds: Set<AnomalyKind>?
    /// Normal operating range: values outside are reported as `range`. One side may be infinite.
    public var range: ClosedRange<Double>?
    /// Findings with a lower score are none (0…1): where `AlarmBudget` puts its threshold. Not for fire and range.
    public var minimumScore: Double?
    /// A condition must hold or repeat this long before an incident is raised. Fire does not wait.
    public var onDelay: Span64?
    /// An incident ends after this long without a finding; nil = `AlarmSettings.clearAfter`.
    public var offDelay: Span64?
    /// A value counts as back to normal only when it is inside its band by this much, in the metric's unit.
    public var deadBand: Double?
    /// Instead of the severity by kind.
    public var severity: Alarm.Severity?
    /// Warnings told singly per asset and day (UTC); nil = `AlarmSettings.budgetPerDay`.
    public var budgetPerDay: Int?
    /// True: the detectors learn nothing from these series.
    public var doNotLearn: Bool?

    public init(
        minimumDeviation: Double? = nil, minimumRelativeDeviation: Double? = nil,
        direction: BankSettings.Direction? = nil, kinds: Set<AnomalyKind>? = nil, range: ClosedRange<Double>? = nil,
        minimumScore: Double? = nil, onDelay: Span64? = nil, offDelay: Span64? = nil, deadBand: Double? = nil,
        severity: Alarm.Severity? = nil, budgetPerDay: Int? = nil, doNotLearn: Bool? = nil
    ) {
        self.minimumDeviation = minimumDeviation
        self.minimumRelativeDeviation = minimumRelativeDeviation
        self.direction = direction
        self.kinds = kinds
        self.range = range
        self.minimumScore = minimumScore
        self.onDelay = onDelay
        self.offDelay = offDelay
        self.deadBand = deadBand
        self.severity = severity
        self.budgetPerDay = budgetPerDay
        self.doNotLearn = doNotLearn
    }

    /// The fields of a later rule win, one by one.
    public mutating func override(with later: RuleFields) {
        minimumDeviation = later.minimumDeviation ?? minimumDeviation
        minimumRelativeDeviation = later.minimumRelativeDeviation ?? minimumRelativeDeviation
        direction = later.direction ?? direction
        kinds = later.kinds ?? kinds
        range = later.range ?? range
        minimumScore = later.minimumScore ?? minimumScore
        onDelay = later.onDelay ?? onDelay
        offDelay = later.offDelay ?? offDelay
        deadBand = later.deadBand ?? deadBand
        severity = later.severity ?? severity
        budgetPerDay = later.budgetPerDay ?? budgetPerDay
        doNotLearn = later.doNotLearn ?? doNotLearn
    }
}

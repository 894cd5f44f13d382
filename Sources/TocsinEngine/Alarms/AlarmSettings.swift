public import TocsinCore

/// When incidents begin, go on and end. Times are in the progress of the stream, not of the wall clock.
public struct AlarmSettings: Sendable {
    /// An incident with no further verdict for this long is cleared. An incident that comes back needs twice as long
    /// each time, up to eight times: what chatters is told less and less often.
    public var clearAfter: Span64
    /// A verdict of the same kind on the same sensor this soon after the clearing reopens the incident
    /// instead of raising a new one: people are told once.
    public var cooldown: Span64
    /// A drift that has moved no further for this long is taken as the new normal and closed; nil = never.
    public var newNormalAfter: Span64?
    /// nil = every incident is told singly, however many there are.
    public var flood: FloodSettings?
    /// Warnings told singly per asset and day (UTC); nil = no limit. Rules may say otherwise.
    public var budgetPerDay: Int?
    public var feedback: FeedbackSettings
    /// Alarms of these kinds stay on the list after they have cleared, until somebody acknowledges them.
    public var latched: Set<AnomalyKind>

    public init(
        clearAfter: Span64 = .minutes(5), cooldown: Span64 = .minutes(10), newNormalAfter: Span64? = .hours(6),
        flood: FloodSettings? = FloodSettings(), budgetPerDay: Int? = nil,
        feedback: FeedbackSettings = FeedbackSettings(), latched: Set<AnomalyKind> = [.fire]
    ) {
        self.clearAfter = clearAfter
        self.cooldown = cooldown
        self.newNormalAfter = newNormalAfter
        self.flood = flood
        self.budgetPerDay = budgetPerDay
        self.feedback = feedback
        self.latched = latched
    }
}

/// When so much goes wrong at once that single messages help nobody.
public struct FloodSettings: Sendable {
    /// More new incidents than this `within` are a flood. At least 1. Nine and the summary are the ten messages in ten
    /// minutes that a person can take in (EEMUA 191).
    public var incidents: Int
    public var within: Span64
    /// It is over when the rate has not been above the limit for this long.
    public var calmAfter: Span64
    /// So many critical incidents are told singly also in a flood, counted from those that began it. More are members
    /// like the others, and make the summary critical.
    public var criticals: Int

    public init(
        incidents: Int = 9, within: Span64 = .minutes(9), calmAfter: Span64 = .minutes(9), criticals: Int = 5
    ) {
        self.incidents = incidents
        self.within = within
        self.calmAfter = calmAfter
        self.criticals = criticals
    }
}

/// How much one word of a person weighs.
public struct FeedbackSettings: Sendable {
    /// After `false` a finding must have so many times the odds (score ÷ (1 − score)) of the false one to raise again.
    public var margin: Double
    /// Each further `false` adds as much again, up to this.
    public var largestMargin: Double
    /// The margin shrinks to nothing over this time, and then the `false` is forgotten.
    public var decay: Span64
    /// An expected finding may be this much earlier or later than the one that was marked.
    public var slack: Span64
    /// A recurrence that was not seen for this long is no longer expected.
    public var expectationLifetime: Span64

    public init(
        margin: Double = 1.5, largestMargin: Double = 3, decay: Span64 = .days(30), slack: Span64 = .minutes(30),
        expectationLifetime: Span64 = .days(28)
    ) {
        self.margin = margin
        self.largestMargin = largestMargin
        self.decay = decay
        self.slack = slack
        self.expectationLifetime = expectationLifetime
    }
}

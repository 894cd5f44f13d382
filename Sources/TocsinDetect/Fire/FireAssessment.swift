public import TocsinCore

/// What a fire detector says of one event. Plain data.
public struct FireAssessment: Sendable, Equatable {
    public enum Step: UInt8, Sendable {
        /// The alarm begins with this event.
        case raised
        /// It goes on: said at most once a minute.
        case continued
        /// It ends: nothing gave cause for `FireSettings.holdSeconds`.
        case cleared
    }

    public enum Cause: UInt8, Sendable {
        /// A fixed limit or rate of rise; no model can silence it.
        case limit
        /// Two of particles, gas and heat left what is usual within the same minute.
        case change
        /// The Random Forest of change.
        case forest
    }

    /// 0…1, 0.5 and above = cause for an alarm; 1 for a limit.
    public var score: Double
    /// The strongest cause of this event; nil = none.
    public var cause: Cause?
    /// An alarm stands after this event.
    public var isAlarming: Bool
    /// nil where nothing is to be said.
    public var step: Step?
    /// The first sign of the alarm that stands or has just ended; else the event's time.
    public var since: Timestamp
    /// The second strongest of particles, gas and heat, in usual swings.
    public var evidence: Double
    /// Of the forest; 0 where it was not asked.
    public var probability: Double
}

/// Why a fire detector alarms, for people.
public struct FireExplanation: Sendable, Equatable {
    /// One sentence of all reasons.
    public var sentence: String
    /// The strongest first.
    public var reasons: [String]
    /// The metric that says most, its value and where that was expected, in the unit in which it is judged.
    public var metric: String
    public var value: Double
    public var expectedLow: Double
    public var expectedHigh: Double
    /// The strongest first; shares sum to 1.
    public var contributions: [Contribution]
}

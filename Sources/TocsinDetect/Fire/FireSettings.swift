/// How a fire detector decides; one default for all sensors.
public struct FireSettings: Sendable, Equatable {
    /// Seconds of readings before changes are judged against what is usual; the fixed limits hold from the first
    /// reading on. Default 300.
    public var learningSeconds: Double
    /// A change within a minute is a sign from here on, in the metric's own usual swings. Default 6; on the shared
    /// recordings 4 to 6 give the same alarms.
    public var departure: Double
    /// The alarm holds this long after the last reading that gave cause, seconds. Default 300.
    public var holdSeconds: Double
    /// Never silenced by model or learning.
    public var rules: [SafetyLimits.Rule]

    public init(
        learningSeconds: Double = 300, departure: Double = 6, holdSeconds: Double = 300,
        rules: [SafetyLimits.Rule] = SafetyLimits.fire
    ) {
        self.learningSeconds = learningSeconds
        self.departure = departure
        self.holdSeconds = holdSeconds
        self.rules = rules
    }
}

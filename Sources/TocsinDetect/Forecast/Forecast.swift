public import TocsinCore

/// What a series is expected to do: a point and an interval for each slot of the horizon.
public struct Forecast: Sendable {
    public struct Point: Sendable, Equatable {
        public var time: Timestamp
        public var value: Double
        /// The value lies between them with the probability `coverage`.
        public var lower: Double
        public var upper: Double

        public init(time: Timestamp, value: Double, lower: Double, upper: Double) {
            self.time = time
            self.value = value
            self.lower = lower
            self.upper = upper
        }
    }

    /// Time and value of the last slot that is known; the value is NaN when it is missing.
    public let start: Timestamp
    public let startValue: Double
    /// Slot by slot, in order of time.
    public let points: [Point]
    /// 0.95 = of a hundred values, ninety-five lie in the interval.
    public let coverage: Double

    public init(start: Timestamp, startValue: Double, points: [Point], coverage: Double) {
        self.start = start
        self.startValue = startValue
        self.points = points
        self.coverage = coverage
    }

    /// The last slot of the horizon.
    public var end: Timestamp { points.last?.time ?? start }

    /// When a limit is reached; see `ThresholdCrossing`.
    public func crossing(of limit: Double, _ side: ThresholdCrossing.Side) -> ThresholdCrossing {
        ThresholdCrossing(self, limit: limit, side: side)
    }
}

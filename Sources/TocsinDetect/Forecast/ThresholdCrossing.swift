public import TocsinCore

/// When a forecast reaches a limit: expected, and at the earliest and latest by the interval.
///
/// ```swift
/// forecast.crossing(of: 80, .above).sentence(unit: "°C")
/// // "reaches 80 °C in about 3.2 h (1.9 h to 6 h)"
/// ```
/// The interval holds slot by slot, so earliest and latest are where its edges pass the limit, not the quantiles of the
/// time itself.
public struct ThresholdCrossing: Sendable, Equatable {
    /// On which side of the limit it is dangerous.
    public enum Side: String, CaseIterable, Sendable { case above, below }

    public let limit: Double
    public let side: Side
    public let horizon: Span64
    public let coverage: Double
    /// Whether the last known value is there already; then the times are 0.
    public let isReached: Bool
    /// From the last known slot; nil = not within the horizon.
    public let expected: Span64?
    /// Where the near edge of the interval reaches the limit; nil = not within the horizon.
    public let earliest: Span64?
    /// Where the far edge does; nil = not within the horizon.
    public let latest: Span64?

    /// - Parameter limit: reached by a value equal to it.
    public init(_ forecast: Forecast, limit: Double, side: Side) {
        self.limit = limit
        self.side = side
        coverage = forecast.coverage
        horizon = forecast.end.since(forecast.start)
        // Downwards is upwards with all signs changed.
        let sign = side == .above ? 1.0 : -1.0
        isReached = sign * forecast.startValue >= sign * limit
        if isReached {
            (expected, earliest, latest) = (Span64(nanoseconds: 0), Span64(nanoseconds: 0), Span64(nanoseconds: 0))
            return
        }
        let near = side == .above ? \Forecast.Point.upper : \Forecast.Point.lower
        let far = side == .above ? \Forecast.Point.lower : \Forecast.Point.upper
        expected = Self.first(forecast, sign * limit) { sign * $0.value }
        earliest = Self.first(forecast, sign * limit) { sign * $0[keyPath: near] }
        latest = Self.first(forecast, sign * limit) { sign * $0[keyPath: far] }
    }

    /// The first time at which the height is reached, between slots by a straight line.
    private static func first(_ forecast: Forecast, _ limit: Double, _ height: (Forecast.Point) -> Double) -> Span64? {
        var before = forecast.start
        var low = Double.nan
        for point in forecast.points {
            let high = height(point)
            if high >= limit {
                let whole = point.time.since(before)
                guard low < limit, high > low else { return point.time.since(forecast.start) }
                let share = ((limit - low) / (high - low)).clamped(0, 1)
                let part = Int64(exactly: (Double(whole.nanoseconds) * share).rounded()) ?? whole.nanoseconds
                return before.advanced(by: Span64(nanoseconds: part)).since(forecast.start)
            }
            low = high
            before = point.time
        }
        return nil
    }

    /// One sentence for people, without a subject: "reaches 80 °C in about 3.2 h (1.9 h to 6 h)".
    ///
    /// - Parameter unit: of the limit; empty for none.
    public func sentence(unit: String = "") -> String {
        let name = Self.number(limit) + (unit.isEmpty ? "" : " \(unit)")
        let percent = Self.number(coverage * 100)
        if isReached { return "is at \(name) or \(side == .above ? "above" : "below") already" }
        guard let earliest else {
            return "stays \(side == .above ? "below" : "above") \(name) for the next \(Self.text(of: horizon)) "
                + "with \(percent) % confidence"
        }
        guard let expected else {
            return "is not expected to reach \(name) within \(Self.text(of: horizon)), but may as soon as in "
                + Self.text(of: earliest)
        }
        let range =
            latest.map { "\(Self.text(of: earliest)) to \(Self.text(of: $0))" }
            ?? "\(Self.text(of: earliest)) at the earliest"
        return "reaches \(name) in about \(Self.text(of: expected)) (\(range))"
    }

    /// In the largest unit that gives a number of 1 or more, two digits: `3.2 h`.
    public static func text(of span: Span64) -> String {
        let seconds = span.seconds
        for (unit, size) in [("d", 86_400.0), ("h", 3600), ("min", 60)] where seconds >= (unit == "d" ? 2 * size : size)
        {
            return "\(number(seconds / size)) \(unit)"
        }
        return "\(number(seconds)) s"
    }

    /// Two digits behind the point below 1, one below 100, else none beyond what is there.
    static func number(_ value: Double) -> String {
        let scale = abs(value) < 1 ? 100.0 : abs(value) < 100 ? 10 : 1
        let rounded = (value * scale).rounded() / scale
        guard let whole = Int64(exactly: rounded) else { return "\(rounded)" }
        return "\(whole)"
    }
}

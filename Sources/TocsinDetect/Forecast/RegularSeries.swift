public import TocsinCore

/// Readings on an even grid of times, missing ones as NaN: what forecasts are made from.
///
/// A slot holds the mean of the readings nearest to its time. The step is the readings' median distance, brought to a
/// whole number of slots a day so that daily and weekly seasons keep their place.
public struct RegularSeries: Sendable {
    /// Time of the first slot.
    public let start: Timestamp
    /// Above 0.
    public let step: Span64
    public let values: [Double]

    /// Slots kept, the newest ones: four weeks of minutes and a half, ten weeks of five minutes.
    public static let maximumCount = 20_160

    /// - Parameter values: NaN for a missing value; the first stands at `start`.
    public init(start: Timestamp, step: Span64, values: [Double]) {
        self.start = start
        self.step = Span64(nanoseconds: max(step.nanoseconds, 1))
        self.values = values
    }

    /// Readings in any order, brought to the grid.
    ///
    /// - Parameters:
    ///   - horizon: how far is to be looked ahead; the step is no finer than 1/288 of it. Nil = as fine as the readings.
    /// - Returns: nil for fewer than 3 readings, or when all have the same time.
    public init?(times: [Timestamp], values: [Double], horizon: Span64? = nil) {
        var readings: [(time: Int64, value: Double)] = []
        for (time, value) in zip(times, values) where value.isFinite && abs(value) < 1e100 {
            readings.append((time.nanoseconds, value))
        }
        if zip(readings, readings.dropFirst()).contains(where: { $0.time > $1.time }) {
            readings.sort { $0.time < $1.time }
        }
        guard readings.count >= 3, let last = readings.last,
            let step = Self.step(of: readings.map(\.time), horizon: horizon)
        else { return nil }
        // Slots are counted back from the newest reading, which stands exactly on one.
        var slots: [(back: Int, value: Double)] = []
        for reading in readings {
            let back = Self.slots(from: reading.time, to: last.time, step: step)
            if back < Self.maximumCount { slots.append((back, reading.value)) }
        }
        let count = (slots.map(\.back).max() ?? 0) + 1
        var sums = [Double](repeating: 0, count: count)
        var counts = [Double](repeating: 0, count: count)
        for slot in slots {
            sums[count - 1 - slot.back] += slot.value
            counts[count - 1 - slot.back] += 1
        }
        let distance = Int64(count - 1).multipliedReportingOverflow(by: step)
        start = Timestamp(nanoseconds: last.time).advanced(
            by: Span64(nanoseconds: distance.overflow ? .min : -distance.partialValue))
        self.step = Span64(nanoseconds: step)
        self.values = zip(sums, counts).map { $1 > 0 ? $0 / $1 : .nan }
    }

    public var count: Int { values.count }

    /// Time of the last slot.
    public var end: Timestamp { time(count - 1) }

    /// Time of a slot; negative and later ones are extrapolated.
    public func time(_ slot: Int) -> Timestamp { start.advanced(by: Self.span(step, times: slot)) }

    /// The first slots alone.
    public func prefix(_ count: Int) -> RegularSeries {
        RegularSeries(start: start, step: step, values: Array(values.prefix(count)))
    }

    /// Whole slots nearest to a length of time, at least 1.
    public func slots(in span: Span64) -> Int {
        let slots = (Double(span.nanoseconds) / Double(step.nanoseconds)).rounded()
        return max(Int(exactly: slots) ?? 1, 1)
    }

    /// Saturating.
    static func span(_ step: Span64, times count: Int) -> Span64 {
        let (product, overflow) = step.nanoseconds.multipliedReportingOverflow(by: Int64(count))
        return Span64(nanoseconds: overflow ? (count < 0 ? .min : .max) : product)
    }

    private static func slots(from earlier: Int64, to later: Int64, step: Int64) -> Int {
        let (distance, overflow) = later.subtractingReportingOverflow(earlier)
        guard !overflow else { return .max }
        let (whole, rest) = distance.quotientAndRemainder(dividingBy: step)
        return Int(whole) + (rest > step / 2 ? 1 : 0)
    }

    private static func step(of times: [Int64], horizon: Span64?) -> Int64? {
        var distances: [Int64] = []
        for (earlier, later) in zip(times, times.dropFirst()) {
            let (distance, overflow) = later.subtractingReportingOverflow(earlier)
            if !overflow, distance > 0 { distances.append(distance) }
        }
        guard !distances.isEmpty else { return nil }
        distances.sort()
        let step = max(distances[distances.count / 2], (horizon?.nanoseconds ?? 0) / 288, 1)
        let day = Span64.days(1).nanoseconds
        guard step <= day / 2 else { return step }
        // What was meant where readings jitter; all of them divide a day.
        for seconds in tidySeconds where abs(Double(step) / (Double(seconds) * 1e9) - 1) < 0.03 {
            return Span64.seconds(seconds).nanoseconds
        }
        return max(day / max(Int64((Double(day) / Double(step)).rounded()), 1), 1)
    }

    private static let tidySeconds: [Int64] = [
        1, 2, 3, 4, 5, 6, 8, 10, 12, 15, 20, 30, 60, 75, 120, 180, 240, 300, 360, 600, 720, 900, 1200, 1800, 3600, 7200,
        10_800, 14_400, 21_600, 43_200,
    ]
}

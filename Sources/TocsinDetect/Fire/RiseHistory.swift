internal import TocsinCore

/// The lowest value of each of the last 61 seconds: a reading of exactly a minute ago still counts.
struct RiseHistory: Sendable {
    private var minima = InlineArray<61, Double>(repeating: .infinity)
    /// Number of the second that was written last.
    private var span = Int64.min
    private var previous = Double.nan
    private var previousTime = Timestamp(nanoseconds: 0)

    init() {}

    /// The reading before is so old that a new one stands for itself; the first of all does not.
    func isOlder(than seconds: Int64, at time: Timestamp) -> Bool {
        guard !previous.isNaN else { return false }
        let passed = time.nanoseconds.subtractingReportingOverflow(previousTime.nanoseconds)
        return passed.overflow || passed.partialValue.magnitude > UInt64(seconds) * 1_000_000_000
    }

    /// How far the value is above the lowest of the last minute; it is remembered.
    mutating func rise(to value: Double, at time: Timestamp) -> Double {
        let now = time.nanoseconds / 1_000_000_000
        let passed = span == .min ? 61 : now.subtractingReportingOverflow(span).partialValue
        if passed <= -61 || passed >= 61 {
            for place in 0..<61 { minima[place] = .infinity }
            span = now
        } else if passed > 0 {
            var fresh = span + 1
            while fresh <= now {
                minima[Self.place(fresh)] = .infinity
                fresh += 1
            }
            span = now
        }
        var lowest = value
        for place in 0..<61 { lowest = min(lowest, minima[place]) }
        var rise = value - lowest
        let gap = Double(time.nanoseconds) - Double(previousTime.nanoseconds)
        if !previous.isNaN, passed >= 61, gap > 0 { rise = max(rise, (value - previous) / (gap / 60e9)) }
        // Of two readings in a row the higher one: the return from a single low reading is no rise.
        let base = previous.isNaN || isOlder(than: 60, at: time) ? value : max(value, previous)
        minima[Self.place(now)] = min(minima[Self.place(now)], base)
        previous = value
        previousTime = time
        return rise
    }

    private static func place(_ span: Int64) -> Int { Int((span % 61 + 61) % 61) }
}

extension RiseHistory {
    func save(to writer: inout StateWriter) {
        for place in 0..<61 { writer.write(minima[place]) }
        writer.write(span)
        writer.write(previous)
        writer.write(previousTime)
    }

    /// nil where the bytes end; whatever is accepted can be used.
    init?(from reader: inout StateReader) {
        self.init()
        for place in 0..<61 {
            guard let value = reader.readDouble() else { return nil }
            minima[place] = value.isNaN ? .infinity : value
        }
        // A second that no time has would let the walk to the present overflow.
        guard let span = reader.read(Int64.self), span == .min || abs(span / 2) < 1 << 33,
            let previous = reader.readDouble(), let time = reader.readTimestamp()
        else { return nil }
        self.span = span
        self.previous = previous
        previousTime = time
    }
}

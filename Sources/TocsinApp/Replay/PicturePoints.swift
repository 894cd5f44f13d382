internal import TocsinCore

/// The readings of one series for a picture, with the band in which they were expected. Of a long recording every
/// highest and lowest stays and the rest is thinned: a picture has some thousand columns.
struct PicturePoints: Sendable {
    private(set) var times: [Timestamp] = []
    private(set) var values: [Double] = []
    private(set) var low: [Double] = []
    private(set) var high: [Double] = []

    /// 32 bytes each.
    private static let most = 1 << 17

    mutating func add(_ time: Timestamp, _ value: Double, low: Double, high: Double) {
        if times.count >= Self.most { thin() }
        times.append(time)
        values.append(value)
        self.low.append(low)
        self.high.append(high)
    }

    /// Of each eight the lowest and the highest, in the order in which they came.
    private mutating func thin() {
        var kept = 0
        for start in stride(from: 0, to: times.count, by: 8) {
            let run = start..<min(start + 8, times.count)
            let lowest = run.min { values[$0] < values[$1] } ?? start
            let highest = run.max { values[$0] < values[$1] } ?? start
            for place in lowest == highest ? [lowest] : [min(lowest, highest), max(lowest, highest)] {
                (times[kept], values[kept]) = (times[place], values[place])
                (low[kept], high[kept]) = (low[place], high[place])
                kept += 1
            }
        }
        times.removeLast(times.count - kept)
        values.removeLast(values.count - kept)
        low.removeLast(low.count - kept)
        high.removeLast(high.count - kept)
    }
}

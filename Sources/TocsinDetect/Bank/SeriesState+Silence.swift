internal import TocsinCore

extension SeriesState {
    /// Learns the time since the last arrival and returns the next deadline in the source's high-water time;
    /// `Int64.max` while fewer than 20 intervals are known.
    ///
    /// The limit is the largest of the configured minimum, 8 median intervals and three times the longest interval seen
    /// lately. The longest interval may grow by a factor four at a time, so one outage does not disarm the timer.
    @inline(__always)
    mutating func arrive(highWater: Int64, parameters: BankParameters) -> (gap: Float, deadline: Int64) {
        guard count > 0 else {
            lastHighWater = highWater
            return (0, .max)
        }
        let (difference, overflow) = highWater.subtractingReportingOverflow(lastHighWater)
        let seconds = overflow ? 0 : Float(difference) * 1e-9
        lastHighWater = max(lastHighWater, highWater)
        var gap: Float = 0
        if seconds > 0 {
            if interval > 0 { gap = seconds / interval }
            let rate = intervals < 147 ? max(0.02, 3 / (Float(intervals) + 3)) : 0.02
            let distance = seconds - interval
            let factor =
                distance == 0 ? 1 : distance.bySign(negative: 1 - rate + rate * rate, positive: 1 + rate)
            interval = interval == 0 ? seconds : interval * factor
            if seconds > longestInterval {
                longestInterval = intervals < 20 ? seconds : min(seconds, longestInterval * 4)
            } else {
                longestInterval += (max(seconds, interval) - longestInterval) * (1 / 512)
            }
            if intervals < 255 { intervals += 1 }
        }
        conditions.remove(.silent)
        guard intervals >= 20 else { return (gap, .max) }
        return (gap, deadline(after: lastHighWater, seconds: silenceLimit(parameters)))
    }

    /// Seconds without a reading that are still normal.
    @inline(__always) func silenceLimit(_ parameters: BankParameters) -> Double {
        max(parameters.minimumSilence, parameters.silenceIntervals * Double(interval), 3 * Double(longestInterval))
    }

    /// Saturating, so that absurd intervals cannot trap.
    @inline(__always) func deadline(after time: Int64, seconds: Double) -> Int64 {
        let nanoseconds = seconds < 9e9 ? Int64(seconds * 1e9) : .max
        let (sum, overflow) = time.addingReportingOverflow(nanoseconds)
        return overflow ? .max : sum
    }
}

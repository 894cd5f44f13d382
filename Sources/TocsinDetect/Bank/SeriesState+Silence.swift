internal import TocsinCore

extension SeriesState {
    /// Learns the time since the last arrival and sets the patience with the next one, infinity while fewer than 20
    /// intervals are known. Returns the time in usual intervals, 0 up to three, and whether the deadline may have come nearer.
    ///
    /// The limit is the largest of the configured minimum, 8 median intervals and three times the longest interval seen
    /// lately. The longest interval may grow by a factor four at a time, so one outage does not disarm the timer.
    @inline(__always)
    mutating func arrive(highWater: Int64, parameters: BankParameters) -> (gap: Float, isNearer: Bool) {
        guard count > 0 else {
            lastHighWater = highWater
            patience = .infinity
            return (0, false)
        }
        let former = patience
        let seconds = advance(highWater: highWater)
        var gap: Float = 0
        if seconds > 0 {
            if seconds > 3 * interval, interval > 0 { gap = seconds / interval }
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
        patience = intervals < 20 ? .infinity : silenceLimit(parameters)
        return (gap, seconds + patience <= former * 1.000_001)
    }

    /// Moves the clock of the source and returns by how many seconds, 0 where it stands or goes back.
    @inline(__always)
    mutating func advance(highWater: Int64) -> Float {
        let (difference, overflow) = highWater.subtractingReportingOverflow(lastHighWater)
        lastHighWater = max(lastHighWater, highWater)
        conditions.remove(.silent)
        return overflow ? 0 : max(Float(difference) * 1e-9, 0)
    }

    /// Seconds without a reading that are still normal.
    @inline(__always) func silenceLimit(_ parameters: BankParameters) -> Float {
        (3 * longestInterval).atLeast((parameters.silenceIntervals * interval).atLeast(parameters.minimumSilence))
    }

    /// The high-water time at which silence begins; `Int64.max` while unknown. Saturating, so that absurd intervals
    /// cannot trap.
    @inline(__always) var deadline: Int64 {
        let nanoseconds = patience < 9e9 ? Int64(Double(patience) * 1e9) : .max
        let (sum, overflow) = lastHighWater.addingReportingOverflow(nanoseconds)
        return overflow || nanoseconds == .max ? .max : sum
    }
}

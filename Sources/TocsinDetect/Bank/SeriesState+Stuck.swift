extension SeriesState {
    /// Follows the run of exactly equal values; true while it is longer than this series can explain.
    ///
    /// A run must be ten readings long, four times the longest one that ended by itself, and improbable for the share
    /// of repeats the series normally has (p < 1e-8). Series that repeat three times in four (switches, lamps, particle
    /// counters at zero) are exempt: for them a repeat is no evidence. So are runs at rest: at the lowest value seen
    /// before, or at zero when it was reached without a jump.
    @inline(__always)
    mutating func followRun(_ value: Double, time: Int64, isJump: Bool, parameters: BankParameters) -> Bool {
        let isRepeat = value == previous
        if isRepeat {
            run = run == .max ? .max : run + 1
        } else {
            if run > 1 { endRun() }
            run = 1
            runStart = time
            conditions.subtract([.stuck, .resting])
            if value <= minimum {
                if value == minimum || value == 0 && !isJump { conditions.insert(.resting) }
                minimum = value
            } else if value == 0, !isJump {
                conditions.insert(.resting)
            }
        }
        // A run that is under suspicion does not teach that runs are normal.
        if !isRepeat || run < parameters.minimumStuckReadings {
            let rate = count < 254 ? 1 / Float(count + 2) : 1.0 / 256
            repeatRate += ((isRepeat ? 1 : 0) - repeatRate) * rate
            // Far below every sum it enters. Without this it would decay into denormal numbers after 22,000 readings
            // without a repeat, where arithmetic is several times as slow.
            if repeatRate < 1e-25 { repeatRate = 0 }
        }
        guard isRepeat, run >= parameters.minimumStuckReadings, moves >= 16, !conditions.contains(.resting)
        else { return false }
        return isStuck
    }

    private mutating func endRun() {
        let length = Float(run)
        if length > longestRun {
            // Growth by at most a factor 4 a run: one long failure must not hide the next.
            longestRun = min(length, longestRun * 4)
        } else {
            longestRun += (max(length, 1) - longestRun) * (1 / 2048)
        }
        // What was withheld while the run was under suspicion.
        if run >= 10, !conditions.contains(.stuck) { repeatRate += (1 - repeatRate) * min(length / 256, 0.5) }
    }

    private var isStuck: Bool {
        let rate = repeatRate + 1 / Float(min(count, 256))
        guard rate < 0.75, conditions.contains(.notBinary), Float(run) > 4 * longestRun else { return false }
        return stuckSurprise >= 18
    }

    /// −ln of the chance of the present run if repeats were independent.
    var stuckSurprise: Double {
        let rate = Double(repeatRate) + 1 / Double(min(count, 256))
        return -Double(run) * naturalLog(rate.clamped(1e-9, 1))
    }
}

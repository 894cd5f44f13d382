internal import TocsinCore

extension FireDetector {
    /// What the forest of change sees of each role: the changes of the last ten seconds, minute, ten minutes and hour,
    /// as ratios (logarithms) or in K and % humidity, and the minute's change in the sensor's own usual swings.
    private static let aspects = ["10 s", "60 s", "600 s", "3600 s", "in swings"]

    /// The columns of the forest of change: the same for every sensor, whatever it calls its metrics and however many
    /// it has; what it does not measure is missing (NaN).
    ///
    /// No level is among them: levels name the place. Temperature and humidity are, so that a tree can tell a gas sensor
    /// that follows the weather from one that follows a fire.
    public static let featureNames: [String] =
        FireMetrics.Role.allCases.flatMap { role in aspects.map { "\(role) \($0)" } }
        + ["second strongest group"]

    /// Appends the row of the present moment; false, and nothing, while a sensor is new.
    func appendFeatures(at time: Timestamp, to row: inout [Double]) -> Bool {
        let start = row.count
        var isReady = false
        for _ in 0..<(FireMetrics.Role.allCases.count * Self.aspects.count) { row.append(.nan) }
        for place in channels.indices where channels[place].isJudged(at: time, learning: settings.learningSeconds) {
            isReady = true
            let channel = channels[place]
            let base = start + Int(metrics.channels[place].role.rawValue) * Self.aspects.count
            // Of several metrics of one role the one that moves most speaks.
            guard !(abs(row[base + 4]) >= abs(channel.departure)) else { continue }
            row[base] = channel.fast - channel.ten
            row[base + 1] = channel.fast - channel.minute
            row[base + 2] = channel.ten - channel.slow
            row[base + 3] = channel.minute - channel.hour
            row[base + 4] = channel.departure
        }
        guard isReady else {
            row.removeSubrange(start...)
            return false
        }
        row.append(secondStrongest(at: time))
        return true
    }
}

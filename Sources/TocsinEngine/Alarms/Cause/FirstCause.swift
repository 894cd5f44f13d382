public import TocsinCore

/// Which of several series moved first, and which follow: the likely first cause of what looks like one event.
///
/// Onsets that are clearly apart decide by themselves. Onsets within the tolerance (a detector needs longer for one
/// kind than for another) are decided by the lag at which the recent values correlate best, where they do. Each series
/// is compared with each other one; who comes before most others is the leader. Order in time is a hint and no proof.
public struct FirstCause: Sendable, Equatable {
    /// One series of the group.
    public struct Onset: Sendable {
        public var sensor: String
        public var metric: String?
        public var time: Timestamp
        /// Recent values on a grid that all onsets share, oldest first, all ending at the same moment; empty where
        /// there are none, NaN for gaps. About 120 points are plenty.
        public var values: [Double]

        public init(sensor: String, metric: String?, time: Timestamp, values: [Double] = []) {
            self.sensor = sensor
            self.metric = metric
            self.time = time
            self.values = values
        }
    }

    public struct Follower: Sendable, Equatable {
        public var sensor: String
        public var metric: String?
        /// Seconds after the leader.
        public var lag: Double
        /// With the leader's values at that lag; NaN where the values do not say.
        public var correlation: Double

        public static func == (left: Self, right: Self) -> Bool {
            left.sensor == right.sensor && left.metric == right.metric && left.lag == right.lag
                && (left.correlation == right.correlation || left.correlation.isNaN && right.correlation.isNaN)
        }
    }

    public var sensor: String
    public var metric: String?
    public var time: Timestamp
    /// By lag.
    public var followers: [Follower]

    /// Correlations below this are not believed.
    static let leastCorrelation = 0.6
    /// More are not compared with each other: the earliest are.
    static let mostOnsets = 16

    /// - Parameters:
    ///   - step: between two values of the histories.
    ///   - tolerance: onsets nearer than this to each other are at the same time, unless the values say otherwise.
    /// - Returns: nil with fewer than two onsets.
    public static func rank(
        onsets: [Onset], step: Span64 = .seconds(1), tolerance: Span64 = .seconds(5)
    ) -> FirstCause? {
        let sorted = onsets.sorted { ($0.time, $0.sensor, $0.metric ?? "") < ($1.time, $1.sensor, $1.metric ?? "") }
        let group = Array(sorted.prefix(mostOnsets))
        guard group.count > 1 else { return nil }
        var wins = Array(repeating: 0, count: group.count)
        for first in group.indices {
            for second in group.indices where second > first {
                let apart = group[second].time.since(group[first].time)
                if apart > tolerance {
                    wins[first] += 1
                } else if let lag = fit(group[first], group[second])?.lag, lag != 0 {
                    wins[lag > 0 ? first : second] += 1
                }
            }
        }
        var leader = 0
        for candidate in group.indices where wins[candidate] > wins[leader] { leader = candidate }
        let followers = sorted.indices.filter { $0 != leader }.map { index in
            follower(
                sorted[index], of: group[leader], fit: index < group.count ? fit(group[leader], group[index]) : nil,
                step)
        }
        return FirstCause(
            sensor: group[leader].sensor, metric: group[leader].metric, time: group[leader].time,
            followers: followers.sorted {
                ($0.lag, $0.sensor, $0.metric ?? "") < ($1.lag, $1.sensor, $1.metric ?? "")
            })
    }

    private static func fit(_ first: Onset, _ second: Onset) -> LaggedCorrelation? {
        guard let fit = LaggedCorrelation(first.values, second.values), abs(fit.correlation) >= leastCorrelation else {
            return nil
        }
        return fit
    }

    /// The values' lag where it says that the other one follows; else that of the onsets.
    private static func follower(
        _ onset: Onset, of leader: Onset, fit: LaggedCorrelation?, _ step: Span64
    ) -> Follower {
        let byOnset = max(onset.time.since(leader.time).seconds, 0)
        guard let fit, fit.lag >= 0 else {
            return Follower(sensor: onset.sensor, metric: onset.metric, lag: byOnset, correlation: .nan)
        }
        return Follower(
            sensor: onset.sensor, metric: onset.metric, lag: Double(fit.lag) * step.seconds,
            correlation: fit.correlation)
    }
}

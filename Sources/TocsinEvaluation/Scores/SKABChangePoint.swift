import Glibc
public import TocsinCore

/// SKAB's change-point score: NAB's idea with a window of 60 s to the right of each change point (waico/SKAB,
/// `chp_score` with metric "nab", "righter" windows, the "improved" scale function and "cut right window").
public enum SKABChangePoint {
    /// One recording: its times, the labelled change points and the predicted ones, all of the same length.
    public struct Recording: Sendable {
        public var times: [Timestamp]
        public var changePoints: [Bool]
        public var predicted: [Bool]

        public init(times: [Timestamp], changePoints: [Bool], predicted: [Bool]) {
            self.times = times
            self.changePoints = changePoints
            self.predicted = predicted
        }
    }

    /// Scores in percent: 0 for a detector that never fires, 100 for a perfect one.
    public struct Result: Equatable, Sendable {
        public var standard: Double
        public var lowFalsePositives: Double
        public var lowFalseNegatives: Double
        /// Change points without a prediction in their window.
        public var missed: Int
        /// Predictions outside of all windows.
        public var falsePositives: Int
        public var changePoints: Int
    }

    /// Predicted change points from predicted outliers, as SKAB's notebooks make them: the rows where the flag changes.
    public static func changes(of flags: [Bool]) -> [Bool] {
        flags.indices.map { $0 == 0 ? flags[0] : flags[$0] != flags[$0 - 1] }
    }

    /// Scores all recordings together; times must ascend. 0 everywhere when no change point is labelled. O(rows).
    public static func score(_ recordings: [Recording], window: Span64 = .seconds(60)) -> Result {
        let profiles = [NABProfile.standard, .rewardLowFalsePositives, .rewardLowFalseNegatives]
        var tally = Tally(profiles: profiles)
        for recording in recordings { tally.add(recording, window: window) }
        let normalised = zip(profiles, tally.sums).map { profile, sum in
            NABScorer.normalise(sum, windows: tally.changePoints, profile: profile)
        }
        return Result(
            standard: normalised[0], lowFalsePositives: normalised[1], lowFalseNegatives: normalised[2],
            missed: tally.missed, falsePositives: tally.falsePositives, changePoints: tally.changePoints)
    }

    private struct Tally {
        let profiles: [NABProfile]
        var sums: [Double]
        var missed = 0
        var falsePositives = 0
        var changePoints = 0

        init(profiles: [NABProfile]) {
            self.profiles = profiles
            sums = Array(repeating: 0, count: profiles.count)
        }

        mutating func add(_ recording: Recording, window: Span64) {
            let count = min(recording.times.count, recording.changePoints.count, recording.predicted.count)
            let predicted = (0..<count).filter { recording.predicted[$0] }.map { recording.times[$0] }
            let truth = (0..<count).filter { recording.changePoints[$0] }.map { recording.times[$0] }
            let windows = SKABChangePoint.windows(of: truth, length: window)
            changePoints += windows.count
            var next = 0
            for window in windows {
                while next < predicted.count, predicted[next] < window.start {
                    addFalsePositive()
                    next += 1
                }
                // A prediction on the limit that two windows share counts for both: `first` may lie before `next`.
                let first = predicted.partitionIndex { $0 >= window.start }
                if first < predicted.count, predicted[first] <= window.end {
                    addFound(predicted[first], in: window)
                } else {
                    addMissed()
                }
                while next < predicted.count, predicted[next] <= window.end { next += 1 }
            }
            while next < predicted.count {
                addFalsePositive()
                next += 1
            }
        }

        private mutating func addFalsePositive() {
            falsePositives += 1
            for index in profiles.indices { sums[index] -= profiles[index].falsePositiveWeight }
        }

        private mutating func addMissed() {
            missed += 1
            for index in profiles.indices { sums[index] -= profiles[index].falseNegativeWeight }
        }

        private mutating func addFound(_ time: Timestamp, in window: (start: Timestamp, end: Timestamp)) {
            let length = window.end.since(window.start).nanoseconds
            let position = length > 0 ? Double(time.since(window.start).nanoseconds) / Double(length) : 0
            for index in profiles.indices { sums[index] += SKABChangePoint.value(at: position, profiles[index]) }
        }
    }

    /// [t, t + length] for each change point; where two overlap the right one begins where the left one ends.
    static func windows(of times: [Timestamp], length: Span64) -> [(start: Timestamp, end: Timestamp)] {
        var result: [(start: Timestamp, end: Timestamp)] = []
        for time in times {
            let start = result.last.map { max($0.end, time) } ?? time
            result.append((start, max(start, time.advanced(by: length))))
        }
        return result
    }

    /// From the true-positive weight at the left edge (0) to minus the false-positive weight at the right (1): a tanh
    /// read from 1,000 steps, as the published code does.
    static func value(at position: Double, _ profile: NABProfile) -> Double {
        let steps = 1_000.0
        let step = max(0, min((position * steps).rounded(.down), steps - 1))
        let angle = -Double.pi / 2 + Double.pi * step / (steps - 1)
        let half = (profile.truePositiveWeight + profile.falsePositiveWeight) / 2
        return half - profile.falsePositiveWeight - half * tanh(angle) / tanh(Double.pi / 2)
    }
}

extension [Timestamp] {
    /// The first index for which an ascending array satisfies `belongsAfter`. O(log n).
    fileprivate func partitionIndex(where belongsAfter: (Timestamp) -> Bool) -> Int {
        var low = 0
        var high = count
        while low < high {
            let middle = low + (high - low) / 2
            if belongsAfter(self[middle]) { high = middle } else { low = middle + 1 }
        }
        return low
    }
}

public import TocsinCore

/// Compares what was found with the ground truth that came with the input: event-wise, never point-adjusted.
///
/// A true episode is a run of events labelled anomalous on one sensor. It is found when an anomaly of that sensor lies
/// between its first event and its last event plus the tolerance. An incident (anomalies of one alarm) is right when any
/// of its anomalies lies in an episode. A silent stretch of a sensor does not end an episode; a normal label does.
public struct LabelEvaluation: Sendable {
    public struct Report: Sendable {
        public var labelledEvents = 0
        public var anomalousEvents = 0
        public var episodes = 0
        public var episodesFound = 0
        public var incidents = 0
        public var incidentsRight = 0
        /// From the first event of an episode to its first anomaly, in seconds of event time; found episodes only.
        public var delays: [Double] = []

        /// Right incidents among all; NaN when there is none.
        public var precision: Double { incidents == 0 ? .nan : Double(incidentsRight) / Double(incidents) }
        /// Found episodes among all; NaN when there is none.
        public var recall: Double { episodes == 0 ? .nan : Double(episodesFound) / Double(episodes) }
        public var f1: Double {
            let sum = precision + recall
            return sum > 0 ? 2 * precision * recall / sum : (sum == 0 ? 0 : .nan)
        }
        /// Median delay in seconds; NaN when nothing was found.
        public var medianDelay: Double {
            let sorted = delays.sorted()
            guard !sorted.isEmpty else { return .nan }
            let middle = sorted.count / 2
            return sorted.count % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
        }
    }

    private struct Episode {
        var start: Timestamp
        var end: Timestamp
        var firstFound: Timestamp?
    }

    private struct Sensor {
        var episodes: [Episode] = []
        var isInEpisode = false
    }

    private let tolerance: Span64
    private var sensors: [UInt32: Sensor] = [:]
    private var anomalies: [(sensor: String, incident: String, time: Timestamp)] = []
    private var report = Report()

    /// - Parameter tolerance: how long after its last event an episode may still be found (a window closes later).
    public init(tolerance: Span64 = .minutes(1)) { self.tolerance = tolerance }

    /// Takes up one batch and what was found in it, in stream order.
    public mutating func add(_ outcome: BatchOutcome) {
        let batch = outcome.batch
        for event in 0..<batch.eventCount where batch.labels[event] != .none && outcome.fates[event] != .duplicate {
            report.labelledEvents += 1
            let isAnomalous = batch.labels[event].isAnomalous
            if isAnomalous { report.anomalousEvents += 1 }
            note(batch.times[event], isAnomalous: isAnomalous, sensor: batch.sensors[event])
        }
        for anomaly in outcome.anomalies {
            anomalies.append((anomaly.sensor, anomaly.alarmID ?? anomaly.id, anomaly.time))
        }
    }

    /// The figures over everything added. Cost: one search per anomaly.
    public func report(table: SeriesTable) -> Report {
        var report = report
        var episodes: [String: [Episode]] = [:]
        for (id, sensor) in sensors {
            episodes[table.withIndex { $0.name(SensorID(id)) }] = sensor.episodes.sorted { $0.start < $1.start }
        }
        report.episodes = episodes.values.reduce(0) { $0 + $1.count }
        var incidents: [String: Bool] = [:]
        for anomaly in anomalies {
            var isRight = false
            if let index = match(anomaly.time, episodes[anomaly.sensor] ?? []) {
                isRight = true
                let found = episodes[anomaly.sensor]?[index].firstFound ?? anomaly.time
                episodes[anomaly.sensor]?[index].firstFound = min(found, anomaly.time)
            }
            incidents[anomaly.incident] = (incidents[anomaly.incident] ?? false) || isRight
        }
        report.incidents = incidents.count
        report.incidentsRight = incidents.values.count { $0 }
        for episode in episodes.values.joined() {
            guard let found = episode.firstFound else { continue }
            report.episodesFound += 1
            report.delays.append(max(0, found.since(episode.start).seconds))
        }
        return report
    }

    private mutating func note(_ time: Timestamp, isAnomalous: Bool, sensor: SensorID) {
        var state = sensors[sensor.index] ?? Sensor()
        if isAnomalous, state.isInEpisode, let last = state.episodes.indices.last {
            state.episodes[last].end = max(state.episodes[last].end, time)
        } else if isAnomalous {
            state.episodes.append(Episode(start: time, end: time))
        }
        state.isInEpisode = isAnomalous
        sensors[sensor.index] = state
    }

    /// The last episode that begins at or before `time`, when it reaches there.
    private func match(_ time: Timestamp, _ episodes: [Episode]) -> Int? {
        var low = 0
        var high = episodes.count
        while low < high {
            let middle = (low + high) / 2
            if episodes[middle].start <= time { low = middle + 1 } else { high = middle }
        }
        guard low > 0, time <= episodes[low - 1].end.advanced(by: tolerance) else { return nil }
        return low - 1
    }
}

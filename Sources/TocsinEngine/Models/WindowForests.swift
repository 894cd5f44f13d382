internal import TocsinCore
internal import TocsinDetect

/// The Isolation Forests over closed windows, one for each metric: windows are measured in their series' own level and
/// scale, so that all sensors of a metric share one.
struct WindowForests: Sendable {
    /// What one batch brought.
    struct Findings: Sendable {
        var windows = WindowBatch()
        /// By window: the event that closed it, and whether its readings or its forest score are suspicious (empty where
        /// nobody asks).
        var events: [Int32] = []
        var suspicions: [Bool] = []
        var verdicts: [(event: Int, verdict: Verdict)] = []
        var trained: [ModelRecord] = []
        var runs = 0
    }

    private struct Group: Sendable {
        var learner: NamedLearner
        var features: [Double] = []
        var windows: [Int] = []
    }

    private let settings: ForestSettings
    private let definitions: [WindowDefinition]
    private let saved: [String: SavedForest]
    private var groups: [Group] = []
    private var groupOfMetric: [UInt32: Int] = [:]

    init(settings: ForestSettings, definitions: [WindowDefinition], saved: [String: SavedForest]) {
        self.settings = settings
        self.definitions = definitions
        self.saved = saved
    }

    var learning: [LearningProgress] { groups.compactMap(\.learner.progress) }

    /// Gathers the shards' windows, scores those that have features with what was learnt before, then learns them.
    mutating func observe(
        _ results: [ShardResult], names: SeriesNames, now: Timestamp
    ) -> Findings {
        var findings = Findings()
        var rows: [(window: Int, result: Int, row: Int, rank: UInt64)] = []
        for (number, result) in results.enumerated() where result.windows.count > 0 {
            for (row, window) in result.featureWindows.enumerated() {
                let rank = names.rank(of: result.windows.series[Int(window)])
                rows.append((findings.windows.count + Int(window), number, row, rank))
            }
            findings.windows.append(result.windows)
            findings.events += result.windowEvents
            findings.suspicions += result.suspicions
        }
        let events = findings.events
        guard settings.onWindows, !rows.isEmpty else { return findings }
        // In one order whatever the number of shards: as the events closed them.
        let windows = findings.windows
        rows.sort { left, right in
            if events[left.window] != events[right.window] { return events[left.window] < events[right.window] }
            return (windows.start[left.window], left.rank, windows.definition[left.window])
                < (windows.start[right.window], right.rank, windows.definition[right.window])
        }
        let width = WindowFeatures.width
        for entry in rows {
            let group = group(of: names.metric(of: windows.series[entry.window]), names)
            let start = entry.row * width
            groups[group].features += results[entry.result].windowFeatures[start..<start + width]
            groups[group].windows.append(entry.window)
        }
        for index in groups.indices where !groups[index].windows.isEmpty {
            Self.judge(&groups[index], definitions, events, into: &findings, now: now)
        }
        return findings
    }

    private static func judge(
        _ group: inout Group, _ definitions: [WindowDefinition], _ events: [Int32], into findings: inout Findings,
        now: Timestamp
    ) {
        // Taken out, so that the learner may change while they are read, and put back empty with their memory.
        var (rows, numbers): ([Double], [Int]) = ([], [])
        swap(&rows, &group.features)
        swap(&numbers, &group.windows)
        findings.trained += group.learner.observe(rows, now: now) { row, score, place, forest in
            let window = numbers[row]
            findings.runs += 1
            findings.windows.scores[window] = score
            if !findings.suspicions.isEmpty, score >= SuspicionGate.defaultForestScore {
                findings.suspicions[window] = true
            }
            let start = findings.windows.start[window]
            let size = definitions[Int(findings.windows.definition[window])].size
            let verdict = WindowVerdict.judge(
                score: score, row: Array(rows[place]), sensor: findings.windows.sensors[window],
                series: findings.windows.series[window], start: start, time: start.advanced(by: size), forest: forest)
            if let verdict { findings.verdicts.append((Int(events[window]), verdict)) }
        }
        rows.removeAll(keepingCapacity: true)
        numbers.removeAll(keepingCapacity: true)
        swap(&rows, &group.features)
        swap(&numbers, &group.windows)
    }

    // MARK: Checkpoint

    func save(to writer: inout StateWriter) {
        writer.write(varint: UInt64(groupOfMetric.count))
        for (metric, index) in groupOfMetric.sorted(by: { $0.value < $1.value }) {
            writer.write(metric)
            groups[index].learner.save(to: &writer)
        }
    }

    /// - Returns: false for nonsense; then some groups may have been taken up.
    mutating func restore(from reader: inout StateReader, names: SeriesNames) -> Bool {
        guard let count = reader.readCount() else { return false }
        for _ in 0..<count {
            guard let metric = reader.read(UInt32.self), Int(metric) < names.metricNames.count else { return false }
            let index = group(of: metric, names)
            guard groups[index].learner.restore(from: &reader) else { return false }
        }
        return true
    }

    private mutating func group(of metric: UInt32, _ names: SeriesNames) -> Int {
        if let known = groupOfMetric[metric] { return known }
        let name = "window-forest:" + names.metricNames[Int(metric)]
        groups.append(
            Group(
                learner: NamedLearner(
                    name: name, features: WindowFeatures.names, settings: settings, saved: saved[name])))
        groupOfMetric[metric] = groups.count - 1
        return groups.count - 1
    }
}

extension WindowBatch {
    mutating func append(_ other: WindowBatch) {
        definition += other.definition
        series += other.series
        sensors += other.sensors
        start += other.start
        statistics += other.statistics
        scores += other.scores
    }
}

internal import TocsinCore
internal import TocsinDetect

/// The Isolation Forests over whole events, one for each class of sensors (sensors that send the same metrics).
///
/// Lives in the joiner, which sees all events in stream order and knows which were there before: a forest becomes active
/// at one exact event, however many shards there are, and learns nothing twice. Classes of a single metric have none: the bank sees everything that one value can show.
struct EventModels: Sendable {
    private struct Class: Sendable {
        var metrics: [UInt32]
        var features: EventFeatures
        var learner: NamedLearner
        // The rows of the batch at hand, and the events they stand for.
        var rows: [Double] = []
        var events: [Int] = []
    }

    /// What the forests say of one batch.
    struct Findings: Sendable {
        var verdicts: [(event: Int, verdict: Verdict)] = []
        var trained: [ModelRecord] = []
        var runs = 0
    }

    private let settings: ForestSettings
    private let saved: [String: SavedForest]
    private var classes: [Class] = []
    private var classByMetrics: [[UInt32]: Int] = [:]
    /// By sensor: the class of its last event; -1 = none yet.
    private var classOfSensor: [Int32] = []
    private var values: [Double] = []

    init(settings: ForestSettings, saved: [String: SavedForest]) {
        self.settings = settings
        self.saved = saved
    }

    var learning: [LearningProgress] { classes.compactMap(\.learner.progress) }

    /// Scores the batch's events with what was learnt before them, then learns them.
    mutating func observe(_ batch: Batch, accepted: [Bool], fates: [EventFate], names: SeriesNames) -> Findings {
        var findings = Findings()
        guard settings.onEvents else { return findings }
        for event in 0..<batch.eventCount {
            let readings = batch.readings(of: event)
            // Refused readings and single metrics: nothing to compare.
            guard readings.count > 1, fates[event] != .duplicate, let index = classIndex(of: event, batch, names) else {
                continue
            }
            values.removeAll(keepingCapacity: true)
            var isUsable = false
            for reading in readings {
                values.append(accepted[reading] ? batch.values[reading] : .nan)
                isUsable = isUsable || accepted[reading]
            }
            guard isUsable else { continue }
            classes[index].features.append(values, to: &classes[index].rows)
            classes[index].events.append(event)
        }
        for index in classes.indices where !classes[index].events.isEmpty {
            Self.judge(&classes[index], batch, into: &findings)
        }
        return findings
    }

    private static func judge(_ group: inout Class, _ batch: Batch, into findings: inout Findings) {
        // Taken out, so that the learner may change while they are read, and put back empty with their memory.
        var (rows, events): ([Double], [Int]) = ([], [])
        swap(&rows, &group.rows)
        swap(&events, &group.events)
        findings.trained += group.learner.observe(rows, now: batch.origin.received) { row, score, place, forest in
            findings.runs += 1
            let event = events[row]
            let verdict = EventVerdict.judge(
                score: score, row: Array(rows[place]), sensor: batch.sensors[event], time: batch.times[event],
                forest: forest)
            if let verdict { findings.verdicts.append((event, verdict)) }
        }
        rows.removeAll(keepingCapacity: true)
        events.removeAll(keepingCapacity: true)
        swap(&rows, &group.rows)
        swap(&events, &group.events)
    }

    /// The class of an event by its metrics in the order sent; the sensor's last class is tried first.
    private mutating func classIndex(of event: Int, _ batch: Batch, _ names: SeriesNames) -> Int? {
        let sensor = Int(batch.sensors[event].index)
        if sensor >= classOfSensor.count {
            classOfSensor.append(contentsOf: repeatElement(-1, count: sensor + 1 - classOfSensor.count))
        }
        let readings = batch.readings(of: event)
        let known = Int(classOfSensor[sensor])
        if known >= 0, classes[known].metrics.count == readings.count {
            let metrics = classes[known].metrics
            var isSame = true
            for (position, reading) in readings.enumerated()
            where metrics[position] != names.metric(of: batch.series[reading]) {
                isSame = false
                break
            }
            if isSame { return classes[known].features.positions.count > 1 ? known : nil }
        }
        let metrics = readings.map { names.metric(of: batch.series[$0]) }
        let index = classByMetrics[metrics] ?? makeClass(metrics, names)
        classOfSensor[sensor] = Int32(index)
        return classes[index].features.positions.count > 1 ? index : nil
    }

    private mutating func makeClass(_ metrics: [UInt32], _ names: SeriesNames) -> Int {
        let metricNames = metrics.map { names.metricNames[Int($0)] }
        let features = EventFeatures(metrics: metricNames)
        let name = "event-forest:" + features.positions.map { metricNames[$0] }.joined(separator: "+")
        classes.append(
            Class(
                metrics: metrics, features: features,
                learner: NamedLearner(name: name, features: features.names, settings: settings, saved: saved[name])))
        classByMetrics[metrics] = classes.count - 1
        return classes.count - 1
    }

    // MARK: Checkpoint

    func save(to writer: inout StateWriter) {
        writer.write(varint: UInt64(classes.count))
        for group in classes {
            writer.write(column: group.metrics)
            group.learner.save(to: &writer)
        }
    }

    /// - Returns: false for nonsense; then some classes may have been taken up.
    mutating func restore(from reader: inout StateReader, names: SeriesNames) -> Bool {
        guard let count = reader.readCount() else { return false }
        for _ in 0..<count {
            guard let metrics = reader.readColumn(of: UInt32.self), !metrics.isEmpty,
                metrics.allSatisfy({ Int($0) < names.metricNames.count })
            else { return false }
            let index = classByMetrics[metrics] ?? makeClass(metrics, names)
            guard classes[index].learner.restore(from: &reader) else { return false }
        }
        return true
    }
}

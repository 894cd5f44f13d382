internal import TocsinCore
internal import TocsinDetect

/// Puts the shards' results of one batch together again, in stream order: scores windows, groups verdicts into
/// incidents, resolves names and ids.
struct Joiner: Sendable {
    private var names: SeriesNames
    private var alarms: AlarmBook
    private var eventModels: EventModels
    private var windowForests: WindowForests
    private let shardCount: Int
    private let savesModels: Bool

    init(table: SeriesTable, settings: EngineSettings, shardCount: Int, saved: [String: SavedForest]) {
        names = SeriesNames(table: table)
        alarms = AlarmBook(settings: settings.alarms)
        eventModels = EventModels(settings: settings.forests, saved: saved)
        windowForests = WindowForests(
            settings: settings.forests, definitions: settings.windows, saved: saved)
        self.shardCount = shardCount
        savesModels = settings.forests.areSaved
    }

    /// Takes up the incidents that an earlier process left open.
    mutating func restore(_ open: [Alarm], table: SeriesTable) {
        for alarm in open {
            guard let sensor = table.withIndex({ $0.sensor(alarm.sensor.utf8.span) }) else { continue }
            alarms.restore(alarm, sensor: sensor)
        }
    }

    /// Progress of the models that are not ready yet.
    var learning: [LearningProgress] { eventModels.learning + windowForests.learning }

    /// One batch's results become what is written.
    mutating func join(_ routed: RoutedBatch, _ results: [ShardResult]) -> (job: WriteJob, modelRuns: Int) {
        names.catchUpIfNeeded(with: routed.batch)
        let batch = routed.batch
        var outcome = BatchOutcome(
            batch: batch, fates: fates(batch, results), accepted: routed.accepted, deadLetters: routed.deadLetters)
        // Not the clock's time: a repeated run makes the same records.
        let windows = windowForests.observe(results, names: names, now: batch.origin.received)
        outcome.windows = windows.windows
        let events = eventModels.observe(batch, accepted: routed.accepted, fates: outcome.fates, names: names)
        let steps = steps(routed.batch, results, windows, events)
        var progress = StreamProgress(routed)
        for step in steps {
            let now = progress.at(step.event)
            outcome.alarmChanges += alarms.advance(to: now)
            switch step.content {
            case .returned(let sensor, let time):
                if let change = alarms.clearSilence(of: sensor, at: time) { outcome.alarmChanges.append(change) }
            case .verdict(let verdict): book(verdict, progress: now, into: &outcome)
            }
        }
        outcome.alarmChanges += alarms.advance(to: routed.progress)
        let job = WriteJob(
            outcome: outcome, summary: summary(outcome),
            models: savesModels ? events.trained + windows.trained : [],
            receipt: routed.receipt, checkpoint: routed.checkpoint, sequence: routed.sequence,
            isRecovered: routed.isRecovered)
        return (job, events.runs + windows.runs)
    }

    func save(to writer: inout StateWriter) {
        alarms.save(to: &writer)
        eventModels.save(to: &writer)
        windowForests.save(to: &writer)
    }

    mutating func restore(from reader: inout StateReader) -> Bool {
        names.catchUp()
        return alarms.restore(from: &reader) && eventModels.restore(from: &reader, names: names)
            && windowForests.restore(from: &reader, names: names)
    }

    /// For screens after a restart.
    var openAlarms: [Alarm] { alarms.openAlarms }

    /// Everything that touches alarms, in the order of the events that caused it: neither the number of shards nor the
    /// cut of the batches shows.
    private func steps(
        _ batch: Batch, _ results: [ShardResult], _ windows: WindowForests.Findings, _ events: EventModels.Findings
    ) -> [Step] {
        var steps: [Step] = []
        var named: Set<Int> = []
        for result in results {
            for (event, sensor, time) in result.returned { steps.append(returned(sensor, time, at: event)) }
            for (event, verdict) in result.verdicts {
                steps.append(step(verdict, at: event))
                if verdict.kind != .silence { named.insert(event) }
            }
        }
        for (event, verdict) in windows.verdicts { steps.append(step(verdict, at: event)) }
        steps += returnsOfRestored(batch)
        // An event in which the bank has named a value needs no second verdict that says less.
        for (event, verdict) in events.verdicts where !named.contains(event) {
            steps.append(step(verdict, at: event))
        }
        return steps.sorted { $0.order < $1.order }
    }

    /// Sensors that were silent when the last process ended, of which this one's shards know nothing.
    private func returnsOfRestored(_ batch: Batch) -> [Step] {
        guard alarms.hasRestored else { return [] }
        return batch.sensors.indices.compactMap { event in
            guard alarms.wasSilent(batch.sensors[event]) else { return nil }
            return returned(batch.sensors[event], batch.times[event], at: event)
        }
    }

    private func returned(_ sensor: SensorID, _ time: Timestamp, at event: Int) -> Step {
        Step(
            event: event, content: .returned(sensor, time),
            order: (event, 0, names.rank(ofSensor: Int(sensor.index)), 0, 0))
    }

    private func step(_ verdict: Verdict, at event: Int) -> Step {
        let voice = UInt32(verdict.detector.rawValue) << 8 | UInt32(verdict.kind.rawValue)
        let sensor = names.rank(ofSensor: Int(verdict.sensor.index))
        let series = verdict.series.map { names.rank(of: $0) } ?? .max
        return Step(event: event, content: .verdict(verdict), order: (event, 1, sensor, series, voice))
    }

    private func fates(_ batch: Batch, _ results: [ShardResult]) -> [EventFate] {
        guard shardCount > 1 else { return results[0].fates }
        return (0..<batch.eventCount).map { results[Int(batch.sensors[$0].index) % shardCount].fates[$0] }
    }

    private mutating func book(_ verdict: Verdict, progress: Timestamp, into outcome: inout BatchOutcome) {
        let sensor = names.sensorNames[Int(verdict.sensor.index)]
        let metric = verdict.series.map { names.metricName(of: $0) }
        let unit = verdict.series.flatMap { names.unit(of: $0) }
        let sentence = Sentence.text(verdict, sensor: sensor, metric: metric, unit: unit)
        let (alarmID, change, isNews) = alarms.book(
            verdict, sensorName: sensor, metric: metric, sentence: sentence, progress: progress)
        if let change { outcome.alarmChanges.append(change) }
        guard isNews else { return }
        var hash = StableHash()
        hash.combine(sensor)
        hash.combine(metric ?? "")
        hash.combine(UInt64(bitPattern: verdict.time.nanoseconds))
        hash.combine(UInt64(verdict.kind.rawValue) << 8 | UInt64(verdict.detector.rawValue))
        outcome.anomalies.append(
            Anomaly(
                id: hash.hex, alarmID: alarmID, sensor: sensor, metric: metric, kind: verdict.kind,
                detector: verdict.detector, model: verdict.detector.name, start: verdict.start, time: verdict.time,
                value: verdict.value, expectedLow: verdict.expectedLow, expectedHigh: verdict.expectedHigh,
                score: verdict.score, pValue: verdict.pValue, contributions: verdict.contributions,
                sentence: sentence))
    }

    /// Adds up to the batch's `inputCount`, whatever happened to it.
    private func summary(_ outcome: BatchOutcome) -> DeliverySummary {
        var summary = DeliverySummary(deadLettered: outcome.batch.rejects.count)
        summary.refusals = outcome.deadLetters.prefix(10).map { .init(reason: $0.reason, detail: $0.detail) }
        for event in 0..<outcome.batch.eventCount {
            let readings = outcome.batch.readings(of: event)
            var accepted = 0
            for reading in readings where outcome.accepted[reading] { accepted += 1 }
            summary.deadLettered += readings.count - accepted
            switch outcome.fates[event] {
            case .stored: summary.stored += accepted
            case .late: summary.late += accepted
            case .duplicate: summary.duplicate += accepted
            case .deadLettered: break
            }
        }
        return summary
    }
}

/// One thing that touches the alarms, and the event that caused it.
private struct Step {
    enum Content {
        case returned(SensorID, Timestamp)
        case verdict(Verdict)
    }

    let event: Int
    let content: Content
    /// Event, then returns before verdicts, then by the names of sensor and series (their ids tell who came first),
    /// detector and kind.
    let order: (Int, UInt32, UInt64, UInt64, UInt32)
}

/// The stream's high-water event time at each event of a batch, for rising event numbers.
private struct StreamProgress {
    private let routed: RoutedBatch
    private var highWater: Timestamp
    private var next = 0

    init(_ routed: RoutedBatch) {
        self.routed = routed
        highWater = routed.highWater
    }

    mutating func at(_ event: Int) -> Timestamp {
        guard event < routed.batch.eventCount else { return routed.progress }
        while next < routed.rises.count, Int(routed.rises[next].event) <= event {
            highWater = routed.rises[next].highWater
            next += 1
        }
        return highWater
    }
}

internal import TocsinCore
internal import TocsinDetect

/// Puts the shards' results of one batch together again, in stream order: scores windows, groups verdicts into
/// incidents, resolves names and ids.
struct Joiner: Sendable {
    private var names: SeriesNames
    private var alarms: AlarmBook
    private var windowForests: WindowForests
    private let shardCount: Int
    private let savesModels: Bool

    init(table: SeriesTable, settings: EngineSettings, shardCount: Int, saved: [String: SavedForest]) {
        names = SeriesNames(table: table)
        alarms = AlarmBook(settings: settings.alarms)
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

    /// Learning progress of the window models.
    var learning: [LearningProgress] { windowForests.learning }

    /// One batch's results become what is written.
    mutating func join(_ routed: RoutedBatch, _ results: [ShardResult], now: Timestamp) -> (
        job: WriteJob, modelRuns: Int
    ) {
        names.catchUpIfNeeded(with: routed.batch)
        let batch = routed.batch
        var outcome = BatchOutcome(
            batch: batch, fates: fates(batch, results), accepted: routed.accepted, deadLetters: routed.deadLetters)
        let windows = windowForests.observe(results, names: names, now: now)
        outcome.windows = windows.windows
        let steps = steps(routed, results, windows, fates: outcome.fates)
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
        let points = results.flatMap(\.points)
        let job = WriteJob(
            outcome: outcome, summary: summary(outcome), points: points,
            models: savesModels ? routed.events.trained + windows.trained : [],
            receipt: routed.receipt)
        return (job, routed.events.runs + windows.runs)
    }

    /// Everything that touches alarms, in the order of the events that caused it: neither the number of shards nor the
    /// cut of the batches shows.
    private func steps(
        _ routed: RoutedBatch, _ results: [ShardResult], _ windows: WindowForests.Findings, fates: [EventFate]
    ) -> [Step] {
        var steps: [Step] = []
        var named: Set<Int> = []
        for result in results {
            for (event, sensor, time) in result.returned { steps.append(Step(event: event, returned: sensor, time)) }
            for (event, verdict) in result.verdicts {
                steps.append(Step(event: event, verdict: verdict))
                if verdict.kind != .silence { named.insert(event) }
            }
        }
        for (event, verdict) in windows.verdicts { steps.append(Step(event: event, verdict: verdict)) }
        steps += returnsOfRestored(routed.batch)
        // An event that was there before has been judged before; one in which the bank has named a value needs no
        // second verdict that says less.
        for (event, verdict) in routed.events.verdicts where fates[event] != .duplicate && !named.contains(event) {
            steps.append(Step(event: event, verdict: verdict))
        }
        return steps.sorted { $0.order < $1.order }
    }

    /// Sensors that were silent when the last process ended, of which this one's shards know nothing.
    private func returnsOfRestored(_ batch: Batch) -> [Step] {
        guard alarms.hasRestored else { return [] }
        return batch.sensors.indices.compactMap { event in
            guard alarms.wasSilent(batch.sensors[event]) else { return nil }
            return Step(event: event, returned: batch.sensors[event], batch.times[event])
        }
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
        let (alarmID, change) = alarms.book(
            verdict, sensorName: sensor, metric: metric, sentence: sentence, progress: progress)
        if let change { outcome.alarmChanges.append(change) }
        guard !verdict.isContinuation else { return }
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
    /// Event, then returns before verdicts, then by sensor, series, detector and kind.
    let order: (Int, UInt32, UInt32, UInt32, UInt32)

    init(event: Int, returned sensor: SensorID, _ time: Timestamp) {
        self.event = event
        content = .returned(sensor, time)
        order = (event, 0, sensor.index, 0, 0)
    }

    init(event: Int, verdict: Verdict) {
        self.event = event
        content = .verdict(verdict)
        let voice = UInt32(verdict.detector.rawValue) << 8 | UInt32(verdict.kind.rawValue)
        order = (event, 1, verdict.sensor.index, verdict.series?.index ?? .max, voice)
    }
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
        let batch = routed.batch
        guard event < batch.eventCount else { return routed.progress }
        while next <= event {
            let time = min(batch.times[next], batch.origin.received)
            if batch.times[next] <= routed.latestPlausible { highWater = max(highWater, time) }
            next += 1
        }
        return highWater
    }
}

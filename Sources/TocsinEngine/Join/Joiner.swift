internal import TocsinCore
internal import TocsinDetect

/// Puts the shards' results of one batch together again, in stream order: scores windows, groups verdicts into
/// incidents, resolves names and ids.
struct Joiner: Sendable {
    var names: SeriesNames
    var desk: AlarmDesk
    var rules: RuleBook
    var causes: CauseWatch
    var care: CareBook
    private var eventModels: EventModels
    private var windowForests: WindowForests
    var sequences: WindowSequences
    var fires: FireWatch
    /// By number of the source: its high-water event time.
    var times: [Timestamp] = []
    private let shardCount: Int
    private let savesModels: Bool
    let isStoreAlone: Bool

    init(table: SeriesTable, settings: EngineSettings, shardCount: Int, saved: [String: SavedForest]) {
        names = SeriesNames(table: table)
        desk = AlarmDesk(settings: settings.alarms, calendar: settings.calendar, assets: settings.assets)
        rules = RuleBook(rules: settings.rules)
        care = CareBook(latched: settings.alarms.latched, memory: settings.alarms.cooldown)
        causes = CauseWatch(assets: settings.assets, definitions: settings.windows)
        eventModels = EventModels(settings: settings.forests, saved: saved)
        windowForests = WindowForests(
            settings: settings.forests, definitions: settings.windows, saved: saved)
        sequences = WindowSequences(settings: settings.sequences, definitions: settings.windows)
        fires = FireWatch(settings: settings.fire)
        self.shardCount = shardCount
        savesModels = settings.forests.areSaved
        isStoreAlone = settings.sharing == .betweenStores
    }

    /// Takes up what an earlier process left in the store, where no checkpoint tells of it.
    mutating func restore(_ open: [Alarm], feedback: [Feedback], table: SeriesTable) {
        for alarm in open {
            guard let sensor = table.withIndex({ $0.sensor(alarm.sensor.utf8.span) }) else { continue }
            // What waits to be acknowledged is over for the desk.
            if alarm.cleared == nil { desk.restore(alarm, sensor: sensor) }
            care.restore(alarm)
        }
        desk.restore(feedback)
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
        var windows = windowForests.observe(results, names: names, now: batch.origin.received)
        outcome.windows = windows.windows
        causes.observe(windows.windows, names: names)
        sequences.observe(
            windows.windows, events: windows.events, names: names, suspicions: windows.suspicions,
            into: &windows.verdicts)
        let events = eventModels.observe(batch, accepted: routed.accepted, fates: outcome.fates, names: names)
        let fire = fires.observe(batch, accepted: routed.accepted, fates: outcome.fates, names: names)
        let steps = steps(routed.batch, results, windows.verdicts + fire, events)
        var progress = StreamProgress(routed)
        var watched = 0
        for step in steps {
            // First, because the progress is asked for at rising events only.
            watch(through: step.event, of: routed, outcome.fates, from: &watched, &progress)
            let now = progress.at(step.event, &times)
            advance(to: now, into: &outcome)
            switch step.content {
            case .returned(let sensor, let time):
                note(desk.clearSilence(of: sensor, at: time, source: now.source), into: &outcome)
            case .verdict(let verdict): book(verdict, at: now, into: &outcome)
            }
        }
        watch(through: batch.eventCount - 1, of: routed, outcome.fates, from: &watched, &progress)
        for time in progress.end(&times) { advance(to: time, into: &outcome) }
        if let (action, alarm) = routed.action { take(action, on: alarm, into: &outcome) }
        if let word = routed.feedback {
            outcome.feedback = [word]
            note(desk.take(word).notices, into: &outcome)
        }
        let handover = routed.handover.map { hand($0, results, into: &outcome) }
        let job = WriteJob(
            outcome: outcome, summary: summary(outcome),
            models: savesModels ? events.trained + windows.trained : [],
            receipt: routed.receipt, checkpoint: routed.checkpoint, handover: handover,
            sequence: routed.sequence, isRecovered: routed.isRecovered)
        return (job, events.runs + windows.runs)
    }

    func save(to writer: inout StateWriter) {
        desk.save(to: &writer)
        eventModels.save(to: &writer)
        windowForests.save(to: &writer)
        sequences.save(to: &writer)
        fires.save(to: &writer)
        causes.save(to: &writer)
    }

    mutating func restore(from reader: inout StateReader) -> Bool {
        names.catchUp()
        let ids = SavedIDs(names)
        return desk.restore(from: &reader) && eventModels.restore(from: &reader, names: names)
            && windowForests.restore(from: &reader, names: names)
            && sequences.restore(from: &reader, ids, names: names)
            && fires.restore(from: &reader, ids, names: names) && causes.restore(from: &reader, ids)
    }

    /// For screens after a restart.
    var openAlarms: [Alarm] { desk.openAlarms.map { care.annotated($0) } + care.latchedAlarms }

    /// Everything that touches alarms, in the order of the events that caused it: neither the number of shards nor the
    /// cut of the batches shows.
    private func steps(
        _ batch: Batch, _ results: [ShardResult], _ models: [(event: Int, verdict: Verdict)],
        _ events: EventModels.Findings
    ) -> [Step] {
        var steps: [Step] = []
        var named: Set<Int> = []
        for result in results {
            for (event, sensor, time) in result.returned { steps.append(returned(sensor, time, at: event)) }
            for (event, verdict) in result.verdicts {
                steps.append(step(verdict, at: event))
                if verdict.kind != .silence { named.insert(event) }
            }
            for found in result.findings { steps.append(step(found.verdict(names), at: found.event)) }
        }
        for (event, verdict) in models { steps.append(step(verdict, at: event)) }
        steps += returnsOfRestored(batch)
        // An event in which the bank has named a value needs no second verdict that says less.
        for (event, verdict) in events.verdicts where !named.contains(event) {
            steps.append(step(verdict, at: event))
        }
        return steps.sorted { $0.order < $1.order }
    }

    /// Sensors that were silent when the last process ended, of which this one's shards know nothing.
    private func returnsOfRestored(_ batch: Batch) -> [Step] {
        guard desk.hasRestored else { return [] }
        return batch.sensors.indices.compactMap { event in
            guard desk.wasSilent(batch.sensors[event]) else { return nil }
            return returned(batch.sensors[event], batch.times[event], at: event)
        }
    }

    private func returned(_ sensor: SensorID, _ time: Timestamp, at event: Int) -> Step {
        Step(
            event: event, content: .returned(sensor, time),
            order: (event, 1, names.rank(ofSensor: Int(sensor.index)), 0, 0))
    }

    private func step(_ verdict: Verdict, at event: Int) -> Step {
        let voice = UInt32(verdict.detector.rawValue) << 8 | UInt32(verdict.kind.rawValue)
        let sensor = names.rank(ofSensor: Int(verdict.sensor.index))
        let series = verdict.series.map { names.rank(of: $0) } ?? .max
        let turn: UInt32 = verdict.kind == .silence ? 0 : 2
        return Step(event: event, content: .verdict(verdict), order: (event, turn, sensor, series, voice))
    }

    private func fates(_ batch: Batch, _ results: [ShardResult]) -> [EventFate] {
        guard shardCount > 1 else { return results[0].fates }
        return (0..<batch.eventCount).map { results[Int(batch.sensors[$0].index) % shardCount].fates[$0] }
    }

    /// Adds up to the batch's `inputCount`, whatever happened to it.
    private func summary(_ outcome: BatchOutcome) -> DeliverySummary {
        var summary = DeliverySummary(deadLettered: outcome.batch.rejectCount)
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
    /// Event, then silences (which the event's time has shown), returns (perhaps of the same sensor, whose reading was the
    /// first to show how long it was silent), other verdicts; then by the names of sensor and series (their ids tell who
    /// came first), detector and kind.
    let order: (Int, UInt32, UInt64, UInt64, UInt32)
}

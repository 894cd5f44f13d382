internal import TocsinCore
internal import TocsinDetect
internal import TocsinEngine
internal import TocsinEvaluation
internal import TocsinJobs

/// Asks a detector of the judges about every sensor of a recording, and books what it says as the engine books verdicts:
/// rules, calendar, incidents, flood and budget of the same alarm desk.
struct RecordingJudge {
    /// What came of it.
    struct Result {
        var outcome: BatchOutcome
        /// For the report: what was learnt from, and who was not judged.
        var notes: [String] = []
    }

    private let detector: EvaluatedDetector
    private let trainRows: Int
    private let settings: EngineSettings
    private let table: SeriesTable
    private var desk: AlarmDesk
    /// By sensor and, of one metric, its series.
    private var rules: [SeriesID?: [SensorID: ResolvedRule]] = [:]

    /// - Parameter trainRows: rows of each sensor that are learnt from before it is judged; novelty needs none.
    init(name: String, trainRows: Int, settings: EngineSettings, table: SeriesTable) throws {
        detector = try EvaluatedDetector.named(name)
        // As `tocsin score` has it: it knows by itself when it has seen enough.
        self.trainRows = name == "novelty" ? 0 : trainRows
        self.settings = settings
        self.table = table
        desk = AlarmDesk(settings: settings.alarms, calendar: settings.calendar, assets: settings.assets)
    }

    /// - Throws: `TocsinError` where no sensor can be judged by this detector.
    mutating func judge(_ rows: RecordedRows.Rows) throws -> Result {
        var members: [SensorID: [Int]] = [:]
        var order: [SensorID] = []
        for event in 0..<rows.count {
            if members[rows.sensors[event]] == nil { order.append(rows.sensors[event]) }
            members[rows.sensors[event], default: []].append(event)
        }
        var verdicts: [(event: Int, verdict: Verdict)] = []
        var (unfit, short) = (0, 0)
        for sensor in order {
            let events = members[sensor] ?? []
            let metrics = table.withIndex { $0.series(of: sensor) }
            let fields: EvaluatedDetector.Fields = metrics.count == 1 ? .univariate : .multivariate
            if !detector.fields.contains(fields) {
                unfit += 1
            } else if events.count <= trainRows {
                short += 1
            } else {
                verdicts += try self.verdicts(of: sensor, metrics, events, rows)
            }
        }
        guard unfit + short < order.count else { throw nothingToJudge(unfit: unfit, short: short) }
        verdicts.sort { $0.event < $1.event }
        var result = Result(outcome: book(verdicts, rows))
        if trainRows > 0 { result.notes.append("fitted on the first \(trainRows) rows of each sensor") }
        if unfit > 0 { result.notes.append("\(unfit) of \(order.count) sensors not judged: \(reach)") }
        if short > 0 {
            result.notes.append("\(short) of \(order.count) sensors not judged: no more than \(trainRows) rows")
        }
        return result
    }

    private var reach: String {
        detector.fields.contains(.univariate) ? "it judges one metric" : "it judges several metrics together"
    }

    private func nothingToJudge(unfit: Int, short: Int) -> TocsinError {
        guard short > 0 || unfit > 0 else {
            return TocsinError(
                .usage, "there is nothing to judge", remedy: "give a recording that has readings in it")
        }
        return short == 0
            ? TocsinError(
                .usage, "no sensor can be judged by \(detector.name): \(reach)", remedy: "take another --detector")
            : TocsinError(
                .usage, "no sensor has more than the \(trainRows) rows that \(detector.name) learns from",
                remedy: "give a longer recording, or fewer --train-rows")
    }

    // MARK: Judging

    /// What is said of one sensor: the first row of a run is news, the others keep its incident alive.
    private func verdicts(
        of sensor: SensorID, _ metrics: [SeriesID], _ events: [Int], _ rows: RecordedRows.Rows
    ) throws -> [(event: Int, verdict: Verdict)] {
        let names = table.withIndex { index in metrics.map { index.name(index.metric(of: $0)) } }
        let scoring = try RecordingScoring(detector: detector, names: names, trainRows: trainRows)
        for event in events {
            let readings = rows[event].readings
            let values = readings.compactMap { reading in
                metrics.firstIndex(of: rows.series[reading]).map { (column: $0, value: rows.values[reading]) }
            }
            scoring.add(sensor: sensor, time: rows.times[event], values: values)
        }
        var verdicts: [(event: Int, verdict: Verdict)] = []
        var start: Timestamp?
        for (event, score) in zip(events, try scoring.scores()) {
            guard score.isAnomalous else {
                start = nil
                continue
            }
            let isSingle = metrics.count == 1
            let value = isSingle ? rows[event].readings.first.map { rows.values[$0] } : nil
            verdicts.append(
                (
                    event,
                    Verdict(
                        sensor: sensor, series: isSingle ? metrics.first : nil, kind: score.kind ?? .pattern,
                        detector: family, start: start ?? rows.times[event], time: rows.times[event],
                        value: value ?? .nan, expectedLow: .nan, expectedHigh: .nan, score: score.score,
                        pValue: score.pValue, isContinuation: start != nil,
                        reason: "what \(detector.name) finds unusual")
                ))
            start = start ?? rows.times[event]
        }
        return verdicts
    }

    /// The engine's own detector that comes nearest; the finding's model names the judge itself.
    private var family: DetectorKind {
        switch detector.name {
        case "forest", "online-forest": .eventForest
        case "asset-chart", "principal-subspace", "pca-error": .assetChart
        case "lstm": .autoencoder
        case "novelty", "shingle-subspace", "shingle-clusters": .novelty
        default: .bank
        }
    }

    // MARK: Booking

    /// In stream order, with the readings that the desk asks for in between.
    private mutating func book(
        _ verdicts: [(event: Int, verdict: Verdict)], _ rows: RecordedRows.Rows
    ) -> BatchOutcome {
        let origin = Origin(
            source: SourceID(1), sourceName: "replay", position: 0,
            received: rows.times.last ?? Timestamp(nanoseconds: 0))
        var outcome = BatchOutcome(batch: Batch(origin: origin), fates: [], accepted: [])
        guard var progress = rows.times.first else { return outcome }
        var next = 0
        for event in 0..<rows.count {
            progress = max(progress, rows.times[event])
            note(desk.advance(to: progress), into: &outcome)
            if desk.hasWatches { watch(rows[event], rows, progress) }
            while next < verdicts.count, verdicts[next].event == event {
                book(verdicts[next].verdict, progress: progress, into: &outcome)
                next += 1
            }
        }
        return outcome
    }

    private mutating func watch(_ event: RecordedRows.Event, _ rows: RecordedRows.Rows, _ progress: Timestamp) {
        for reading in event.readings where desk.watches(rows.series[reading]) {
            desk.observe(
                sensor: event.sensor, series: rows.series[reading], value: rows.values[reading], time: event.time,
                progress: progress)
        }
    }

    private mutating func book(_ verdict: Verdict, progress: Timestamp, into outcome: inout BatchOutcome) {
        let (sensor, metric, unit) = table.withIndex { index in
            (
                index.name(verdict.sensor), verdict.series.map { index.name(index.metric(of: $0)) },
                verdict.series.flatMap { index.unit(of: $0) }
            )
        }
        let sentence = Sentence.text(verdict, sensor: sensor, metric: metric, unit: unit)
        let booking = desk.book(
            Finding(verdict: verdict, sensor: sensor, metric: metric, sentence: sentence),
            rule: rule(of: verdict, sensor, metric), progress: progress)
        note(booking.notices, into: &outcome)
        guard booking.isNews else { return }
        var hash = StableHash()
        hash.combine(sensor)
        hash.combine(metric ?? "")
        hash.combine(detector.name)
        hash.combine(UInt64(bitPattern: verdict.time.nanoseconds))
        hash.combine(UInt64(verdict.kind.rawValue))
        outcome.anomalies.append(
            Anomaly(
                id: hash.hex, alarmID: booking.alarmID, sensor: sensor, metric: metric, kind: verdict.kind,
                detector: verdict.detector, model: detector.name, start: verdict.start, time: verdict.time,
                value: verdict.value, expectedLow: .nan, expectedHigh: .nan, score: verdict.score,
                pValue: verdict.pValue, contributions: [], sentence: booking.sentence))
    }

    private mutating func rule(of verdict: Verdict, _ sensor: String, _ metric: String?) -> ResolvedRule {
        guard !settings.rules.isEmpty else { return .standard }
        if let known = rules[verdict.series]?[verdict.sensor] { return known }
        let rule = settings.rules.resolve(sensor: sensor, metric: metric)
        rules[verdict.series, default: [:]][verdict.sensor] = rule
        return rule
    }

    private func note(_ notices: [AlarmNotice], into outcome: inout BatchOutcome) {
        outcome.alarmChanges += notices.map(\.change)
    }
}

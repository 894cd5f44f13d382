internal import TocsinCore
internal import TocsinDetect
internal import TocsinStream

/// Owns the keyed state of the sensors that fall to it, alone: duplicates, clocks, bank, windows.
///
/// Sensor `s` belongs to shard `s % count`; inside, sensors and series have dense local numbers, so that state arrays
/// hold nothing of other shards.
struct Shard: Sendable {
    let number: Int
    let count: Int
    /// The time of every source, as the router tells it, and of every sensor.
    var clocks: SensorClocks
    var deduplicator = Deduplicator()
    var bank: Bank
    var windows: WindowOperator
    /// By local series: its sensor's local number, and whether its silence was reported and no reading has come since.
    var sensorOfSeries: [UInt32] = []
    var isSilent: [Bool] = []
    /// By local sensor: the source of its last event.
    var sourceOfSensor: [UInt16] = []
    /// By local sensor: how many of its series are silent.
    var silentSeries: [UInt32] = []
    /// The checkpoint under way.
    var sweep: ShardSweep?
    /// Scratch: series for which something is due.
    private var dueSeries: [SeriesID] = []
    private let definitions: [WindowDefinition]
    /// Windows of sensors that are not heard close so much later: else each step past a boundary would sweep up all that
    /// are about to speak.
    private let idleGrace: Span64
    var rules: SeriesRules
    var ensembles: SensorEnsembles
    var gates: SuspicionGates
    /// Windows of the batch at hand whose features were taken.
    private var featuredWindows = 0

    init(number: Int, of count: Int, settings: EngineSettings, table: SeriesTable) throws(TocsinError) {
        self.number = number
        self.count = count
        clocks = SensorClocks(allowedLateness: settings.allowedLateness)
        bank = Bank(settings: settings.bank)
        rules = SeriesRules(settings: settings, table: table)
        ensembles = SensorEnsembles(settings: settings.ensemble, shard: number, of: count)
        gates = SuspicionGates(isEnabled: !settings.sequences.models.isEmpty)
        definitions = settings.windows
        let shortest = settings.windows.map(\.slide.nanoseconds).min() ?? 0
        idleGrace = Span64(nanoseconds: shortest / 2)
        windows = try WindowOperator(definitions: settings.windows)
    }

    /// Works through the shard's own events of one batch.
    /// - Parameters:
    ///   - series: the shard's numbering, extended here.
    ///   - board: last readings by local series, for the screen.
    mutating func process(
        _ routed: RoutedBatch, series: inout LocalSeries.Mapping, board: inout [SeriesSnapshot]
    ) -> ShardResult {
        let started = ContinuousClock.now
        var result = ShardResult()
        featuredWindows = 0
        let batch = routed.batch
        rules.catchUpIfNeeded(with: batch)
        result.fates = Array(repeating: .stored, count: batch.eventCount)
        for absence in routed.absences {
            finishSweep(series, board)
            bank.postpone(absence.source, by: absence.span)
        }
        var source = batch.origin.source
        var highWater = clocks.highWater(of: source)
        let isMixed = !batch.originOfEvent.isEmpty
        var rises = routed.rises.makeIterator()
        var rise = rises.next()
        for event in 0..<batch.eventCount {
            prefetch(event + Self.prefetchDistance, of: batch, series)
            if isMixed {
                source = batch.source(of: event)
                highWater = clocks.highWater(of: source)
            }
            if let next = rise, Int(next.event) == event {
                highWater = next.highWater
                // At every step of the source's time, so that nothing depends on where batches are cut.
                goOn(source, to: highWater, event: event, series: series, board: board, into: &result)
                rise = rises.next()
            }
            guard Int(batch.sensors[event].index) % count == number else { continue }
            process(
                event, of: routed, source: source, highWater: highWater, series: &series, board: &board, into: &result)
        }
        for (place, advance) in routed.advances.enumerated() {
            goOn(
                advance.source, to: advance.highWater, event: batch.eventCount + place, series: series, board: board,
                into: &result)
        }
        if let handover = routed.handover { hand(handover, series: &series, board: &board, into: &result) }
        finish(routed, series: series, board: board, into: &result)
        result.seconds = (ContinuousClock.now - started).inSeconds
        return result
    }

    /// Events ahead whose state is asked for: with a million series every one is a cache miss otherwise.
    private static let prefetchDistance = 12

    @inline(__always)
    private mutating func prefetch(_ event: Int, of batch: Batch, _ series: LocalSeries.Mapping) {
        guard event < batch.eventCount, Int(batch.sensors[event].index) % count == number else { return }
        let first = Int(batch.firstReading[event])
        guard first < batch.series.count, let local = series.existing(batch.series[first]) else { return }
        clocks.prefetch(sensor: SensorID(batch.sensors[event].index / UInt32(count)))
        windows.prefetch(series: local)
        bank.prefetch(series: local)
    }

    private mutating func process(
        _ event: Int, of routed: RoutedBatch, source: SourceID, highWater: Timestamp,
        series: inout LocalSeries.Mapping, board: inout [SeriesSnapshot], into result: inout ShardResult
    ) {
        let batch = routed.batch
        let sensor = batch.sensors[event]
        let localSensor = SensorID(sensor.index / UInt32(count))
        let time = batch.times[event]
        let readings = batch.readings(of: event)
        guard let first = readings.first(where: { routed.accepted[$0] }) else {
            result.fates[event] = .deadLettered
            if readings.isEmpty { leave(localSensor, event: event, at: highWater, series, &board, into: &result) }
            return
        }
        let firstLocal = local(batch.series[first], sensor: localSensor, &series, &board)
        if board[Int(firstLocal.index)].isStale {
            comeBack(localSensor, series, &board)
            result.turned.append(sensor)
        }
        if windows.holds(series: firstLocal, time: time) {
            result.fates[event] = .duplicate
            return
        }
        willChange(firstLocal, series, board)
        if deduplicator.isDuplicate(series: firstLocal, eventKey: batch.eventKeys[event]) {
            result.fates[event] = .duplicate
            return
        }
        result.readings += readings.count
        sourceOfSensor[Int(localSensor.index)] = source.index
        let watermark = clocks.observe(sensor: localSensor, time: time, source: source)
        let isWatched = !routed.watched.isEmpty && routed.watched.contains(sensor.index)
        var repeated = 0
        var judged = 0
        let isTracked = ensembles.tracks(localSensor)
        if isTracked { beginRow(of: localSensor, series, board) }
        var learnsEvent = true
        var assessment = Assessment()
        for reading in readings where routed.accepted[reading] {
            judged += 1
            let globalSeries = batch.series[reading]
            let local = local(globalSeries, sensor: localSensor, &series, &board)
            if reading != first { willChange(local, series, board) }
            let value = batch.values[reading]
            if isSilent[Int(local.index)] { noteReturn(local, event: event, sensor: sensor, time: time, into: &result) }
            switch windows.add(series: local, sensor: localSensor, time: time, value: value) {
            case .late: result.fates[event] = .late
            case .duplicate:
                repeated += 1
                continue
            case .accepted, .full: break
            }
            let learns = rules.learns(series: local, sensor: localSensor, at: time)
            bank.assess(
                series: local, time: time, highWater: highWater, value: value, source: source, learns: learns,
                into: &assessment)
            if gates.isEnabled { gates.note(assessment.evidence, of: local) }
            if isTracked {
                ensembles.note(globalSeries, value, evidence: assessment.evidence, of: localSensor)
                learnsEvent = learnsEvent && learns
            }
            let row = Int(local.index)
            if time >= board[row].time {
                board[row] = SeriesSnapshot(
                    time: time, value: value, low: assessment.expectedLow, high: assessment.expectedHigh,
                    isLearning: assessment.isLearning)
            }
            if isWatched {
                result.points.append(
                    LivePoint(
                        series: globalSeries, time: time, value: value, low: assessment.expectedLow,
                        high: assessment.expectedHigh))
            }
            if let kind = assessment.kind {
                var verdict = Self.verdict(kind, assessment, sensor, globalSeries, time)
                verdict.quiet = bank.quiet(of: local, kind)
                result.verdicts.append((event, verdict))
            }
            windows.close(series: local, watermark: watermark, into: &result.windows)
            addFeatures(event: event, to: &result)
        }
        if repeated == judged { result.fates[event] = .duplicate }
        if isTracked, learnsEvent, result.fates[event] == .stored {
            let known = result.findings.count
            ensembles.judge(localSensor, event: event, time: time, into: &result.findings)
            for index in known..<result.findings.count {
                let local = result.findings[index].metrics.first.flatMap { series.existing($0) }
                result.findings[index].quiet = local.map { bank.quiet(of: $0, .multivariate) } ?? .seconds(0)
            }
        }
    }

    private mutating func beginRow(of sensor: SensorID, _ series: LocalSeries.Mapping, _ board: [SeriesSnapshot]) {
        if let keeper = ensembles.keeper(of: sensor).flatMap({ series.existing($0) }) {
            willChange(keeper, series, board)
        }
        ensembles.begin(sensor)
    }

    /// Local number of a series; room for its state is made when it is new.
    @inline(__always)
    mutating func local(
        _ global: SeriesID, sensor: SensorID, _ series: inout LocalSeries.Mapping, _ board: inout [SeriesSnapshot]
    ) -> SeriesID {
        if let known = series.existing(global) { return known }
        return addSeries(global, sensor: sensor, &series, &board)
    }

    private mutating func addSeries(
        _ global: SeriesID, sensor: SensorID, _ series: inout LocalSeries.Mapping, _ board: inout [SeriesSnapshot]
    ) -> SeriesID {
        if sweep != nil, let keeper = ensembles.keeper(of: sensor).flatMap({ series.existing($0) }) {
            willChange(keeper, series, board)
        }
        let index = series.add(global)
        if index < sensorOfSeries.count {
            // The place of one that has left: no part of a checkpoint that began before.
            sweep?.markSaved(index)
            sensorOfSeries[index] = sensor.index
        } else {
            sensorOfSeries.append(sensor.index)
            isSilent.append(false)
            board.append(SeriesSnapshot())
        }
        applyRules(to: global, local: index)
        makeRoom(forSensor: sensor)
        ensembles.add(global, to: sensor)
        series.elsewhere.remove(globalSensor(sensor.index).index)
        return SeriesID(UInt32(index))
    }

    mutating func applyRules(to global: SeriesID, local: Int) {
        rules.apply(
            to: global, local: SeriesID(UInt32(local)), sensor: SensorID(sensorOfSeries[local]), base: bank.settings,
            bank: &bank)
    }

    mutating func makeRoom(forSensor sensor: SensorID) {
        let sensors = Int(sensor.index) + 1
        guard silentSeries.count < sensors else { return }
        silentSeries.append(contentsOf: repeatElement(0, count: sensors - silentSeries.count))
        sourceOfSensor.append(contentsOf: repeatElement(0, count: sensors - sourceOfSensor.count))
    }

    /// A silent series speaks again; with its last one the sensor has returned.
    mutating func noteReturn(
        _ local: SeriesID, event: Int, sensor: SensorID, time: Timestamp, into result: inout ShardResult
    ) {
        isSilent[Int(local.index)] = false
        let localSensor = Int(sensorOfSeries[Int(local.index)])
        silentSeries[localSensor] -= 1
        if silentSeries[localSensor] == 0 { result.returned.append((event, sensor, time)) }
    }

    /// A source's time has moved: windows of its idle sensors close, silence is noticed. What other sources have costs
    /// nothing.
    private mutating func goOn(
        _ source: SourceID, to highWater: Timestamp, event: Int, series: LocalSeries.Mapping, board: [SeriesSnapshot],
        into result: inout ShardResult
    ) {
        clocks.raise(source, to: highWater)
        dueSeries.removeAll(keepingCapacity: true)
        windows.due(
            source: source, among: bank.series(of: source), clocks: clocks, grace: idleGrace, into: &dueSeries)
        for local in dueSeries {
            willChange(local, series, board)
            let sensor = SensorID(sensorOfSeries[Int(local.index)])
            windows.close(
                series: local, watermark: clocks.watermark(of: sensor), keepingBacklog: true, into: &result.windows)
        }
        addFeatures(event: event, to: &result)
        dueSeries.removeAll(keepingCapacity: true)
        bank.overdueSeries(highWater: highWater, source: source, into: &dueSeries)
        // Of a sensor's series the one that came first is named. Places tell nothing: they are used again.
        if dueSeries.count > 1 {
            let global = series.global
            dueSeries.sort { global[Int($0.index)].index < global[Int($1.index)].index }
        }
        for local in dueSeries {
            willChange(local, series, board)
            report(bank.silence(of: local, highWater: highWater), event: event, series: series, into: &result)
        }
    }

    private mutating func report(
        _ finding: SilenceFinding, event: Int, series: LocalSeries.Mapping, into result: inout ShardResult
    ) {
        let localSeries = Int(finding.series.index)
        let localSensor = sensorOfSeries[localSeries]
        // A sensor that dies takes all its series along: that is one finding, not one per metric.
        let isKnown = finding.isContinuation || silentSeries[Int(localSensor)] > 0
        if !isSilent[localSeries] {
            isSilent[localSeries] = true
            silentSeries[Int(localSensor)] += 1
        }
        let verdict = Verdict(
            sensor: globalSensor(localSensor), series: series.global[localSeries],
            kind: .silence, detector: .bank, start: finding.start, time: finding.time, value: finding.seconds,
            expectedLow: 0, expectedHigh: finding.limit, score: finding.score, pValue: finding.pValue,
            isContinuation: isKnown)
        result.verdicts.append((event, verdict))
    }

    func globalSensor(_ local: UInt32) -> SensorID { SensorID(local * UInt32(count) + UInt32(number)) }

    /// What is due when the batch is through: time that passed without events, the end of the input, a checkpoint;
    /// global names again.
    private mutating func finish(
        _ routed: RoutedBatch, series: LocalSeries.Mapping, board: [SeriesSnapshot], into result: inout ShardResult
    ) {
        let end = routed.batch.eventCount
        switch routed.end {
        case .all:
            finishSweep(series, board)
            windows.flush(into: &result.windows)
            bank.withdrawAll()
            addFeatures(event: end, to: &result)
        case .windows(let time):
            finishSweep(series, board)
            windows.flush(through: time, into: &result.windows)
            addFeatures(event: end, to: &result)
        case .source(let source):
            for (local, sensor) in sensorOfSeries.enumerated()
            where sensor != Self.nobody && sourceOfSensor[Int(sensor)] == source.index {
                let local = SeriesID(UInt32(local))
                willChange(local, series, board)
                bank.withdraw(local)
            }
        case nil: break
        }
        if let checkpoint = routed.checkpoint {
            finishSweep(series, board)
            beginSweep(checkpoint)
        }
        for row in 0..<result.windows.count {
            result.windows.series[row] = series.global[Int(result.windows.series[row].index)]
            result.windows.sensors[row] = globalSensor(result.windows.sensors[row].index)
        }
    }

    /// The features of the windows closed since the last call, while the baseline is at hand.
    @inline(__always)
    private mutating func addFeatures(event: Int, to result: inout ShardResult) {
        while featuredWindows < result.windows.count {
            let row = featuredWindows
            featuredWindows += 1
            result.windowEvents.append(Int32(truncatingIfNeeded: event))
            let definition = definitions[Int(result.windows.definition[row])]
            if gates.isEnabled {
                let isFirst = result.windows.definition[row] == 0
                result.suspicions.append(isFirst && gates.close(result.windows.series[row]))
            }
            let isFeatured = WindowFeatures.append(
                result.windows, row: row, baseline: bank.baseline(of: result.windows.series[row]),
                span: definition.size, to: &result.windowFeatures)
            if isFeatured { result.featureWindows.append(Int32(row)) }
        }
    }

    private static func verdict(
        _ kind: AnomalyKind, _ assessment: Assessment, _ sensor: SensorID, _ series: SeriesID, _ time: Timestamp
    ) -> Verdict {
        Verdict(
            sensor: sensor, series: series, kind: kind, detector: .bank, start: assessment.start, time: time,
            value: assessment.value, expectedLow: assessment.expectedLow, expectedHigh: assessment.expectedHigh,
            score: assessment.score, pValue: assessment.pValue, isContinuation: assessment.isContinuation)
    }
}

internal import TocsinCore
internal import TocsinDetect
internal import TocsinStream

/// Owns the keyed state of the sensors that fall to it, alone: duplicates, clocks, bank, windows.
///
/// Sensor `s` belongs to shard `s % count`; inside, sensors and series have dense local numbers, so that state arrays
/// hold nothing of other shards.
struct Shard: Sendable {
    private let number: Int
    private let count: Int
    /// All input is one stream here: its progress is shared by every sensor (see `Router`).
    private let stream = SourceID(0)
    private var clocks: SensorClocks
    private var deduplicator = Deduplicator()
    private var bank: Bank
    private var windows: WindowOperator
    /// By local series: its sensor's local number, and whether its silence was reported and no reading has come since.
    private var sensorOfSeries: [UInt32] = []
    private var isSilent: [Bool] = []
    /// By local sensor: the source of its last event.
    private var sourceOfSensor: [UInt16] = []
    /// By local sensor: how many of its series are silent.
    private var silentSeries: [UInt32] = []
    private var findings: [SilenceFinding] = []
    private let definitions: [WindowDefinition]
    /// Normal operating ranges by metric name in lower case, and the names to find them by.
    private let limits: [String: ClosedRange<Double>]
    private var names: SeriesNames
    /// Windows of the batch at hand whose features were taken.
    private var featuredWindows = 0

    init(number: Int, of count: Int, settings: EngineSettings, table: SeriesTable) throws(TocsinError) {
        self.number = number
        self.count = count
        clocks = SensorClocks(allowedLateness: settings.allowedLateness)
        bank = Bank(settings: settings.bank)
        names = SeriesNames(table: table)
        limits = Dictionary(
            settings.limits.map { ($0.key.lowercased(), $0.value) }, uniquingKeysWith: { first, _ in first })
        definitions = settings.windows
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
        if !limits.isEmpty { names.catchUpIfNeeded(with: batch) }
        result.fates = Array(repeating: .stored, count: batch.eventCount)
        var highWater = routed.highWater
        let received = batch.origin.received
        for event in 0..<batch.eventCount {
            let time = batch.times[event]
            if time <= routed.latestPlausible, min(time, received) > highWater {
                highWater = min(time, received)
                // At every step of the stream's time, so that nothing depends on where batches are cut.
                goOn(to: highWater, event: event, series: series, into: &result)
            }
            guard Int(batch.sensors[event].index) % count == number else { continue }
            process(event, of: routed, highWater: highWater, series: &series, board: &board, into: &result)
        }
        finish(routed, series: series, into: &result)
        result.seconds = (ContinuousClock.now - started).inSeconds
        return result
    }

    private mutating func process(
        _ event: Int, of routed: RoutedBatch, highWater: Timestamp, series: inout LocalSeries.Mapping,
        board: inout [SeriesSnapshot], into result: inout ShardResult
    ) {
        let batch = routed.batch
        let sensor = batch.sensors[event]
        let localSensor = SensorID(sensor.index / UInt32(count))
        let time = batch.times[event]
        let readings = batch.readings(of: event)
        guard let first = readings.first(where: { routed.accepted[$0] }) else {
            result.fates[event] = .deadLettered
            return
        }
        let firstLocal = local(batch.series[first], sensor: localSensor, &series, &board)
        if deduplicator.isDuplicate(series: firstLocal, time: time, eventKey: batch.eventKeys[event]) {
            result.fates[event] = .duplicate
            return
        }
        result.readings += readings.count
        sourceOfSensor[Int(localSensor.index)] = batch.origin.source.index
        let watermark = clocks.observe(sensor: localSensor, time: time, source: stream)
        let isWatched = !routed.watched.isEmpty && routed.watched.contains(sensor.index)
        var repeated = 0
        var judged = 0
        for reading in readings where routed.accepted[reading] {
            judged += 1
            let globalSeries = batch.series[reading]
            let local = local(globalSeries, sensor: localSensor, &series, &board)
            let value = batch.values[reading]
            if isSilent[Int(local.index)] { noteReturn(local, event: event, sensor: sensor, time: time, into: &result) }
            switch windows.add(series: local, sensor: localSensor, time: time, value: value) {
            case .late: result.fates[event] = .late
            case .duplicate:
                repeated += 1
                continue
            case .accepted, .full: break
            }
            let assessment = bank.assess(series: local, time: time, highWater: highWater, value: value)
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
                result.verdicts.append((event, Self.verdict(kind, assessment, sensor, globalSeries, time)))
            }
            windows.close(series: local, watermark: watermark, into: &result.windows)
            addFeatures(event: event, to: &result)
        }
        if repeated == judged { result.fates[event] = .duplicate }
    }

    /// Local number of a series; room for its state is made when it is new.
    @inline(__always)
    private mutating func local(
        _ global: SeriesID, sensor: SensorID, _ series: inout LocalSeries.Mapping, _ board: inout [SeriesSnapshot]
    ) -> SeriesID {
        let index = series.index(of: global)
        if index == sensorOfSeries.count {
            sensorOfSeries.append(sensor.index)
            isSilent.append(false)
            if !limits.isEmpty, let range = limits[names.metricName(of: global).lowercased()] {
                bank.setValidRange(
                    series: SeriesID(UInt32(index)), low: range.lowerBound, high: range.upperBound)
            }
            board.append(SeriesSnapshot())
            let sensors = Int(sensor.index) + 1
            if silentSeries.count < sensors {
                silentSeries.append(contentsOf: repeatElement(0, count: sensors - silentSeries.count))
                sourceOfSensor.append(contentsOf: repeatElement(0, count: sensors - sourceOfSensor.count))
            }
        }
        return SeriesID(UInt32(index))
    }

    /// A silent series speaks again; with its last one the sensor has returned.
    private mutating func noteReturn(
        _ local: SeriesID, event: Int, sensor: SensorID, time: Timestamp, into result: inout ShardResult
    ) {
        isSilent[Int(local.index)] = false
        let localSensor = Int(sensorOfSeries[Int(local.index)])
        silentSeries[localSensor] -= 1
        if silentSeries[localSensor] == 0 { result.returned.append((event, sensor, time)) }
    }

    /// The stream's time has moved: idle sensors' windows close, silence is noticed.
    private mutating func goOn(
        to highWater: Timestamp, event: Int, series: LocalSeries.Mapping, into result: inout ShardResult
    ) {
        clocks.raise(stream, to: highWater)
        windows.advance(source: stream, clocks: clocks, into: &result.windows)
        addFeatures(event: event, to: &result)
        findings.removeAll(keepingCapacity: true)
        bank.overdue(highWater: highWater, into: &findings)
        for finding in findings { report(finding, event: event, series: series, into: &result) }
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
            sensor: SensorID(localSensor * UInt32(count) + UInt32(number)), series: series.global[localSeries],
            kind: .silence, detector: .bank, start: finding.start, time: finding.time, value: finding.seconds,
            expectedLow: 0, expectedHigh: finding.limit, score: finding.score, pValue: finding.pValue,
            isContinuation: isKnown)
        result.verdicts.append((event, verdict))
    }

    /// What is due when the batch is through: time that passed without events, the end of the input; global names again.
    private mutating func finish(
        _ routed: RoutedBatch, series: LocalSeries.Mapping, into result: inout ShardResult
    ) {
        let end = routed.batch.eventCount
        switch routed.end {
        case .all:
            windows.flush(into: &result.windows)
            bank.withdrawAll()
            addFeatures(event: end, to: &result)
        case .source(let source):
            for (series, sensor) in sensorOfSeries.enumerated() where sourceOfSensor[Int(sensor)] == source.index {
                bank.withdraw(SeriesID(UInt32(series)))
            }
        case nil where end == 0:
            goOn(to: routed.progress, event: end, series: series, into: &result)
        case nil: break
        }
        for row in 0..<result.windows.count {
            result.windows.series[row] = series.global[Int(result.windows.series[row].index)]
            result.windows.sensors[row] = SensorID(
                result.windows.sensors[row].index * UInt32(count) + UInt32(number))
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

package import TocsinCore
internal import TocsinDetect
internal import TocsinStream

/// The loops over the public structs of Stream and Detect, written as a shard uses them. State persists from batch to
/// batch; a new value starts afresh.
package struct StageLoops {
    private var deduplicator = Deduplicator()
    private var bank: Bank
    private var clocks: SensorClocks
    private var windows: WindowOperator
    private var learner: ForestLearner
    private var closed = WindowBatch()
    private var scores: [Double] = []
    private var highWater = Timestamp(nanoseconds: .min)
    private let definitions: [WindowDefinition]
    private let stream = SourceID(0)
    /// So that no loop can be optimised away.
    package private(set) var checksum = 0.0

    /// - Throws: `TocsinError(.configuration)` for windows that cannot be.
    package init(
        definitions: [WindowDefinition] = [.oneMinute, .fiveMinutes], lateness: Span64 = .seconds(30)
    ) throws(TocsinError) {
        self.definitions = definitions
        bank = Bank()
        clocks = SensorClocks(allowedLateness: lateness)
        windows = try WindowOperator(definitions: definitions)
        learner = ForestLearner(names: WindowFeatures.names)
    }

    package mutating func deduplicate(_ batch: Batch) {
        var duplicates = 0
        for event in 0..<batch.eventCount {
            let readings = batch.readings(of: event)
            guard !readings.isEmpty else { continue }
            let isDuplicate = deduplicator.isDuplicate(
                series: batch.series[readings.lowerBound], eventKey: batch.eventKeys[event])
            if isDuplicate { duplicates += 1 }
        }
        checksum += Double(duplicates)
    }

    package mutating func assess(_ batch: Batch) {
        var scores = 0.0
        var assessment = Assessment()
        for event in 0..<batch.eventCount {
            let time = batch.times[event]
            highWater = max(highWater, time)
            for reading in batch.readings(of: event) {
                bank.assess(
                    series: batch.series[reading], time: time, highWater: highWater, value: batch.values[reading],
                    into: &assessment)
                scores += assessment.score
            }
        }
        checksum += scores
    }

    /// - Returns: windows closed by this batch.
    @discardableResult
    package mutating func window(_ batch: Batch) -> Int {
        // A new one: the engine hands each batch's windows on.
        closed = WindowBatch()
        for event in 0..<batch.eventCount {
            let time = batch.times[event]
            if time > highWater {
                highWater = time
                clocks.raise(stream, to: time)
                windows.advance(source: stream, clocks: clocks, into: &closed)
            }
            let sensor = batch.sensors[event]
            let watermark = clocks.observe(sensor: sensor, time: time, source: stream)
            for reading in batch.readings(of: event) {
                let series = batch.series[reading]
                _ = windows.add(series: series, sensor: sensor, time: time, value: batch.values[reading])
                windows.close(series: series, watermark: watermark, into: &closed)
            }
        }
        checksum += Double(closed.count)
        return closed.count
    }

    /// Appends the features of the windows that `window` closed last, for `score`; `assess` must have seen the batch.
    package mutating func appendFeatures(to rows: inout [Double]) {
        for row in 0..<closed.count {
            _ = WindowFeatures.append(
                closed, row: row, baseline: bank.baseline(of: closed.series[row]),
                span: definitions[Int(closed.definition[row])].size, to: &rows)
        }
    }

    /// Scores and learns rows of features.
    package mutating func score(_ rows: [Double]) {
        guard !rows.isEmpty else { return }
        learner.observe(rows: rows, into: &scores)
        if let last = scores.last, !last.isNaN { checksum += last }
    }

    /// True until the forest has been trained.
    package var isLearning: Bool { learner.isLearning }
}

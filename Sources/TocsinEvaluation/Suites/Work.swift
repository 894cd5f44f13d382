internal import Dispatch
internal import Synchronization

/// Independent pieces of work on all cores.
enum Work {
    /// The results in the order of the items.
    ///
    /// - Throws: the error of the first item, in order, that failed.
    static func map<Item: Sendable, Result: Sendable>(
        _ items: [Item], progress: Evaluation.Progress, _ body: @Sendable (Item) throws -> Result
    ) throws -> [Result] {
        let results = Mutex<(done: Int, values: [Swift.Result<Result, any Error>?])>(
            (0, Array(repeating: nil, count: items.count)))
        DispatchQueue.concurrentPerform(iterations: items.count) { index in
            let result = Swift.Result { try body(items[index]) }
            let done = results.withLock { state in
                state.values[index] = result
                state.done += 1
                return state.done
            }
            progress(done, items.count)
        }
        return try results.withLock { try $0.values.compactMap { try $0?.get() } }
    }
}

/// A detector's answer to one series: scores and threshold for the rows behind the fitted ones.
struct DetectorRun: Sendable {
    var detector: String
    var series: Int
    var scores: [Double]
    var threshold: Double

    var flags: [Bool] { scores.map { $0 >= threshold } }

    /// Hands over what was said, recording by recording.
    static func show(
        _ runs: [DetectorRun], of series: [LabelledSeries],
        to body: (@Sendable (LabelledSeries, [Evaluation.Answer]) throws -> Void)?
    ) throws {
        guard let body else { return }
        for (index, recording) in series.enumerated() {
            try body(
                recording,
                runs.filter { $0.series == index }.map {
                    Evaluation.Answer(detector: $0.detector, scores: $0.scores, threshold: $0.threshold)
                })
        }
    }

    /// Every detector over every series, detector by detector.
    static func all(
        _ detectors: [EvaluatedDetector], _ series: [LabelledSeries], seed: UInt64, tellsRanges: Bool = false,
        progress: Evaluation.Progress
    ) throws -> [DetectorRun] {
        let pairs = detectors.indices.flatMap { detector in series.indices.map { (detector, $0) } }
        return try Work.map(pairs, progress: progress) { pair in
            let recording = series[pair.1]
            let ranges: [ClosedRange<Double>]? =
                tellsRanges
                ? recording.columns.map { column in
                    let known = column.filter(\.isFinite)
                    return (known.min() ?? 0)...(known.max() ?? 0)
                } : nil
            var detector = detectors[pair.0].make(
                SeriesContext(metricNames: recording.columnNames, ranges: ranges, seed: seed))
            if recording.trainingRows > 0 { try detector.fit(recording.rows(0..<recording.trainingRows)) }
            let scores = try detector.score(recording.rows(recording.trainingRows..<recording.rowCount))
            return DetectorRun(
                detector: detectors[pair.0].name, series: pair.1, scores: scores, threshold: detector.threshold)
        }
    }
}

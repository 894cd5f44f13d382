internal import TocsinCore
public import TocsinDetect
internal import TocsinStream

/// How trained sequence models judge windows.
public struct SequenceSettings: Sendable {
    /// Trained models by metric (`tocsin train --model lstm`).
    public var models: [String: SequenceAutoencoder]
    /// Windows are judged where the light tiers are suspicious (`SuspicionGate`); false judges every window.
    public var isGated: Bool
    /// Series that are followed, by order of appearance: 2.4 KB each.
    public var maximumSeries: Int

    public init(models: [String: SequenceAutoencoder] = [:], isGated: Bool = true, maximumSeries: Int = 10_000) {
        self.models = models
        self.isGated = isGated
        self.maximumSeries = maximumSeries
    }
}

/// The sequence models at work: the last windows of each series, judged where the light tiers are suspicious.
///
/// Only windows of the first definition count, and of those every one that begins where the last one ended: overlapping
/// windows would show each reading several times.
struct WindowSequences: Sendable {
    private struct Series: Sendable {
        var buffer: SequenceBuffer
        /// Where the next window must begin at the earliest.
        var end: Timestamp
        var isAnomalous = false
        /// One of the windows since the last one taken was suspicious.
        var isSuspicious = false
    }

    private let settings: SequenceSettings
    private let size: Span64
    private var series: [UInt32: Series] = [:]
    private var batch: [Double] = []
    private var scores = SequenceScores()

    init(settings: SequenceSettings, definitions: [WindowDefinition]) {
        self.settings = settings
        size = definitions.first?.size ?? .seconds(60)
    }

    var isIdle: Bool { settings.models.isEmpty }

    /// - Parameter suspicions: by window; overlapping ones speak for the next that is taken.
    mutating func observe(
        _ windows: WindowBatch, events: [Int32], names: SeriesNames, suspicions: [Bool],
        into verdicts: inout [(event: Int, verdict: Verdict)]
    ) {
        guard !isIdle else { return }
        let scratch = SequenceScratch()
        for window in 0..<windows.count where windows.definition[window] == 0 {
            let id = windows.series[window]
            guard Int(id.index) < settings.maximumSeries, let model = settings.models[names.metricName(of: id)] else {
                continue
            }
            let start = windows.start[window]
            if series[id.index] == nil {
                series[id.index] = Series(buffer: SequenceBuffer(for: model), end: start)
            }
            if suspicions[window] { series[id.index]?.isSuspicious = true }
            guard let end = series[id.index]?.end, start >= end else { continue }
            // After a gap the sequence begins anew.
            if start.since(end) > size { series[id.index]?.buffer.removeAll() }
            series[id.index]?.end = start.advanced(by: size)
            series[id.index]?.buffer.append(Self.row(windows, window))
            guard let verdict = judge(id, model, windows, window, scratch) else { continue }
            verdicts.append((Int(events[window]), verdict))
        }
    }

    private mutating func judge(
        _ id: SeriesID, _ model: SequenceAutoencoder, _ windows: WindowBatch, _ window: Int,
        _ scratch: SequenceScratch
    ) -> Verdict? {
        guard let known = series[id.index], known.buffer.isFull else { return nil }
        series[id.index]?.isSuspicious = false
        guard known.isAnomalous || known.isSuspicious || !settings.isGated else { return nil }
        batch.removeAll(keepingCapacity: true)
        known.buffer.appendSequence(to: &batch)
        model.score(batch: batch, scratch: scratch, into: &scores)
        guard let error = scores.errors.first else { return nil }
        let isAnomalous = error >= model.threshold
        series[id.index]?.isAnomalous = isAnomalous
        guard isAnomalous else { return nil }
        let time = windows.start[window].advanced(by: size)
        let total = scores.contributions.reduce(0, +)
        let shares = zip(model.featureNames, scores.contributions).map {
            Contribution(name: $0, share: total > 0 ? $1 / total : 0)
        }
        return Verdict(
            sensor: windows.sensors[window], series: id, kind: .pattern, detector: .autoencoder,
            start: time.advanced(by: Span64(nanoseconds: -size.nanoseconds * Int64(model.scoredSteps))), time: time,
            value: error, expectedLow: 0, expectedHigh: model.threshold, score: error / (error + model.threshold),
            pValue: model.pValue(error), contributions: shares.sorted { $0.share > $1.share },
            isContinuation: known.isAnomalous, reason: "a run of windows unlike those learnt from")
    }

    /// The features of `SequenceAutoencoder.windowFeatures`.
    private static func row(_ windows: WindowBatch, _ window: Int) -> [Double] {
        let low = windows.value(.minimum, row: window)
        let high = windows.value(.maximum, row: window)
        return [
            windows.value(.mean, row: window), windows.value(.standardDeviation, row: window), low, high,
            windows.value(.count, row: window), high - low,
        ]
    }

    // MARK: Checkpoint

    /// - Parameter selection: whose; nil = all.
    func save(to writer: inout StateWriter, _ selection: SensorSelection? = nil) {
        let series = series.filter { selection?.containsSeries($0.key) ?? true }
        writer.write(varint: UInt64(series.count))
        for (index, known) in series.sorted(by: { $0.key < $1.key }) {
            writer.write(index)
            writer.write(known.end)
            writer.write(known.isAnomalous)
            writer.write(known.isSuspicious)
            var state = StateWriter()
            known.buffer.save(&state)
            writer.write(blob: state.bytes)
        }
    }

    mutating func forget(_ selection: SensorSelection) {
        series = series.filter { !selection.containsSeries($0.key) }
    }

    /// What was saved for another model is passed over.
    /// - Returns: false for nonsense.
    mutating func restore(from reader: inout StateReader, _ ids: SavedIDs, names: SeriesNames) -> Bool {
        guard let count = reader.readCount(of: 4) else { return false }
        for _ in 0..<count {
            guard let id = reader.readSeries(ids), let end = reader.readTimestamp(),
                let isAnomalous = reader.readFlag(),
                let isSuspicious = reader.readFlag(), let bytes = reader.readBlob()
            else { return false }
            guard let model = settings.models[names.metricName(of: id)] else { continue }
            var state = StateReader(bytes)
            guard
                let buffer = SequenceBuffer(
                    &state, steps: model.shape.steps, features: model.shape.features)
            else { continue }
            series[id.index] = Series(
                buffer: buffer, end: end, isAnomalous: isAnomalous, isSuspicious: isSuspicious)
        }
        return true
    }
}

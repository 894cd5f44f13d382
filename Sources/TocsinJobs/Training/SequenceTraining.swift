public import TocsinCore
public import TocsinDetect

/// Trains LSTM autoencoders on the windows of series, one for each metric over all its sensors.
///
/// Windows follow one another without overlap; statistics are those of the engine's windows.
public struct SequenceTraining: ModelTraining {
    private struct Window {
        var number: Int64
        var count = 0.0
        var mean = 0.0
        var squares = 0.0
        var low = Double.infinity
        var high = -Double.infinity

        /// Welford 1962.
        mutating func add(_ value: Double) {
            count += 1
            let delta = value - mean
            mean += delta / count
            squares += delta * (value - mean)
            low = min(low, value)
            high = max(high, value)
        }

        /// As `SequenceAutoencoder.windowFeatures`.
        var row: [Double] {
            [mean, count > 1 ? (squares / (count - 1)).squareRoot() : 0, low, high, count, high - low]
        }
    }

    private struct Series {
        /// Runs of windows without a gap.
        var segments: [[Double]] = []
        var open: Window?
    }

    private let settings: SequenceAutoencoder.Settings
    private let size: Span64
    private let metric: String?
    private var series: [String: [String: Series]] = [:]

    /// - Parameters:
    ///   - window: length of a window; what the pipeline's first window definition says.
    ///   - metric: the only one; nil = all.
    public init(settings: SequenceAutoencoder.Settings, window: Span64, metric: String?) {
        self.settings = settings
        size = window
        self.metric = metric
    }

    public mutating func add(_ event: TrainingEvent) -> Bool {
        var isUsed = false
        for (name, value) in zip(event.metrics, event.values) where metric == nil || metric == name {
            guard value.isFinite else { continue }
            isUsed = true
            add(value, at: event.time, sensor: event.sensor, to: &series[name, default: [:]])
        }
        return isUsed
    }

    private func add(_ value: Double, at time: Timestamp, sensor: String, to known: inout [String: Series]) {
        var one = known.removeValue(forKey: sensor) ?? Series()
        let number = time.nanoseconds / size.nanoseconds - (time.nanoseconds % size.nanoseconds < 0 ? 1 : 0)
        if let open = one.open, open.number != number {
            Self.close(open, next: number, &one)
            one.open = nil
        }
        var window = one.open ?? Window(number: number)
        window.add(value)
        one.open = window
        known[sensor] = one
    }

    private static func close(_ window: Window, next: Int64, _ series: inout Series) {
        if series.segments.isEmpty { series.segments.append([]) }
        series.segments[series.segments.count - 1] += window.row
        if next != window.number + 1 { series.segments.append([]) }
    }

    public func train(progress: (String) -> Void) throws -> [TrainedModel] {
        guard !series.isEmpty else {
            throw TocsinError(
                .format, metric.map { "the recording has no metric \($0)" } ?? "the recording has no numbers",
                remedy: "see what it has with tocsin replay, or name another with --metric")
        }
        return try series.sorted { $0.key < $1.key }.map { name, sensors in
            try train(metric: name, sensors: sensors, progress)
        }
    }

    private func train(
        metric: String, sensors: [String: Series], _ progress: (String) -> Void
    ) throws -> TrainedModel {
        let segments = sensors.sorted { $0.key < $1.key }.flatMap(\.value.segments).filter { !$0.isEmpty }
        var last: SequenceAutoencoder.Progress?
        var epochs = 0
        let model = try SequenceAutoencoder.train(
            segments: segments, names: SequenceAutoencoder.windowFeatures, settings: settings
        ) { step in
            progress(
                "\(metric): epoch \(step.epoch) of \(settings.epochs), loss \(ReportText.number(step.loss, digits: 5)), validation "
                    + "\(ReportText.number(step.validationLoss, digits: 5))\(step.isBest ? " (best)" : "")")
            if step.isBest { last = step }
            epochs = step.epoch
        }
        let rows = segments.reduce(0) { $0 + $1.count } / SequenceAutoencoder.windowFeatures.count
        var summary = JSONWriter()
        summary.object {
            $0.field("metric", metric)
            $0.field("sensors", sensors.count)
            $0.field("windows", rows)
            $0.field("window_seconds", size.seconds)
            $0.field("epochs", epochs)
            $0.field("validation_loss", last?.validationLoss ?? .nan)
            $0.field("threshold", model.threshold)
        }
        let units = settings.units.map(String.init).joined(separator: "-")
        let record = ModelRecord(
            name: "lstm:" + metric, version: 1, origin: .trained, created: Timestamp(nanoseconds: 0),
            format: SequenceAutoencoder.format, summary: String(decoding: summary.bytes, as: UTF8.self),
            data: model.saved())
        let perDay = (1 - settings.thresholdQuantile) * 86_400 / max(size.seconds, 1e-3)
        return TrainedModel(
            record: record,
            report: [
                ("windows", "\(rows) of \(ReportText.number(size.seconds)) s, from \(sensors.count) sensors"),
                (
                    "network",
                    "\(units), \(settings.steps) steps of \(SequenceAutoencoder.windowFeatures.joined(separator: ", "))"
                ),
                ("training", "\(epochs) epochs, \(last?.trainingSequences ?? 0) sequences"),
                (
                    "validation",
                    "loss \(ReportText.number(last?.validationLoss ?? .nan, digits: 5)) on the last fifth of each series, \(last?.validationSequences ?? 0) sequences"
                ),
                (
                    "threshold",
                    "\(ReportText.number(model.threshold, digits: 5)), the \(ReportText.number(settings.thresholdQuantile)) quantile there"
                ),
                (
                    "false alarms",
                    "about \(ReportText.number(perDay, digits: 2)) windows a day and series if every one is judged; the gate judges fewer"
                ),
            ])
    }
}

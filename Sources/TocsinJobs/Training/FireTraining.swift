internal import TocsinCore
internal import TocsinDetect

/// Trains a Random Forest of change for smoke and fire sensors from labelled recordings, one for each sensor.
public struct FireTraining: ModelTraining {
    private struct Recording {
        var times: [Timestamp] = []
        var rows: [Double] = []
        var labels: [Bool] = []
    }

    private let settings: FireModel.Training
    private var columns: [String] = []
    private var order: [String] = []
    private var recordings: [String: Recording] = [:]
    private var labelled = 0

    public init(trees: Int, seed: UInt64) { settings = FireModel.Training(trees: trees, seed: seed) }

    /// All must have the metrics of the first one.
    public mutating func add(_ event: TrainingEvent) -> Bool {
        if columns.isEmpty { columns = event.metrics }
        guard event.metrics == columns, let isFire = event.isAnomalous else { return false }
        if recordings[event.sensor] == nil { order.append(event.sensor) }
        recordings[event.sensor, default: Recording()].times.append(event.time)
        recordings[event.sensor]?.rows.append(contentsOf: event.values)
        recordings[event.sensor]?.labels.append(isFire)
        labelled += 1
        return true
    }

    public func train(progress: (String) -> Void) throws -> [TrainedModel] {
        guard labelled > 0 else {
            throw TocsinError(
                .usage, "no event has a label", remedy: "name the column with the truth: --labels \"Fire Alarm\"")
        }
        var rows: [Double] = []
        var labels: [Bool] = []
        var numbers: [Int] = []
        var times: [Timestamp] = []
        for (number, name) in order.enumerated() {
            guard let recording = recordings[name] else { continue }
            rows += recording.rows
            labels += recording.labels
            times += recording.times
            numbers += repeatElement(number, count: recording.labels.count)
        }
        progress("training on \(labels.count) rows of \(order.count) recordings")
        let (model, report) = try FireModel.train(
            rows: rows, columns: columns, labels: labels, recordings: numbers, times: times, settings: settings)
        var summary = JSONWriter()
        summary.object {
            $0.field("rows", report.fireRows + report.quietRows)
            $0.field("recordings", order.count)
            $0.field("onsets", report.onsets)
            $0.field("found_in_unseen_blocks", report.foundInUnseenBlocks)
            $0.field("false_alarms", report.falseAlarms)
            $0.field("quiet_days", report.quietDays)
            $0.field("threshold", report.threshold)
            $0.field("out_of_bag_error", report.outOfBagError)
        }
        let record = ModelRecord(
            name: "fire", version: 1, origin: .trained, created: Timestamp(nanoseconds: 0), format: FireModel.format,
            summary: String(decoding: summary.bytes, as: UTF8.self), data: model.saved())
        let most = report.importances.prefix(5).map { "\($0.feature) \(ReportText.percent($0.share))" }
        return [
            TrainedModel(
                record: record,
                report: [
                    ("rows", "\(report.fireRows) of fire, \(report.quietRows) quiet, from \(order.count) recordings"),
                    ("fires", "\(report.onsets) that begin within a recording"),
                    (
                        "validation",
                        "\(report.foundInUnseenBlocks) of them found by forests that had not seen that fifth of the time"
                    ),
                    ("threshold", ReportText.number(report.threshold)),
                    (
                        "false alarms",
                        "\(report.falseAlarms) in \(ReportText.number(report.quietDays, digits: 2)) quiet days; at most "
                            + "\(ReportText.number(report.falseAlarmsPerDayAtMost, digits: 1)) a day (95 %)"
                    ),
                    (
                        "out of bag",
                        ReportText.percent(report.outOfBagError) + " wrong (flatters: neighbours in time were seen)"
                    ),
                    ("features", most.joined(separator: ", ")),
                ], warnings: report.warnings)
        ]
    }
}

internal import TocsinCore
internal import TocsinDetect

/// Forecasts of recordings without labels, hour by hour: beside the last value and the value a season ago.
///
/// Each recording is forecast from evenly spaced moments of its second half, every time from what had been before.
enum ForecastSuite {
    private static let hours: [Int64] = [1, 6, 24]
    private static let origins = 48

    private struct Recording: Sendable {
        var name: String
        var series: RegularSeries
    }

    private static let models: [(name: String, choice: Forecaster.Choice)] = [
        ("chosen", .best), ("holt-winters", .holtWinters), ("naive", .naive), ("seasonal-naive", .seasonalNaive),
    ]

    static func run(
        _ path: String, _ names: [String], _ options: Evaluation.Options, _ progress: Evaluation.Progress
    ) throws -> SuiteReport {
        let chosen = try choose(names)
        let recordings = try read(path)
        let pairs = chosen.flatMap { model in recordings.map { (model, $0) } }
        let judged = try Work.map(pairs, progress: progress) { pair in
            judge(pair.1.series, pair.0.choice)
        }
        var sums: [SuiteReport.Row] = []
        var files: [SuiteReport.Row] = []
        for model in chosen {
            let mine = zip(pairs, judged).filter { $0.0.0.name == model.name }
            for (place, hours) in hours.enumerated() {
                for (pair, result) in mine where result[place].count > 0 {
                    files.append(.init(model.name, "\(pair.1.name) \(hours) h", result[place].figures))
                }
                let all = mine.map { $0.1[place] }.filter { $0.count > 0 }.map(\.figures)
                let means = (0..<4).map { column in
                    all.isEmpty ? nil : all.reduce(0) { $0 + $1[column] } / Double(all.count)
                }
                sums.append(.init(model.name, "\(hours) h", means))
            }
        }
        let columns: [SuiteReport.Column] = [
            .init("sMAPE %", 2), .init("MASE", 3), .init("cover %", 1), .init("width", 2),
        ]
        return SuiteReport(
            suite: "forecast",
            tables: [
                .init(
                    "means over \(recordings.count) recordings, every step up to the horizon", columns: columns,
                    rows: sums),
                .init("recording by recording", columns: columns, rows: files, isDetail: true),
            ],
            notes: [
                "Forecast from \(origins) moments of each recording's second half, fitted anew on what was before.",
                "MASE: mean error over that of repeating the day before, on the history. cover: share of values in the 95 % "
                    + "interval; width: of the interval in the same unit as MASE. Recordings stand as they are, faults included.",
            ])
    }

    private static func choose(_ names: [String]) throws -> [(name: String, choice: Forecaster.Choice)] {
        try names.isEmpty
            ? models
            : names.map { name in
                guard let found = models.first(where: { $0.name == name }) else {
                    throw TocsinError(
                        .usage, "there is no such model for this suite: \(name)",
                        remedy: "choose from \(models.map(\.name).joined(separator: ", "))")
                }
                return found
            }
    }

    private static func read(_ path: String) throws -> [Recording] {
        let folder = try SuiteFolder(path, name: "nab", marker: "data/realKnownCause")
        var recordings: [Recording] = []
        let horizon = Span64.hours(24)
        for name in [
            "realKnownCause/nyc_taxi", "realKnownCause/machine_temperature_system_failure",
            "realKnownCause/ambient_temperature_system_failure", "realAWSCloudwatch/elb_request_count_8c0756",
            "realTraffic/speed_6005", "realTweets/Twitter_volume_FB",
        ] {
            let file = "\(folder.path)/data/\(name).csv"
            let table = try NumberTable(file)
            let values = try table.column("value", of: file)
            guard let series = RegularSeries(times: table.times, values: values, horizon: horizon) else { continue }
            recordings.append(Recording(name: SuiteFolder.stem(file), series: series))
        }
        guard path != folder.path, TextFile.exists("\(path)/occupancy/datatraining.csv") else { return recordings }
        let file = "\(path)/occupancy/datatraining.csv"
        let table = try NumberTable(file)
        for column in ["Temperature", "CO2"] {
            let values = try table.column(column, of: file)
            guard let series = RegularSeries(times: table.times, values: values, horizon: horizon) else { continue }
            recordings.append(Recording(name: "occupancy \(column)", series: series))
        }
        return recordings
    }

    /// Sums over all moments, horizon by horizon.
    private struct Sums: Sendable {
        var count = 0.0
        var relative = 0.0
        var scaled = 0.0
        var inside = 0.0
        var width = 0.0

        var figures: [Double] { [100 * relative, scaled, 100 * inside, width].map { $0 / max(count, 1) } }
    }

    private static func judge(_ series: RegularSeries, _ choice: Forecaster.Choice) -> [Sums] {
        var sums = Array(repeating: Sums(), count: hours.count)
        let day = series.slots(in: .days(1))
        let half = series.count / 2
        for origin in 0..<origins {
            let now = half + origin * (series.count - half - day) / Swift.max(origins, 1)
            guard now > 0, now < series.count,
                let forecaster = try? Forecaster(
                    series.prefix(now), horizon: .hours(24), settings: .init(choice: choice))
            else { continue }
            let unit = dailyChange(series.values, day, now)
            let points = forecaster.forecast().points
            for (place, hours) in hours.enumerated() {
                for (ahead, point) in points.prefix(series.slots(in: .hours(hours))).enumerated() {
                    guard now + ahead < series.count else { break }
                    let value = series.values[now + ahead]
                    guard value.isFinite else { continue }
                    let error = abs(value - point.value)
                    let size = (abs(value) + abs(point.value)) / 2
                    sums[place].count += 1
                    sums[place].relative += size > 0 ? error / size : 0
                    sums[place].scaled += error / unit
                    sums[place].inside += value >= point.lower && value <= point.upper ? 1 : 0
                    sums[place].width += (point.upper - point.lower) / unit
                }
            }
        }
        return sums
    }

    /// How much values differ from those of the day before, on the history alone.
    private static func dailyChange(_ values: [Double], _ day: Int, _ count: Int) -> Double {
        var sum = 0.0
        var pairs = 0.0
        for place in min(day, count)..<count {
            let change = abs(values[place] - values[place - day])
            guard change.isFinite else { continue }
            sum += change
            pairs += 1
        }
        return pairs > 0 && sum > 0 ? sum / pairs : 1
    }
}

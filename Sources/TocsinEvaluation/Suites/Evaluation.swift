internal import TocsinCore

/// The judges: labelled recordings of others, run with the measures that their own boards use.
///
/// ```swift
/// let report = try Evaluation.run(suite: "skab", path: "data", detectors: ["bank"])
/// print(report.text())
/// ```
public enum Evaluation {
    public struct Options: Sendable {
        /// Seeds of the suites that repeat (`adbench`). Default 5.
        public var seeds: Int
        /// How many standard deviations the faults of `types` are. Default 5.
        public var amplitude: Double
        /// Seconds a spike of `types` lasts. Default 1.
        public var spikeSeconds: Int
        /// Streams per kind in `types`. Default 200.
        public var streams: Int
        /// Sensors of the stationary day in `types`. Default 1,000.
        public var quietSensors: Int
        /// Default 1.
        public var seed: UInt64
        /// Shown every recording of a stream suite with what the detectors said of it: for pictures.
        public var onAnswers: (@Sendable (LabelledSeries, [Answer]) throws -> Void)?

        public init(
            seeds: Int = 5, amplitude: Double = 5, spikeSeconds: Int = 1, streams: Int = 200, quietSensors: Int = 1000,
            seed: UInt64 = 1
        ) {
            self.seeds = seeds
            self.amplitude = amplitude
            self.spikeSeconds = spikeSeconds
            self.streams = streams
            self.quietSensors = quietSensors
            self.seed = seed
        }
    }

    /// A detector's scores of the rows behind the fitted ones.
    public struct Answer: Sendable {
        public var detector: String
        public var scores: [Double]
        /// The detector's own.
        public var threshold: Double
    }

    /// Files done and files in all; called from any thread.
    public typealias Progress = @Sendable (_ done: Int, _ total: Int) -> Void

    public static let suites: [(name: String, oneLine: String)] = [
        ("nab", "univariate streams with labelled windows: the NAB score, official and causal mode"),
        ("skab", "pump test rig, 8 sensors: F1, false and missed alarms, change points; fit on 400 rows"),
        ("smd", "server metrics, 38 a machine, fitted on the training rows"),
        ("asd", "server metrics, 19 an entity, fitted on the training rows"),
        ("smap_msl", "spacecraft telemetry, one metric a channel, fitted on the training rows"),
        ("kpi", "web-service indicators, one metric, cold start"),
        ("ucr", "one anomaly a file: is the highest score in it"),
        ("wsn", "four motes of a sensor network, cold start"),
        ("adbench", "tables with outliers: AUROC and average precision over seeds"),
        (
            "smoke",
            "fire alarms: other recording, other time: found, delay, false minutes; and the misleading shuffled split"
        ),
        ("occupancy", "room occupancy classifiers, other days"),
        ("cmapss", "remaining useful life of turbofan engines"),
        ("forecast", "forecasts with intervals at 1, 6 and 24 hours, beside the last value and the day before"),
        ("types", "synthetic faults: are they found and called by their name; false alarms on plain noise"),
    ]

    /// Runs a suite over all its files on all cores. Seconds to minutes.
    ///
    /// - Parameters:
    ///   - path: the suite's folder, or the data folder that holds it; not used by `types`.
    ///   - detectors: names of `EvaluatedDetector.all` (`EvaluatedRowModel.all` for `smoke`, `occupancy`, `cmapss`);
    ///     empty = all that fit the suite.
    /// - Throws: `TocsinError` for unknown names and for files that are missing or damaged.
    public static func run(
        suite: String, path: String, detectors: [String] = [], options: Options = Options(),
        progress: @escaping Progress = { _, _ in }
    ) throws -> SuiteReport {
        switch suite {
        case "nab": return try NABSuite.run(path, detectors, options, progress)
        case "skab": return try SKABSuite.run(path, detectors, options, progress)
        case "adbench": return try TableSuite.run(path, detectors, options, progress)
        case "smoke": return try SmokeSuite.run(path, detectors, options, progress)
        case "occupancy": return try ClassifierSuites.occupancy(path, detectors, options, progress)
        case "cmapss": return try RemainingLifeSuite.run(path, detectors, options, progress)
        case "forecast": return try ForecastSuite.run(path, detectors, options, progress)
        case "types": return try TypesSuite.run(detectors, options, progress)
        default: break
        }
        guard let series = try seriesSuite(suite, path) else {
            throw TocsinError(
                .usage, "there is no suite \(suite)",
                remedy: "choose from \(suites.map(\.name).joined(separator: ", "))")
        }
        return try SeriesSuite.run(suite, series, detectors, options, progress)
    }

    private static func seriesSuite(_ suite: String, _ path: String) throws -> [LabelledSeries]? {
        switch suite {
        case "smd": try FittedReaders.serverMetrics(path, name: "smd", rowsPerDay: 1440)
        case "asd": try FittedReaders.serverMetrics(path, name: "asd", rowsPerDay: 288)
        case "smap_msl": try FittedReaders.spacecraft(path)
        case "ucr": try FittedReaders.ucr(path)
        case "kpi": try StreamReaders.kpi(path)
        case "wsn": try StreamReaders.sensorNetwork(path)
        default: nil
        }
    }

    /// The detectors of the given names, or all that fit, reference detectors included.
    static func choose(_ names: [String], fields: EvaluatedDetector.Fields) throws -> [EvaluatedDetector] {
        guard !names.isEmpty else { return EvaluatedDetector.all.filter { $0.fields.isSuperset(of: fields) } }
        let chosen = try names.map(EvaluatedDetector.named).filter { $0.fields.isSuperset(of: fields) }
        guard !chosen.isEmpty else {
            let fitting = EvaluatedDetector.all.filter { $0.fields.isSuperset(of: fields) }.map(\.name)
            throw TocsinError(
                .usage, "\(names.joined(separator: ", ")) cannot be run on this suite's data",
                remedy: "choose from \(fitting.joined(separator: ", "))")
        }
        return chosen
    }
}

public import TocsinCore

/// The whole configuration, every value checked. Defaults stand in the key registry, one sentence each in
/// docs/configuration.md; an empty file runs.
public struct TocsinConfiguration: Sendable {
    public var data: Data
    public var server: Server
    public var engine: Engine
    public var input: Input
    /// At least one; sizes are multiples of their slides.
    public var windows: [WindowDefinition]
    public var detection: Detection
    public var alarms: Alarms
    public var rules: [Rule]
    public var classes: [SensorClass]
    public var maintenance: [Maintenance]
    public var assets: [Asset]
    public var store: Store
    public var spool: Spool
    public var lake: Lake
    public var sources: [Source]
    public var kafka: Kafka
    public var alerts: Alerts
    public var log: Log

    /// What an empty file gives.
    public static var defaults: TocsinConfiguration {
        var reader = SettingReader(layers: [])
        return TocsinConfiguration(from: &reader)
    }

    /// The file of alarms as JSON lines: `alerts.file.path`, inside `data.directory` unless absolute.
    public var alertsFilePath: String { resolved(alerts.file.path) }

    /// The folder of the spool's segments, and that of the checkpoints.
    public var spoolPath: String { resolved((spool.folder.map { $0 + "/" } ?? "") + "spool") }
    public var checkpointPath: String { resolved((spool.folder.map { $0 + "/" } ?? "") + "checkpoints") }
    /// Whether other processes may take sensors over: a group of Kafka, and a place for checkpoints that all of them reach.
    public var sharesSensors: Bool {
        (store.usesPostgres || kafka.checkpoints != nil) && sources.contains { $0.kind == .kafka }
    }

    /// What waits to be sent to Kafka.
    public var outputPath: String { resolved((spool.folder.map { $0 + "/" } ?? "") + "output") }
    /// Ids of the parts of sources.
    public var sourceNumbersPath: String { resolved((spool.folder.map { $0 + "/" } ?? "") + "source-numbers") }
    /// Up to where alerts have been told.
    public var toldPath: String { resolved((spool.folder.map { $0 + "/" } ?? "") + "alerts.told") }

    func resolved(_ path: String) -> String {
        if path.hasPrefix("/") { return path }
        return data.directory.hasSuffix("/") ? data.directory + path : data.directory + "/" + path
    }
}

extension TocsinConfiguration {
    public struct Data: Sendable {
        public var directory: String
    }

    public struct Server: Sendable {
        public var host: String
        /// 0 takes a free port.
        public var port: Int
        public var maxBodyBytes: Int
        public var ingestEnabled: Bool
        public var ingestKeys: [IngestKey]
        public var ingestForms: MessageForms
        public var live: Live

        public struct IngestKey: Sendable {
            public var name: String
            public var key: Secret
            /// 0 = no limit.
            public var readingsPerSecond: Double
        }

        public struct Live: Sendable {
            public var interval: Span64
            public var heartbeat: Span64
            /// Messages kept for browsers that reconnect.
            public var history: Int
        }
    }

    public struct Engine: Sendable {
        public enum Order: String, CaseIterable, Sendable { case arrival, event }

        /// 0 = one per core.
        public var shards: Int
        public var inboxBatches: Int
        public var allowedLateness: Span64
        public var order: Order
        public var idleTimeout: Span64
        public var maxSeries: Int
    }

    public struct Detection: Sendable {
        public enum Direction: String, CaseIterable, Sendable { case up, down, both }

        public var enabled: Bool
        public var learningReadings: Int
        /// 0 < p ≤ 0.1
        public var falseAlarmRate: Double
        public var minimumDeviation: MinimumDeviation
        public var direction: Direction
        /// By metric name; bounds may be infinite.
        public var limits: [String: ClosedRange<Double>]
        public var kinds: [AnomalyKind]
        public var forest: Forest
        public var ensemble: Ensemble
        public var fireEnabled: Bool
        public var lstm: LSTM

        public struct Ensemble: Sendable {
            public var enabled: Bool
            public var maxSensors: Int
            public var maxFastSensors: Int
        }

        public struct LSTM: Sendable {
            /// Judges only where a light detector is suspicious.
            public var gated: Bool
            public var units: [Int]
            public var sequenceLength: Int
            public var epochs: Int
            public var batchSize: Int
            /// Quantile of the validation errors.
            public var threshold: Double
        }

        public struct MinimumDeviation: Sendable {
            /// In the metric's unit.
            public var absolute: Double
            /// Share of the expected value.
            public var relative: Double
        }

        public struct Forest: Sendable {
            public var enabled: Bool
            public var trees: Int
            public var samples: Int
            public var learningEvents: Int
            public var seed: UInt64
        }
    }

    public struct Alarms: Sendable {
        public var clearAfter: Span64
        public var cooldown: Span64
        public var onDelay: Span64
        /// Warnings a day and asset; nil = no limit.
        public var perDay: Int?
        public var flood: Flood
        public var newNormalAfter: Span64
        public var feedbackMemory: Span64
        public var latched: [AnomalyKind]
        public var shelveLimit: Span64

        public struct Flood: Sendable {
            public var incidents: Int
            public var within: Span64
            public var criticals: Int
        }
    }

    /// What differs for some sensors and metrics; nil = as elsewhere.
    public struct Rule: Sendable {
        /// Patterns with `*` and `?`, case ignored.
        public var sensor: String
        public var metric: String
        public var sensorClass: String?
        public var direction: Detection.Direction?
        public var minimumDeviationAbsolute: Double?
        public var minimumDeviationRelative: Double?
        public var minimumScore: Double?
        /// Empty = as elsewhere.
        public var kinds: [AnomalyKind]
        public var limits: ClosedRange<Double>?
        public var onDelay: Span64?
        public var clearAfter: Span64?
        public var deadBand: Double?
        public var severity: Alarm.Severity?
        public var perDay: Int?
        public var learns: Bool
    }

    public struct Maintenance: Sendable {
        public var sensor: String
        /// As written; the engine's calendar reads it.
        public var when: String
        public var reason: String?
        public var alarms: Bool
        public var learns: Bool
    }

    public struct SensorClass: Sendable {
        public var name: String
        /// Names or patterns.
        public var sensors: [String]
    }

    public struct Asset: Sendable {
        public var name: String
        /// Names or patterns.
        public var sensors: [String]
    }

    /// Spool and checkpoints.
    public struct Spool: Sendable {
        public var enabled: Bool
        /// Of spool and checkpoints, where it is not the data folder.
        public var folder: String?
        /// 0 = each batch.
        public var flushInterval: Span64
        public var flushBytes: Int
        public var segmentBytes: Int
        public var maxBytes: Int
        public var checkpointInterval: Span64
        public var checkpointKept: Int
    }

    public struct Log: Sendable {
        /// The levels of swift-log, by the same names.
        public enum Level: String, CaseIterable, Sendable { case trace, debug, info, notice, warning, error, critical }
        public enum Format: String, CaseIterable, Sendable { case auto, json, plain }

        public var level: Level
        public var format: Format
    }
}

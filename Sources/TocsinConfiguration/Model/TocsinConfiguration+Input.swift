public import TocsinCore

extension TocsinConfiguration {
    public struct Input: Sendable {
        public var maximumMessageBytes: Int
        /// How far into the future a reading's time may lie.
        public var allowedClockSkew: Span64
        /// By metric name in lower case; bounds may be infinite.
        public var validRanges: [String: ClosedRange<Double>]
        /// nil = the source's name.
        public var defaultSensor: String?
        public var mapping: Mapping
    }

    /// Where the parts of a reading stand in a message: columns or dotted JSON paths; nil = found by itself.
    public struct Mapping: Sendable {
        public enum TimeFormat: String, CaseIterable, Sendable {
            case auto, iso8601
            case seconds = "s"
            case milliseconds = "ms"
            case microseconds = "us"
            case nanoseconds = "ns"
        }

        public var sensor: String?
        public var time: String?
        public var metric: String?
        public var value: String?
        public var eventID: String?
        public var unit: String?
        public var ignore: [String]
        public var labelColumn: String?
        public var timeFormat: TimeFormat
    }

    /// One source. `path` is there for files and folders; the fields from `profile` on matter to the simulator only.
    public struct Source: Sendable {
        public enum Kind: String, CaseIterable, Sendable { case file, folder, stdin, simulator }
        public enum Format: String, CaseIterable, Sendable { case auto, json, csv }
        public enum Profile: String, CaseIterable, Sendable { case plant, machine, fleet, smoke }

        public var kind: Kind
        public var name: String
        public var path: String?
        public var follow: Bool
        public var format: Format
        /// nil = the source's name.
        public var defaultSensor: String?
        public var mapping: Mapping
        public var profile: Profile
        /// 0 = the profile's own.
        public var sensors: Int
        /// Events a second; 0 = the profile's own.
        public var rate: Double
        /// Times real time; 0 = as fast as possible.
        public var speed: Double
        public var seed: UInt64
        /// 0…0.95; nil = the profile's own.
        public var anomalyRate: Double?
        /// 0 = unlimited.
        public var maxEvents: Int

        /// A source with every other field at its default, for commands that make one from their arguments.
        public init(kind: Kind, name: String, path: String? = nil) {
            self.kind = kind
            self.name = name
            self.path = path
            follow = SourceKeys.follow.fallback
            format = SourceKeys.format.fallback
            defaultSensor = nil
            mapping = TocsinConfiguration.defaults.input.mapping
            profile = SourceKeys.profile.fallback
            sensors = SourceKeys.sensors.fallback
            rate = SourceKeys.rate.fallback
            speed = SourceKeys.speed.fallback
            seed = SourceKeys.seed.fallback
            anomalyRate = nil
            maxEvents = SourceKeys.maxEvents.fallback
        }
    }

    public struct Alerts: Sendable {
        public var consoleEnabled: Bool
        public var file: File
        public var webhooks: [Webhook]

        public struct File: Sendable {
            public var enabled: Bool
            /// As configured; `alertsFilePath` is the resolved one.
            public var path: String
        }

        public struct Webhook: Sendable {
            public var url: SecretURL
            public var headers: [String: Secret]
            /// Signs requests; nil = unsigned.
            public var secret: Secret?
            public var timeout: Span64
            public var cooldown: Span64
            public var retries: Int
        }
    }
}

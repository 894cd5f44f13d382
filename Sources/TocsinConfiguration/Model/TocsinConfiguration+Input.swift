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

    /// How the forms of messages are read; empty lists = the decoders' own.
    public struct MessageForms: Sendable {
        public var csvHeader: String?
        public var influxSensorTags: [String] = []
        public var influxMetricTags: [String] = []
        public var sensorAttributes: [String] = []
    }

    /// One source. `path` is there for files and folders; the fields from `profile` on matter to the simulator only.
    public struct Source: Sendable {
        public enum Kind: String, CaseIterable, Sendable { case file, folder, stdin, simulator, kafka, mqtt }
        /// The forms from `number` on are those of messages of a broker.
        public enum Format: String, CaseIterable, Sendable {
            case auto, json, csv, number
            case senmlJSON = "senml-json"
            case senmlCBOR = "senml-cbor"
            case sparkplugB = "sparkplug-b"
            case influx
            case confluentJSON = "confluent-json"
            case avro = "confluent-avro"
            case protobuf = "confluent-protobuf"
            case otlpProtobuf = "otlp-protobuf"
            case otlpJSON = "otlp-json"
        }
        public enum Start: String, CaseIterable, Sendable { case earliest, latest }
        public enum MessageKey: String, CaseIterable, Sendable { case ignored, sensor }
        public enum Session: String, CaseIterable, Sendable { case persistent, clean }
        public enum Retained: String, CaseIterable, Sendable { case take, ignore }
        public enum MQTTVersion: String, CaseIterable, Sendable {
            case automatic = "auto"
            case v311 = "3.1.1"
            case v5 = "5"
        }
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
        /// Of a broker.
        public var topics: [String]
        public var forms: MessageForms
        public var kafka: Kafka
        public var mqtt: MQTT

        public struct Kafka: Sendable {
            public var group: String
            public var instanceID: String?
            public var startFrom: Start
            public var messageKey: MessageKey
            public var checkpointInterval: Span64
        }

        public struct MQTT: Sendable {
            public var url: String?
            public var version: MQTTVersion
            /// 0 to 2.
            public var qos: Int
            public var clientID: String?
            public var user: String?
            public var password: Secret?
            public var session: Session
            public var sessionExpiry: Span64
            public var retained: Retained
            public var window: Int
            public var keepAlive: Span64
            public var quietAfter: Span64?
            public var watchdog: Watchdog
            public var presenceTopic: String?
            public var sparkplugHostID: String?
            public var tls: TLS
        }

        public struct Watchdog: Sendable {
            public var enabled: Bool
            public var topic: String?
            public var interval: Span64
            public var timeout: Span64
        }

        public struct TLS: Sendable {
            public var authorities: String?
            public var certificate: String?
            public var privateKey: String?
            public var serverName: String?
            public var allowsAnyCertificate: Bool
        }

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
            topics = []
            forms = MessageForms()
            kafka = Kafka(
                group: BrokerSourceKeys.group.fallback, startFrom: .earliest, messageKey: .sensor,
                checkpointInterval: .minutes(1))
            mqtt = MQTT(
                version: .automatic, qos: 1, session: .persistent, sessionExpiry: .days(1), retained: .take,
                window: BrokerSourceKeys.window.fallback, keepAlive: .seconds(15),
                watchdog: Watchdog(enabled: true, interval: .seconds(10), timeout: .seconds(10)),
                tls: TLS(allowsAnyCertificate: false))
        }
    }

    /// What all connections to Kafka have in common, and what is sent there.
    public struct Kafka: Sendable {
        public var bootstrapServers: [String]
        public var clientID: String
        public var library: String?
        public var properties: [String: Secret]
        public var schemaRegistry: SchemaRegistry
        /// A folder, or "s3://…"; nil = the store, where all processes reach it.
        public var checkpoints: String?
        public var output: Output

        public struct SchemaRegistry: Sendable {
            public var url: String?
            public var user: String?
            public var password: Secret?
        }

        /// Topics by what they hold; nil = not sent.
        public struct Output: Sendable {
            public var enabled: Bool
            public var processed: String?
            public var anomalies: String?
            public var alerts: String?
            public var deadLetters: String?
            public var waitingBytes: Int
        }
    }

    public struct Alerts: Sendable {
        public var consoleEnabled: Bool
        public var file: File
        public var webhooks: [Webhook]
        public var channels: [Channel]
        /// Between two messages on the same sensor and kind, where a channel does not say otherwise.
        public var cooldown: Span64
        /// Address of the dashboard as people reach it.
        public var link: String?
        public var allowsPrivateTargets: Bool
        public var allowedHosts: [String]
        public var routing: Routing
        public var routes: [Route]
        public var escalations: [Escalation]
        public var system: System
        public var temperatureThreshold: Double?
        public var humidityThreshold: Double?

        public enum Routing: String, CaseIterable, Sendable { case all, first }

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
            /// nil = as many as the time allows.
            public var retries: Int?
        }
    }
}

extension TocsinConfiguration.Alerts {
    /// One entry of `alerts.channels`: what its kind needs is checked when the channel is made.
    public struct Channel: Sendable {
        public enum Kind: String, CaseIterable, Sendable {
            case webhook, slack, teams, discord, email, pagerduty, opsgenie, alertmanager, sms, kafka
        }
        public enum Format: String, CaseIterable, Sendable {
            case cloudEvents = "cloudevents"
            case plain
        }
        public enum Security: String, CaseIterable, Sendable { case auto, tls, starttls, none }

        public var kind: Kind
        public var name: String
        public var url: Secret?
        public var headers: [String: Secret]
        public var secret: Secret?
        public var format: Format
        public var token: Secret?
        public var user: String?
        public var password: Secret?
        public var security: Security
        public var from: String?
        public var to: [String]
        public var topic: String?
        public var title: String?
        public var text: String?
        public var authorities: String?
        public var timeout: Span64
        public var severity: Alarm.Severity
        public var cooldown: Span64?
        /// nil = the kind's own.
        public var rateMessages: Int?
        public var ratePeriod: Span64
        public var quietHours: String?
        public var quietZone: String
        public var quietPassesCritical: Bool
        public var delay: Span64
        public var giveUpAfter: Span64
        /// Waits between attempts: the first, and what doubling ends at.
        public var retryFirst: Span64
        public var retryLongest: Span64
    }

    /// Which alarms; empty lists = all.
    public struct Filter: Sendable {
        public var severity: Alarm.Severity
        public var kinds: [AnomalyKind]
        public var zones: [String]
        public var sensors: [String]
    }

    public struct Route: Sendable {
        public var filter: Filter
        public var channels: [String]
    }

    public struct Escalation: Sendable {
        public var after: Span64
        public var filter: Filter
        public var channels: [String]
    }

    /// Limits of the alarms on the program itself.
    public struct System: Sendable {
        public var enabled: Bool
        public var dataQuality: Double
        public var anomalyRate: Double
        public var completeness: Double
        public var modelAccuracy: Double
        public var response: Span64
    }
}

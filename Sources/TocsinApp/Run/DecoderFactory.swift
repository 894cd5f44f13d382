internal import TocsinConfiguration
internal import TocsinConnectors
internal import TocsinCore
internal import TocsinDecode
internal import TocsinServer

/// Decoder settings out of the configuration: those of `input`, with what a source says of its own on top.
struct DecoderFactory: Sendable {
    private let input: TocsinConfiguration.Input
    private let bodyBytes: Int
    private let posted: TocsinConfiguration.MessageForms
    /// Of a posted body, which anybody may fill with nonsense.
    private static let singleRejects = 1000
    let sources: [TocsinConfiguration.Source]
    let registry: TocsinConfiguration.Kafka.SchemaRegistry

    init(configuration: TocsinConfiguration) {
        sources = configuration.sources
        registry = configuration.kafka.schemaRegistry
        input = configuration.input
        bodyBytes = configuration.server.maxBodyBytes
        posted = configuration.server.ingestForms
    }

    /// - Parameter defaultSensor: for messages that name none; the configuration's word wins.
    func settings(for source: TocsinConfiguration.Source? = nil, defaultSensor: String? = nil) -> DecoderSettings {
        var mapping = InputMapping(input.mapping, fallback: nil)
        var format = InputFormat.auto
        if let source {
            mapping = InputMapping(source.mapping, fallback: input.mapping)
            format = InputFormat(rawValue: source.format.rawValue) ?? .auto
        }
        mapping.defaultSensor = source?.defaultSensor ?? input.defaultSensor ?? defaultSensor
        return DecoderSettings(
            format: format, mapping: mapping,
            limits: DecodeLimits(maximumMessageBytes: input.maximumMessageBytes))
    }

    /// The configured source that a batch or a letter is of: its name, or what begins with it and a colon.
    func source(of text: String) -> TocsinConfiguration.Source? {
        let known = sources.filter { $0.name == text || text.hasPrefix($0.name + ":") }
        return known.max { $0.name.utf8.count < $1.name.utf8.count }
    }

    /// The longest message of a source; of none: of a posted body, which is one message.
    func longestMessage(of source: TocsinConfiguration.Source?) -> Int {
        source == nil ? max(input.maximumMessageBytes, bodyBytes) : input.maximumMessageBytes
    }

    /// Text as an input of its own.
    static func decodeAlone(
        _ bytes: [UInt8], _ settings: DecoderSettings, origin: TocsinCore.Origin, table: SeriesTable
    ) -> Batch {
        var decoder = settings.makeDecoder()
        return alone(origin) { decoder.decode(chunk: bytes, origin: $0, table: table) }
    }

    /// What is wrong in a piece is told by its place in that, not in the sequence of all pieces.
    private static func alone(_ origin: TocsinCore.Origin, _ decode: (TocsinCore.Origin) -> Batch) -> Batch {
        var local = origin
        local.position = 0
        var batch = decode(local)
        batch.origin = origin
        return batch
    }

    /// A body or letter that came as one piece.
    /// - Parameter skipped: told of values that are no readings.
    func decodeWhole(
        _ bytes: [UInt8], format: IngestFormat, origin: TocsinCore.Origin, table: SeriesTable,
        defaultSensor: String? = nil, skipped: SkippedValues? = nil
    ) -> Batch {
        var settings = settings(defaultSensor: defaultSensor)
        settings.limits.singleRejects = Self.singleRejects
        if let form = PayloadForm(format) {
            var messages = MessageDecoderSettings(form: form, mapping: settings.mapping, limits: settings.limits)
            messages.limits.maximumMessageBytes = longestMessage(of: nil)
            if case .lineProtocol(let precision) = format {
                messages.influxPrecision = InfluxPrecision(rawValue: precision) ?? .nanoseconds
            }
            messages.use(posted)
            messages.skipped = skipped
            var decoder = MessageDecoder(messages)
            let body = MessageBatch(body: bytes, envelope: MessageEnvelope(topic: format.topic))
            return Self.alone(origin) { decoder.decode(body, origin: $0, table: table) }
        }
        settings.format =
            switch format {
            case .automatic: .auto
            case .json: .json
            case .csv: .csv
            case .lineProtocol, .openTelemetryJSON, .openTelemetryProtobuf: .auto
            }
        return Self.decodeAlone(headed(bytes, format), settings, origin: origin, table: table)
    }

    /// Rows behind the configured header, unless they have it themselves.
    private func headed(_ bytes: [UInt8], _ format: IngestFormat) -> [UInt8] {
        guard format == .csv, let header = posted.csvHeader.map({ Array($0.utf8) }), !bytes.starts(with: header) else {
            return bytes
        }
        return header + [UInt8(ascii: "\n")] + bytes
    }

    /// How the messages of a broker's source are decoded.
    func messageSettings(for source: TocsinConfiguration.Source) -> MessageDecoderSettings {
        let plain = settings(for: source)
        var settings = MessageDecoderSettings(
            form: PayloadForm(rawValue: source.format.rawValue) ?? .auto, mapping: plain.mapping, limits: plain.limits,
            schemas: registry.url.map {
                SchemaRegistryClient($0, user: registry.user, password: registry.password?.value)
            })
        settings.use(source.forms)
        return settings
    }
}

extension PayloadForm {
    /// nil for what is read as text.
    init?(_ format: IngestFormat) {
        switch format {
        case .automatic, .json, .csv: return nil
        case .lineProtocol: self = .influx
        case .openTelemetryJSON: self = .otlpJSON
        case .openTelemetryProtobuf: self = .otlpProtobuf
        }
    }
}

extension IngestFormat {
    private static let precision = "influx?precision="

    /// Stands in a posted body's envelope where a message has its topic: what the bytes do not say of their form. Empty
    /// for what is read as text.
    var topic: String {
        switch self {
        case .automatic, .json, .csv: ""
        case .lineProtocol(let precision): Self.precision + precision
        case .openTelemetryJSON: PayloadForm.otlpJSON.rawValue
        case .openTelemetryProtobuf: PayloadForm.otlpProtobuf.rawValue
        }
    }

    /// nil for other texts.
    init?(topic: some StringProtocol) {
        if topic.hasPrefix(Self.precision) {
            self = .lineProtocol(precision: String(topic.dropFirst(Self.precision.count)))
        } else if topic == PayloadForm.otlpJSON.rawValue {
            self = .openTelemetryJSON
        } else if topic == PayloadForm.otlpProtobuf.rawValue {
            self = .openTelemetryProtobuf
        } else {
            return nil
        }
    }
}

extension MessageDecoderSettings {
    /// What is configured takes the place of what the decoders know by themselves.
    mutating func use(_ forms: TocsinConfiguration.MessageForms) {
        csvHeader = forms.csvHeader
        if !forms.influxSensorTags.isEmpty { influxSensorTags = forms.influxSensorTags }
        if !forms.influxMetricTags.isEmpty { influxMetricTags = forms.influxMetricTags }
        if !forms.sensorAttributes.isEmpty { sensorAttributes = forms.sensorAttributes }
    }
}

extension InputMapping {
    /// A configured mapping; what it leaves open is taken from `fallback`.
    init(_ mapping: TocsinConfiguration.Mapping, fallback: TocsinConfiguration.Mapping?) {
        func pick(_ path: KeyPath<TocsinConfiguration.Mapping, String?>) -> String? {
            mapping[keyPath: path] ?? fallback?[keyPath: path]
        }
        let format = mapping.timeFormat == .auto ? fallback?.timeFormat ?? .auto : mapping.timeFormat
        self.init(
            sensor: pick(\.sensor), time: pick(\.time), metric: pick(\.metric),
            values: pick(\.value).map { [$0] } ?? [],
            eventID: pick(\.eventID), unit: pick(\.unit), ignore: mapping.ignore + (fallback?.ignore ?? []),
            labelColumn: pick(\.labelColumn), timeFormat: TimeFormat(rawValue: format.rawValue) ?? .auto)
    }
}

internal import TocsinConfiguration
internal import TocsinConnectors
internal import TocsinCore
internal import TocsinDecode
internal import TocsinServer
internal import TocsinSpool

/// Decoder settings out of the configuration: those of `input`, with what a source says of its own on top.
struct DecoderFactory: Sendable {
    private let input: TocsinConfiguration.Input

    init(configuration: TocsinConfiguration) { input = configuration.input }

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

    /// A body or letter that came as one piece.
    func decodeWhole(
        _ bytes: [UInt8], format: IngestFormat, origin: TocsinCore.Origin, table: SeriesTable,
        defaultSensor: String? = nil
    ) -> Batch {
        var settings = settings(defaultSensor: defaultSensor)
        settings.format =
            switch format {
            case .automatic: .auto
            case .json: .json
            case .csv: .csv
            }
        var decoder = settings.makeDecoder()
        // What is wrong is told by its place in this body, not in the sequence of all bodies.
        var local = origin
        local.position = 0
        var batch = decoder.decode(chunk: bytes, origin: local, table: table)
        batch.origin = origin
        return batch
    }

    /// A batch out of the spool whose ids have lost their names, as its source decoded it the first time.
    func decodeAgain(_ raw: RawInput, sources: [TocsinConfiguration.Source], table: SeriesTable) -> Batch {
        let source = sources.first { $0.name == raw.origin.sourceName }
        let file = raw.origin.resume.map { FolderListing.stem(of: $0.path) }
        var settings = settings(for: source, defaultSensor: file)
        if settings.mapping.defaultSensor == nil { settings.mapping.defaultSensor = file }
        var decoder = settings.makeDecoder()
        var local = raw.origin
        local.position = 0
        var batch = decoder.decode(chunk: raw.header + raw.bytes, origin: local, table: table)
        batch.origin = raw.origin
        return batch
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

internal import Synchronization
internal import TocsinConfiguration
internal import TocsinConnectors
internal import TocsinCore
internal import TocsinDecode
internal import TocsinServer
internal import TocsinSpool

/// Decodes what stands in the spool once more, in the form in which it came, because its ids have lost their names.
final class RepeatDecoder: Sendable {
    private let factory: DecoderFactory
    /// By source or partition: one for all its messages, since births of Sparkplug say what those behind them mean.
    private let decoders = Mutex<[String: MessageDecoder]>([:])

    init(_ configuration: TocsinConfiguration) { factory = DecoderFactory(configuration: configuration) }

    /// Schemas of a registry cannot be waited for here: messages that need one become dead letters, from where they can be
    /// sent again.
    func decode(_ raw: RawInput, table: SeriesTable) -> Batch {
        let source = factory.source(of: raw.origin.sourceName)
        guard let messages = raw.messages else { return decodeText(raw, source, table) }
        if source == nil, let format = messages.envelopes.first.flatMap({ IngestFormat(topic: $0.topic) }) {
            return factory.decodeWhole(raw.bytes, format: format, origin: raw.origin, table: table)
        }
        var decoder = decoders.withLock { decoders in
            let name = raw.origin.sourceName
            if let known = decoders[name] { return known }
            let made = (source.map(factory.messageSettings) ?? MessageDecoderSettings()).makeDecoder()
            decoders[name] = made
            return made
        }
        return decoder.decode(messages, origin: raw.origin, table: table)
    }

    private func decodeText(_ raw: RawInput, _ source: TocsinConfiguration.Source?, _ table: SeriesTable) -> Batch {
        let file = raw.origin.resume.map { FolderListing.stem(of: $0.path) }
        var settings = factory.settings(for: source, defaultSensor: file)
        if settings.mapping.defaultSensor == nil { settings.mapping.defaultSensor = file }
        return DecoderFactory.decodeAlone(raw.header + raw.bytes, settings, origin: raw.origin, table: table)
    }
}

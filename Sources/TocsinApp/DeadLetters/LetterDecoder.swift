internal import TocsinConfiguration
internal import TocsinConnectors
internal import TocsinCore
internal import TocsinDecode
internal import TocsinMQTT
internal import TocsinServer

/// Decodes a dead letter in the form in which it came, by its source and by today's configuration of that.
struct LetterDecoder {
    private enum Way {
        case text
        case body(IngestFormat)
        case message(TocsinConfiguration.Source, MessageEnvelope)
    }

    private let factory: DecoderFactory
    private let letter: DeadLetter
    private let way: Way
    private let source: TocsinConfiguration.Source?
    /// The source's name without what `DeadLetter.source` says behind it.
    private let sourceName: String
    /// That of readings without one.
    private let time: Timestamp

    init(_ letter: DeadLetter, _ factory: DecoderFactory) throws(TocsinError) {
        self.letter = letter
        self.factory = factory
        let source = factory.source(of: letter.source)
        self.source = source
        let colon = letter.source.firstIndex(of: ":")
        time =
            source.flatMap { Self.messageTime(letter.source.dropFirst($0.name.count + 1), of: $0) } ?? letter.received
        if let source, letter.source.count > source.name.count, source.kind == .mqtt || source.kind == .kafka {
            let rest = letter.source.dropFirst(source.name.count + 1)
            if source.kind == .mqtt {
                sourceName = source.name
                let topics = try source.topics.map { topic throws(TocsinError) in try TopicTemplate(topic) }
                way = .message(source, topics.envelope(of: Self.topic(String(rest), letter.reason)))
            } else {
                let parts = rest.split(separator: "#", maxSplits: 1, omittingEmptySubsequences: false)
                let partition = parts[0].prefix { $0 != "@" }
                sourceName = "\(source.name):\(partition)"
                let topic = partition.lastIndex(of: "/").map { partition[..<$0] } ?? partition
                way = .message(
                    source, MessageEnvelope(topic: String(topic), sensor: parts.count > 1 ? String(parts[1]) : nil))
            }
        } else if source == nil, let colon, let format = IngestFormat(topic: letter.source[colon...].dropFirst()) {
            sourceName = String(letter.source[..<colon])
            way = .body(format)
        } else {
            sourceName = letter.source
            way = .text
        }
    }

    /// `sensor-events/3@1760000000000#pump-7`: no topic's name has an @ in it.
    private static func messageTime(_ place: Substring, of source: TocsinConfiguration.Source) -> Timestamp? {
        guard source.kind == .kafka, let partition = place.split(separator: "#").first,
            let at = partition.firstIndex(of: "@"), let milliseconds = Int64(partition[at...].dropFirst())
        else { return nil }
        let (nanoseconds, overflow) = milliseconds.multipliedReportingOverflow(by: 1_000_000)
        return overflow ? nil : Timestamp(nanoseconds: nanoseconds)
    }

    /// A part of a Sparkplug birth has lost the session's number, but not its names: it is read as data. What was malformed
    /// as a birth stays one.
    private static func topic(_ topic: String, _ reason: DeadLetterReason) -> String {
        guard let sparkplug = SparkplugTopic(topic), reason != .malformed else { return topic }
        switch sparkplug.kind {
        case .nodeBirth: return "spBv1.0/\(sparkplug.group)/NDATA/\(sparkplug.edgeNode)"
        case .deviceBirth:
            return "spBv1.0/\(sparkplug.group)/DDATA/\(sparkplug.edgeNode)/\(sparkplug.device ?? "")"
        default: return topic
        }
    }

    private var textSettings: DecoderSettings {
        factory.settings(for: source, defaultSensor: file.map { FolderListing.stem(of: $0) })
    }

    /// That the letter came from: a folder's stands behind the source's name.
    private var file: String? {
        guard let source else { return nil }
        let rest = letter.source.dropFirst(source.name.count + 1)
        return rest.isEmpty ? source.kind == .file ? source.path : nil : String(rest)
    }

    var mapping: InputMapping {
        if case .message(let source, _) = way { return factory.messageSettings(for: source).mapping }
        return textSettings.mapping
    }

    /// Whether a field that was refused for a text would be refused again: so it is where each message is read without its
    /// neighbours, which elsewhere may have shown that a number belongs there.
    var refusesTextAgain: Bool {
        switch way {
        case .text: false
        case .body: true
        case .message(let source, _):
            // Neither JSON nor a schema's fields, nor a row alone.
            ![UInt8(ascii: "{"), UInt8(ascii: "["), 0].contains(letter.payload.first ?? 0)
                && source.forms.csvHeader == nil
        }
    }

    /// - Parameters:
    ///   - values: fields to be taken for numbers, in place of those of the configuration; nil = as it is configured.
    ///   - now: when the letter is sent: what the times in it must not be ahead of.
    /// - Throws: `TocsinError` where a schema cannot be had at the moment.
    func decode(values: [String]? = nil, now: Timestamp, table: SeriesTable) async throws -> Batch {
        let origin = TocsinCore.Origin(
            source: SourceID(0), sourceName: sourceName, position: letter.position,
            received: time)
        var batch = try await decode(values, origin, table)
        // Only now: readings without a time keep the one that they had, or their neighbours would be there twice.
        batch.origin.received = now
        return batch
    }

    private func decode(_ values: [String]?, _ origin: TocsinCore.Origin, _ table: SeriesTable) async throws -> Batch {
        switch way {
        case .text:
            var settings = textSettings
            if let values { settings.mapping.values = values }
            var batch = DecoderFactory.decodeAlone(letter.payload, settings, origin: origin, table: table)
            // The header stands right before the row here, and somewhere else in the source.
            batch.origin.position = letter.position &- Int64(batch.header.count)
            return batch
        case .body(let format):
            return factory.decodeWhole(letter.payload, format: format, origin: origin, table: table)
        case .message(let source, let envelope):
            var settings = factory.messageSettings(for: source)
            if let values { settings.mapping.values = values }
            var bytes = letter.payload
            if let header = settings.csvHeader.map({ Array($0.utf8) + [UInt8(ascii: "\n")] }),
                bytes.starts(with: header)
            {
                bytes.removeFirst(header.count)
            }
            // What is kept of JSON has lost the registry's framing.
            if bytes.first == UInt8(ascii: "{") || bytes.first == UInt8(ascii: "[") {
                switch settings.form {
                case .avro, .protobuf, .confluentJSON: settings.form = .json
                default: break
                }
            }
            var messages = MessageBatch(body: bytes, envelope: envelope)
            messages.times = [time]
            var decoder = settings.makeDecoder()
            try await decoder.prepare(for: messages)
            return decoder.decode(messages, origin: origin, table: table)
        }
    }
}

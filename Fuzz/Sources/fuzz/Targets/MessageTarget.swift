internal import TocsinCore
internal import TocsinDecode

/// Messages of all forms. The first byte chooses the settings; before the rest a byte FE, seldom in the forms, is a border
/// between two messages.
enum MessageTarget {
    private static let origin = Origin(
        source: SourceID(0), sourceName: "fuzz", position: 0,
        received: Timestamp(nanoseconds: 1_760_000_000_000_000_000))

    private static let topics = [
        MessageEnvelope(topic: "spBv1.0/g/NBIRTH/n", sensor: "s"), MessageEnvelope(topic: "spBv1.0/g/NDATA/n"),
        MessageEnvelope(topic: "spBv1.0/g/DBIRTH/n/d"), MessageEnvelope(topic: "spBv1.0/g/DDATA/n/d"),
        MessageEnvelope(topic: "spBv1.0/g/NDEATH/n"),
    ]

    /// All messages in one batch, and then each alone: neighbours change nothing.
    static func run(_ input: [UInt8], _ form: PayloadForm) {
        guard let option = input.first else { return }
        var settings = MessageDecoderSettings(form: form)
        settings.schemas = Schemas()
        if option & 1 != 0 {
            settings.limits = DecodeLimits(maximumMessageBytes: 64, clippedBytes: 16, maximumNameBytes: 8)
        }
        if option & 2 != 0 { settings.sparkplugLimits = SparkplugLimits(maximumNodes: 2, maximumMetrics: 4) }
        if option & 4 != 0 { settings.influxMetricTags = ["a", "t"] }
        if option & 8 != 0 { settings.mapping = InputMapping(sensor: "a.b", time: "t", values: ["v.*", "x"]) }
        var batch = MessageBatch()
        let isSparkplug = form == .sparkplugB
        batch.envelopes = isSparkplug ? topics : [MessageEnvelope(topic: "t", sensor: "s", metric: "m")]
        for part in input.dropFirst().split(separator: 0xfe, omittingEmptySubsequences: false) {
            Array(part).withUnsafeBytes { batch.append($0) }
            if isSparkplug { batch.envelopeOfMessage.append(UInt32(part.first ?? 0) % UInt32(topics.count)) }
        }
        let table = SeriesTable(maxSeries: 500, seed: 1)
        var decoder = settings.makeDecoder()
        let prepared = decoder
        let messages = batch
        _ = wait {
            var decoder = prepared
            return try? await decoder.prepare(for: messages)
        }
        let decoded = decoder.decode(batch, origin: origin, table: table)
        Decoded.examine(decoded, table)
        let places = (decoded.payloads + decoded.rejects.map(\.payload)).map { decoded.place(of: $0, in: origin) }
        check(places.allSatisfy { 0..<Int64(batch.count) ~= $0 }, "everything came from a message")
        check(decoded.bytes == batch.bytes, "the bytes are those of the messages")
        if !isSparkplug { alone(batch, decoded, places, settings, table) }
        _ = decoder.takeReplies()
    }

    /// No message changes what another one gives.
    private static func alone(
        _ batch: MessageBatch, _ decoded: Batch, _ places: [Int64], _ settings: MessageDecoderSettings,
        _ table: SeriesTable
    ) {
        guard batch.count > 1, batch.count < 8, settings.form != .json, settings.form != .auto else { return }
        for message in 0..<batch.count {
            var single = MessageBatch()
            single.envelopes = batch.envelopes
            Array(batch.bytes[batch.payloads[message].range]).withUnsafeBytes { single.append($0) }
            var decoder = settings.makeDecoder()
            let prepared = decoder
            let messages = single
            _ = wait {
                var decoder = prepared
                return try? await decoder.prepare(for: messages)
            }
            let expected = decoder.decode(single, origin: origin, table: table)
            let found = places.prefix(decoded.eventCount).count { $0 == Int64(message) }
            check(found == expected.eventCount, "message \(message) gives the same alone")
        }
    }

    /// A schema itself: the input is its text.
    static func schema(_ input: [UInt8]) {
        let kind: RegisteredSchema.Kind = (input.first ?? 0) & 1 == 0 ? .avro : .protobuf
        let text = String(decoding: input.dropFirst(), as: UTF8.self)
        var settings = MessageDecoderSettings(form: kind == .avro ? .avro : .protobuf)
        settings.schemas = OneSchema(schema: RegisteredSchema(kind: kind, text: text))
        var batch = MessageBatch()
        let content = [0, 0, 0, 0, 1, 0] + (0..<64).map { UInt8(truncatingIfNeeded: $0 * 7) }
        content.withUnsafeBytes { batch.append($0) }
        var decoder = settings.makeDecoder()
        let prepared = decoder
        let messages = batch
        _ = wait {
            var decoder = prepared
            return try? await decoder.prepare(for: messages)
        }
        let table = SeriesTable(maxSeries: 500, seed: 1)
        Decoded.examine(decoder.decode(batch, origin: origin, table: table), table)
    }

    private struct OneSchema: SchemaFetching {
        let schema: RegisteredSchema
        func schema(id: UInt32) async throws -> RegisteredSchema? { schema }
    }

    private struct Schemas: SchemaFetching {
        func schema(id: UInt32) async throws -> RegisteredSchema? {
            switch id & 3 {
            case 0: RegisteredSchema(kind: .avro, text: MessageSeeds.avro)
            case 1: RegisteredSchema(kind: .protobuf, text: MessageSeeds.proto)
            case 2: RegisteredSchema(kind: .json, text: "{}")
            default: nil
            }
        }
    }
}

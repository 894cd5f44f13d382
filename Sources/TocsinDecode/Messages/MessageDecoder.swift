internal import Synchronization
public import TocsinCore

/// Messages of a broker, or bodies of requests, into columns: every payload form behind one face.
///
/// ```swift
/// var decoder = MessageDecoderSettings(form: .auto).makeDecoder()
/// try await decoder.prepare(for: messages)
/// let batch = decoder.decode(messages, origin: origin, table: table)
/// let replies = decoder.takeReplies()   // Sparkplug: requests for births
/// ```
/// A message becomes events, or a reject, or, where all it holds is null or metadata, nothing. What cannot be decoded
/// harms no other message, and no input traps. One decoder serves one stream of messages in their order: copies share
/// its state. A JSON message of one reading costs about 150 ns, and a batch one or two short locks of the series table.
public struct MessageDecoder: MessageDecoding {
    // The lock is free in practice, about 10 ns a batch: it makes the parser behind it safe to send.
    private let state: Box
    private let schemas: (any SchemaFetching)?

    public init(_ settings: MessageDecoderSettings = MessageDecoderSettings()) {
        state = Box(settings)
        schemas = settings.schemas
    }

    public mutating func prepare(for messages: MessageBatch) async throws {
        guard let schemas else { return }
        let missing = state.core.withLock { $0.missingSchemas(messages) }
        for id in missing {
            do {
                let schema = try await schemas.schema(id: id)
                state.core.withLock { $0.learn(id, schema) }
            } catch let error as TocsinError where !error.isRetriable {
                // Messages of this schema alone are refused: the others must not wait for what will not come.
                state.core.withLock { $0.learn(id, refusal: error.message) }
            }
        }
    }

    public mutating func decode(_ messages: MessageBatch, origin: Origin, table: SeriesTable) -> Batch {
        state.core.withLock { $0.decode(messages, origin: origin, table: table) }
    }

    /// What Sparkplug messages called for since the last call.
    public mutating func takeReplies() -> SparkplugReplies {
        state.core.withLock { $0.takeReplies() }
    }

    /// Values that are no readings by their type or state: texts, data sets, stale values. No error, but worth a count.
    public var skippedValues: Int { state.core.withLock { $0.skippedValues } }

    private final class Box: Sendable {
        let core: Mutex<MessageDecoderCore>

        init(_ settings: MessageDecoderSettings) { core = Mutex(MessageDecoderCore(settings)) }
    }
}

extension MessageBatch {
    /// One message: the body of a request.
    public init(body: [UInt8], envelope: MessageEnvelope = MessageEnvelope(topic: "")) {
        self.init()
        payloads = [ByteRange(offset: 0, length: body.count)]
        bytes = body
        envelopes = [envelope]
    }
}

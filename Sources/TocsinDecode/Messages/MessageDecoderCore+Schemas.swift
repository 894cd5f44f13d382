internal import TocsinCore

extension MessageDecoderCore {
    /// Schemas that these messages name and the store does not know; each once.
    mutating func missingSchemas(_ messages: MessageBatch) -> [UInt32] {
        switch settings.form {
        case .auto, .avro, .protobuf: break
        default: return []
        }
        var named: Set<UInt32> = []
        var last: UInt32?
        let bytes = messages.bytes.span
        for payload in messages.payloads where payload.length >= 5 && payload.range.upperBound <= bytes.count {
            guard bytes[payload.range.lowerBound] == 0, let id = try? SchemaFraming.id(bytes, payload.range), id != last
            else { continue }
            last = id
            if named.count < SchemaStore.mostFetched { named.insert(id) }
        }
        return store.missing(named)
    }

    /// Nil: the registry has no such schema.
    mutating func learn(_ id: UInt32, _ schema: RegisteredSchema?) { store.learn(id, schema) }

    /// It cannot be had, and waiting does not help.
    mutating func learn(_ id: UInt32, refusal: String) { store.learn(id, refusal: refusal) }
}

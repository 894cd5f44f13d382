/// A schema as a registry keeps it: what a writer wrote its messages by.
public struct RegisteredSchema: Sendable, Equatable {
    /// The registry's words.
    public enum Kind: String, Sendable, CaseIterable {
        case avro = "AVRO"
        case json = "JSON"
        case protobuf = "PROTOBUF"
    }

    /// A schema that others use: for Protobuf its name is that of the import, for Avro that of the type.
    public struct Reference: Sendable, Equatable {
        public var name: String
        public var text: String

        public init(name: String, text: String) {
            self.name = name
            self.text = text
        }
    }

    public var kind: Kind
    public var text: String
    /// All that it uses directly or through others, those used by others first.
    public var references: [Reference]

    public init(kind: Kind, text: String, references: [Reference] = []) {
        self.kind = kind
        self.text = text
        self.references = references
    }
}

/// Where schemas come from: a registry over HTTP, or a table in tests.
public protocol SchemaFetching: Sendable {
    /// The schema of an id, or nil where the registry has none. Throws `TocsinError` with `isRetriable` true where waiting
    /// can help.
    func schema(id: UInt32) async throws -> RegisteredSchema?
}

/// The five bytes that serializers of schema registries put before a message: a zero and the id of its schema.
enum SchemaFraming {
    static let length = 5

    static func id(_ bytes: Span<UInt8>, _ range: Range<Int>) throws(DecodeFault) -> UInt32 {
        guard range.count >= length, bytes[range.lowerBound] == 0 else {
            throw .malformed("has no schema registry framing: it does not start with a zero and a schema id")
        }
        let start = range.lowerBound
        var id: UInt32 = 0
        for offset in 1..<length { id = id << 8 | UInt32(bytes[start + offset]) }
        return id
    }
}

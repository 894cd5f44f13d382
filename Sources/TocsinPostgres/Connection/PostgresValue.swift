/// A parameter of a statement, sent in PostgreSQL's binary form.
enum PostgresValue {
    case integer(Int64)
    case integer32(Int32)
    case real(Double)
    case boolean(Bool)
    case text(String)
    case bytes([UInt8])
    case null
    case integers([Int64])
    case integers32([Int32])
    /// Not-a-number becomes NULL.
    case reals([Double])
    case booleans([Bool])
    case texts([String?])
    case byteStrings([[UInt8]])
    case optionalIntegers([Int64?])

    static func optional(_ text: String?) -> PostgresValue { text.map(PostgresValue.text) ?? .null }
    static func optional(_ number: Int64?) -> PostgresValue { number.map(PostgresValue.integer) ?? .null }
    /// Not-a-number becomes NULL.
    static func number(_ value: Double) -> PostgresValue { value.isNaN ? .null : .real(value) }

    // Ids of types, from the server's catalogue (src/include/catalog/pg_type.dat): they never change.
    private enum Kind {
        static let bool: UInt32 = 16
        static let bytea: UInt32 = 17
        static let int8: UInt32 = 20
        static let int4: UInt32 = 23
        static let text: UInt32 = 25
        static let float8: UInt32 = 701
    }

    private var type: UInt32 {
        switch self {
        case .integer: Kind.int8
        case .integer32: Kind.int4
        case .real: Kind.float8
        case .boolean: Kind.bool
        case .text: Kind.text
        case .bytes: Kind.bytea
        case .null: 0
        case .integers, .optionalIntegers: 1016
        case .integers32: 1007
        case .reals: 1022
        case .booleans: 1000
        case .texts: 1009
        case .byteStrings: 1001
        }
    }

    private func encode(into writer: inout BinaryWriter) {
        switch self {
        case .integer(let value): writer.append(value)
        case .integer32(let value): writer.append(value)
        case .real(let value): writer.append(Int64(bitPattern: value.bitPattern))
        case .boolean(let value): writer.append(UInt8(value ? 1 : 0))
        case .text(let value): writer.append(text: value.utf8)
        case .bytes(let value): writer.append(value)
        case .null: break
        case .integers(let values): Self.array(values, Kind.int8, &writer) { $1.append(field: $0) }
        case .integers32(let values): Self.array(values, Kind.int4, &writer) { $1.append(field: $0) }
        case .reals(let values): Self.array(values, Kind.float8, &writer) { $1.append(field: $0) }
        case .booleans(let values): Self.array(values, Kind.bool, &writer) { $1.append(field: $0) }
        case .texts(let values):
            Self.array(values, Kind.text, &writer) { value, writer in
                if let value { writer.append(textField: value.utf8) } else { writer.appendNull() }
            }
        case .byteStrings(let values):
            Self.array(values, Kind.bytea, &writer) { value, writer in
                writer.append(Int32(truncatingIfNeeded: value.count))
                writer.append(value)
            }
        case .optionalIntegers(let values):
            Self.array(values, Kind.int8, &writer) { value, writer in
                if let value { writer.append(field: value) } else { writer.appendNull() }
            }
        }
    }

    // Form of an array: array_recv in src/backend/utils/adt/arrayfuncs.c.
    private static func array<Element>(
        _ values: [Element], _ type: UInt32, _ writer: inout BinaryWriter,
        _ body: (Element, inout BinaryWriter) -> Void
    ) {
        writer.append(Int32(values.isEmpty ? 0 : 1))
        writer.append(Int32(1))
        writer.append(Int32(bitPattern: type))
        guard !values.isEmpty else { return }
        writer.append(Int32(truncatingIfNeeded: values.count))
        writer.append(Int32(1))
        for value in values { body(value, &writer) }
    }

    static func withLibpq<Result>(
        _ values: [PostgresValue],
        _ body: ([UInt32], [UnsafePointer<CChar>?], [Int32], [Int32]) -> Result
    ) -> Result {
        var writer = BinaryWriter()
        var starts: [Int] = []
        for value in values {
            starts.append(writer.count)
            value.encode(into: &writer)
            // An empty text needs an address too: a NULL pointer is the NULL of SQL.
            writer.append(UInt8(0))
        }
        return writer.withBytes { bytes in
            let base = bytes.baseAddress?.assumingMemoryBound(to: CChar.self)
            var pointers: [UnsafePointer<CChar>?] = []
            var lengths: [Int32] = []
            for (index, value) in values.enumerated() {
                let end = index + 1 < starts.count ? starts[index + 1] : bytes.count
                if case .null = value { pointers.append(nil) } else { pointers.append(base.map { $0 + starts[index] }) }
                lengths.append(Int32(truncatingIfNeeded: end - starts[index] - 1))
            }
            return body(values.map(\.type), pointers, lengths, values.map { _ in 1 })
        }
    }
}

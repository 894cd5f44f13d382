import CDuckDB
import TocsinCore

/// The owner of one parameter value of DuckDB.
final class DuckDBParameter {
    private(set) var handle: tdk_value?

    /// - Throws: `TocsinError` for kinds of values that parameters do not have.
    init(_ value: DuckDBValue) throws {
        switch value {
        case .null: handle = tdk_create_null_value()
        case .boolean(let flag): handle = tdk_create_bool(flag)
        case .integer(let number): handle = tdk_create_int64(number)
        case .wideInteger(let number):
            handle = tdk_create_hugeint(
                tdk_hugeint(lower: UInt64(truncatingIfNeeded: number), upper: Int64(truncatingIfNeeded: number >> 64)))
        case .double(let number): handle = tdk_create_double(number)
        case .timestamp(let microseconds): handle = tdk_create_timestamp(tdk_timestamp(micros: microseconds))
        case .text(let text):
            var text = text
            handle = text.withUTF8 { bytes in
                bytes.withMemoryRebound(to: CChar.self) { tdk_create_varchar_length($0.baseAddress, UInt64($0.count)) }
            }
        case .blob(let bytes): handle = tdk_create_blob(bytes, UInt64(bytes.count))
        case .list(let elements):
            let owned = try elements.map(DuckDBParameter.init)
            var handles = owned.map(\.handle)
            let type = try Self.elementType(elements)
            handle = tdk_create_list_value(type?.handle, &handles, UInt64(handles.count))
            withExtendedLifetime((owned, type)) {}
        default: throw TocsinError(.lake, "A value of this kind cannot be a parameter of a query.")
        }
    }

    deinit { tdk_destroy_value(&handle) }

    private static func elementType(_ elements: [DuckDBValue]) throws -> DuckDBLogicalType? {
        for element in elements {
            switch element {
            case .null: continue
            case .boolean: return DuckDBType.boolean.logical
            case .integer: return DuckDBType.bigint.logical
            case .double: return DuckDBType.double.logical
            case .text: return DuckDBType.varchar.logical
            case .blob: return DuckDBType.blob.logical
            case .timestamp: return DuckDBType.timestamp.logical
            default: throw TocsinError(.lake, "A list of values of this kind cannot be a parameter of a query.")
            }
        }
        return DuckDBType.varchar.logical
    }
}

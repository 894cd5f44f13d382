import CDuckDB

/// The owner of one logical type of DuckDB.
final class DuckDBLogicalType {
    private(set) var handle: tdk_logical_type?

    init(_ handle: tdk_logical_type?) { self.handle = handle }
    deinit { tdk_destroy_logical_type(&handle) }

    /// The type of which this is the handle.
    var type: DuckDBType {
        switch tdk_get_type_id(handle) {
        case Int32(TDK_DECIMAL):
            return .decimal(width: Int(tdk_decimal_width(handle)), scale: Int(tdk_decimal_scale(handle)))
        case Int32(TDK_ENUM):
            return .enumeration(
                (0..<tdk_enum_dictionary_size(handle)).map { taken(tdk_enum_dictionary_value(handle, UInt64($0))) })
        case Int32(TDK_LIST): return .list(DuckDBLogicalType(tdk_list_type_child_type(handle)).type)
        case Int32(TDK_ARRAY):
            return .array(
                DuckDBLogicalType(tdk_array_type_child_type(handle)).type, count: Int(tdk_array_type_array_size(handle))
            )
        case Int32(TDK_MAP):
            return .map(
                key: DuckDBLogicalType(tdk_map_type_key_type(handle)).type,
                value: DuckDBLogicalType(tdk_map_type_value_type(handle)).type)
        case Int32(TDK_STRUCT):
            return .structure(
                (0..<tdk_struct_type_child_count(handle)).map {
                    DuckDBColumn(
                        taken(tdk_struct_type_child_name(handle, $0)),
                        DuckDBLogicalType(tdk_struct_type_child_type(handle, $0)).type)
                })
        case let number: return DuckDBType.simple.first { $0.number == Int(number) }?.type ?? .unsupported(Int(number))
        }
    }

    /// The text of a string that DuckDB gave away.
    private func taken(_ text: UnsafeMutablePointer<CChar>?) -> String {
        guard let text else { return "" }
        defer { tdk_free(text) }
        return String(cString: text)
    }
}

extension DuckDBType {
    static let simple: [(type: DuckDBType, number: Int)] = [
        (.boolean, TDK_BOOLEAN), (.tinyint, TDK_TINYINT), (.smallint, TDK_SMALLINT), (.integer, TDK_INTEGER),
        (.bigint, TDK_BIGINT), (.utinyint, TDK_UTINYINT), (.usmallint, TDK_USMALLINT), (.uinteger, TDK_UINTEGER),
        (.ubigint, TDK_UBIGINT), (.hugeint, TDK_HUGEINT), (.uhugeint, TDK_UHUGEINT), (.float, TDK_FLOAT),
        (.double, TDK_DOUBLE), (.varchar, TDK_VARCHAR), (.blob, TDK_BLOB), (.date, TDK_DATE), (.time, TDK_TIME),
        (.timestamp, TDK_TIMESTAMP), (.timestampSeconds, TDK_TIMESTAMP_S),
        (.timestampMilliseconds, TDK_TIMESTAMP_MS), (.timestampNanoseconds, TDK_TIMESTAMP_NS),
        (.timestampWithZone, TDK_TIMESTAMP_TZ), (.interval, TDK_INTERVAL), (.uuid, TDK_UUID), (.null, TDK_SQLNULL),
    ]

    /// A new handle; nil for types that the program never makes (enumerations, arrays).
    var logical: DuckDBLogicalType? {
        switch self {
        case .list(let element):
            return element.logical.map { DuckDBLogicalType(tdk_create_list_type($0.handle)) }
        case .map(let key, let value):
            guard let key = key.logical, let value = value.logical else { return nil }
            return DuckDBLogicalType(tdk_create_map_type(key.handle, value.handle))
        case .decimal(let width, let scale):
            guard let width = UInt8(exactly: width), let scale = UInt8(exactly: scale) else { return nil }
            return DuckDBLogicalType(tdk_create_decimal_type(width, scale))
        default:
            return Self.simple.first { $0.type == self }
                .map { DuckDBLogicalType(tdk_create_logical_type(Int32($0.number))) }
        }
    }
}

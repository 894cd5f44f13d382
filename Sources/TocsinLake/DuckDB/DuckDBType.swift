/// The type of a column.
public indirect enum DuckDBType: Sendable, Equatable {
    case boolean
    case tinyint, smallint, integer, bigint
    case utinyint, usmallint, uinteger, ubigint
    case hugeint, uhugeint
    case float, double
    case decimal(width: Int, scale: Int)
    case varchar, blob
    case date, time
    /// Microseconds since 1970, UTC.
    case timestamp
    case timestampSeconds, timestampMilliseconds, timestampNanoseconds
    /// Microseconds since 1970, shown in the session's time zone (UTC here).
    case timestampWithZone
    case interval, uuid
    case enumeration([String])
    case list(DuckDBType)
    case array(DuckDBType, count: Int)
    case map(key: DuckDBType, value: DuckDBType)
    case structure([DuckDBColumn])
    /// A column of NULL only.
    case null
    /// A type that must be cast before it can be read, by DuckDB's number.
    case unsupported(Int)

    /// As SQL writes it.
    public var sql: String {
        switch self {
        case .boolean: "BOOLEAN"
        case .tinyint: "TINYINT"
        case .smallint: "SMALLINT"
        case .integer: "INTEGER"
        case .bigint: "BIGINT"
        case .utinyint: "UTINYINT"
        case .usmallint: "USMALLINT"
        case .uinteger: "UINTEGER"
        case .ubigint: "UBIGINT"
        case .hugeint: "HUGEINT"
        case .uhugeint: "UHUGEINT"
        case .float: "FLOAT"
        case .double: "DOUBLE"
        case .decimal(let width, let scale): "DECIMAL(\(width),\(scale))"
        case .varchar: "VARCHAR"
        case .blob: "BLOB"
        case .date: "DATE"
        case .time: "TIME"
        case .timestamp: "TIMESTAMP"
        case .timestampSeconds: "TIMESTAMP_S"
        case .timestampMilliseconds: "TIMESTAMP_MS"
        case .timestampNanoseconds: "TIMESTAMP_NS"
        case .timestampWithZone: "TIMESTAMP WITH TIME ZONE"
        case .interval: "INTERVAL"
        case .uuid: "UUID"
        case .enumeration(let names): "ENUM(\(names.map(DuckDB.literal).joined(separator: ", ")))"
        case .list(let element): "\(element.sql)[]"
        case .array(let element, let count): "\(element.sql)[\(count)]"
        case .map(let key, let value): "MAP(\(key.sql), \(value.sql))"
        case .structure(let fields):
            "STRUCT(\(fields.map { "\(DuckDB.identifier($0.name)) \($0.type.sql)" }.joined(separator: ", ")))"
        case .null: "\"NULL\""
        case .unsupported(let number): "type \(number)"
        }
    }

    /// Whether tables for people set it to the right.
    public var isNumeric: Bool {
        switch self {
        case .tinyint, .smallint, .integer, .bigint, .utinyint, .usmallint, .uinteger, .ubigint, .hugeint, .uhugeint,
            .float, .double, .decimal:
            true
        default: false
        }
    }
}

/// A column of a result or of a source of rows.
public struct DuckDBColumn: Sendable, Equatable {
    public var name: String
    public var type: DuckDBType

    public init(_ name: String, _ type: DuckDBType) {
        self.name = name
        self.type = type
    }
}

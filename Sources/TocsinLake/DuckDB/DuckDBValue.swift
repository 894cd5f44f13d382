/// One value of a result or a parameter.
public indirect enum DuckDBValue: Sendable, Equatable {
    case null
    case boolean(Bool)
    case integer(Int64)
    /// An integer beyond 64 bits with sign.
    case wideInteger(Int128)
    case double(Double)
    /// `unscaled` x 10^-scale.
    case decimal(unscaled: Int128, scale: Int)
    case text(String)
    case blob([UInt8])
    /// Since 1970, UTC.
    case timestamp(microseconds: Int64)
    case timestampNanoseconds(Int64)
    /// Since 1970.
    case date(days: Int32)
    /// Since midnight.
    case time(microseconds: Int64)
    case interval(months: Int32, days: Int32, microseconds: Int64)
    case list([DuckDBValue])
    case map([DuckDBMapEntry])
    case structure([DuckDBField])

    /// The integer, where the value is one of at most 64 bits.
    public var integer: Int64? { if case .integer(let value) = self { value } else { nil } }
    /// The number as a double, where the value is a number.
    public var double: Double? {
        switch self {
        case .double(let value): value
        case .integer(let value): Double(value)
        case .wideInteger(let value): Double(value)
        case .decimal(let unscaled, let scale): (0..<scale).reduce(Double(unscaled)) { value, _ in value / 10 }
        default: nil
        }
    }
    public var text: String? { if case .text(let value) = self { value } else { nil } }
    public var boolean: Bool? { if case .boolean(let value) = self { value } else { nil } }
    public var isNull: Bool { self == .null }
}

/// One entry of a map.
public struct DuckDBMapEntry: Sendable, Equatable {
    public var key: DuckDBValue
    public var value: DuckDBValue

    public init(_ key: DuckDBValue, _ value: DuckDBValue) {
        self.key = key
        self.value = value
    }
}

/// One field of a structure.
public struct DuckDBField: Sendable, Equatable {
    public var name: String
    public var value: DuckDBValue

    public init(_ name: String, _ value: DuckDBValue) {
        self.name = name
        self.value = value
    }
}

extension DuckDBValue: ExpressibleByIntegerLiteral, ExpressibleByStringLiteral, ExpressibleByFloatLiteral,
    ExpressibleByBooleanLiteral, ExpressibleByNilLiteral
{
    public init(integerLiteral value: Int64) { self = .integer(value) }
    public init(stringLiteral value: String) { self = .text(value) }
    public init(floatLiteral value: Double) { self = .double(value) }
    public init(booleanLiteral value: Bool) { self = .boolean(value) }
    public init(nilLiteral: ()) { self = .null }
}

import CDuckDB

/// Reads one column of a chunk; valid as long as its chunk.
struct DuckDBVectorReader {
    private let vector: tdk_vector?
    private let data: UnsafeMutableRawPointer?
    private let validity: UnsafeMutablePointer<UInt64>?
    let type: DuckDBType
    private let children: [DuckDBVectorReader]

    init(_ vector: tdk_vector?, type: DuckDBType) {
        self.vector = vector
        self.type = type
        data = tdk_vector_get_data(vector)
        validity = tdk_vector_get_validity(vector)
        switch type {
        case .list(let element): children = [Self(tdk_list_vector_get_child(vector), type: element)]
        case .array(let element, _): children = [Self(tdk_array_vector_get_child(vector), type: element)]
        case .map(let key, let value):
            let entries = tdk_list_vector_get_child(vector)
            children = [
                Self(tdk_struct_vector_get_child(entries, 0), type: key),
                Self(tdk_struct_vector_get_child(entries, 1), type: value),
            ]
        case .structure(let fields):
            children = fields.enumerated().map { Self(tdk_struct_vector_get_child(vector, UInt64($0)), type: $1.type) }
        default: children = []
        }
    }

    func isNull(_ row: Int) -> Bool {
        guard let validity else { return false }
        return validity[row >> 6] & (1 << UInt64(row & 63)) == 0
    }

    private func load<T: BitwiseCopyable>(_ row: Int, as: T.Type) -> T? {
        data?.load(fromByteOffset: row * MemoryLayout<T>.stride, as: T.self)
    }

    func withRows<E: BitwiseCopyable, T>(_ count: Int, as: E.Type, _ body: (Span<E>) throws -> T) rethrows -> T {
        precondition(width == MemoryLayout<E>.size && children.isEmpty, "a column of 64-bit values")
        let start = data?.assumingMemoryBound(to: E.self)
        let rows = UnsafeBufferPointer(start: start, count: start == nil ? 0 : count)
        return try body(rows.span)
    }

    /// Bytes of one value where it is a number.
    private var width: Int {
        switch type {
        case .boolean, .tinyint, .utinyint: 1
        case .smallint, .usmallint: 2
        case .integer, .uinteger, .float, .date: 4
        case .bigint, .ubigint, .double, .time, .timestamp, .timestampSeconds, .timestampMilliseconds,
            .timestampNanoseconds, .timestampWithZone:
            8
        default: 16
        }
    }

    func integer(_ row: Int) -> Int64? {
        switch type {
        case .boolean, .utinyint: load(row, as: UInt8.self).map(Int64.init)
        case .tinyint: load(row, as: Int8.self).map(Int64.init)
        case .smallint: load(row, as: Int16.self).map(Int64.init)
        case .usmallint: load(row, as: UInt16.self).map(Int64.init)
        case .integer, .date: load(row, as: Int32.self).map(Int64.init)
        case .uinteger: load(row, as: UInt32.self).map(Int64.init)
        case .bigint, .time, .timestamp, .timestampSeconds, .timestampMilliseconds, .timestampNanoseconds,
            .timestampWithZone:
            load(row, as: Int64.self)
        case .ubigint: load(row, as: UInt64.self).flatMap(Int64.init(exactly:))
        case .hugeint, .decimal, .enumeration, .uhugeint: wideInteger(row).flatMap(Int64.init(exactly:))
        default: nil
        }
    }

    func double(_ row: Int) -> Double? {
        switch type {
        case .double: load(row, as: Double.self)
        case .float: load(row, as: Float.self).map(Double.init)
        default: nil
        }
    }

    func bytes(_ row: Int) -> UnsafeRawBufferPointer {
        guard type == .varchar || type == .blob, let data else { return UnsafeRawBufferPointer(start: nil, count: 0) }
        let string = data.assumingMemoryBound(to: tdk_string.self) + row
        return UnsafeRawBufferPointer(start: tdk_string_bytes(string), count: Int(string.pointee.length))
    }

    /// Hugeints, and decimals in the width that their precision needs.
    private func wideInteger(_ row: Int) -> Int128? {
        switch type {
        case .decimal(let width, _) where width <= 4: return load(row, as: Int16.self).map { Int128($0) }
        case .decimal(let width, _) where width <= 9: return load(row, as: Int32.self).map { Int128($0) }
        case .decimal(let width, _) where width <= 18: return load(row, as: Int64.self).map { Int128($0) }
        case .decimal, .hugeint, .uuid, .uhugeint:
            guard let value = load(row, as: tdk_hugeint.self) else { return nil }
            return Int128(value.upper) << 64 | Int128(value.lower)
        case .enumeration(let names):
            if names.count <= 256 { return load(row, as: UInt8.self).map { Int128($0) } }
            if names.count <= 65_536 { return load(row, as: UInt16.self).map { Int128($0) } }
            return load(row, as: UInt32.self).map { Int128($0) }
        default: return nil
        }
    }

    /// Elements of a list or a map in this row.
    private func entries(_ row: Int) -> Range<Int> {
        guard let entry = load(row, as: tdk_list_entry.self) else { return 0..<0 }
        return Int(entry.offset)..<Int(entry.offset + entry.length)
    }

    func value(_ row: Int) -> DuckDBValue {
        if isNull(row) || data == nil && children.isEmpty { return .null }
        switch type {
        case .boolean: return .boolean(integer(row) != 0)
        case .float, .double: return double(row).map(DuckDBValue.double) ?? .null
        case .varchar: return .text(String(decoding: bytes(row), as: UTF8.self))
        case .blob: return .blob(Array(bytes(row)))
        case .decimal(_, let scale):
            return wideInteger(row).map { .decimal(unscaled: $0, scale: scale) } ?? .null
        case .date: return load(row, as: Int32.self).map { .date(days: $0) } ?? .null
        case .time: return integer(row).map { .time(microseconds: $0) } ?? .null
        case .timestamp, .timestampWithZone: return integer(row).map { .timestamp(microseconds: $0) } ?? .null
        case .timestampSeconds, .timestampMilliseconds:
            let (value, overflow) = (integer(row) ?? 0)
                .multipliedReportingOverflow(by: type == .timestampSeconds ? 1_000_000 : 1_000)
            return overflow ? .null : .timestamp(microseconds: value)
        case .timestampNanoseconds: return integer(row).map(DuckDBValue.timestampNanoseconds) ?? .null
        case .interval:
            return load(row, as: tdk_interval.self)
                .map { .interval(months: $0.months, days: $0.days, microseconds: $0.micros) } ?? .null
        case .uhugeint:
            let bits = load(row, as: tdk_hugeint.self)
            let value = bits.map { UInt128(UInt64(bitPattern: $0.upper)) << 64 | UInt128($0.lower) } ?? 0
            return Int128(exactly: value).map(Self.narrowed) ?? .text(value.description)
        case .hugeint: return wideInteger(row).map(Self.narrowed) ?? .null
        case .ubigint: return Self.narrowed(Int128(load(row, as: UInt64.self) ?? 0))
        case .uuid: return wideInteger(row).map { .text(Self.uuid($0)) } ?? .null
        case .enumeration(let names):
            return integer(row).map { Int($0) }.flatMap { names.indices.contains($0) ? .text(names[$0]) : nil } ?? .null
        case .list: return .list(entries(row).map(children[0].value))
        case .array(_, let count): return .list((row * count..<(row + 1) * count).map(children[0].value))
        case .map:
            return .map(entries(row).map { DuckDBMapEntry(children[0].value($0), children[1].value($0)) })
        case .structure(let fields):
            return .structure(zip(fields, children).map { DuckDBField($0.name, $1.value(row)) })
        default: return integer(row).map(DuckDBValue.integer) ?? .null
        }
    }

    private static func narrowed(_ value: Int128) -> DuckDBValue {
        Int64(exactly: value).map(DuckDBValue.integer) ?? .wideInteger(value)
    }

    /// DuckDB keeps a UUID with its highest bit turned over, so that it sorts as a signed number.
    private static func uuid(_ value: Int128) -> String {
        let bits = UInt128(bitPattern: value) ^ (1 << 127)
        let digits = String(bits, radix: 16)
        let text = Array((String(repeating: "0", count: 32 - digits.count) + digits).utf8)
        return [0..<8, 8..<12, 12..<16, 16..<20, 20..<32]
            .map { String(decoding: text[$0], as: UTF8.self) }.joined(separator: "-")
    }
}

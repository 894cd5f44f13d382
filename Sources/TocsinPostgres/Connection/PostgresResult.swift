internal import CPostgres
internal import TocsinCore

/// The answer to one statement, its values in binary form: owner of libpq's result.
final class PostgresResult {
    private let handle: OpaquePointer?

    init(_ handle: OpaquePointer) { self.handle = handle }
    private init() { handle = nil }

    /// Of a statement without an answer.
    static var none: PostgresResult { PostgresResult() }

    deinit { tpq_clear(handle) }

    var status: Int {
        Int(tpq_result_status(handle))
    }
    var message: String { tpq_result_error_message(handle).map { String(cString: $0) } ?? "" }
    func field(_ name: Int) -> String? {
        tpq_result_error_field(handle, Int32(truncatingIfNeeded: name)).map { String(cString: $0) }
    }

    var rowCount: Int { Int(tpq_row_count(handle)) }
    var changedRows: Int { tpq_changed_rows(handle).flatMap { Int(String(cString: $0)) } ?? 0 }

    /// All rows, each made by `element`.
    func map<Element>(_ element: (PostgresRow) throws -> Element) rethrows -> [Element] {
        try (0..<Int32(clamping: rowCount)).map { try element(PostgresRow(result: self, row: $0)) }
    }

    var first: PostgresRow? { rowCount > 0 ? PostgresRow(result: self, row: 0) : nil }

    fileprivate func bytes(_ row: Int32, _ column: Int32) -> UnsafeRawBufferPointer? {
        guard tpq_is_null(handle, row, column) == 0, let start = tpq_value(handle, row, column) else { return nil }
        return UnsafeRawBufferPointer(start: start, count: Int(max(0, tpq_length(handle, row, column))))
    }
}

/// One row of a result. A value of another width than asked for is 0: it is the server's, and must not trap.
struct PostgresRow {
    fileprivate let result: PostgresResult
    fileprivate let row: Int32

    private func integer<Number: FixedWidthInteger>(_ column: Int32, _ type: Number.Type) -> Number? {
        guard let bytes = result.bytes(row, column), bytes.count == MemoryLayout<Number>.size else { return nil }
        return Number(bigEndian: bytes.loadUnaligned(as: Number.self))
    }

    func isNull(_ column: Int32) -> Bool { result.bytes(row, column) == nil }
    func int64(_ column: Int32) -> Int64 { integer(column, Int64.self) ?? 0 }
    func optionalInt64(_ column: Int32) -> Int64? { integer(column, Int64.self) }
    func int32(_ column: Int32) -> Int32 { integer(column, Int32.self) ?? 0 }
    func bool(_ column: Int32) -> Bool { integer(column, UInt8.self) == 1 }
    /// NULL is not-a-number.
    func double(_ column: Int32) -> Double { integer(column, UInt64.self).map(Double.init(bitPattern:)) ?? .nan }
    func timestamp(_ column: Int32) -> Timestamp { Timestamp(nanoseconds: int64(column)) }
    func text(_ column: Int32) -> String { optionalText(column) ?? "" }
    func optionalText(_ column: Int32) -> String? {
        result.bytes(row, column).map { String(decoding: $0, as: UTF8.self) }
    }
    func bytes(_ column: Int32) -> [UInt8] { result.bytes(row, column).map(Array.init) ?? [] }
}

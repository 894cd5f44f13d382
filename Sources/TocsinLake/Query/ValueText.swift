import TocsinCore

/// Values as text for people and as JSON: times in ISO 8601 UTC, blobs as text where they are UTF-8, else with every
/// byte beyond printable ASCII as `\xHH`; maps with keys of text as JSON objects.
enum ValueText {
    /// Appends one value of a chunk as plain text; NULL appends nothing.
    static func append(_ chunk: DuckDBChunk, _ column: Int, _ row: Int, to bytes: inout [UInt8]) {
        let vector = chunk.vectors[column]
        if vector.isNull(row) { return }
        switch vector.type {
        case .varchar: bytes.append(contentsOf: vector.bytes(row))
        case .tinyint, .smallint, .integer, .bigint, .utinyint, .usmallint, .uinteger:
            bytes.append(contentsOf: (vector.integer(row) ?? 0).description.utf8)
        case .double: append(vector.double(row) ?? .nan, to: &bytes)
        default: append(vector.value(row), to: &bytes)
        }
    }

    /// Appends one value of a chunk as JSON.
    static func appendJSON(_ chunk: DuckDBChunk, _ column: Int, _ row: Int, to bytes: inout [UInt8]) {
        let vector = chunk.vectors[column]
        if vector.isNull(row) { return bytes.append(contentsOf: "null".utf8) }
        switch vector.type {
        case .varchar: quote(vector.bytes(row), to: &bytes)
        case .tinyint, .smallint, .integer, .bigint, .utinyint, .usmallint, .uinteger:
            bytes.append(contentsOf: (vector.integer(row) ?? 0).description.utf8)
        case .double: appendJSON(vector.double(row) ?? .nan, to: &bytes)
        default: appendJSON(vector.value(row), to: &bytes)
        }
    }

    private static func append(_ value: Double, to bytes: inout [UInt8]) {
        if value.isFinite {
            appendJSON(value, to: &bytes)
        } else {
            bytes.append(contentsOf: (value.isNaN ? "NaN" : value < 0 ? "-Infinity" : "Infinity").utf8)
        }
    }

    private static func append(_ value: DuckDBValue, to bytes: inout [UInt8]) {
        switch value {
        case .null: break
        case .text(let text): bytes.append(contentsOf: text.utf8)
        case .double(let number): append(number, to: &bytes)
        case .list, .map, .structure: appendJSON(value, to: &bytes)
        default: if let text = scalar(value) { bytes.append(contentsOf: text.utf8) }
        }
    }

    private static func appendJSON(_ value: Double, to bytes: inout [UInt8]) {
        if !value.isFinite { return bytes.append(contentsOf: "null".utf8) }
        if value == value.rounded(), abs(value) < 1e15 {
            bytes.append(contentsOf: Int64(value).description.utf8)
        } else {
            bytes.append(contentsOf: value.description.utf8)
        }
    }

    static func appendJSON(_ value: DuckDBValue, to bytes: inout [UInt8]) {
        switch value {
        case .null: bytes.append(contentsOf: "null".utf8)
        case .text(let text): quote(text, to: &bytes)
        case .double(let number): appendJSON(number, to: &bytes)
        case .list(let elements): append(elements, "[", "]", to: &bytes) { appendJSON($0, to: &$1) }
        case .structure(let fields):
            append(fields, "{", "}", to: &bytes) { field, bytes in
                quote(field.name, to: &bytes)
                bytes.append(UInt8(ascii: ":"))
                appendJSON(field.value, to: &bytes)
            }
        case .map(let entries):
            append(entries, "{", "}", to: &bytes) { entry, bytes in
                quote(entry.key.text ?? scalar(entry.key) ?? "", to: &bytes)
                bytes.append(UInt8(ascii: ":"))
                appendJSON(entry.value, to: &bytes)
            }
        case .boolean, .integer, .wideInteger, .decimal:
            bytes.append(contentsOf: (scalar(value) ?? "null").utf8)
        default:
            if let text = scalar(value) { quote(text, to: &bytes) } else { bytes.append(contentsOf: "null".utf8) }
        }
    }

    private static func append<E>(
        _ elements: [E], _ open: Unicode.Scalar, _ close: Unicode.Scalar, to bytes: inout [UInt8],
        _ body: (E, inout [UInt8]) -> Void
    ) {
        bytes.append(UInt8(ascii: open))
        for (index, element) in elements.enumerated() {
            if index > 0 { bytes.append(UInt8(ascii: ",")) }
            body(element, &bytes)
        }
        bytes.append(UInt8(ascii: close))
    }

    /// Values without parts; nil for infinite dates and times.
    private static func scalar(_ value: DuckDBValue) -> String? {
        switch value {
        case .boolean(let flag): flag ? "true" : "false"
        case .integer(let number): number.description
        case .wideInteger(let number): number.description
        case .double(let number): number.description
        case .decimal(let unscaled, let scale): decimal(unscaled, scale)
        case .text(let text): text
        case .blob(let bytes): blob(bytes)
        case .timestamp(let microseconds): CalendarText.time(microseconds, perSecond: 1_000_000)
        case .timestampNanoseconds(let nanoseconds): CalendarText.time(nanoseconds, perSecond: 1_000_000_000)
        case .date(let days): CalendarText.date(days)
        case .time(let microseconds): CalendarText.clock(microseconds, perSecond: 1_000_000)
        case .interval(let months, let days, let microseconds):
            "P\(months)M\(days)DT\(Double(microseconds) / 1e6)S"
        case .null, .list, .map, .structure: nil
        }
    }

    private static func decimal(_ unscaled: Int128, _ scale: Int) -> String {
        guard scale > 0 else { return unscaled.description }
        let digits = unscaled.magnitude.description
        let padded = String(repeating: "0", count: max(0, scale + 1 - digits.count)) + digits
        return (unscaled < 0 ? "-" : "") + padded.dropLast(scale) + "." + padded.suffix(scale)
    }

    private static func blob(_ bytes: [UInt8]) -> String {
        if let text = String(validating: bytes, as: UTF8.self) { return text }
        return bytes.map { byte in
            if (0x20..<0x7f).contains(byte), byte != UInt8(ascii: "\\") { return String(Unicode.Scalar(byte)) }
            return "\\x" + (byte < 16 ? "0" : "") + String(byte, radix: 16, uppercase: true)
        }.joined()
    }

    static func quote(_ text: String, to bytes: inout [UInt8]) {
        var text = text
        text.withUTF8 { quote(UnsafeRawBufferPointer($0), to: &bytes) }
    }

    /// DuckDB's texts are UTF-8 already.
    private static func quote(_ text: UnsafeRawBufferPointer, to bytes: inout [UInt8]) {
        bytes.append(UInt8(ascii: "\""))
        var start = 0
        for index in text.indices {
            let byte = text[index]
            if byte >= 0x20, byte != UInt8(ascii: "\""), byte != UInt8(ascii: "\\") { continue }
            bytes.append(contentsOf: text[start..<index])
            start = index + 1
            switch byte {
            case UInt8(ascii: "\""): bytes.append(contentsOf: #"\""#.utf8)
            case UInt8(ascii: "\\"): bytes.append(contentsOf: #"\\"#.utf8)
            case UInt8(ascii: "\n"): bytes.append(contentsOf: #"\n"#.utf8)
            case UInt8(ascii: "\r"): bytes.append(contentsOf: #"\r"#.utf8)
            case UInt8(ascii: "\t"): bytes.append(contentsOf: #"\t"#.utf8)
            default:
                bytes.append(contentsOf: (byte < 16 ? #"\u000"# : #"\u00"#).utf8)
                bytes.append(contentsOf: String(byte, radix: 16).utf8)
            }
        }
        bytes.append(contentsOf: text[start...])
        bytes.append(UInt8(ascii: "\""))
    }
}

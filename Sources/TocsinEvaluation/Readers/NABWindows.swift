internal import TocsinCore

/// The labelled windows of NAB: `{"file": [["start", "end"], …], …}`.
enum NABWindows {
    /// - Throws: `TocsinError(.format)` when a window's limits are no times.
    static func read(_ path: String) throws -> [String: [(start: Timestamp, end: Timestamp)]] {
        var result: [String: [(start: Timestamp, end: Timestamp)]] = [:]
        var file = ""
        var pending: Timestamp?
        var depth = 0
        let bytes = try TextFile.bytes(path)
        var position = 0
        while position < bytes.count {
            switch bytes[position] {
            case UInt8(ascii: "["): depth += 1
            case UInt8(ascii: "]"): depth -= 1
            case UInt8(ascii: "\""):
                let start = position + 1
                position = bytes[start...].firstIndex(of: UInt8(ascii: "\"")) ?? bytes.count
                let text = String(decoding: bytes[start..<position], as: UTF8.self)
                if depth == 0 {
                    file = text
                    result[file] = []
                } else if let time = Timestamp(iso8601: text) {
                    if let start = pending {
                        result[file]?.append((start, time))
                        pending = nil
                    } else {
                        pending = time
                    }
                } else {
                    throw TocsinError(
                        .format, "\(file): \"\(text)\" is no time", place: path, remedy: "fetch the labels again")
                }
            default: break
            }
            position += 1
        }
        return result
    }
}

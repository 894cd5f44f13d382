/// One reply of a mail server: three digits and its lines (RFC 5321, 4.2).
struct SMTPReply: Sendable, Equatable {
    var code: Int
    var lines: [String]

    var isPositive: Bool { (200..<400).contains(code) }
    var isTransient: Bool { (400..<500).contains(code) }
    /// On one line.
    var text: String { "\(code) \(lines.joined(separator: " "))".cut(toBytes: 300) }
}

/// Bytes in, replies out; nonsense and endless replies are refused.
struct SMTPReplyReader: Sendable {
    struct Nonsense: Error, CustomStringConvertible {
        var description: String { "the server does not speak SMTP" }
    }

    private var waiting: [UInt8] = []
    private var lines: [String] = []
    private static let limit = 64 << 10

    /// Bytes behind the last whole reply: after STARTTLS there may be none (CVE-2011-0411).
    var hasMore: Bool { !waiting.isEmpty || !lines.isEmpty }

    mutating func add(_ bytes: some Sequence<UInt8>) throws {
        waiting.append(contentsOf: bytes)
        guard waiting.count <= Self.limit else { throw Nonsense() }
    }

    mutating func next() throws -> SMTPReply? {
        while let end = waiting.firstIndex(of: UInt8(ascii: "\n")) {
            var line = waiting[..<end]
            if line.last == UInt8(ascii: "\r") { line.removeLast() }
            let bytes = Array(line)
            waiting.removeSubrange(...end)
            guard bytes.count >= 3, let code = Int(String(decoding: bytes[..<3], as: UTF8.self)),
                (200..<600).contains(code), lines.count < 1000
            else { throw Nonsense() }
            lines.append(String(decoding: bytes.dropFirst(4), as: UTF8.self))
            guard bytes.count > 3, bytes[3] == UInt8(ascii: "-") else {
                guard bytes.count == 3 || bytes[3] == UInt8(ascii: " ") else { throw Nonsense() }
                defer { lines = [] }
                return SMTPReply(code: code, lines: lines)
            }
        }
        return nil
    }
}

internal import TocsinCore

/// A message as it goes over the wire: RFC 5322 header, text and HTML side by side (RFC 2046), all of it 7-bit ASCII.
struct MailMessage: Sendable {
    /// The bare address of the envelope.
    let from: String
    private let bytes: [UInt8]

    /// - Parameters:
    ///   - identifier: without angle brackets; the same message again has the same one.
    ///   - thread: the identifier of the first message of the incident; nil where this is it.
    init(
        from: MailAddress, to: [MailAddress], subject: String, text: String, html: String, date: Timestamp,
        identifier: String, thread: String?, isUrgent: Bool
    ) {
        self.from = from.address
        var hash = StableHash()
        hash.combine(identifier)
        let boundary = "tocsin-\(hash.hex)"
        var lines = [
            "Date: \(Self.date(date))", "From: \(from.header)",
            "To: " + to.map(\.header).joined(separator: ",\r\n "), "Message-ID: <\(identifier)>",
        ]
        if let thread { lines += ["In-Reply-To: <\(thread)>", "References: <\(thread)>"] }
        lines += [
            Self.folded("Subject", (thread == nil ? "" : "Re: ") + subject), "MIME-Version: 1.0",
            "Auto-Submitted: auto-generated", "X-Auto-Response-Suppress: All",
        ]
        if isUrgent { lines += ["Importance: high", "X-Priority: 1"] }
        lines += ["Content-Type: multipart/alternative; boundary=\"\(boundary)\"", ""]
        for (type, body) in [("plain", text), ("html", html)] {
            lines += [
                "--\(boundary)", "Content-Type: text/\(type); charset=utf-8",
                "Content-Transfer-Encoding: quoted-printable", "", Self.quotedPrintable(body),
            ]
        }
        lines += ["--\(boundary)--", ""]
        bytes = Array(lines.joined(separator: "\r\n").utf8)
    }

    /// With a second full stop where a line begins with one, and the line that ends it (RFC 5321, 4.5.2).
    var stuffed: [UInt8] {
        var result: [UInt8] = []
        result.reserveCapacity(bytes.count + 16)
        var isAtStart = true
        for byte in bytes {
            if isAtStart, byte == UInt8(ascii: ".") { result.append(byte) }
            result.append(byte)
            isAtStart = byte == UInt8(ascii: "\n")
        }
        return result + Array((isAtStart ? ".\r\n" : "\r\n.\r\n").utf8)
    }

    /// Header text: as it is where it is printable ASCII, else encoded words (RFC 2047) of at most 75 characters.
    static func folded(_ name: String, _ text: String) -> String {
        let text = text.printable
        guard text.utf8.contains(where: { $0 < 0x20 || $0 > 0x7e }) || text.utf8.count > 900 || text.contains("=?")
        else {
            return "\(name): \(text)"
        }
        return "\(name): " + encodedWords(text).joined(separator: "\r\n ")
    }

    static func encodedWords(_ text: String) -> [String] {
        var words: [String] = []
        var part: [UInt8] = []
        for character in text.unicodeScalars {
            let bytes = Array(String(character).utf8)
            // 45 bytes are 60 digits; with its marks the word has 72 characters.
            if part.count + bytes.count > 45 {
                words.append("=?UTF-8?B?\(Base64.text(part))?=")
                part = []
            }
            part += bytes
        }
        if !part.isEmpty || words.isEmpty { words.append("=?UTF-8?B?\(Base64.text(part))?=") }
        return words
    }

    /// RFC 2045, 6.7: lines of at most 76 characters.
    static func quotedPrintable(_ text: String) -> String {
        var result = ""
        for (number, line) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
            if number > 0 { result += "\r\n" }
            let bytes = Array(line.utf8).filter { $0 != UInt8(ascii: "\r") }
            var width = 0
            for (index, byte) in bytes.enumerated() {
                let isLast = index == bytes.count - 1
                let isPlain =
                    (byte > 0x20 && byte < 0x7f && byte != UInt8(ascii: "="))
                    || ((byte == 0x20 || byte == 0x09) && !isLast)
                let piece = isPlain ? String(Unicode.Scalar(byte)) : "=" + Escaping.hex(byte).uppercased()
                if width + piece.utf8.count > 75 {
                    result += "=\r\n"
                    width = 0
                }
                result += piece
                width += piece.utf8.count
            }
        }
        return result
    }

    /// `Sat, 21 Nov 2026 15:14:52 +0000`
    static func date(_ time: Timestamp) -> String {
        let seconds = time.nanoseconds / 1_000_000_000
        let text = Timestamp(nanoseconds: seconds * 1_000_000_000).iso8601
        let days = seconds / 86_400 - (seconds % 86_400 < 0 ? 1 : 0)
        // 1970-01-01 was a Thursday.
        let weekday = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"][Int(((days + 4) % 7 + 7) % 7)]
        let parts = text.split { $0 == "-" || $0 == "T" || $0 == "Z" }
        let names = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
        guard parts.count == 4, let month = Int(parts[1]), names.indices.contains(month - 1) else { return text }
        return "\(weekday), \(parts[2]) \(names[month - 1]) \(parts[0]) \(parts[3]) +0000"
    }
}

/// `Tocsin <tocsin@plant.example>`, or the address alone.
public struct MailAddress: Sendable, Hashable {
    public let name: String?
    public let address: String

    /// nil unless it is one ASCII address, with or without a name before it.
    public init?(_ text: String) {
        let text = text.trimmingSpaces
        var address = text
        var name: String?
        if text.hasSuffix(">"), let open = text.lastIndex(of: "<") {
            address = String(text[text.index(after: open)...].dropLast())
            let before = String(text[..<open]).trimmingSpaces
            name =
                before.hasPrefix("\"") && before.hasSuffix("\"") && before.count > 1
                ? String(before.dropFirst().dropLast()) : before
        }
        let parts = address.split(separator: "@", omittingEmptySubsequences: false)
        let isPlain: (UInt8) -> Bool = { $0 > 0x20 && $0 < 0x7f && !"<>()[]\\,;:\"".utf8.contains($0) }
        guard parts.count == 2, !parts[0].isEmpty, address.utf8.allSatisfy(isPlain), address.utf8.count <= 254,
            WebAddress.isHostName(parts[1].lowercased())
        else { return nil }
        self.address = address
        self.name = name?.isEmpty == false ? name : nil
    }

    public var domain: String { String(address.drop { $0 != "@" }.dropFirst()) }

    var header: String {
        guard let name else { return address }
        let isPlain = name.utf8.allSatisfy { byte in
            (byte >= 0x30 && byte <= 0x39) || (byte | 0x20 >= 0x61 && byte | 0x20 <= 0x7a) || byte == 0x20
        }
        let shown = isPlain ? name : MailMessage.encodedWords(name.printable).joined(separator: "\r\n ")
        return "\(shown) <\(address)>"
    }
}

public import TocsinCore

/// An address that alerts are sent to, taken apart strictly: what is refused here could be read differently by the
/// checker and by the client that connects.
public struct WebAddress: Sendable, Hashable {
    /// Lower case: `http`, `https`, `smtp`, `smtps`.
    public let scheme: String
    /// Lower case; an IPv6 address without its brackets.
    public let host: String
    public let port: Int?
    /// With its query, at least `/`.
    public let path: String
    /// `user:password`, percent signs resolved.
    public let credentials: String?

    /// - Throws: `TocsinError(.configuration)` that never shows more than scheme and host.
    public init(_ text: String, schemes: [String] = ["http", "https"]) throws(TocsinError) {
        func refused(_ reason: String) -> TocsinError {
            TocsinError(
                .configuration, reason, place: "alerts.channels url",
                remedy: "write it as \(schemes.joined(separator: " or "))://host[:port]/path")
        }
        guard text.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7f && $0 != UInt8(ascii: "\\") }) else {
            throw refused("an address holds only ASCII without spaces and backslashes")
        }
        guard let mark = text.firstRange(of: "://") else { throw refused("this is no address") }
        scheme = text[..<mark.lowerBound].lowercased()
        guard schemes.contains(scheme) else { throw refused("\(scheme.prefix(20)) is not a scheme that is known here") }
        let rest = text[mark.upperBound...]
        let end = rest.firstIndex { $0 == "/" || $0 == "?" || $0 == "#" } ?? rest.endIndex
        var authority = rest[..<end]
        if let at = authority.lastIndex(of: "@") {
            guard let plain = Self.resolvingPercent(authority[..<at]) else { throw refused("the user is not readable") }
            credentials = plain
            authority = authority[authority.index(after: at)...]
        } else {
            credentials = nil
        }
        guard let (host, port) = Self.hostAndPort(authority) else { throw refused("host or port is not readable") }
        // The dot of a fully qualified name is none of TLS's nor of the certificate's (RFC 6066, 3).
        self.host = host.count > 1 && host.hasSuffix(".") ? String(host.dropLast()) : host
        self.port = port
        let tail = rest[end...].prefix { $0 != "#" }
        path = tail.hasPrefix("/") ? String(tail) : "/" + tail
    }

    /// The address without credentials and fragment, as the client is given it.
    public var text: String { "\(origin)\(path)" }
    /// Scheme, host and port: for people. Path and query of a webhook may be its credential.
    public var origin: String {
        "\(scheme)://\(host.contains(":") ? "[\(host)]" : host)\(port.map { ":\($0)" } ?? "")"
    }

    /// Another path below this address: `https://host/base` and `/v2/alerts` give `https://host/base/v2/alerts`.
    init(path more: String, of base: WebAddress) {
        var folder = String(base.path.prefix { $0 != "?" })
        while folder.hasSuffix("/") { folder.removeLast() }
        scheme = base.scheme
        host = base.host
        port = base.port
        credentials = base.credentials
        path = folder + more
    }

    static func isHostName(_ text: String) -> Bool {
        !text.isEmpty && text.utf8.count <= 253
            && text.utf8.allSatisfy {
                switch $0 {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"),
                    UInt8(ascii: "."), UInt8(ascii: "_"):
                    true
                default: false
                }
            }
    }

    private static func hostAndPort(_ text: Substring) -> (String, Int?)? {
        var name = text
        var port: Substring?
        if text.hasPrefix("[") {
            guard let close = text.firstIndex(of: "]") else { return nil }
            name = text[text.index(after: text.startIndex)..<close]
            let rest = text[text.index(after: close)...]
            guard IPAddress(String(name)) != nil, rest.isEmpty || rest.hasPrefix(":") else { return nil }
            port = rest.isEmpty ? nil : rest.dropFirst()
        } else if let colon = text.lastIndex(of: ":") {
            name = text[..<colon]
            port = text[text.index(after: colon)...]
            guard isHostName(name.lowercased()) else { return nil }
        } else {
            guard isHostName(name.lowercased()) else { return nil }
        }
        guard let port else { return (name.lowercased(), nil) }
        guard let number = UInt16(port), number > 0 else { return nil }
        return (name.lowercased(), Int(number))
    }

    private static func resolvingPercent(_ text: Substring) -> String? {
        var bytes: [UInt8] = []
        var rest = text.utf8[...]
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "%") else {
                bytes.append(byte)
                continue
            }
            guard let digits = String(rest.prefix(2)), digits.utf8.count == 2, let value = UInt8(digits, radix: 16)
            else {
                return nil
            }
            bytes.append(value)
            rest = rest.dropFirst(2)
        }
        return String(validating: bytes, as: UTF8.self)
    }
}

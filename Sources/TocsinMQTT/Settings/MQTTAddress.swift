public import TocsinCore

/// Where a broker listens: `mqtt://host:1883`, `mqtts://host:8883`.
public struct MQTTAddress: Sendable, Equatable, CustomStringConvertible {
    public var host: String
    public var port: Int
    public var usesTLS: Bool

    public init(host: String, port: Int, usesTLS: Bool = false) {
        self.host = host
        self.port = port
        self.usesTLS = usesTLS
    }

    /// `tcp`, `ssl` and `tls` are understood too; an IPv6 address stands in brackets; the port may be left out.
    public init(_ text: String) throws(TocsinError) {
        func fail(_ message: String) -> TocsinError {
            TocsinError(
                .configuration, message, place: Self.withoutUser(text),
                remedy: "write mqtt://host:1883, or mqtts://host:8883 for TLS")
        }
        guard let separator = text.firstRange(of: "://") else { throw fail("the broker's address has no scheme") }
        switch text[..<separator.lowerBound].lowercased() {
        case "mqtt", "tcp": usesTLS = false
        case "mqtts", "ssl", "tls": usesTLS = true
        case let scheme: throw fail("the scheme \(scheme) is not supported")
        }
        var rest = text[separator.upperBound...]
        if rest.hasSuffix("/") { rest.removeLast() }
        guard !rest.contains("@") else {
            throw TocsinError(
                .configuration, "the broker's address holds a user", place: Self.withoutUser(text),
                remedy: "give user name and password by their own keys")
        }
        guard !rest.contains(where: { "/?#".contains($0) }) else { throw fail("the broker's address has a path") }
        var portText: Substring?
        if rest.hasPrefix("[") {
            guard let end = rest.firstIndex(of: "]") else { throw fail("the IPv6 address has no end") }
            host = String(rest[rest.index(after: rest.startIndex)..<end])
            let behind = rest[rest.index(after: end)...]
            guard behind.isEmpty || behind.hasPrefix(":") else { throw fail("text stands behind the IPv6 address") }
            if behind.hasPrefix(":") { portText = behind.dropFirst() }
        } else if let colon = rest.lastIndex(of: ":") {
            host = String(rest[..<colon])
            portText = rest[rest.index(after: colon)...]
        } else {
            host = String(rest)
        }
        guard !host.isEmpty else { throw fail("the broker's address has no host") }
        guard let portText else {
            port = usesTLS ? 8883 : 1883
            return
        }
        guard let number = Int(portText), (1...65_535).contains(number) else {
            throw fail("the port is not a number from 1 to 65535")
        }
        port = number
    }

    public var description: String {
        "\(usesTLS ? "mqtts" : "mqtt")://\(host.contains(":") ? "[\(host)]" : host):\(port)"
    }

    private static func withoutUser(_ text: String) -> String {
        guard let at = text.lastIndex(of: "@"), let separator = text.firstRange(of: "://"), separator.upperBound <= at
        else { return text }
        return text[..<separator.upperBound] + "****" + text[at...]
    }
}

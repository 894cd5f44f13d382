package import TocsinCore

/// Host and port of an `http://` address.
package struct HTTPAddress: Equatable, Sendable {
    package var host: String
    package var port: UInt16

    /// Reads `http://host[:port][/]`; an IPv6 host stands in brackets.
    /// - Throws: `TocsinError(.usage)` for anything else, https included: encryption would be measured too.
    package init(_ text: String) throws(TocsinError) {
        let scheme = "http://"
        guard text.hasPrefix(scheme) else { throw Self.failure(text) }
        var rest = text.dropFirst(scheme.count)
        if rest.hasSuffix("/") { rest = rest.dropLast() }
        var portText: Substring = "80"
        if rest.hasPrefix("[") {
            guard let end = rest.firstIndex(of: "]") else { throw Self.failure(text) }
            host = String(rest[rest.index(after: rest.startIndex)..<end])
            let after = rest[rest.index(after: end)...]
            if after.hasPrefix(":") { portText = after.dropFirst() } else if !after.isEmpty { throw Self.failure(text) }
        } else if let colon = rest.firstIndex(of: ":") {
            host = String(rest[..<colon])
            portText = rest[rest.index(after: colon)...]
        } else {
            host = String(rest)
        }
        guard !host.isEmpty, !host.contains("/"), let port = UInt16(portText), port > 0 else {
            throw Self.failure(text)
        }
        self.port = port
    }

    /// As it stands in a `Host` field.
    package var authority: String { host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)" }

    private static func failure(_ text: String) -> TocsinError {
        TocsinError(
            .usage, "'\(text)' is no address of a Tocsin server", remedy: "give it as http://127.0.0.1:8080")
    }
}

public import TocsinCore

/// Which addresses alerts may be sent to: public ones, and what the configuration allows besides.
///
/// A receiver's address comes from a configuration that many may edit and from a name service that nobody here
/// controls: without this check either could make the program post into the plant's own network or to a cloud's
/// credential service (server-side request forgery, CWE-918).
public struct TargetGuard: Sendable {
    private let allowsPrivate: Bool
    private let ranges: [AddressRange]
    private let names: Set<String>
    private let domains: [String]

    /// - Parameters:
    ///   - allowsPrivate: loopback, private, unique-local and carrier addresses. Link-local, metadata, multicast and
    ///     reserved ones stay refused: they must stand in `allowed` by name.
    ///   - allowed: host names (`mail.plant.local`, `*.plant.local`), addresses and ranges (`10.20.0.0/16`).
    /// - Throws: `TocsinError(.configuration)` for an entry that is none of these.
    public init(allowsPrivate: Bool = false, allowed: [String] = []) throws(TocsinError) {
        var (ranges, names, domains): ([AddressRange], Set<String>, [String]) = ([], [], [])
        for entry in allowed {
            let text = Self.plain(entry)
            if let range = AddressRange(text) {
                ranges.append(range)
            } else if text.hasPrefix("*."), WebAddress.isHostName(String(text.dropFirst(2))) {
                domains.append(String(text.dropFirst()))
            } else if WebAddress.isHostName(text), !text.contains("/") {
                names.insert(text)
            } else {
                throw TocsinError(
                    .configuration, "\"\(entry)\" is no host name, address or range of addresses",
                    place: "alerts.allowedHosts", remedy: "write mail.plant.local, *.plant.local or 10.20.0.0/16")
            }
        }
        self.allowsPrivate = allowsPrivate
        self.ranges = ranges
        self.names = names
        self.domains = domains
    }

    /// Why nothing may be sent to this address under this name; nil where it may.
    public func refusal(of address: IPAddress, host: String) -> String? {
        let reach = address.reach
        if reach == .everywhere || ranges.contains(where: { $0.contains(address) }) { return nil }
        let name = Self.plain(host)
        if names.contains(name) || domains.contains(where: { name.hasSuffix($0) }) { return nil }
        let canBeAllowed =
            switch reach {
            case .loopback, .privateNetwork, .uniqueLocal, .carrier: true
            default: false
            }
        if allowsPrivate, canBeAllowed { return nil }
        return "\(address) is a \(reach.rawValue) address"
    }

    /// Lower case, without the dot of a fully qualified name.
    private static func plain(_ name: String) -> String {
        let lower = name.lowercased()
        return lower.count > 1 && lower.hasSuffix(".") ? String(lower.dropLast()) : lower
    }
}

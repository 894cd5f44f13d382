#if canImport(Glibc)
internal import Glibc
#elseif canImport(Darwin)
internal import Darwin
#endif
internal import NIOCore
internal import NIOPosix
internal import TocsinCore

/// Names to addresses, so that what is connected to is what was checked.
public struct HostResolver: Sendable {
    private let resolve: @Sendable (String) async throws -> [IPAddress]

    public init(_ resolve: @escaping @Sendable (String) async throws -> [IPAddress]) { self.resolve = resolve }

    /// The machine's own name service; it also knows the old forms of IPv4 (`127.1`, `0x7f000001`, `2130706433`), whose
    /// plain form is then checked.
    public static let system = HostResolver { name in
        try await pool.runIfActive { try addresses(of: name) }
    }

    /// The name service blocks: threads of its own, so that a dead one holds up nothing but alerts by name.
    private static let pool: NIOThreadPool = {
        let pool = NIOThreadPool(numberOfThreads: 8)
        pool.start()
        return pool
    }()

    /// The addresses of a host that may be connected to.
    /// - Throws: `AlertFailure`, final where the address itself stands in the configuration: a name may be repaired.
    func permitted(_ host: String, by targets: TargetGuard, place: String) async throws(AlertFailure) -> [IPAddress] {
        let literal = IPAddress(host)
        let found: [IPAddress]
        do {
            found = if let literal { [literal] } else { try await resolve(host) }
        } catch {
            throw AlertFailure(
                TocsinError(
                    .network, "the receiver's name is not known", place: place,
                    remedy: "check the address in alerts.channels and this machine's name service", isRetriable: true,
                    cause: error))
        }
        var refusal: String?
        let permitted = found.filter { address in
            guard let reason = targets.refusal(of: address, host: host) else { return true }
            refusal = reason
            return false
        }
        if permitted.isEmpty {
            throw AlertFailure(
                TocsinError(
                    .network, "alerts are not sent there: \(refusal ?? "the name has no address")", place: place,
                    remedy: "set alerts.allowPrivateTargets, or name host or range in alerts.allowedHosts",
                    isRetriable: literal == nil))
        }
        return permitted
    }

    private static func addresses(of name: String) throws -> [IPAddress] {
        var hints = addrinfo()
        #if canImport(Glibc)
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        #else
        hints.ai_socktype = SOCK_STREAM
        #endif
        var list: UnsafeMutablePointer<addrinfo>?
        let code = getaddrinfo(name, nil, &hints, &list)
        guard code == 0 else {
            throw TocsinError(.network, String(cString: gai_strerror(code)), isRetriable: true)
        }
        defer { freeaddrinfo(list) }
        var found: [IPAddress] = []
        var next = list
        while let info = next?.pointee {
            let bytes: [UInt8]? =
                switch info.ai_family {
                case AF_INET:
                    info.ai_addr?.withMemoryRebound(to: sockaddr_in.self, capacity: 1) { address in
                        withUnsafeBytes(of: address.pointee.sin_addr) { Array($0) }
                    }
                case AF_INET6:
                    info.ai_addr?.withMemoryRebound(to: sockaddr_in6.self, capacity: 1) { address in
                        withUnsafeBytes(of: address.pointee.sin6_addr) { Array($0) }
                    }
                default: nil
                }
            if let bytes, let address = IPAddress(bytes: bytes), !found.contains(address) { found.append(address) }
            next = info.ai_next
        }
        return found
    }
}

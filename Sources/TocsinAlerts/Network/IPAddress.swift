#if canImport(Glibc)
internal import Glibc
#elseif canImport(Darwin)
internal import Darwin
#endif

/// An IPv4 or IPv6 address as its bytes; IPv4 inside IPv6 (mapped, compatible, NAT64, 6to4) is seen as what it leads to.
public struct IPAddress: Sendable, Hashable, CustomStringConvertible {
    /// What kind of network an address belongs to (IANA special-purpose registries, RFC 6890).
    public enum Reach: String, Sendable {
        case everywhere = "public"
        case loopback, privateNetwork = "private", uniqueLocal = "unique-local", carrier = "carrier-grade NAT"
        case linkLocal = "link-local", metadata = "cloud metadata", multicast, unspecified, reserved
    }

    /// 4 or 16 bytes, most significant first.
    public let bytes: [UInt8]

    /// nil unless there are 4 or 16.
    public init?(bytes: [UInt8]) {
        guard bytes.count == 4 || bytes.count == 16 else { return nil }
        self.bytes = bytes
    }

    /// Dotted IPv4 or colon-separated IPv6 only: `127.1`, `0x7f000001` and other old forms give nil.
    public init?(_ text: String) {
        var address = [UInt8](repeating: 0, count: 16)
        if inet_pton(AF_INET, text, &address) == 1 {
            bytes = Array(address[..<4])
        } else if inet_pton(AF_INET6, text, &address) == 1 {
            bytes = address
        } else {
            return nil
        }
    }

    public var description: String {
        var text = [CChar](repeating: 0, count: Int(INET6_ADDRSTRLEN))
        guard inet_ntop(bytes.count == 4 ? AF_INET : AF_INET6, bytes, &text, socklen_t(text.count)) != nil else {
            return "?"
        }
        return String(decoding: text.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
    }

    public var reach: Reach {
        if bytes.count == 4 { return Self.reach(of: bytes) }
        if let inner = innerIPv4 { return Self.reach(of: inner) }
        if bytes == Self.metadataIPv6 { return .metadata }
        if bytes.dropLast().allSatisfy({ $0 == 0 }) { return bytes[15] == 1 ? .loopback : .unspecified }
        switch (bytes[0], bytes[1]) {
        case (0xff, _): return .multicast
        case (0xfe, 0x80...0xbf): return .linkLocal
        case (0xfe, 0xc0...0xff): return .privateNetwork
        case (0xfc...0xfd, _): return .uniqueLocal
        case (0x20...0x3f, _):
            // Teredo carries an address that cannot be judged here; documentation is nobody's.
            let isTeredo = bytes.starts(with: [0x20, 0x01, 0, 0])
            return isTeredo || bytes.starts(with: [0x20, 0x01, 0x0d, 0xb8]) ? .reserved : .everywhere
        default: return .reserved
        }
    }

    /// Mapped ::ffff:0:0/96, compatible ::/96 (but :: and ::1), NAT64 64:ff9b::/96, 6to4 2002::/16.
    private var innerIPv4: [UInt8]? {
        let tail = Array(bytes[12...])
        let zeros = bytes[..<10].allSatisfy { $0 == 0 }
        if zeros, bytes[10] == 0xff, bytes[11] == 0xff { return tail }
        if zeros, bytes[10] == 0, bytes[11] == 0, tail != [0, 0, 0, 0], tail != [0, 0, 0, 1] { return tail }
        if bytes.starts(with: [0, 0x64, 0xff, 0x9b, 0, 0, 0, 0, 0, 0, 0, 0]) { return tail }
        if bytes.starts(with: [0x20, 0x02]) { return Array(bytes[2..<6]) }
        return nil
    }

    /// The addresses at which clouds hand out credentials to whoever asks.
    private static let metadataIPv4: [[UInt8]] = [[169, 254, 169, 254], [100, 100, 100, 200], [192, 0, 0, 192]]
    private static let metadataIPv6: [UInt8] = [0xfd, 0, 0x0e, 0xc2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x02, 0x54]

    private static func reach(of bytes: [UInt8]) -> Reach {
        if metadataIPv4.contains(bytes) { return .metadata }
        switch (bytes[0], bytes[1]) {
        case (0, _): return .unspecified
        case (127, _): return .loopback
        case (10, _), (172, 16...31), (192, 168): return .privateNetwork
        case (100, 64...127): return .carrier
        case (169, 254): return .linkLocal
        case (224...239, _): return .multicast
        case (240...255, _), (198, 18...19): return .reserved
        case (192, 0) where bytes[2] == 0 || bytes[2] == 2: return .reserved
        case (198, 51) where bytes[2] == 100: return .reserved
        case (203, 0) where bytes[2] == 113: return .reserved
        case (192, 88) where bytes[2] == 99: return .reserved
        default: return .everywhere
        }
    }
}

/// A range of addresses: `10.20.0.0/16`, `fd12::/32`; a lone address is a range of one.
struct AddressRange: Sendable, Hashable {
    private let first: IPAddress
    private let bits: Int

    init?(_ text: String) {
        let parts = text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        guard let head = parts.first, let first = IPAddress(String(head)) else { return nil }
        let whole = first.bytes.count * 8
        let bits = parts.count == 2 ? Int(parts[1]) : whole
        guard let bits, (0...whole).contains(bits) else { return nil }
        self.first = first
        self.bits = bits
    }

    func contains(_ address: IPAddress) -> Bool {
        guard address.bytes.count == first.bytes.count else { return false }
        for (index, pair) in zip(first.bytes, address.bytes).enumerated() {
            let counted = min(max(bits - index * 8, 0), 8)
            guard counted > 0 else { return true }
            if (pair.0 ^ pair.1) >> (8 - UInt8(counted)) != 0 { return false }
        }
        return true
    }
}

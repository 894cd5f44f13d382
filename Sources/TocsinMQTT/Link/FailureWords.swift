#if canImport(Glibc)
internal import Glibc
#elseif canImport(Darwin)
internal import Darwin
#endif
internal import NIOCore
internal import NIOPosix
internal import NIOSSL

/// Failures of the network in words.
enum FailureWords {
    static func describe(_ error: any Error, _ address: String) -> String {
        switch error {
        case let error as NIOConnectionError:
            if let cause = error.connectionErrors.first?.error { return describe(cause, address) }
            let lookup = error.dnsAError ?? error.dnsAAAAError
            return "the name of \(address) cannot be resolved" + (lookup.map { " (\($0))" } ?? "")
        case is SocketAddressError: return "the name of \(address) cannot be resolved"
        case let ChannelError.connectTimeout(amount):
            return "\(address) did not answer within \(amount.nanoseconds / 1_000_000_000) s"
        case let error as IOError: return "\(address): \(String(cString: strerror(error.errnoCode)).lowercased())"
        case let error as NIOSSLExtraError where error == .failedToValidateHostname:
            return "the certificate of \(address) is not for this name; set tls.serverName if that is right"
        case NIOSSLError.uncleanShutdown: return "\(address) closed the connection without a word"
        case is NIOSSLError, is BoringSSLError: return "TLS with \(address) failed: \(shortened(error))"
        case let error as MalformedPacket: return "\(address) sent \(error.description)"
        default: return "\(address): \(shortened(error))"
        }
    }

    private static func shortened(_ error: any Error) -> String {
        let text = "\(error)"
        // BoringSSL's reason stands between lots of internal numbers.
        for part in text.split(separator: ":") {
            let name = part.prefix { !$0.isWhitespace }
            guard name.contains("_"), name.allSatisfy({ $0.isUppercase || $0 == "_" || $0.isNumber }) else { continue }
            return name.lowercased().replacing("_", with: " ")
        }
        return String(text.prefix(200))
    }
}

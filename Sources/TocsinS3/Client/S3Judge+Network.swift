internal import AsyncHTTPClient
internal import NIOCore
internal import NIOSSL
internal import TocsinCore

extension S3Judge {
    func verdict(onNetwork error: any Error) -> S3Verdict {
        let text = String(describing: error)
        if let (message, remedy) = Self.misconfiguration(error, text) {
            return .fail(TocsinError(.network, message, place: place, remedy: remedy, cause: error))
        }
        let failure = TocsinError(
            .network, Self.reason(error, text), place: place,
            remedy: "is the service running there, and may this machine reach it?", isRetriable: true)
        return .again(failure, asked: nil)
    }

    /// What no waiting helps.
    private static func misconfiguration(_ error: any Error, _ text: String) -> (message: String, remedy: String)? {
        if text.contains("CERTIFICATE_VERIFY_FAILED") || text.contains("unableToValidateCertificate") {
            return (
                "the service's certificate is signed by no trusted authority",
                "name its authority in lake.s3.certificate"
            )
        }
        if text.contains("failedToValidateHostname") {
            return (
                "the service's certificate is for another host", "use the name that stands in the certificate"
            )
        }
        if text.contains("WRONG_VERSION_NUMBER") || text.contains("HTTP_REQUEST") {
            return ("the service does not speak TLS", "write http:// in lake.s3.endpoint")
        }
        return nil
    }

    private static func reason(_ error: any Error, _ text: String) -> String {
        switch error as? HTTPClientError {
        case .connectTimeout: return "no connection within the time allowed"
        case .readTimeout, .writeTimeout, .deadlineExceeded:
            return "the service did not answer in time"
        case .remoteConnectionClosed: return "the service closed the connection"
        default: break
        }
        if error is ShortReply { return "the answer was cut off" }
        if text.contains("Connection refused") { return "the connection was refused" }
        if text.contains("Connection reset") || text.contains("Broken pipe") { return "the connection was reset" }
        if text.contains("invalidEOFState") || text.contains("uncleanShutdown") { return "the answer was cut off" }
        if text.contains("SocketAddressError") || text.contains("getaddrinfo") || text.contains("dnsAError: Optional") {
            return "the host's name cannot be resolved"
        }
        if text.contains("unreachable") || text.contains("No route") { return "the network does not lead there" }
        return "the connection failed: \(String(text.prefix(200)).printable)"
    }
}

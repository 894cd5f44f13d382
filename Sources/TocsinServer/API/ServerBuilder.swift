internal import HTTPTypes
internal import Hummingbird
internal import HummingbirdCore
internal import NIOCore

extension HTTPServerBuilder {
    /// HTTP/1.1 for clients that ask before they send a large body (RFC 9110, 10.1.1; curl does beyond 1 MiB, and waits a
    /// second where nobody answers): they are told to go on, or at once that the body is too large.
    /// - Parameters:
    ///   - idleTimeout: a connection without a request that goes on coming is closed after this time.
    ///   - maxBodyBytes: what declares more is not asked for: the routes answer it by its head.
    static func continuing(idleTimeout: TimeAmount, maxBodyBytes: Int) -> HTTPServerBuilder {
        HTTPServerBuilder { responder in
            HTTP1Channel(
                responder: { request, writer, channel in
                    if request.headers[.expect]?.lowercased() == "100-continue",
                        request.declaredBytes ?? 0 <= maxBodyBytes
                    {
                        try await writer.writeInformationalHead(HTTPResponse(status: .continue))
                    }
                    try await responder(request, writer, channel)
                },
                configuration: HTTP1Channel.Configuration(idleTimeout: idleTimeout))
        }
    }
}

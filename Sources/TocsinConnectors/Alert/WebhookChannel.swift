public import AsyncHTTPClient
internal import Crypto
internal import NIOCore
internal import NIOHTTP1
public import TocsinCore

/// Posts each alarm raised or cleared as JSON to a URL: `{"step":"raised","alarm":{…}}`.
///
/// Any 2xx is taken as delivered; 408, 425, 429 and 5xx, timeouts and broken connections are tried again;
/// other answers are final.
public struct WebhookChannel: AlertChannel {
    public let name: String
    private let url: String
    private let headers: [(name: String, value: String)]
    private let secret: String?
    private let timeout: Duration
    private let client: HTTPClient

    /// - Parameters:
    ///   - url: http or https, checked when the configuration is read.
    ///   - secret: signs every body in the header `X-Tocsin-Signature`.
    public init(
        name: String, url: String, headers: [(name: String, value: String)], secret: String? = nil, timeout: Duration,
        client: HTTPClient
    ) {
        self.name = name
        self.url = url
        self.headers = headers
        self.secret = secret
        self.timeout = timeout
        self.client = client
    }

    public func deliver(_ change: AlarmChange) async throws {
        var json = JSONWriter()
        json.value(change)
        var request = HTTPClientRequest(url: url)
        request.method = .POST
        request.headers.add(name: "Content-Type", value: "application/json")
        request.headers.add(name: "User-Agent", value: "tocsin/\(tocsinVersion)")
        // The same alarm step twice is the same request: receivers can tell.
        request.headers.add(
            name: "Idempotency-Key", value: "\(change.alarm.id)-\(change.step.rawValue)-\(change.alarm.verdicts)")
        for header in headers { request.headers.replaceOrAdd(name: header.name, value: header.value) }
        if let secret { request.headers.add(name: "X-Tocsin-Signature", value: Self.signature(of: json.bytes, secret)) }
        request.body = .bytes(ByteBuffer(bytes: json.bytes))
        let response: HTTPClientResponse
        do {
            response = try await client.execute(request, timeout: TimeAmount(timeout))
        } catch {
            throw TocsinError(
                .network, "the webhook cannot be reached", place: Self.safe(url), remedy: "check alerts.webhooks url",
                isRetriable: true, cause: error)
        }
        let status = response.status.code
        guard !(200..<300).contains(status) else { return }
        let isRetriable = status >= 500 || [408, 425, 429].contains(status)
        throw TocsinError(
            .network, "the webhook answered \(status)", place: Self.safe(url),
            remedy: isRetriable ? nil : "the receiver refuses this message; check url and headers",
            isRetriable: isRetriable)
    }

    /// `sha256=` and the HMAC-SHA256 (RFC 2104) of the body in hex: the receiver computes the same and compares.
    public static func signature(of body: [UInt8], _ secret: String) -> String {
        let code = HMAC<SHA256>.authenticationCode(for: body, using: SymmetricKey(data: Array(secret.utf8)))
        return "sha256=" + code.map { byte in (byte < 16 ? "0" : "") + String(byte, radix: 16) }.joined()
    }

    /// Scheme and host only: user, path and query of a webhook may be its credential.
    public static func safe(_ url: String) -> String {
        guard let scheme = url.firstRange(of: "://") else { return "the webhook" }
        let authority = url[scheme.upperBound...].prefix { $0 != "/" && $0 != "?" && $0 != "#" }
        let host = authority.lastIndex(of: "@").map { authority[authority.index(after: $0)...] } ?? authority
        return String(url[..<scheme.upperBound] + host)
    }
}

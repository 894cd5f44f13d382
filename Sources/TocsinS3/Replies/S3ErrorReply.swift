internal import NIOHTTP1
internal import TocsinCore

/// A service's refusal, as it said it; the `cause` of a `TocsinError`.
public struct S3ErrorReply: Error, Sendable, CustomStringConvertible {
    /// Of HTTP; also 200: some failures come after the headers have been sent.
    public var status: Int
    /// `NoSuchKey`, `SlowDown`; empty where the reply has no body.
    public var code = ""
    public var message = ""
    public var requestID: String?
    /// Where the bucket really is.
    var region: String?
    /// Where the request should have gone.
    var endpoint: String?
    /// The service's clock.
    var serverTime: Timestamp?
    /// How long the service wants to be left alone.
    var retryAfter: Duration?

    public var description: String {
        var text = "\(status)"
        if !code.isEmpty { text += " \(code.printable)" }
        if !message.isEmpty { text += ": \(String(message.prefix(300)).printable)" }
        if let requestID { text += " [request \(String(requestID.prefix(80)).printable)]" }
        return text
    }

    init(_ reply: S3Reply) {
        self.init(reply, element: try? XMLElement(parsing: reply.body))
    }

    init(_ reply: S3Reply, element: XMLElement?) {
        status = reply.status
        let headers = reply.headers
        // "<ErrorResponse><Error>…" is an older form.
        if let element, let error = element.name == "Error" ? element : element.children("Error").first {
            code = error["Code"] ?? ""
            message = error["Message"] ?? ""
            requestID = error["RequestId"]
            region = error["Region"]
            endpoint = error["Endpoint"]
            serverTime = error["ServerTime"].flatMap { Timestamp(iso8601: $0) }
        }
        requestID = headers.first(name: "x-amz-request-id") ?? requestID
        region = headers.first(name: "x-amz-bucket-region") ?? region
        endpoint = endpoint ?? headers.first(name: "location").map(Self.host)
        serverTime = headers.first(name: "date").flatMap(HTTPDate.time) ?? serverTime
        retryAfter = headers.first(name: "retry-after").flatMap { Int($0) }
            .flatMap { 0...86_400 ~= $0 ? .seconds($0) : nil }
    }

    private static func host(of location: String) -> String {
        let rest = location.firstRange(of: "://").map { location[$0.upperBound...] } ?? location[...]
        return String(rest.prefix { $0 != "/" && $0 != "?" })
    }
}

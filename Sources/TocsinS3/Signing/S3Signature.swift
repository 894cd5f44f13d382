internal import Crypto
public import TocsinCore

/// AWS Signature Version 4 in a request's headers, with the body's SHA-256 signed.
///
/// Source: "Authenticating Requests: Using the Authorization Header (AWS Signature Version 4)", Amazon S3 API
/// Reference. About 10 µs a request.
public struct S3Signature: Sendable {
    /// What the service computes too, step by step: for tests and for finding differences.
    public struct Steps: Sendable {
        public var canonicalRequest: String
        public var stringToSign: String
        public var signature: String
        /// To be added to the request, `Authorization` among them.
        public var headers: [(name: String, value: String)]
    }

    public var credentials: S3Credentials
    public var region: String

    public init(credentials: S3Credentials, region: String) {
        self.credentials = credentials
        self.region = region
    }

    /// - Parameters:
    ///   - path: begins with a slash; not yet percent-encoded.
    ///   - query: not yet percent-encoded, in any order.
    ///   - headers: all that are to be signed, `Host` among them; their names in any case.
    ///   - bodyHash: SHA-256 of the body, 32 bytes.
    public func sign(
        method: String, path: String, query: [(name: String, value: String)] = [],
        headers: [(name: String, value: String)], bodyHash: [UInt8], at time: Timestamp
    ) -> Steps {
        let moment = Self.amazonDate(time)
        let day = moment.prefix(8)
        var added = [(name: "X-Amz-Date", value: moment), (name: "X-Amz-Content-Sha256", value: bodyHash.hexadecimal)]
        if let token = credentials.sessionToken { added.append((name: "X-Amz-Security-Token", value: token)) }
        let signed = (headers + added).map { (name: $0.name.lowercased(), value: Self.trimmed($0.value)) }
            .sorted { $0.name < $1.name }
        let names = signed.map(\.name).joined(separator: ";")
        let canonicalRequest = [
            method, PercentEncoding.encode(path, keepsSlash: true), Self.canonicalQuery(query),
            signed.map { "\($0.name):\($0.value)\n" }.joined(), names, bodyHash.hexadecimal,
        ].joined(separator: "\n")
        let scope = "\(day)/\(region)/s3/aws4_request"
        let stringToSign =
            "AWS4-HMAC-SHA256\n\(moment)\n\(scope)\n"
            + Array(canonicalRequest.utf8).sha256.hexadecimal
        var key = Array("AWS4\(credentials.secretKey)".utf8)
        for part in [String(day), region, "s3", "aws4_request"] { key = Self.authenticate(part, key) }
        let signature = Self.authenticate(stringToSign, key).hexadecimal
        let authorization =
            "AWS4-HMAC-SHA256 Credential=\(credentials.accessKey)/\(scope),SignedHeaders=\(names),"
            + "Signature=\(signature)"
        added.append((name: "Authorization", value: authorization))
        return Steps(
            canonicalRequest: canonicalRequest, stringToSign: stringToSign, signature: signature, headers: added)
    }

    /// Encoded and in the order of the encoded names, as it is signed and as it is sent: `list-type=2&prefix=a%2F`.
    public static func canonicalQuery(_ query: [(name: String, value: String)]) -> String {
        query.map { (PercentEncoding.encode($0.name), PercentEncoding.encode($0.value)) }
            .sorted { $0 < $1 }
            .map { "\($0)=\($1)" }.joined(separator: "&")
    }

    /// `20130524T000000Z`
    static func amazonDate(_ time: Timestamp) -> String {
        time.iso8601.prefix(19).filter { $0 != "-" && $0 != ":" } + "Z"
    }

    private static func authenticate(_ text: String, _ key: [UInt8]) -> [UInt8] {
        Array(HMAC<SHA256>.authenticationCode(for: Array(text.utf8), using: SymmetricKey(data: key)))
    }

    /// Without spaces at its ends; runs of spaces inside are one.
    private static func trimmed(_ value: String) -> String {
        value.split(separator: " ", omittingEmptySubsequences: true).joined(separator: " ")
    }
}

extension [UInt8] {
    var sha256: [UInt8] { Array(SHA256.hash(data: self)) }

    /// Lower case.
    var hexadecimal: String {
        let digits = Array("0123456789abcdef".utf8)
        var text: [UInt8] = []
        text.reserveCapacity(count * 2)
        for byte in self {
            text.append(digits[Int(byte >> 4)])
            text.append(digits[Int(byte & 15)])
        }
        return String(decoding: text, as: UTF8.self)
    }

    /// RFC 4648, with padding.
    var base64: String {
        let digits = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
        var text: [UInt8] = []
        var start = 0
        while start < count {
            let left = Swift.min(3, count - start)
            var group = 0
            for index in 0..<3 { group = group << 8 | (index < left ? Int(self[start + index]) : 0) }
            for index in 0..<4 {
                text.append(index <= left ? digits[group >> (18 - 6 * index) & 63] : UInt8(ascii: "="))
            }
            start += 3
        }
        return String(decoding: text, as: UTF8.self)
    }
}

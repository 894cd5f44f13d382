internal import TocsinCore

/// Where requests go: scheme and host of the service, and where the bucket stands.
struct S3Address: Sendable {
    var scheme: String
    /// `host` or `host:port`, without the default port.
    private var host: String
    /// AWS itself: the host has the region in its name.
    var isAmazon: Bool
    private var bucket: String
    private var isPathStyle: Bool

    init(_ settings: S3Settings) throws {
        bucket = settings.bucket
        if let endpoint = settings.endpoint {
            (scheme, host) = try Self.parts(of: endpoint)
            isAmazon = false
        } else {
            (scheme, host) = ("https", "")
            isAmazon = true
        }
        isPathStyle =
            switch settings.addressing {
            case .path: true
            case .virtual: false
            // A certificate for *.host does not cover a bucket with dots.
            case .auto: !isAmazon || bucket.contains(".")
            }
    }

    /// - Returns: the `Host` header, and the path not yet percent-encoded.
    func target(_ key: String?, region: String) -> (host: String, path: String) {
        let service = isAmazon ? Self.amazonHost(region) : host
        guard isPathStyle else { return ("\(bucket).\(service)", "/" + (key ?? "")) }
        return (service, key.map { "/\(bucket)/\($0)" } ?? "/\(bucket)")
    }

    /// For messages.
    func service(region: String) -> String { "\(scheme)://\(isAmazon ? Self.amazonHost(region) : host)" }

    private static func amazonHost(_ region: String) -> String {
        "s3.\(region).amazonaws.com" + (region.hasPrefix("cn-") ? ".cn" : "")
    }

    private static func parts(of endpoint: String) throws -> (scheme: String, host: String) {
        let problem = TocsinError(
            .configuration, "\(endpoint.printable) is no address of an S3 service", place: "lake.s3.endpoint",
            remedy: "write http:// or https://, host and port, nothing behind: https://minio.plant:9000")
        guard let mark = endpoint.firstRange(of: "://") else { throw problem }
        let scheme = endpoint[..<mark.lowerBound].lowercased()
        var host = endpoint[mark.upperBound...].lowercased()
        if host.hasSuffix("/") { host.removeLast() }
        let legal = host.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."),
                UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: ":"), UInt8(ascii: "["), UInt8(ascii: "]"):
                true
            default: false
            }
        }
        guard scheme == "http" || scheme == "https", !host.isEmpty, legal else { throw problem }
        // The default port is not part of the Host header, and so not of what is signed.
        let standard = scheme == "http" ? ":80" : ":443"
        if host.hasSuffix(standard) { host.removeLast(standard.count) }
        return (scheme, host)
    }

    /// The region in the name of one of AWS's hosts: `bucket.s3.eu-west-1.amazonaws.com`, `s3-eu-west-1.…`.
    static func region(inAmazonHost host: String) -> String? {
        guard let end = host.firstRange(of: ".amazonaws.com") else { return nil }
        let words = host[..<end.lowerBound].split(separator: ".")
        guard let last = words.last else { return nil }
        if last.hasPrefix("s3-") { return String(last.dropFirst(3)) }
        return words.count >= 2 && words[words.count - 2] == "s3" ? String(last) : nil
    }
}

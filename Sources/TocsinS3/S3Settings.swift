internal import TocsinCore

/// Which bucket of which service, with which keys, and how patient.
public struct S3Settings: Sendable {
    /// Where the bucket stands in an address.
    public enum Addressing: String, CaseIterable, Sendable {
        /// In the host's name for AWS, in the path for any other service.
        case auto
        /// `https://host/bucket/key`
        case path
        /// `https://bucket.host/key`
        case virtual
    }

    /// `https://minio.plant:9000`; nil is AWS.
    public var endpoint: String?
    public var region: String
    public var bucket: String
    /// Below which all names stand; without slashes at its ends.
    public var prefix: String
    public var addressing: Addressing
    /// Without them, the credentials file is read.
    public var credentials: S3Credentials?
    /// In the form of `~/.aws/credentials`; read again whenever it has changed.
    public var credentialsFile: String
    public var profile: String
    /// PEM file of authorities that are trusted beside the system's.
    public var certificateFile: String?
    public var connectTimeout: Duration
    /// Without a byte in either direction.
    public var readTimeout: Duration
    /// Files above it go in parts of that size. 5 MiB (a rule of S3) to 1 GiB.
    public var partBytes: Int
    /// Parts of one file that are in memory and under way at once. 1 to 16.
    public var parallelParts: Int
    public var retry: S3Retry

    public init(
        bucket: String, prefix: String = "", endpoint: String? = nil, region: String = "us-east-1",
        addressing: Addressing = .auto, credentials: S3Credentials? = nil,
        credentialsFile: String = "~/.aws/credentials", profile: String = "default", certificateFile: String? = nil,
        connectTimeout: Duration = .seconds(5), readTimeout: Duration = .seconds(30), partBytes: Int = 16 << 20,
        parallelParts: Int = 3, retry: S3Retry = S3Retry()
    ) {
        self.bucket = bucket
        self.prefix = prefix
        self.endpoint = endpoint
        self.region = region
        self.addressing = addressing
        self.credentials = credentials
        self.credentialsFile = credentialsFile
        self.profile = profile
        self.certificateFile = certificateFile
        self.connectTimeout = connectTimeout
        self.readTimeout = readTimeout
        self.partBytes = partBytes
        self.parallelParts = parallelParts
        self.retry = retry
    }

    /// `s3://bucket/prefix`, everything else by default.
    /// - Throws: `TocsinError(.configuration)` for any other form.
    public init(location: String) throws {
        guard location.hasPrefix("s3://") else {
            throw TocsinError(
                .configuration, "\(location) is no address of S3", remedy: "write s3://bucket/prefix")
        }
        let path = location.dropFirst(5)
        let bucket = path.prefix { $0 != "/" }
        self.init(bucket: String(bucket), prefix: String(path.dropFirst(bucket.count)))
        try check()
    }

    /// Takes what is set of `AWS_ENDPOINT_URL_S3`, `AWS_ENDPOINT_URL`, `AWS_REGION`, `AWS_DEFAULT_REGION`,
    /// `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY`, `AWS_SESSION_TOKEN`, `AWS_SHARED_CREDENTIALS_FILE`,
    /// `AWS_PROFILE`, `AWS_CA_BUNDLE`; for tools that have no configuration of their own.
    public mutating func take(environment: [String: String]) {
        func value(_ names: String...) -> String? {
            for name in names {
                if let value = environment[name], !value.isEmpty { return value }
            }
            return nil
        }
        endpoint = value("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL") ?? endpoint
        region = value("AWS_REGION", "AWS_DEFAULT_REGION") ?? region
        if let accessKey = value("AWS_ACCESS_KEY_ID"), let secretKey = value("AWS_SECRET_ACCESS_KEY") {
            credentials = S3Credentials(
                accessKey: accessKey, secretKey: secretKey, sessionToken: value("AWS_SESSION_TOKEN"))
        }
        credentialsFile = value("AWS_SHARED_CREDENTIALS_FILE") ?? credentialsFile
        profile = value("AWS_PROFILE") ?? profile
        certificateFile = value("AWS_CA_BUNDLE") ?? certificateFile
    }

    /// Refuses what cannot work, with the remedy.
    func check() throws {
        let legal = bucket.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "-"), UInt8(ascii: "_"):
                true
            default: false
            }
        }
        guard legal, 3...63 ~= bucket.utf8.count else {
            throw TocsinError(
                .configuration, "“\(bucket.printable)” can be no bucket's name", place: "S3",
                remedy: "3 to 63 lower-case letters, digits, dots and hyphens")
        }
        guard (5 << 20)...(1 << 30) ~= partBytes, 1...16 ~= parallelParts else {
            throw TocsinError(
                .configuration, "parts of \(partBytes) bytes, \(parallelParts) at once, cannot be sent", place: "S3",
                remedy: "5 MiB to 1 GiB, 1 to 16 at once")
        }
        guard !region.isEmpty, region.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F && $0 != UInt8(ascii: "/") }) else {
            throw TocsinError(
                .configuration, "“\(region.printable)” can be no region", place: "S3", remedy: "such as eu-central-1")
        }
    }
}

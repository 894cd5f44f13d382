internal import NIOHTTP1
public import TocsinCore

/// Whole files in a bucket of S3: AWS, MinIO, Ceph and others that speak it.
///
/// Every request is signed (SigV4) with its body's SHA-256, which the service checks; failures that pass are tried
/// again with growing pauses; memory is `parallelParts` × `partBytes` at most, whatever a file's size.
///
///     let lake = try S3Storage(S3Settings(location: "s3://plant/lake"))
///     try await lake.prepare()
///     try await lake.put(file: "/var/spool/part-1.parquet", as: "bronze/part-1.parquet")
public struct S3Storage: ObjectStorage {
    public let location: String
    let client: S3Client
    /// With a slash at its end; empty where there is none.
    let prefix: String
    let notice: @Sendable (String) -> Void

    /// Connects to nothing yet.
    /// - Parameter notice: told, once each, what a person should know though all goes on: a wrong clock, another region.
    /// - Throws: `TocsinError(.configuration)` for settings that cannot work.
    public init(
        _ settings: S3Settings, clock: any WallClock = SystemClock(),
        notice: @escaping @Sendable (String) -> Void = { _ in }
    ) throws {
        client = try S3Client(settings, clock: clock, notice: notice)
        self.notice = notice
        let words = settings.prefix.split(separator: "/", omittingEmptySubsequences: true).joined(separator: "/")
        prefix = words.isEmpty ? "" : words + "/"
        location = "s3://\(settings.bucket)" + (words.isEmpty ? "" : "/\(words)")
    }

    public var statistics: S3Statistics { client.statistics }

    /// As they stand now, for others that read the same bucket.
    public func credentials() throws -> S3Credentials { try client.credentials() }

    /// The bucket's, corrected when the service named another.
    public var region: String { client.region }

    /// Shows that the bucket is there and may be listed, and gives up what a killed process had begun to send.
    /// - Parameter prefixes: names below which this process alone writes; all by default.
    /// - Returns: how many uploads were given up.
    @discardableResult
    public func prepare(below prefixes: [String] = [""]) async throws -> Int {
        _ = try await page(prefix: prefix, after: nil, limit: 1)
        var count = 0
        for name in prefixes { count += try await abortUploads(below: prefix + name) }
        return count
    }

    public func delete(_ name: String) async throws {
        let request = S3Request(purpose: .delete, method: .DELETE, key: try key(name))
        do {
            try await client.send(request) { _ in }
        } catch let error as TocsinError where error.isMissingObject {
        }
    }

    /// - Throws: `TocsinError(.usage)` for names that not every service keeps as they are.
    func key(_ name: String) throws -> String {
        let key = prefix + name
        let parts = key.split(separator: "/", omittingEmptySubsequences: false)
        guard !name.isEmpty, key.utf8.count <= 1024, !key.utf8.contains(0),
            !parts.contains(where: { $0.isEmpty || $0 == "." || $0 == ".." })
        else {
            throw TocsinError(
                .usage, "“\(name.printable)” can be no object's name", place: location,
                remedy: "1 to 1,024 bytes, without empty parts, . and ..")
        }
        return key
    }
}

extension TocsinError {
    /// A 404 that is not about the bucket.
    var isMissingObject: Bool {
        guard let reply = cause as? S3ErrorReply else { return false }
        return reply.status == 404 && reply.code != "NoSuchBucket"
    }
}

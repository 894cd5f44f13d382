/// Where whole files live under names with slashes: a folder, or a bucket of S3. A reader sees a file whole or not at all.
public protocol ObjectStorage: Sendable {
    /// "/var/lib/tocsin/lake", "s3://plant/lake": for messages, and for DuckDB to read from.
    var location: String { get }

    /// Copies the file at `path` here under `name`, over an earlier one; on return it survives a crash.
    /// - Parameter path: of the local file; it stays where it is.
    /// - Throws: `TocsinError` with `isRetriable` true where waiting can help (away, slow, full, throttled).
    func put(file path: String, as name: String) async throws
    /// As a file with these bytes would be put.
    func put(_ bytes: [UInt8], as name: String) async throws
    /// The whole content.
    func get(_ name: String) async throws -> [UInt8]
    /// All whose names begin with `prefix`, in the order of names.
    func list(prefix: String) async throws -> [StoredObject]
    /// None of that name is no error.
    func delete(_ name: String) async throws
}

public struct StoredObject: Sendable, Equatable {
    /// Below the storage's own location.
    public var name: String
    public var bytes: Int64
    public var changed: Timestamp

    public init(name: String, bytes: Int64, changed: Timestamp) {
        self.name = name
        self.bytes = bytes
        self.changed = changed
    }
}

/// What a client has done since it was made; counters for `/metrics`.
public struct S3Statistics: Sendable, Equatable {
    /// Attempts included.
    public var requests = 0
    public var retries = 0
    /// Requests given up.
    public var failures = 0
    public var bytesSent: Int64 = 0
    public var bytesReceived: Int64 = 0

    public init() {}
}

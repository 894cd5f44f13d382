internal import Hummingbird
internal import Synchronization
internal import TocsinCore

/// Who may send readings, and how many: without keys everybody may, as many as the machine takes.
public struct IngestKey: Sendable {
    /// For logs and metrics.
    public var name: String
    public var secret: String
    /// Readings a second on average; nil = no limit.
    public var readingsPerSecond: Double?
    /// Readings at once after a pause.
    public var burst: Double

    public init(name: String, secret: String, readingsPerSecond: Double?, burst: Double? = nil) {
        self.name = name
        self.secret = secret
        self.readingsPerSecond = readingsPerSecond
        self.burst = burst ?? (readingsPerSecond ?? 0) * 10
    }
}

/// Token buckets by key.
final class IngestKeys: Sendable {
    private struct Bucket {
        var tokens: Double
        var filled: ContinuousClock.Instant
    }

    private let keys: [IngestKey]
    private let buckets: Mutex<[Bucket]>
    /// A day: nobody waits for longer.
    private static let longestWait = 86_400.0

    init(_ keys: [IngestKey]) {
        self.keys = keys
        buckets = Mutex(keys.map { Bucket(tokens: $0.burst, filled: .now) })
    }

    /// - Parameter parameter: a key in the query, for clients that can say it nowhere else.
    /// - Returns: the key's number; nil where none is asked for.
    /// - Throws: 401 without a key or with a wrong one.
    func identify(_ request: Request, orBy parameter: String? = nil) throws -> Int? {
        guard !keys.isEmpty else { return nil }
        let given = Self.secret(of: request) ?? parameter
        // All are compared, each in the same time, so that nothing can be learnt from how long the answer takes.
        var found: Int?
        for (number, key) in keys.enumerated() where Self.isEqual(key.secret, given ?? "") { found = number }
        guard given != nil, let found else {
            throw Problem(
                .unauthorized,
                given == nil
                    ? "a key is needed: send 'Authorization: Bearer <key>', or 'X-API-Key: <key>'"
                    : "this key is not known")
        }
        return found
    }

    /// Takes so many readings from a key's quota.
    /// - Throws: 429 with the time after which they would be taken.
    func charge(_ key: Int?, readings: Int) throws {
        guard let key, let rate = keys[key].readingsPerSecond, rate > 0 else { return }
        let burst = max(keys[key].burst, 1)
        let wait: Double? = buckets.withLock { buckets in
            let now = ContinuousClock.now
            buckets[key].tokens = min(burst, buckets[key].tokens + (now - buckets[key].filled).inSeconds * rate)
            buckets[key].filled = now
            // More at once than the bucket holds are taken when it is full, and are paid for afterwards.
            let needed = min(Double(readings), burst)
            guard buckets[key].tokens < needed else {
                buckets[key].tokens -= Double(readings)
                return nil
            }
            return (needed - buckets[key].tokens) / rate
        }
        guard let wait else { return }
        throw Problem(
            .tooManyRequests,
            "the quota of the key '\(keys[key].name)' is used up: \(Self.text(rate)) readings a second",
            retryAfter: max(1, Int(min(wait, Self.longestWait).rounded(.up))))
    }

    /// For logs, and to tell the requests of one from those of another.
    func name(_ key: Int?) -> String { key.map { keys[$0].name } ?? "" }

    /// Whole numbers without a point.
    private static func text(_ rate: Double) -> String { Int(exactly: rate).map { "\($0)" } ?? "\(rate)" }

    private static func isEqual(_ left: String, _ right: String) -> Bool {
        let (left, right) = (Array(left.utf8), Array(right.utf8))
        var difference = left.count ^ right.count
        for index in left.indices { difference |= Int(left[index] ^ (right.isEmpty ? 0 : right[index % right.count])) }
        return difference == 0
    }
}

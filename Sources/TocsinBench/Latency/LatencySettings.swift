public import TocsinCore
internal import TocsinMeasure

/// What `LatencyBench` sends.
public struct LatencySettings: Sendable {
    /// Readings a second in all.
    public var rate = 10_000.0
    /// Measured; a tenth of it, at least 2 s, is sent before and not measured.
    public var seconds = 20.0
    /// Readings a request.
    public var batch = 100
    public var connections = 64
    /// Sensors among which the load is spread, one metric each.
    public var sensors = 1000
    /// A running server; nil starts one.
    public var url: String?
    /// One reading alone every 200 ms instead of `rate` and `batch`.
    public var isIdle = false
    /// A webhook is told of every alarm, and its delay measured too.
    public var hasWebhook = false
    /// Flags of the server that is started.
    public var flags: [String] = []

    public init() {}

    /// Requests a second.
    var requestRate: Double { isIdle ? 5 : rate / Double(batch) }
    var readingsPerRequest: Int { isIdle ? 0 : batch }
    var warmUpSeconds: Double { max(2, seconds / 10) }

    /// - Throws: `TocsinError(.usage)` for what cannot be sent.
    public func validate() throws(TocsinError) {
        guard rate.isFinite, rate > 0, rate <= 1e8 else {
            throw TocsinError(.usage, "--rate takes readings a second, above 0")
        }
        guard seconds.isFinite, seconds > 0, seconds <= 86_400 else {
            throw TocsinError(.usage, "--seconds takes more than 0, at most a day")
        }
        guard (1...100_000).contains(batch) else { throw TocsinError(.usage, "--batch takes 1 to 100,000") }
        guard (1...1000).contains(connections) else { throw TocsinError(.usage, "--connections takes 1 to 1000") }
        guard (1...1_000_000).contains(sensors) else { throw TocsinError(.usage, "--sensors takes 1 to 1,000,000") }
        // Two readings of one sensor in the same microsecond would be one.
        guard Double(batch) <= Double(sensors) * 1000 else {
            throw TocsinError(.usage, "--batch is too large for so few --sensors")
        }
        if let url { _ = try HTTPAddress(url) }
        guard !hasWebhook || url == nil && !isIdle else {
            throw TocsinError(.usage, "--webhook needs a server of its own, under load: neither --url nor --idle")
        }
    }
}

/// What Sparkplug messages call for beside their readings.
public struct SparkplugReplies: Sendable, Equatable {
    /// Topics to which `SparkplugHost.rebirthPayload` is to be published (QoS 0, not retained): each asks an edge node
    /// for its births, because messages of it are missing.
    public var rebirthRequests: [String] = []

    public init() {}

    public var isEmpty: Bool { rebirthRequests.isEmpty }
}

/// Bounds on what a Sparkplug host keeps.
public struct SparkplugLimits: Sendable, Equatable {
    /// Edge nodes and devices together.
    public var maximumNodes: Int
    /// Metric definitions of all of them.
    public var maximumMetrics: Int
    /// Longest metric name in bytes.
    public var maximumNameBytes: Int

    public init(maximumNodes: Int = 20_000, maximumMetrics: Int = 1_000_000, maximumNameBytes: Int = 256) {
        self.maximumNodes = max(1, maximumNodes)
        self.maximumMetrics = max(1, maximumMetrics)
        self.maximumNameBytes = max(1, maximumNameBytes)
    }
}

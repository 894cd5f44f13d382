public import TocsinCore

/// What `MemoryBench` drives.
public struct MemorySettings: Sendable {
    /// One metric each, one reading a second each.
    public var sensors = 10_000
    /// Of event time, measured after the warm-up.
    public var seconds = 60
    /// Of event time, before measuring: until the longest default window has turned over. nil = 330, or 0 when paced.
    public var warmUpSeconds: Int?
    /// In real time instead of as fast as possible.
    public var isPaced = false
    /// Windows and anomalies into SQLite in a temporary folder; otherwise everything is thrown away.
    public var persists = false

    public init() {}

    var warmUp: Int { warmUpSeconds ?? (isPaced ? 0 : 330) }

    /// - Throws: `TocsinError(.usage)` for what cannot be driven.
    public func validate() throws(TocsinError) {
        guard (1...10_000_000).contains(sensors) else { throw TocsinError(.usage, "--sensors takes 1 to 10,000,000") }
        guard (1...10_000_000).contains(seconds) else { throw TocsinError(.usage, "--seconds takes 1 to 10,000,000") }
        guard (0...10_000_000).contains(warmUp) else { throw TocsinError(.usage, "--warm-up takes 0 to 10,000,000") }
    }
}

/// What one part of the engine holds in memory.
public struct MemoryPart: Sendable, Equatable {
    public var name: String
    public var bytes: Int

    public init(name: String, bytes: Int) {
        self.name = name
        self.bytes = bytes
    }
}

/// A sensor (device), interned: dense from 0 in the order of first sight within one process.
public struct SensorID: Hashable, Sendable {
    public let index: UInt32
    @inlinable public init(_ index: UInt32) { self.index = index }
}

/// The name of a measured quantity ("temperature"), interned: dense from 0.
public struct MetricID: Hashable, Sendable {
    public let index: UInt32
    @inlinable public init(_ index: UInt32) { self.index = index }
}

/// One metric of one sensor, interned: dense from 0, so that per-series state is an array.
public struct SeriesID: Hashable, Sendable {
    public let index: UInt32
    @inlinable public init(_ index: UInt32) { self.index = index }
}

/// A configured source (file, HTTP, simulator, …), dense from 0 in configuration order.
public struct SourceID: Hashable, Sendable {
    public let index: UInt16
    @inlinable public init(_ index: UInt16) { self.index = index }
}

public import TocsinCore

/// Where the stream stands: the high-water event time of one source, which its sensors' alarms go by, and that of the
/// newest one, which floods, budgets and shelves go by.
public struct StreamTime: Sendable {
    /// nil: no source in particular.
    public var source: SourceID?
    public var own: Timestamp
    public var newest: Timestamp

    public init(_ newest: Timestamp) { (own, self.newest) = (newest, newest) }

    public init(_ source: SourceID, own: Timestamp, newest: Timestamp) {
        self.source = source
        self.own = own
        self.newest = newest
    }
}

public import TocsinCore
public import TocsinSpool

/// Where outcomes go besides the store, through a spool of its own.
public struct OutcomeOutlet: Sendable {
    /// Shown every outcome after it is durable, in stream order; must not wait.
    public var observe: @Sendable (BatchOutcome) -> Void
    /// Why nothing more should be shown for now; nil while there is room. The writer waits as it does for a store that
    /// refuses, unless the process wants to end.
    public var obstacle: @Sendable () -> String?
    /// A checkpoint is valid only when what was observed before it is on disk here.
    public var spool: Spool

    public init(
        spool: Spool, observe: @escaping @Sendable (BatchOutcome) -> Void, obstacle: @escaping @Sendable () -> String?
    ) {
        self.spool = spool
        self.observe = observe
        self.obstacle = obstacle
    }
}

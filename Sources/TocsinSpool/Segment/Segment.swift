/// One segment file as the spool knows it.
struct Segment: Sendable {
    var path: String
    /// Its records have numbers from here on …
    var firstSequence: UInt64
    /// … to here; `firstSequence - 1` when it has none.
    var lastSequence: UInt64
    /// Length up to the end of the last sound record.
    var end: Int64
    /// Kept as evidence, not deleted, when released.
    var isDamaged = false

    var name: String { path.lastIndex(of: "/").map { String(path[path.index(after: $0)...]) } ?? path }
}

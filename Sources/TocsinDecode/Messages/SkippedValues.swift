internal import Synchronization

/// How many values of a source's messages were no numbers by their type or state, and were left out: shared by the
/// decoders of that source.
public final class SkippedValues: Sendable {
    private let counter = Atomic(0)

    public init() {}

    public var count: Int { counter.load(ordering: .relaxed) }

    func add(_ count: Int) { counter.add(count, ordering: .relaxed) }
}

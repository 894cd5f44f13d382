internal import Synchronization

/// Counts up for any number of callers, from a start that no earlier process has reached.
final class SequenceNumber: Sendable {
    private let value: Atomic<Int64>

    init(startingAt start: Int64) { value = Atomic(start) }

    func next() -> Int64 { value.add(1, ordering: .relaxed).newValue }
}

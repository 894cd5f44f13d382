import Synchronization

/// True once.
final class FirstTime: Sendable {
    private let seen = Atomic(false)
    func isFirst() -> Bool { !seen.exchange(true, ordering: .relaxed) }
}

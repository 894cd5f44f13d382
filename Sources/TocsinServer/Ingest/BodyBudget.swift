internal import Synchronization

/// How many bytes of bodies may be under way, of all requests together: many at a time, or many small ones that unpack to
/// large ones, must not take the machine's memory.
final class BodyBudget: Sendable {
    private let taken = Atomic(0)
    private let bytes: Int

    init(bytes: Int) { self.bytes = bytes }

    /// What one request has of it.
    final class Share: Sendable {
        private let budget: BodyBudget
        private let bytes = Atomic(0)

        fileprivate init(_ budget: BodyBudget) { self.budget = budget }

        /// - Returns: false where there is not so much for this request.
        func grow(to bytes: Int) -> Bool {
            let more = bytes - self.bytes.load(ordering: .relaxed)
            guard more > 0 else { return true }
            guard budget.taken.add(more, ordering: .relaxed).newValue <= budget.bytes else {
                budget.taken.subtract(more, ordering: .relaxed)
                return false
            }
            self.bytes.store(bytes, ordering: .relaxed)
            return true
        }

        /// Gives it back.
        func end() { budget.taken.subtract(bytes.exchange(0, ordering: .relaxed), ordering: .relaxed) }
    }

    func share() -> Share { Share(self) }
}

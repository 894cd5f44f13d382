internal import TocsinCore
internal import TocsinSpool

extension Spool {
    /// Waits until the record is on disk; once `isEnding`, only `patience` longer.
    /// - Returns: false where the patience came to its end before.
    func durable(
        _ sequence: UInt64, patience: Duration, isEnding: @escaping @Sendable () -> Bool
    ) async throws -> Bool {
        if sequence <= durableSequence { return true }
        return try await withThrowingTaskGroup(of: Bool.self) { group in
            group.addTask {
                try await self.durable(sequence)
                return true
            }
            group.addTask {
                while !isEnding() { try await Task.sleep(for: .milliseconds(500)) }
                try await Task.sleep(for: patience)
                return false
            }
            defer { group.cancelAll() }
            return try await group.next() ?? false
        }
    }
}

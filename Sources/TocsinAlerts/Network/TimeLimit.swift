/// Nothing came in time.
struct TimeLimitReached: Error, CustomStringConvertible {
    let limit: Duration
    var description: String { "no answer within \(limit)" }
}

/// Gives up after `limit` and cancels the work; returns when the work has ended.
func withTimeLimit<Result: Sendable>(
    _ limit: Duration, _ work: @escaping @Sendable () async throws -> Result
) async throws -> Result {
    try await withThrowingTaskGroup(of: Result.self) { group in
        group.addTask(operation: work)
        group.addTask {
            try await Task.sleep(for: limit)
            throw TimeLimitReached(limit: limit)
        }
        defer { group.cancelAll() }
        guard let result = try await group.next() else { throw TimeLimitReached(limit: limit) }
        return result
    }
}

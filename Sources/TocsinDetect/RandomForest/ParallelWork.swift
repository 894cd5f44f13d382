internal import Dispatch
internal import Synchronization

/// Independent pieces of work on several cores; the result does not depend on how many.
enum ParallelWork {
    /// - Parameter threads: at most so many at once; 0 = as many as there are cores.
    static func map<Result: Sendable>(
        _ count: Int, threads: Int, _ body: @Sendable (Int) -> Result
    ) -> [Result] {
        guard threads != 1, count > 1 else { return (0..<max(count, 0)).map(body) }
        let next = Atomic<Int>(0)
        let results = Mutex<[Result?]>(Array(repeating: nil, count: count))
        DispatchQueue.concurrentPerform(iterations: threads > 0 ? min(threads, count) : min(count, 256)) { _ in
            while true {
                let index = next.wrappingAdd(1, ordering: .relaxed).oldValue
                guard index < count else { return }
                let result = body(index)
                results.withLock { $0[index] = result }
            }
        }
        return results.withLock { $0.compactMap { $0 } }
    }
}

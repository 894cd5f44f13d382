internal import Dispatch

/// Runs blocking C calls on a thread of its own: Swift's cooperative pool has only as many threads as cores.
final class BlockingThread: Sendable {
    private let queue: DispatchQueue

    init(_ label: String) { queue = DispatchQueue(label: label) }

    func start(_ body: @escaping @Sendable () -> Void) { queue.async(execute: body) }

    func run<Result: Sendable>(_ body: @escaping @Sendable () -> Result) async -> Result {
        await withCheckedContinuation { continuation in queue.async { continuation.resume(returning: body()) } }
    }
}

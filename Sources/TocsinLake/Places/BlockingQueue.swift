internal import Dispatch

/// Runs work that blocks on a thread of its own, off the cooperative pool, which has as many threads as cores.
public struct BlockingQueue: Sendable {
    private enum Worker: Sendable {
        case queue(DispatchQueue)
        case patient(PatientThread)
    }

    private let worker: Worker

    /// - Parameter isConcurrent: false: one piece of work at a time, in the order of calls.
    public init(_ label: String, isConcurrent: Bool = false) {
        worker = .queue(DispatchQueue(label: label, attributes: isConcurrent ? .concurrent : []))
    }

    private init(_ thread: PatientThread) { worker = .patient(thread) }

    /// For work that must not take time from the pipeline: at the lowest priority, one piece at a time.
    static func patient(_ label: String) -> BlockingQueue { BlockingQueue(PatientThread(label)) }

    /// Returns at once.
    func async(_ body: @escaping @Sendable () -> Void) {
        switch worker {
        case .queue(let queue): queue.async(execute: body)
        case .patient(let thread): thread.async(body)
        }
    }

    /// Suspends until the work is done; cancelling the task does not stop it.
    public func run<Value: Sendable>(_ body: @escaping @Sendable () throws -> Value) async throws -> Value {
        try await withCheckedThrowingContinuation { continuation in
            async { continuation.resume(with: Result(catching: body)) }
        }
    }
}

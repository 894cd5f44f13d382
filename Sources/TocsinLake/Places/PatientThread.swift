internal import Dispatch
internal import Foundation
internal import Synchronization

#if canImport(Glibc)
internal import Glibc
#elseif canImport(Darwin)
internal import Darwin
#endif

/// A thread for work that must not take time from the pipeline: it runs at the lowest priority (nice 19), in the order of
/// calls. Threads that its work starts, such as DuckDB's, inherit that on Linux.
final class PatientThread: Sendable {
    private struct State {
        var work: [@Sendable () -> Void] = []
        var isEnded = false
    }

    private final class Box: Sendable {
        let state = Mutex(State())
        let wake = DispatchSemaphore(value: 0)
    }

    private let box = Box()
    /// DuckDB's planner goes deep.
    private static let stackBytes = 8 << 20
    /// `SCHED_IDLE` of linux/sched.h.
    private static let idlePolicy: Int32 = 5

    init(_ label: String) {
        let box = box
        let thread = Thread {
            #if os(Linux)
            // Linux has priorities by thread, and 0 is the calling one; less is refused to nobody.
            _ = setpriority(__priority_which_t(PRIO_PROCESS.rawValue), 0, 19)
            // Not even that much, where another thread wants to run: it gives way at once.
            var parameter = sched_param()
            _ = sched_setscheduler(0, Self.idlePolicy, &parameter)
            #endif
            while true {
                box.wake.wait()
                let (next, isEnded) = box.state.withLock { state in
                    (state.work.isEmpty ? nil : state.work.removeFirst(), state.isEnded)
                }
                if let next { next() } else if isEnded { return }
            }
        }
        thread.name = label
        thread.stackSize = Self.stackBytes
        thread.start()
    }

    deinit {
        box.state.withLock { $0.isEnded = true }
        box.wake.signal()
    }

    func async(_ body: @escaping @Sendable () -> Void) {
        box.state.withLock { $0.work.append(body) }
        box.wake.signal()
    }
}

/// An actor's work on a thread of the lowest priority.
final class PatientExecutor: SerialExecutor {
    private let thread: PatientThread

    init(_ label: String) { thread = PatientThread(label) }

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        thread.async { job.runSynchronously(on: self.asUnownedSerialExecutor()) }
    }

    func asUnownedSerialExecutor() -> UnownedSerialExecutor { UnownedSerialExecutor(ordinary: self) }
}

import Synchronization
import TocsinCore

/// A clock and its sleepers, moved by the test: a day passes in milliseconds.
final class VirtualTime: WallClock {
    private struct State {
        var now: Timestamp
        var sleepers: [UInt64: (deadline: Timestamp, continuation: CheckedContinuation<Void, Never>)] = [:]
        var cancelled: Set<UInt64> = []
        var next: UInt64 = 0
    }
    private let state: Mutex<State>

    init(_ start: Timestamp = Timestamp(seconds: 1_760_000_000)) { state = Mutex(State(now: start)) }

    func now() -> Timestamp { state.withLock { $0.now } }

    @Sendable func sleep(_ duration: Duration) async throws {
        let id = state.withLock { state in
            state.next += 1
            return state.next
        }
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let isOver = state.withLock { state in
                    if state.cancelled.remove(id) != nil || duration <= .zero { return true }
                    let span = Span64(nanoseconds: Int64(duration.inSeconds * 1e9))
                    state.sleepers[id] = (state.now.advanced(by: span), continuation)
                    return false
                }
                if isOver { continuation.resume() }
            }
        } onCancel: {
            let sleeper = state.withLock { state in
                let sleeper = state.sleepers.removeValue(forKey: id)
                if sleeper == nil { state.cancelled.insert(id) }
                return sleeper
            }
            sleeper?.continuation.resume()
        }
        try Task.checkCancellation()
    }

    /// Lets so much time pass, from one sleeper's end to the next; in between everything that can happen happens.
    func pass(_ span: Span64, _ executor: ManualExecutor) {
        let end = now().advanced(by: span)
        while true {
            executor.drain()
            let due = state.withLock { state in
                let next = state.sleepers.values.map(\.deadline).min().map { min($0, end) } ?? end
                state.now = max(state.now, next)
                let due = state.sleepers.filter { $0.value.deadline <= state.now }.sorted { $0.key < $1.key }
                for (id, _) in due { state.sleepers[id] = nil }
                return due.map(\.value.continuation)
            }
            for continuation in due { continuation.resume() }
            if due.isEmpty, now() >= end { return executor.drain() }
        }
    }
}

/// Runs tasks only while the test says so, on the test's own thread, one job after the other: nothing depends on how busy
/// the machine is.
final class ManualExecutor: TaskExecutor {
    private let jobs = Mutex<[UnownedJob]>([])

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        jobs.withLock { $0.append(job) }
    }

    /// Until nothing is left that can run.
    func drain() {
        while true {
            let ready = jobs.withLock { jobs in
                defer { jobs = [] }
                return jobs
            }
            guard !ready.isEmpty else { return }
            for job in ready { job.runSynchronously(on: asUnownedTaskExecutor()) }
        }
    }
}

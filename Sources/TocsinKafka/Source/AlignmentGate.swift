internal import Synchronization
internal import TocsinCore

/// Where the tasks that deliver wait for their turn: one hands over at a time, in the order of `PartitionAlignment`.
///
/// The polling thread calls `tick`, which notices what no task tells: partitions at their end, closed, or silent.
final class AlignmentGate: Sendable {
    private struct Entry {
        let partition: TopicPartition
        /// nil while the partition is prepared.
        var lane: PartitionLane?
        var since: Int64
        var head: Timestamp?
        var progress: Timestamp?
        var waiter: CheckedContinuation<Bool, Never>?
        var isLeftOut = false

        func isAwaited(_ now: Int64, _ patience: Int64) -> Bool {
            guard let lane else { return now &- since < patience }
            let figures = lane.figures
            return !figures.isClosed && !figures.isFinished && (figures.unhandedRuns > 0 || figures.hasMore)
                && now &- figures.active < patience
        }

        /// It has messages, and for so long there was none that nobody waits for it.
        func isSilent(_ now: Int64, _ patience: Int64) -> Bool {
            guard let figures = lane?.figures else { return false }
            return head == nil && !figures.isClosed && (figures.unhandedRuns > 0 || figures.hasMore)
                && now &- figures.active >= patience
        }
    }

    private struct State {
        var entries: [Entry] = []
        /// Who is handing over.
        var holder: PartitionLane?
    }

    private let alignment: PartitionAlignment
    private let patience: Int64
    private let board: StatusBoard
    private let state = Mutex(State())

    init(limit: Span64, patience: Span64, board: StatusBoard) {
        alignment = PartitionAlignment(limit: limit)
        self.patience = patience.nanoseconds
        self.board = board
    }

    var rules: PartitionAlignment? { alignment.limit.nanoseconds > 0 ? alignment : nil }

    // MARK: Coming and going

    /// These are about to be read.
    func expect(_ partitions: [TopicPartition]) {
        let now = SystemClock.monotonicNanoseconds
        state.withLock { state in
            for partition in partitions {
                state.entries.removeAll { $0.partition == partition && $0.lane == nil }
                state.entries.append(Entry(partition: partition, since: now))
            }
        }
    }

    /// Nobody is going to read it after all.
    func forget(_ partition: TopicPartition) {
        state.withLock { $0.entries.removeAll { $0.partition == partition && $0.lane == nil } }
        tick()
    }

    func add(_ lane: PartitionLane) {
        state.withLock { state in
            state.entries.removeAll { $0.partition == lane.partition && $0.lane == nil }
            state.entries.append(
                Entry(partition: lane.partition, lane: lane, since: SystemClock.monotonicNanoseconds))
        }
    }

    func remove(_ lane: PartitionLane) {
        state.withLock { $0.entries.removeAll { $0.lane === lane } }
        tick()
    }

    // MARK: Waiting

    /// Whether another partition has messages: only then is it worth keeping to the order.
    func hasOthers(_ lane: PartitionLane) -> Bool {
        let now = SystemClock.monotonicNanoseconds
        return state.withLock { state in
            state.entries.contains { $0.lane !== lane && ($0.head != nil || $0.isAwaited(now, patience)) }
        }
    }

    /// Waits until it is this lane's turn; `done` must follow. False: the lane is closed or the task cancelled.
    func enter(_ lane: PartitionLane, newest: Timestamp?) async -> Bool {
        await withTaskCancellationHandler {
            await withCheckedContinuation { waiter in
                let isKnown = state.withLock { state in
                    guard let index = state.entries.firstIndex(where: { $0.lane === lane }), !Task.isCancelled
                    else { return false }
                    // What has no time goes at once.
                    state.entries[index].head = newest ?? Timestamp(nanoseconds: .min)
                    state.entries[index].waiter = waiter
                    return true
                }
                if isKnown { tick() } else { waiter.resume(returning: false) }
            }
        } onCancel: {
            let waiter = state.withLock { state -> CheckedContinuation<Bool, Never>? in
                guard let index = state.entries.firstIndex(where: { $0.lane === lane }) else { return nil }
                state.entries[index].head = nil
                return state.entries[index].waiter.take()
            }
            waiter?.resume(returning: false)
        }
    }

    func done(_ lane: PartitionLane) {
        // An engine that took its time must not look like a partition that gives nothing.
        lane.wasActive()
        state.withLock { if $0.holder === lane { $0.holder = nil } }
        tick()
    }

    // MARK: Turns

    /// Lets go whose turn it is.
    func tick() {
        let now = SystemClock.monotonicNanoseconds
        let (chosen, closed, silent) = state.withLock { state in choose(&state, now) }
        for waiter in closed { waiter.resume(returning: false) }
        for partition in silent {
            board.problem(
                "\(partition) gives no messages although it has some: the others go on without it, and its readings may "
                    + "be late")
        }
        chosen?.resume(returning: true)
    }

    private typealias Waiter = CheckedContinuation<Bool, Never>

    private func choose(_ state: inout State, _ now: Int64) -> (Waiter?, [Waiter], [TopicPartition]) {
        var closed: [Waiter] = []
        for index in state.entries.indices where state.entries[index].lane?.isClosed ?? false {
            state.entries[index].head = nil
            if let waiter = state.entries[index].waiter.take() { closed.append(waiter) }
        }
        guard state.holder == nil, state.entries.contains(where: { $0.waiter != nil }) else { return (nil, closed, []) }
        var silent: [TopicPartition] = []
        for index in state.entries.indices {
            let isLeftOut = state.entries.count > 1 && state.entries[index].isSilent(now, patience)
            if isLeftOut, !state.entries[index].isLeftOut { silent.append(state.entries[index].partition) }
            state.entries[index].isLeftOut = isLeftOut
            state.entries[index].lane?.see(isLeftOut: isLeftOut)
        }
        let lanes = state.entries.map {
            PartitionAlignment.Lane(
                head: $0.head, progress: $0.progress, isAwaited: $0.isAwaited(now, patience))
        }
        guard case .lane(let index) = alignment.turn(lanes) else { return (nil, closed, silent) }
        let entry = state.entries[index]
        if let head = entry.head { state.entries[index].progress = max(head, entry.progress ?? head) }
        state.entries[index].head = nil
        state.entries[index].waiter = nil
        state.holder = entry.lane
        return (entry.waiter, closed, silent)
    }
}

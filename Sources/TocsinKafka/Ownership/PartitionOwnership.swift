internal import Synchronization
internal import TocsinCore

/// Takes partitions up where the process before left them, and leaves them so that the next one can.
struct PartitionOwnership: Sendable {
    /// A partition that is ready to be read.
    struct Prepared: Sendable {
        var start: PartitionStart
        var generation: UInt64
        var committed: Int64?
    }

    let group: String
    let sourceName: String
    /// Host, process and a random number: for people.
    let owner: String
    let handover: (any SensorHandover)?
    let records: PartitionRecords?
    let identify: @Sendable (TopicPartition) -> SourceID
    let clock: any WallClock
    let board: StatusBoard

    var isHandedOver: Bool { handover != nil && records != nil }

    /// Finds out where a partition begins, and takes its state up. Tries for as long as it takes.
    /// - Parameter committed: asks the broker for the group's offset.
    /// - Throws: `CancellationError` only.
    func prepare(
        _ partition: TopicPartition, own: ReadPosition?,
        committed: @Sendable (_ attempt: Int) async -> Result<PartitionOffset?, KafkaFailure>
    ) async throws -> Prepared {
        var delay = Span64.milliseconds(50)
        for attempt in 0... {
            try Task.checkCancellation()
            switch await committed(attempt) {
            case .failure(let failure): board.failed(failure, "the group's offset of \(partition)")
            case .success(let offset):
                do {
                    return try await takeUp(partition, own: own, committed: offset)
                } catch {
                    try Task.checkCancellation()
                    board.problem("\(partition) waits for the store that keeps the partitions' states: \(error)")
                }
            }
            try await Task.sleep(for: .nanoseconds(delay.nanoseconds))
            delay = min(Span64(nanoseconds: delay.nanoseconds * 2), .seconds(5))
        }
        throw CancellationError()
    }

    private func takeUp(
        _ partition: TopicPartition, own: ReadPosition?, committed: PartitionOffset?
    ) async throws -> Prepared {
        guard let handover, let records else {
            let start = PartitionStart.decide(
                claim: nil, transfer: nil, own: own, committed: committed, isHandedOver: false)
            say(start, partition, committed)
            return Prepared(start: start, generation: 0, committed: committed?.offset)
        }
        let claimName = PartitionClaim.name(group: group, partition)
        let claim = try await records.newest(claimName).map { PartitionClaim($0) }
        let record = try await records.newest(PartitionTransfer.name(group: group, partition))
        let transfer = record.flatMap { read($0) }
        let start = PartitionStart.decide(
            claim: claim, transfer: transfer, own: own, committed: committed, isHandedOver: true)
        var generation = own?.number ?? 0
        if start.state != .kept {
            generation = PartitionClaim.nextGeneration(
                after: [claim?.generation, record.map { UInt64(max(0, $0.sequence)) }, own?.number].compactMap(\.self))
            try await records.save(
                PartitionClaim(generation: generation, owner: owner).record(name: claimName, created: clock.now()))
            do {
                try await replaceState(start, transfer, identify(partition), partition, handover)
                try Task.checkCancellation()
            } catch {
                // Taken away again: what has come in must not wait here for readings that another process gets.
                if Task.isCancelled { await forgetAlsoCancelled(partition) }
                throw error
            }
        }
        say(start, partition, committed, claim)
        return Prepared(start: start, generation: generation, committed: committed?.offset)
    }

    private func read(_ record: CheckpointRecord) -> PartitionTransfer? {
        do {
            return try PartitionTransfer(record)
        } catch {
            board.problem("a partition's state cannot be taken up, its sensors begin anew: \(error)")
            return nil
        }
    }

    private func replaceState(
        _ start: PartitionStart, _ transfer: PartitionTransfer?, _ source: SourceID, _ partition: TopicPartition,
        _ handover: any SensorHandover
    ) async throws {
        guard start.state == .adopted, let transfer else { return try await handover.forget(source) }
        do {
            try await handover.adopt(transfer.state, as: source)
        } catch let error as TocsinError where error.code == .format {
            board.problem("the state of \(partition) cannot be taken up, its sensors begin anew: \(error)")
            try await handover.forget(source)
        }
    }

    private func say(
        _ start: PartitionStart, _ partition: TopicPartition, _ committed: PartitionOffset?,
        _ claim: PartitionClaim? = nil
    ) {
        var text = "\(partition) is read from \(start.offset.map { "offset \($0)" } ?? "where the settings say")"
        if start.state == .adopted { text += ", with the state that \(claim?.owner ?? "another process") left" }
        if let offset = start.offset, let committed, offset < committed.offset, !start.isMovedByHand {
            text += "; \(committed.offset - offset) messages are worked through again"
        }
        board.note(text)
        if start.isMovedByHand {
            board.problem("the offset of \(partition) was moved by hand to \(start.offset ?? 0): it counts")
        }
    }

    /// Leaves the state of a partition for the next process: kept first, then gone from this engine, so that a crash in
    /// between loses nothing. False where it could not be kept.
    func giveUp(_ lane: PartitionLane, timeout: Span64) async -> Bool {
        guard let handover else { return true }
        var isKept = false
        let deadline = SystemClock.monotonicNanoseconds &+ timeout.nanoseconds
        repeat {
            do {
                try await keep(lane, within: deadline)
                isKept = true
            } catch {
                board.problem("the state of \(lane.partition) cannot be left for the next process yet: \(error)")
                try? await Task.sleep(for: .milliseconds(200))
            }
        } while !isKept && SystemClock.monotonicNanoseconds < deadline
        do {
            try await handover.forget(lane.source)
        } catch {
            board.problem("the sensors of \(lane.partition) cannot be taken out of the engine: \(error)")
        }
        return isKept
    }

    /// A place that does not answer must not hold up the group.
    private func keep(_ lane: PartitionLane, within deadline: Int64) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await keep(lane, isGivenUp: true) }
            group.addTask {
                try await Task.sleep(for: .nanoseconds(max(0, deadline - SystemClock.monotonicNanoseconds)))
                throw TocsinError(
                    .kafka, "the place for the partitions' states does not answer in time", isRetriable: true)
            }
            defer { group.cancelAll() }
            try await group.next()
        }
    }

    /// Saves the state of a partition as it is behind everything that was delivered.
    func keep(_ lane: PartitionLane, isGivenUp: Bool) async throws {
        guard let handover, let records else { return }
        var state = try await handover.transfer(of: lane.source, isGivenUp: false)
        // A copy that comes late would stand where the state that is given up belongs.
        guard isGivenUp || !lane.isClosed else { return }
        if state.position == nil, lane.start >= 0 {
            // Nothing has come yet: the next one begins where this one did, whatever is committed by then.
            state.position = ReadPosition(
                path: KafkaSource.positionPath(source: sourceName, lane.partition), device: 0, number: lane.generation,
                next: lane.start)
        }
        let transfer = PartitionTransfer(
            generation: lane.generation, isGivenUp: isGivenUp, owner: owner, state: state)
        try await records.save(
            transfer.record(
                name: PartitionTransfer.name(group: group, lane.partition), created: clock.now()))
    }

    /// Whether another process has gone on with a partition since `generation`; nil where nobody can say.
    func isTaken(_ partition: TopicPartition, since generation: UInt64) async -> Bool? {
        guard let records else { return nil }
        let found = try? await records.newest(PartitionClaim.name(group: group, partition)).map { PartitionClaim($0) }
        return found.map { $0.generation != generation }
    }

    /// From a task that has been cancelled.
    func forgetAlsoCancelled(_ partition: TopicPartition) async {
        await Task.detached { await forget(partition) }.value
    }

    func forget(_ partition: TopicPartition) async {
        guard let handover, isHandedOver else { return }
        do {
            try await handover.forget(identify(partition))
        } catch {
            board.problem("the sensors of \(partition) cannot be taken out of the engine: \(error)")
        }
    }
}

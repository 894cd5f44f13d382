internal import CKafka
internal import TocsinCore

extension ConsumerLoop {
    // MARK: Coming and going of partitions

    func handle(_ event: ClientEvents.Event, isDraining: Bool) {
        switch event {
        case .assigned(let partitions):
            board.rebalanced(isAssigned: true)
            client.hasBeenAssigned = true
            if client.isCooperative {
                // Answered at once, so that the group never waits; each is read when it is prepared.
                check(incrementalAssign([]))
            } else if partitions.isEmpty || isDraining {
                let none = PartitionList([PartitionOffset]())
                check(KafkaFailure.of(tkf_assign(client.pointer, none.pointer)))
            } else {
                answer = .assigning(Set(partitions), ready: [])
            }
            guard !isDraining else { return }
            tell(.assigned(partitions))
        case .revoked(let partitions, let isLost):
            board.rebalanced(isAssigned: false)
            if isDraining {
                unassign(partitions)
            } else {
                for partition in partitions {
                    if let index = index(partition) { intakes[index].close() }
                }
                answer = .revoking(partitions)
                tell(.revoked(partitions, isLost: isLost))
            }
        default: break
        }
    }

    /// Where to begin with a partition that is prepared; nil where it is no longer wanted.
    func begin(_ lane: PartitionLane, offset: Int64, committed: Int64, _ isDraining: Bool) -> PartitionOffset? {
        if case .revoking(let partitions) = answer, partitions.contains(lane.partition) {
            lane.close()
            return nil
        }
        guard !isDraining, index(lane.partition) == nil else {
            lane.close()
            return nil
        }
        intakes.append(PartitionIntake(lane, start: offset >= 0 ? offset : -1, committed: committed))
        return PartitionOffset(partition: lane.partition, offset: offset)
    }

    func assign(_ starts: [PartitionOffset]) {
        guard !starts.isEmpty else { return }
        if case .assigning(var waiting, var ready) = answer {
            waiting.subtract(starts.map(\.partition))
            ready += starts
            answer = .assigning(waiting, ready: ready)
            finishAnswer()
        } else {
            check(incrementalAssign(starts))
        }
    }

    func release(_ partitions: [TopicPartition], isLost: Bool) {
        if isLost {
            // What others may have committed meanwhile is not touched.
            for index in intakes.indices where partitions.contains(intakes[index].partition) {
                intakes[index].committed = .max
            }
        }
        commitFailures = 0
        answer = .committing(partitions, deadline: deadline())
        finishAnswer()
    }

    func finishAnswer() {
        switch answer {
        case .assigning(let waiting, let ready) where waiting.isEmpty:
            let list = PartitionList(ready)
            check(KafkaFailure.of(tkf_assign(client.pointer, list.pointer)))
            answer = nil
        case .committing(let partitions, let deadline):
            let now = SystemClock.monotonicNanoseconds
            guard isEverythingCommitted(now) || now > deadline else { return }
            unassign(partitions)
            answer = nil
        default: break
        }
    }

    private func unassign(_ partitions: [TopicPartition]) {
        if client.isCooperative {
            // Those that were never begun are not known to the library.
            let begun = partitions.filter { index($0) != nil }
            let list = PartitionList(begun)
            var text = [CChar](repeating: 0, count: 512)
            let code = tkf_incremental_unassign(client.pointer, list.pointer, &text, text.count)
            check(code == 0 ? nil : KafkaFailure(code, KafkaConfiguration.string(text)))
        } else {
            check(KafkaFailure.of(tkf_assign(client.pointer, nil)))
        }
        intakes.removeAll { partitions.contains($0.partition) }
        show()
    }

    private func incrementalAssign(_ starts: [PartitionOffset]) -> KafkaFailure? {
        let list = PartitionList(starts)
        var text = [CChar](repeating: 0, count: 512)
        let code = tkf_incremental_assign(client.pointer, list.pointer, &text, text.count)
        return code == 0 ? nil : KafkaFailure(code, KafkaConfiguration.string(text))
    }

    private func check(_ failure: KafkaFailure?) { if let failure { failed(failure) } }

    /// Reads a partition from elsewhere, after its place was gone.
    func move(_ partition: TopicPartition, _ offset: Int64) {
        guard let index = index(partition), !intakes[index].isClosing else { return }
        let list = PartitionList([PartitionOffset(partition: partition, offset: offset)])
        var text = [CChar](repeating: 0, count: 512)
        let code = tkf_seek(client.pointer, list.pointer, 2000, &text, text.count)
        intakes[index].move(to: offset)
        // A partition whose place was refused is not being fetched: then it is begun again.
        if code != 0 || list.items.first?.error ?? 0 != 0 { beginAgain(partition) }
    }

    private func beginAgain(_ partition: TopicPartition) {
        if client.isCooperative {
            let list = PartitionList([partition])
            _ = tkf_incremental_unassign(client.pointer, list.pointer, nil, 0)
            check(incrementalAssign(starts { $0 == partition }))
        } else {
            let list = PartitionList(starts { _ in true })
            check(KafkaFailure.of(tkf_assign(client.pointer, list.pointer)))
        }
    }

    private func starts(_ isWanted: (TopicPartition) -> Bool) -> [PartitionOffset] {
        intakes.filter { isWanted($0.partition) }.map {
            PartitionOffset(partition: $0.partition, offset: $0.next >= 0 ? $0.next : TKF_OFFSET_BEGINNING)
        }
    }

    // MARK: Commits

    private static let commitAttempts = 4

    /// Asks for what is durable to be committed; one request at a time.
    func commit(_ now: Int64, isForced: Bool = false) {
        guard commitsUnderWay == 0, isForced || now - lastCommit >= settings.commitInterval.nanoseconds else { return }
        var due: [PartitionOffset] = []
        for index in intakes.indices {
            let durable = intakes[index].lane.figures.durable
            guard durable >= 0, durable > intakes[index].committed
            else { continue }
            intakes[index].requested = durable
            due.append(
                PartitionOffset(
                    partition: intakes[index].partition, offset: durable,
                    metadata: "\(PartitionStart.mark) \(intakes[index].lane.generation)"))
        }
        guard !due.isEmpty else { return }
        lastCommit = now
        let list = PartitionList(due)
        if let failure = KafkaFailure.of(tkf_commit(client.pointer, list.pointer, 1)) {
            failed(failure)
        } else {
            commitsUnderWay += 1
        }
    }

    func committed(_ failure: KafkaFailure?, _ offsets: [PartitionOffset]) {
        commitsUnderWay = max(0, commitsUnderWay - 1)
        var worst = failure
        for offset in offsets {
            guard let index = index(offset.partition) else { continue }
            intakes[index].requested = -1
            if failure == nil, offset.error == 0 {
                intakes[index].committed = max(intakes[index].committed, offset.offset)
            } else if failure == nil {
                worst = KafkaFailure(offset.error)
            }
        }
        guard let worst else {
            commitFailures = 0
            return
        }
        commitFailures += 1
        // A group that is changing takes no commits: the next try, or the next owner, will do.
        if !worst.isRebalance { failed(worst, "offsets cannot be committed") }
    }

    /// Also true when it was tried often enough.
    func isEverythingCommitted(_ now: Int64) -> Bool {
        if commitFailures < Self.commitAttempts, commitFailures == 0 || now - lastCommit > 100_000_000 {
            commit(now, isForced: true)
        }
        guard commitsUnderWay == 0 else { return false }
        return commitFailures >= Self.commitAttempts
            || intakes.allSatisfy { $0.lane.figures.durable <= max(-1, $0.committed) }
    }

    // MARK: Figures

    func show() {
        board.show(
            intakes.map { intake in
                let figures = intake.lane.figures
                var shown = KafkaSourceStatus.Partition(
                    topic: intake.partition.topic, partition: intake.partition.partition)
                // Behind the last message stand only control records, which are nobody's.
                let isIdle = figures.pendingRuns == 0 && !intake.hasGathered
                let position = isIdle ? max(figures.durable, intake.end) : figures.durable
                shown.position = position >= 0 ? position : nil
                shown.committed = (0..<Int64.max).contains(intake.committed) ? intake.committed : nil
                let end = max(client.knownEnd(intake.partition) ?? -1, intake.end, intake.next)
                shown.end = end >= 0 ? end : nil
                if let end = shown.end, position >= 0 { shown.lag = max(0, end - position) }
                shown.pendingBytes = figures.pendingBytes
                shown.isPaused = intake.isPaused
                shown.isLeftOut = figures.isLeftOut
                return shown
            })
    }
}

extension KafkaFailure {
    /// nil for success.
    static func of(_ code: Int32) -> KafkaFailure? { code == 0 ? nil : KafkaFailure(code) }
}

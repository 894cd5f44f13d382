internal import Synchronization
internal import TocsinCore
internal import TocsinSpool

extension KafkaOutput {
    /// A lane that gets nowhere keeps every segment from its first message on, though all else in them is sent. Where it has
    /// little to send, that is written once more behind everything, and the segments go. More than that is bounded by
    /// `obstacle`.
    func carryForward() async {
        guard spool.figures.bytes > 2 * settings.spool.segmentBytes else { return }
        for kind in OutputKind.allCases where isHolding(kind) {
            // Damage and a disk that fails keep the segments: then `obstacle` is the bound.
            guard let sequence = try? await copy(kind), (try? await spool.durable(sequence)) != nil else { continue }
            carried(kind, to: sequence)
        }
    }

    private func isHolding(_ kind: OutputKind) -> Bool {
        let book = bookCopy()
        let lane = book.lanes[kind.index]
        return !lane.isIdle && lane.done.sequence == book.releasable && lane.waitingBytes <= settings.carriedBytes
            && (lane.failure != nil
                || SystemClock.monotonicNanoseconds &- lane.lastProgress > settings.quietLimit.nanoseconds)
    }

    /// Everything of the kind that waits, as one block at the end: a crash finds all of it there or nothing.
    /// - Returns: its record; nil = not now.
    private func copy(_ kind: OutputKind) async throws -> UInt64? {
        let done = marks(kind).done
        let reader = spool.read(from: done.sequence &+ 1)
        var waiting: [OutputMessage] = []
        var topics: Set<String> = []
        var (end, through) = (done.messages, done.sequence)
        // More may come while it is read: what is written must be all.
        for _ in 0..<100 {
            let appended = marks(kind).appended
            while through < appended.sequence, !isOver.load(ordering: .acquiring) {
                let found = try await reader.nextRecords(limit: OutputBlock.targetBytes)
                guard let last = found.last else { return nil }
                through = last.sequence
                for record in found {
                    guard var block = OutputBlock(record.payload, sequence: record.sequence), block.kind == kind else {
                        continue
                    }
                    block.skip(through: end)
                    waiting += block.messages
                    topics.insert(block.topic)
                    end = block.totals[kind.index].messages
                }
            }
            guard topics.count == 1, let topic = topics.first,
                done.messages &+ UInt64(waiting.count) == appended.messages
            else { return nil }
            if let sequence = try append(again: waiting, kind, topic, behind: appended) { return sequence }
        }
        return nil
    }
}

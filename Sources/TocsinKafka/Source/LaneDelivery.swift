internal import TocsinCore

/// Decodes the runs of one partition and hands them to the engine, one after the other; learns when they are durable.
struct LaneDelivery: Sendable {
    let lane: PartitionLane
    let sourceName: String
    let table: SeriesTable
    let clock: any WallClock
    let makeDecoder: @Sendable () -> any MessageDecoding
    let board: StatusBoard
    let gate: AlignmentGate
    private static let longestDelay = Span64.seconds(10)

    private struct Receipt: Sendable {
        /// nil where the run held nothing that the engine has to know.
        var receipt: (any DeliveryReceipt)?
        var run: MessageRun.Size
    }

    /// Returns when the lane is closed and what the engine took is durable.
    /// - Throws: what the engine throws: it takes no more.
    func run(_ delivery: any BatchDelivery) async throws {
        defer {
            gate.remove(lane)
            lane.finished()
        }
        let (receipts, sent) = AsyncStream<Receipt>.makeStream()
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                for await receipt in receipts {
                    try await receipt.receipt?.durable()
                    lane.durable(receipt.run)
                }
            }
            group.addTask {
                defer { sent.finish() }
                var decoder = makeDecoder()
                for await run in lane.runs where lane.take(run) {
                    guard try await prepare(&decoder, run) else { continue }
                    for part in decode(run, &decoder) {
                        guard let receipt = try await handOver(part, delivery) else { break }
                        sent.yield(receipt)
                    }
                }
            }
            try await group.waitForAll()
        }
    }

    // MARK: One after the other

    private struct Part {
        var batch: Batch
        /// nil where nothing says so.
        var newest: Timestamp?
        var size: MessageRun.Size
    }

    /// What spans much time while others have messages too becomes several batches, so that they can take turns.
    private func decode(_ run: MessageRun, _ decoder: inout any MessageDecoding) -> [Part] {
        let batch = decoder.decode(run.messages, origin: origin(first: run.first, next: run.next), table: table)
        guard let rules = gate.rules, batch.messageStarts.count == run.messages.count else {
            return [Part(batch: batch, newest: nil, size: run.size)]
        }
        guard gate.hasOthers(lane) else {
            // Should others come while it waits for the engine, what is oldest in it must not become late.
            return [Part(batch: batch, newest: batch.times.min(), size: run.size)]
        }
        let times = PartitionAlignment.times(batch, messages: run.messages.count)
        let ranges = rules.parts(times)
        guard ranges.count > 1 else {
            return [Part(batch: batch, newest: times.compactMap(\.self).max(), size: run.size)]
        }
        let isInOrder = batch.isInOrderOfMessages
        return ranges.enumerated().map { number, range in
            let next = run.first + Int64(range.upperBound)
            // The run as a whole is done with when its last part is.
            let size =
                number == ranges.count - 1 ? run.size : MessageRun.Size(next: next, runs: 0, bytes: 0, messages: 0)
            let origin = origin(first: run.first + Int64(range.lowerBound), next: next)
            let part =
                (isInOrder ? batch.slice(range, origin: origin) : nil)
                ?? decoder.decode(run.part(range).messages, origin: origin, table: table)
            return Part(batch: part, newest: times[range].compactMap(\.self).max(), size: size)
        }
    }

    /// nil: the partition was given up meanwhile.
    private func handOver(_ part: Part, _ delivery: any BatchDelivery) async throws -> Receipt? {
        var receipt: (any DeliveryReceipt)?
        // What holds neither readings nor rejects (tombstones) is known by its successor's position.
        if part.batch.inputCount > 0 {
            let isOrdered = gate.rules != nil
            if isOrdered, !(await gate.enter(lane, newest: part.newest)) { return nil }
            defer { if isOrdered { gate.done(lane) } }
            receipt = try await delivery.enqueue(part.batch)
        }
        lane.delivered(part.size)
        return Receipt(receipt: receipt, run: part.size)
    }

    private func origin(first: Int64, next: Int64) -> Origin {
        Origin(
            source: lane.source, sourceName: "\(sourceName):\(lane.partition)", position: first,
            received: clock.now(),
            resume: ReadPosition(
                path: KafkaSource.positionPath(source: sourceName, lane.partition), device: 0,
                number: lane.generation, next: next))
    }

    /// Fetches schemas, for as long as it takes. False: the partition was given up meanwhile.
    private func prepare(_ decoder: inout any MessageDecoding, _ run: MessageRun) async throws -> Bool {
        var delay = Span64.milliseconds(100)
        var hasWaited = false
        defer { if hasWaited { board.obstacle(nil, for: lane.partition) } }
        while true {
            do {
                try await decoder.prepare(for: run.messages)
                return true
            } catch is CancellationError {
                throw CancellationError()
            } catch {
                hasWaited = true
                board.obstacle(error, for: lane.partition)
                let deadline = SystemClock.monotonicNanoseconds &+ delay.nanoseconds
                while SystemClock.monotonicNanoseconds < deadline {
                    if lane.isClosed { return false }
                    try await Task.sleep(for: .milliseconds(50))
                }
                delay = min(Span64(nanoseconds: delay.nanoseconds * 2), Self.longestDelay)
            }
        }
    }
}

internal import CKafka
internal import Synchronization
internal import TocsinCore

/// Decides what becomes of partitions that come and go: the part of a source that may wait.
actor ConsumerCoordinator {
    private let name: String
    let settings: KafkaSourceSettings
    let loop: ConsumerLoop
    private let ownership: PartitionOwnership
    let board: StatusBoard
    private let table: SeriesTable
    private let clock: any WallClock
    private let makeDecoder: @Sendable () -> any MessageDecoding
    private let delivery: any BatchDelivery
    let side = BlockingThread("tocsin.kafka.look")
    private let cluster = BlockingThread("tocsin.kafka.offsets")

    /// How far this process knows partitions that it does not read: from its spool, or lost by the group and not taken by
    /// anybody yet.
    private var known: [TopicPartition: ReadPosition] = [:]
    private var lost: Set<TopicPartition> = []
    private var positions: [String: ReadPosition]
    private var lanes: [TopicPartition: PartitionLane] = [:]
    private var preparations: [TopicPartition: Task<Void, Never>] = [:]
    private var copying: Task<Void, Never>?
    private var failure: (any Error)?
    private static let callTimeout: Int32 = 5000

    init(
        name: String, settings: KafkaSourceSettings, loop: ConsumerLoop, ownership: PartitionOwnership,
        board: StatusBoard, table: SeriesTable, clock: any WallClock,
        makeDecoder: @escaping @Sendable () -> any MessageDecoding, positions: [String: ReadPosition],
        delivery: any BatchDelivery
    ) {
        self.name = name
        self.settings = settings
        self.loop = loop
        self.ownership = ownership
        self.board = board
        self.table = table
        self.clock = clock
        self.makeDecoder = makeDecoder
        self.positions = positions
        self.delivery = delivery
    }

    /// Returns when the thread that polls has ended.
    func run() async throws {
        await giveUpTaken()
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await self.look() }
            group.addTask { await self.copy() }
            for await event in loop.events {
                switch event {
                case .assigned(let partitions): await assigned(partitions)
                case .revoked(let partitions, let isLost): await revoked(partitions, isLost: isLost)
                case .outOfRange(let partition, let offset):
                    group.addTask { await self.findAgain(partition, offset) }
                case .failed(let error):
                    failure = failure ?? error
                    await end(isOrderly: false)
                case .stop: await end(isOrderly: true)
                case .ended: break
                }
            }
            group.cancelAll()
        }
        // Nobody uses it any more: the tasks above have ended, and so have the preparations.
        await side.run { [client = loop.client] in client.destroy() }
        board.ended(failure.map { "\($0)" })
        if let failure { throw failure }
    }

    /// Partitions that others have gone on with while this process was away: without this their sensors would fall
    /// silent here. Where the store cannot be asked now, it is asked when they are assigned.
    private func giveUpTaken() async {
        for (path, position) in positions {
            guard let partition = KafkaSource.partition(source: name, path: path),
                await ownership.isTaken(partition, since: position.number) == true
            else { continue }
            positions[path] = nil
            await ownership.forget(partition)
        }
    }

    // MARK: Coming

    private func assigned(_ partitions: [TopicPartition]) async {
        // What the group lost and gave to somebody else is no longer ours.
        for partition in lost.subtracting(partitions) {
            known[partition] = nil
            await ownership.forget(partition)
        }
        lost = []
        guard !partitions.isEmpty else { return board.note("no further partitions") }
        board.preparing(partitions.count)
        loop.gate.expect(partitions)
        let client = loop.client
        // One question for all; awaited by each preparation.
        let offsets = Task { [cluster] in
            await cluster.run { client.committed(partitions, milliseconds: Self.callTimeout) }
        }
        for partition in partitions {
            let older = lanes[partition]
            let path = KafkaSource.positionPath(source: name, partition)
            let own = known[partition] ?? positions[path]
            positions[path] = nil
            known[partition] = nil
            // Awaited when the partition is revoked, and at the end.
            preparations[partition] = Task { await self.prepare(partition, own: own, older: older, offsets) }
        }
    }

    private func prepare(
        _ partition: TopicPartition, own: ReadPosition?, older: PartitionLane?,
        _ offsets: Task<[TopicPartition: Result<PartitionOffset?, KafkaFailure>], Never>
    ) async {
        defer { board.preparing(-1) }
        // What was under way when the group lost it must have arrived.
        if let older { _ = await older.waitUntilFinished(timeout: .days(1)) }
        let client = loop.client
        let first = await offsets.value[partition]
        let prepared = try? await ownership.prepare(partition, own: own) { [cluster] attempt in
            if attempt == 0, let first { return first }
            let again = await cluster.run { client.committed([partition], milliseconds: Self.callTimeout) }
            return again[partition] ?? .success(nil)
        }
        var start = prepared?.start.offset
        // Others must find where it began, also where this process ends before it has kept a copy.
        if prepared != nil, start == nil, ownership.isHandedOver { start = await firstOffset(of: partition) }
        guard let prepared, !Task.isCancelled else {
            if let prepared, prepared.start.state != .kept { await ownership.forgetAlsoCancelled(partition) }
            if let own { known[partition] = own }
            loop.gate.forget(partition)
            return
        }
        let logical = startsAtEnd ? TKF_OFFSET_END : TKF_OFFSET_BEGINNING
        let loop = self.loop
        let lane = PartitionLane(
            partition, source: ownership.identify(partition), generation: prepared.generation, start: start ?? -1
        ) { loop.signal() }
        if prepared.start.state == .fresh { await keepFirst(lane) }
        loop.gate.add(lane)
        lanes[partition] = lane
        preparations[partition] = nil
        let work = LaneDelivery(
            lane: lane, sourceName: name, table: table, clock: clock, makeDecoder: makeDecoder, board: board,
            gate: loop.gate)
        let delivery = self.delivery
        // Awaited through the lane: `waitUntilFinished`.
        Task.detached {
            do {
                try await work.run(delivery)
            } catch {
                loop.tell(.failed(Self.error(error, partition)))
            }
        }
        loop.send(.start(lane, offset: start ?? logical, committed: prepared.committed ?? -1))
    }

    /// Where the settings say, as a number. nil only when the partition is taken away meanwhile.
    private func firstOffset(of partition: TopicPartition) async -> Int64? {
        let client = loop.client
        while !Task.isCancelled {
            switch await cluster.run({ client.ends([partition], milliseconds: Self.callTimeout) }) {
            case .success(let ends):
                if let range = ends[partition] { return startsAtEnd ? range.upperBound : range.lowerBound }
                board.problem("no broker tells where \(partition) begins and ends; it is asked again")
            case .failure(let failure): board.failed(failure, "the ends of \(partition)")
            }
            try? await Task.sleep(for: .milliseconds(200))
        }
        return nil
    }

    /// Before anything is read: whoever takes over from a process that is killed soon reads from there too.
    private func keepFirst(_ lane: PartitionLane) async {
        guard ownership.isHandedOver else { return }
        do {
            try await ownership.keep(lane, isGivenUp: false)
        } catch {
            if !Task.isCancelled { board.problem("the state of \(lane.partition) cannot be copied: \(error)") }
        }
    }

    var startsAtEnd: Bool {
        switch settings.connection.properties["auto.offset.reset"] {
        case "latest", "largest", "end": true
        case "earliest", "smallest", "beginning": false
        default: settings.startFrom == .latest
        }
    }

    private static func error(_ error: any Error, _ partition: TopicPartition) -> TocsinError {
        error as? TocsinError
            ?? TocsinError(.kafka, "messages of \(partition) cannot be handed over", cause: error)
    }

    // MARK: Going

    private func revoked(_ partitions: [TopicPartition], isLost: Bool) async {
        await stopPreparing(partitions)
        await letGo(partitions, isLost: isLost)
        loop.send(.release(partitions, isLost: isLost))
    }

    private func stopPreparing(_ partitions: [TopicPartition]) async {
        let stopped = partitions.compactMap { preparations.removeValue(forKey: $0) }
        for preparation in stopped { preparation.cancel() }
        for preparation in stopped { await preparation.value }
    }

    private func letGo(_ partitions: [TopicPartition], isLost: Bool) async {
        let gone = partitions.compactMap { lanes[$0] }
        for lane in gone { lane.close() }
        var late: Set<TopicPartition> = []
        for lane in gone where await !lane.waitUntilFinished(timeout: settings.revokeTimeout) {
            late.insert(lane.partition)
            board.problem(
                "what was read of \(lane.partition) is not durable after \(settings.revokeTimeout.seconds) s; the next "
                    + "process reads it again")
        }
        if isLost {
            board.problem(
                "the group went on without this process: \(partitions.sorted().map(\.description).joined(separator: ", "))"
            )
            keepKnowledge(gone, late)
            return
        }
        await stopCopying()
        let ownership = self.ownership
        let timeout = settings.revokeTimeout
        await withTaskGroup(of: Void.self) { group in
            for lane in gone { group.addTask { _ = await ownership.giveUp(lane, timeout: timeout) } }
        }
        for lane in gone {
            // Without a handover the position counts that is committed now, or the own one where it is further.
            if !ownership.isHandedOver { remember(lane) }
            if !late.contains(lane.partition) { lanes[lane.partition] = nil }
        }
        if !partitions.isEmpty {
            board.note("given up: \(partitions.sorted().map(\.description).joined(separator: ", "))")
        }
    }

    private func keepKnowledge(_ gone: [PartitionLane], _ late: Set<TopicPartition>) {
        for lane in gone {
            remember(lane)
            lost.insert(lane.partition)
            if !late.contains(lane.partition) { lanes[lane.partition] = nil }
        }
    }

    private func remember(_ lane: PartitionLane) {
        let delivered = lane.figures.delivered
        guard delivered >= 0 else { return }
        known[lane.partition] = ReadPosition(
            path: KafkaSource.positionPath(source: name, lane.partition), device: 0, number: lane.generation,
            next: delivered)
    }

    private var isEnding = false

    private func end(isOrderly: Bool) async {
        guard !isEnding else { return }
        isEnding = true
        loop.send(.drain)
        await stopPreparing(Array(preparations.keys))
        if isOrderly {
            await letGo(Array(lanes.keys), isLost: false)
        } else {
            for lane in lanes.values { lane.close() }
        }
        loop.send(.close)
    }

    // MARK: Beside

    /// Keeps a copy of every partition's state now and then, and watches what was lost.
    private func copy() async {
        guard ownership.isHandedOver else { return }
        while !Task.isCancelled {
            try? await Task.sleep(for: .nanoseconds(settings.checkpointInterval.nanoseconds))
            for lane in lanes.values where !Task.isCancelled && !lane.isClosed {
                let copying = Task { await self.copy(lane) }
                self.copying = copying
                await withTaskCancellationHandler {
                    await copying.value
                } onCancel: {
                    copying.cancel()
                }
                self.copying = nil
            }
            for partition in lost {
                guard let generation = known[partition]?.number,
                    await ownership.isTaken(partition, since: generation) ?? false, lost.contains(partition)
                else { continue }
                lost.remove(partition)
                known[partition] = nil
                await ownership.forget(partition)
            }
        }
    }

    private func copy(_ lane: PartitionLane) async {
        do {
            try await ownership.keep(lane, isGivenUp: false)
        } catch {
            if !Task.isCancelled { board.problem("the state of \(lane.partition) cannot be copied: \(error)") }
        }
    }

    /// What is being copied must not be written over the state that is given up after it.
    private func stopCopying() async {
        copying?.cancel()
        await copying?.value
    }

    /// The broker does not have the offset that comes next: finds the one to go on from, and says what was missed.
    private func findAgain(_ partition: TopicPartition, _ offset: Int64) async {
        let client = loop.client
        while !Task.isCancelled, let lane = lanes[partition], !lane.isClosed {
            let found = await side.run { client.watermarks(partition, milliseconds: 1000) }
            guard case .success(let range) = found, lane.figures.pendingRuns == 0 else {
                if case .failure(let failure) = found { board.failed(failure, "the ends of \(partition)") }
                try? await Task.sleep(for: .milliseconds(200))
                continue
            }
            if offset < range.lowerBound {
                board.missed(range.lowerBound - max(0, offset))
                board.problem(
                    "\(range.lowerBound - max(0, offset)) messages of \(partition) were deleted by the broker before they "
                        + "were read (offsets \(max(0, offset)) to \(range.lowerBound - 1)): its retention is too short"
                )
                loop.send(.move(partition, offset: range.lowerBound))
            } else if offset > range.upperBound {
                board.problem(
                    "\(partition) ends at offset \(range.upperBound), before the position \(offset): the topic was made "
                        + "anew or cut off; it is read from its start")
                loop.send(.move(partition, offset: range.lowerBound))
            } else {
                loop.send(.move(partition, offset: offset))
            }
            return
        }
    }
}

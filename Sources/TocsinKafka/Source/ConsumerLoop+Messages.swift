internal import CKafka
internal import TocsinCore

extension ConsumerLoop {
    /// Takes what has come, waiting a moment for it.
    func poll() {
        // A call for a batch waits its whole time for more: the first message is waited for alone.
        let isBusy = answer != nil || commitsUnderWay > 0 || intakes.contains { $0.hasGathered }
        guard let first = tkf_consume(client.queue, isBusy ? 2 : 20) else { return }
        messages[0] = first
        let limit = max(1, min(Self.batchSize - 1, room / averageBytes))
        let rest = tkf_consume_batch(client.queue, 2, messages.baseAddress?.advanced(by: 1), limit)
        let count = 1 + max(0, rest)
        take(count)
        tkf_messages_destroy(messages.baseAddress, count)
    }

    /// Runs of one partition are taken at once: they come as they were fetched.
    private func take(_ count: Int) {
        let received = clock.now()
        var start = 0
        var sum = PartitionIntake.Taken()
        while start < count, let head = messages[start] {
            var end = start + 1
            guard head.pointee.err == 0 else {
                failed(head)
                start = end
                continue
            }
            let (topic, partition) = (head.pointee.topic, head.pointee.partition)
            while end < count, let next = messages[end], next.pointee.err == 0, next.pointee.partition == partition,
                next.pointee.topic == topic
            { end += 1 }
            if let index = index(topic, partition) {
                let taken = intakes[index].take(
                    UnsafeBufferPointer(rebasing: messages[start..<end]), received: received.nanoseconds, settings)
                sum.messages += taken.messages
                sum.bytes += taken.bytes
                sum.tombstones += taken.tombstones
                sum.lastTime = max(sum.lastTime, taken.lastTime)
            }
            start = end
        }
        guard sum.messages > 0 else { return }
        averageBytes = max(1, (averageBytes + sum.bytes / sum.messages) / 2)
        board.took(sum, at: received)
    }

    private func index(_ topic: OpaquePointer?, _ partition: Int32) -> Int? {
        guard let name = topic.flatMap({ tkf_topic_name($0) }) else { return nil }
        return intakes.firstIndex {
            $0.partition.partition == partition && $0.partition.topic.withCString { Self.isEqual($0, name) }
        }
    }

    private static func isEqual(_ left: UnsafePointer<CChar>, _ right: UnsafePointer<CChar>) -> Bool {
        var place = 0
        while left[place] == right[place] {
            if left[place] == 0 { return true }
            place += 1
        }
        return false
    }

    func index(_ partition: TopicPartition) -> Int? { intakes.firstIndex { $0.partition == partition } }

    /// An error that came in the place of a message.
    private func failed(_ message: UnsafeMutablePointer<tkf_message>) {
        let code = message.pointee.err
        let found = index(message.pointee.topic, message.pointee.partition)
        switch code {
        case TKF_ERR_PARTITION_EOF:
            if let found { intakes[found].end = message.pointee.offset }
        case TKF_ERR_AUTO_OFFSET_RESET, TKF_ERR_LOG_TRUNCATION, TKF_ERR_OFFSET_OUT_OF_RANGE:
            guard let found, !intakes[found].isClosing, !intakes[found].isMoving else { return }
            intakes[found].flush()
            intakes[found].isMoving = true
            tell(.outOfRange(intakes[found].partition, offset: intakes[found].next))
        default:
            let text = UnsafeRawBufferPointer(start: message.pointee.payload, count: message.pointee.length)
            failed(
                KafkaFailure(code, String(decoding: text, as: UTF8.self)),
                message.pointee.topic.flatMap { tkf_topic_name($0) }.map { String(cString: $0) })
        }
    }

    func failed(_ failure: KafkaFailure, _ subject: String? = nil) {
        switch failure.code {
        case TKF_ERR_FATAL, TKF_ERR_FENCED_INSTANCE, TKF_ERR_FENCED:
            tell(
                .failed(failure.error(place: settings.connection.place, secrets: settings.connection.secrets)))
        default: board.failed(failure, subject)
        }
    }

    /// A lane whose task is busy gathers on: the batches grow with the load.
    func flush() {
        for index in intakes.indices where intakes[index].hasGathered {
            if intakes[index].lane.figures.queuedRuns < 2 { intakes[index].flush() }
        }
    }

    /// Tells the lanes whether more is to come, and lets those go on that waited for others.
    func align(_ now: Int64) {
        guard gate.rules != nil, now - lastAlignment >= 2_000_000 else { return }
        lastAlignment = now
        for intake in intakes {
            let end = max(client.knownEnd(intake.partition) ?? -1, intake.end)
            let hasMore = intake.hasGathered || end < 0 || end > max(intake.next, intake.end)
            intake.lane.see(hasMore: hasMore && !intake.isClosing, isPaused: intake.isPaused)
        }
        gate.tick()
    }

    // MARK: Back-pressure

    /// Whether nothing is to be taken for the moment. What is behind for longer is paused at the broker, so that the
    /// others go on and the group hears from this process.
    func isHeld() -> Bool {
        var (bytes, runs) = (0, 0)
        for index in intakes.indices where !intakes[index].isPaused {
            let figures = intakes[index].lane.figures
            bytes += figures.pendingBytes + intakes[index].gatheredBytes
            runs += figures.pendingRuns
        }
        resume()
        room = max(0, settings.pendingBytes - bytes)
        let isFull = bytes >= settings.pendingBytes || runs >= settings.pendingBatches
        guard isFull, answer == nil else {
            heldSince = nil
            return false
        }
        let now = SystemClock.monotonicNanoseconds
        let since = heldSince ?? now
        heldSince = since
        guard now - since >= settings.holdTime.nanoseconds else { return true }
        heldSince = nil
        pause(limit: (bytes / max(1, intakes.count), runs / max(1, intakes.count)))
        return false
    }

    /// Pauses the partitions that hold their share or more.
    private func pause(limit: (bytes: Int, runs: Int)) {
        let fat = intakes.indices.filter {
            let figures = intakes[$0].lane.figures
            return !intakes[$0].isPaused && !intakes[$0].isClosing
                && (figures.pendingBytes >= limit.bytes || figures.pendingRuns >= limit.runs)
        }
        guard !fat.isEmpty else { return }
        let list = PartitionList(fat.map { intakes[$0].partition })
        _ = tkf_pause(client.pointer, list.pointer)
        for index in fat { intakes[index].isPaused = true }
    }

    private func resume() {
        guard intakes.contains(where: \.isPaused) else { return }
        let (bytes, runs) = (settings.pendingBytes / 4, settings.pendingBatches / 4)
        let lean = intakes.indices.filter {
            let figures = intakes[$0].lane.figures
            return intakes[$0].isPaused && figures.pendingBytes <= bytes / max(1, intakes.count)
                && figures.pendingRuns <= max(2, runs / max(1, intakes.count))
        }
        guard !lean.isEmpty else { return }
        let list = PartitionList(lean.map { intakes[$0].partition })
        _ = tkf_resume(client.pointer, list.pointer)
        for index in lean { intakes[index].isPaused = false }
    }
}

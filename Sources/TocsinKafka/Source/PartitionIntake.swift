internal import CKafka
internal import TocsinCore

/// One partition as the polling thread sees it: messages are gathered here until there is a batch of them.
struct PartitionIntake {
    let lane: PartitionLane
    private var gathering = MessageBatch()
    private var first: Int64 = 0
    /// Sensors by key, as rows of the batch's envelopes.
    private var keys: EnvelopeKeys
    private var lastCount = 0
    private var lastBytes = 0
    /// The offset behind the last message taken; below 0 before the first of a partition whose place is not known.
    var next: Int64
    /// The place behind everything that can be read, as the broker said: also behind what is no message.
    var end: Int64 = -1
    /// What the group's offset is, and what it was asked to become.
    var committed: Int64
    var requested: Int64 = -1
    var isPaused = false
    /// Messages are dropped: the partition is being given up, or read from elsewhere soon.
    var isClosing = false
    var isMoving = false

    init(_ lane: PartitionLane, start: Int64, committed: Int64) {
        self.lane = lane
        keys = EnvelopeKeys(topic: lane.partition.topic)
        next = start
        self.committed = committed
    }

    var partition: TopicPartition { lane.partition }
    var hasGathered: Bool { gathering.count > 0 }
    var gatheredBytes: Int { gathering.bytes.count }

    struct Taken {
        var messages = 0
        var bytes = 0
        var tombstones = 0
        var lastTime: Int64 = -1
    }

    /// Takes messages of this partition, in their order.
    mutating func take(
        _ messages: UnsafeBufferPointer<UnsafeMutablePointer<tkf_message>?>, received: Int64,
        _ settings: KafkaSourceSettings
    ) -> Taken {
        var taken = Taken()
        guard !isClosing, !isMoving else { return taken }
        for case let message? in messages {
            let offset = message.pointee.offset
            // Fetched before a seek, or twice: it was here already.
            guard offset >= next, offset < .max else { continue }
            if gathering.count > 0, offset != next { flush() }
            if gathering.count == 0 { begin(offset, settings) }
            let payload = UnsafeRawBufferPointer(
                start: message.pointee.payload,
                count: message.pointee.payload == nil ? 0 : message.pointee.length)
            if gathering.bytes.count > 0, gathering.bytes.count + payload.count > settings.batchBytes {
                flush()
                begin(offset, settings)
            }
            if payload.baseAddress == nil { taken.tombstones += 1 }
            if settings.key == .sensor { addEnvelope(message) }
            let time = tkf_message_time(message)
            gathering.times.append(Self.timestamp(time, received))
            gathering.append(payload)
            taken.messages += 1
            taken.bytes += payload.count
            taken.lastTime = time
            next = offset + 1
            if gathering.count >= settings.batchMessages { flush() }
        }
        return taken
    }

    private static func timestamp(_ milliseconds: Int64, _ received: Int64) -> Timestamp {
        guard milliseconds >= 0 else { return Timestamp(nanoseconds: received) }
        let (nanoseconds, overflow) = milliseconds.multipliedReportingOverflow(by: 1_000_000)
        return Timestamp(nanoseconds: overflow ? received : nanoseconds)
    }

    private mutating func begin(_ offset: Int64, _ settings: KafkaSourceSettings) {
        first = offset
        gathering = MessageBatch()
        keys.tidy()
        gathering.payloads.reserveCapacity(lastCount)
        gathering.times.reserveCapacity(lastCount)
        gathering.bytes.reserveCapacity(lastBytes)
        if settings.key == .sensor { gathering.envelopeOfMessage.reserveCapacity(lastCount) }
    }

    /// Messages of one sensor share an envelope.
    private mutating func addEnvelope(_ message: UnsafeMutablePointer<tkf_message>) {
        let length = message.pointee.key == nil ? 0 : message.pointee.key_length
        gathering.envelopeOfMessage.append(
            keys.row(UnsafeRawBufferPointer(start: message.pointee.key, count: length)))
    }

    /// Sends what has gathered on its way.
    mutating func flush() {
        guard gathering.count > 0 else { return }
        lastCount = gathering.count
        lastBytes = gathering.bytes.count
        gathering.envelopes = keys.envelopes
        lane.push(MessageRun(messages: gathering, first: first, next: next))
        gathering = MessageBatch()
    }

    /// Throws away what has gathered and takes no more.
    mutating func close() {
        isClosing = true
        gathering = MessageBatch()
        lane.close()
    }

    /// Goes on from elsewhere.
    mutating func move(to offset: Int64) {
        gathering = MessageBatch()
        isMoving = false
        next = offset
        end = -1
        if offset < committed { committed = -1 }
        requested = -1
        lane.move(to: offset)
    }
}

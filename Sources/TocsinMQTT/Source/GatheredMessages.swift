internal import TocsinCore

/// Messages on their way from the network to the engine, with what their acknowledgement needs.
struct GatheredMessages: Sendable {
    var messages = MessageBatch()
    /// Those of QoS 1 and 2.
    var deliveries: [Delivery] = []
    var received = Timestamp(nanoseconds: 0)
    /// Number of the first message.
    var first: Int64 = 0
}

/// Puts messages together until there are enough for one hand-over. About 30 ns a message.
struct MessageGatherer {
    private(set) var gathered = GatheredMessages()
    private var rows: [UInt32] = []
    private var stamps: [UInt32] = []
    private var stamp: UInt32 = 1
    private var generation = 0
    private var next: Int64
    private var lastTime = Timestamp(nanoseconds: .min)
    /// Bytes of the topics in `gathered`, each once.
    private var topicBytes = 0
    /// Between messages that came together: readings without a time of their own would look like one that came again.
    private static let step = Span64(nanoseconds: 1000)
    /// An arrival further back than the steps can have got ahead is a clock that was set back.
    private static let longestLead = Span64.seconds(1)

    /// - Parameter first: number of the first message.
    init(first: Int64) { next = first }

    var count: Int { gathered.messages.count }
    var byteCount: Int { gathered.messages.bytes.count + topicBytes }

    /// - Parameter time: of arrival.
    mutating func add(
        _ payload: UnsafeRawBufferPointer, topic: Int, of topics: borrowing TopicCache, at time: Timestamp
    ) {
        if generation != topics.generation {
            generation = topics.generation
            rows.removeAll(keepingCapacity: true)
            stamps.removeAll(keepingCapacity: true)
        }
        if topic >= rows.count {
            rows += repeatElement(0, count: topic + 1 - rows.count)
            stamps += repeatElement(0, count: topic + 1 - stamps.count)
        }
        if stamps[topic] != stamp {
            stamps[topic] = stamp
            rows[topic] = UInt32(gathered.messages.envelopes.count)
            gathered.messages.envelopes.append(topics.envelopes[topic])
            topicBytes += topics.envelopes[topic].topic.utf8.count
        }
        let isStep = time <= lastTime && lastTime.since(time) < Self.longestLead
        lastTime = isStep ? lastTime.advanced(by: Self.step) : time
        gathered.messages.times.append(lastTime)
        gathered.messages.envelopeOfMessage.append(rows[topic])
        gathered.messages.append(payload)
    }

    mutating func add(_ delivery: Delivery) { gathered.deliveries.append(delivery) }

    mutating func take(received: Timestamp) -> GatheredMessages {
        var result = gathered
        result.received = received
        result.first = next
        next &+= Int64(result.messages.count)
        gathered = GatheredMessages()
        topicBytes = 0
        gathered.messages.bytes.reserveCapacity(result.messages.bytes.count)
        gathered.messages.payloads.reserveCapacity(result.messages.count)
        gathered.messages.times.reserveCapacity(result.messages.count)
        gathered.messages.envelopeOfMessage.reserveCapacity(result.messages.count)
        gathered.deliveries.reserveCapacity(result.deliveries.count)
        stamp &+= 1
        if stamp == 0 {
            stamps = [UInt32](repeating: 0, count: stamps.count)
            stamp = 1
        }
        return result
    }
}

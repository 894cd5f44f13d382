internal import CKafka
internal import Synchronization
internal import TocsinCore

/// A producer of the library: owner of its handle, of the topics' handles, and of the thread that fetches answers.
///
/// Sendable: the library's functions may be called by any thread; the topics stand behind a lock; the handle is freed by
/// the thread when it ends.
final class ProducerClient: @unchecked Sendable {
    private let pointer: OpaquePointer
    private let events: ClientEvents
    private let place: String
    private let secrets: KafkaSecrets
    private let observer: KafkaObserver
    private let thread = BlockingThread("tocsin.kafka.producer")
    private let state = Mutex(State())
    private let ended = Atomic<Bool>(false)

    private struct State: @unchecked Sendable {
        var topics: [String: OpaquePointer] = [:]
        var isStopped = false
        var fatal: KafkaFailure?
        /// Calls of `send` that use the handle right now.
        var users = 0
    }

    init(_ settings: KafkaSettings, limit: Int, observer: KafkaObserver) throws {
        try KafkaLibrary.load(settings.library)
        place = settings.place
        secrets = settings.secrets
        self.observer = observer
        events = ClientEvents { [secrets] level, text in observer.log(level, secrets.masked(text)) }
        let configuration = KafkaConfiguration(secrets: secrets)
        let defaults = [
            ("bootstrap.servers", settings.brokers.joined(separator: ",")), ("client.id", settings.clientID),
            ("enable.idempotence", "true"), ("acks", "all"), ("compression.type", "lz4"), ("linger.ms", "5"),
            // An alarm or a dead letter may be as long as the longest message that comes in.
            ("message.max.bytes", "16777216"), ("batch.num.messages", "10000"), ("batch.size", "1000000"),
            ("queue.buffering.max.messages", "\(limit + 10_000)"), ("queue.buffering.max.kbytes", "65536"),
            ("reconnect.backoff.max.ms", "2000"), ("socket.keepalive.enable", "true"),
            ("socket.timeout.ms", "30000"), ("log.connection.close", "false"),
        ]
        for (name, value) in defaults { try configuration.set(name, value) }
        for (name, value) in settings.properties.sorted(by: { $0.key < $1.key }) {
            // Others are the consumer's; the library would only warn of them.
            try configuration.set(name, value, key: "properties.\(name)")
        }
        events.register(configuration, isConsumer: false)
        configuration.prepare { conf in
            tkf_conf_set_delivery(conf) { _, message, _ in
                guard let message, let opaque = message.pointee.opaque else { return }
                KafkaDelivery.answer(opaque, message.pointee.err)
            }
        }
        pointer = try configuration.makeClient(TKF_PRODUCER, place: settings.place)
    }

    func start() { thread.start { self.run() } }
    /// The thread has ended, and the library's with it: a process that exits before may take their ground away.
    var hasEnded: Bool { ended.load(ordering: .acquiring) }
    func stop() { state.withLock { $0.isStopped = true } }

    private func run() {
        while true {
            _ = tkf_poll(pointer, 50)
            for case .failed(let failure) in events.take() {
                if failure.code == TKF_ERR_FATAL { state.withLock { $0.fatal = failure } }
                observer.problem(failure.error(place: place, secrets: secrets).description)
            }
            if state.withLock({ $0.isStopped && $0.users == 0 }) { break }
        }
        // What was not sent fails: its answers come with the flush.
        _ = tkf_purge(pointer)
        _ = tkf_flush(pointer, 1000)
        state.withLock { $0.topics.values.forEach(tkf_topic_destroy) }
        tkf_destroy(pointer, 0)
        ended.store(true, ordering: .releasing)
    }

    /// Hands records over; returns how many the queue had room for.
    func send(_ records: ArraySlice<KafkaRecord>, _ delivery: KafkaDelivery, _ count: (Int) -> Void) throws -> Int {
        try use {
            var (topic, name): (OpaquePointer?, String) = (nil, "")
            return try each(records.count, delivery, count) { index, opaque in
                let record = records[records.startIndex + index]
                if topic == nil || name != record.topic {
                    name = record.topic
                    topic = try self.topic(name)
                }
                let time = record.time.map { max(0, $0.nanoseconds / 1_000_000) } ?? -1
                return Self.withHeaders(record.headers) { headers in
                    Self.withBytes(record.key) { key in
                        Self.withBytes(record.value) { value in
                            tkf_produce(
                                pointer, topic, key.baseAddress, key.count, value.baseAddress, value.count, time,
                                headers.baseAddress, headers.count, opaque)
                        }
                    }
                }
            }
        }
    }

    func send(
        topic name: String, _ bytes: [UInt8], _ keys: [ByteRange], _ values: [ByteRange], _ part: Range<Int>,
        _ delivery: KafkaDelivery, _ count: (Int) -> Void
    ) throws -> Int {
        try use {
            let topic = try self.topic(name)
            return try bytes.withUnsafeBytes { bytes in
                try each(part.count, delivery, count) { index, opaque in
                    let value = UnsafeRawBufferPointer(rebasing: bytes[values[part.lowerBound + index].range])
                    let row = part.lowerBound + index
                    let key = row < keys.count ? UnsafeRawBufferPointer(rebasing: bytes[keys[row].range]) : nil
                    return tkf_produce(
                        pointer, topic, key?.baseAddress, key?.count ?? 0, value.baseAddress, value.count, -1, nil, 0,
                        opaque)
                }
            }
        }
    }

    /// One record after the other, until the queue is full. What the library refuses for good is answered at once.
    private func each(
        _ records: Int, _ delivery: KafkaDelivery, _ count: (Int) -> Void,
        _ send: (Int, UnsafeMutableRawPointer) throws -> Int32
    ) throws -> Int {
        for index in 0..<records {
            delivery.sent(1)
            count(1)
            let opaque = delivery.reference()
            let code: Int32
            do {
                code = try send(index, opaque)
            } catch {
                KafkaDelivery.answer(opaque, 0)
                throw error
            }
            guard code != 0 else { continue }
            KafkaDelivery.answer(opaque, code == TKF_ERR_QUEUE_FULL ? 0 : code)
            if code == TKF_ERR_QUEUE_FULL { return index }
        }
        return records
    }

    private func use<Result>(_ body: () throws -> Result) throws -> Result {
        let failure = state.withLock { state -> TocsinError? in
            if let fatal = state.fatal { return fatal.error(place: place, secrets: secrets) }
            if state.isStopped {
                return TocsinError(.kafka, "the producer is closed", place: place, remedy: "Make a new one.")
            }
            state.users += 1
            return nil
        }
        if let failure { throw failure }
        defer { state.withLock { $0.users -= 1 } }
        return try body()
    }

    private func topic(_ name: String) throws -> OpaquePointer {
        let known = state.withLock { state -> OpaquePointer? in
            if let known = state.topics[name] { return known }
            guard let made = tkf_topic_new(pointer, name) else { return nil }
            state.topics[name] = made
            return made
        }
        guard let known else {
            throw TocsinError(
                .kafka, "the name of a topic cannot be used", place: name,
                remedy: "Letters, digits, `.`, `_` and `-`, at most 249 of them.")
        }
        return known
    }

    // MARK: Bytes for C

    private static func withBytes<Result>(_ bytes: [UInt8]?, _ body: (UnsafeRawBufferPointer) -> Result) -> Result {
        guard let bytes else { return body(UnsafeRawBufferPointer(start: nil, count: 0)) }
        // An empty value is not a tombstone: it needs an address.
        if bytes.isEmpty { return withUnsafeBytes(of: UInt8(0)) { body(UnsafeRawBufferPointer(rebasing: $0[..<0])) } }
        return bytes.withUnsafeBytes(body)
    }

    private static func withHeaders<Result>(
        _ headers: [KafkaHeader], _ body: (UnsafeBufferPointer<tkf_header>) -> Result
    ) -> Result {
        guard !headers.isEmpty else { return body(UnsafeBufferPointer(start: nil, count: 0)) }
        // Names and values one after the other, so that one pointer holds for all.
        var bytes: [UInt8] = []
        bytes.reserveCapacity(headers.reduce(0) { $0 + $1.name.utf8.count + 1 + $1.value.count })
        for header in headers {
            bytes.append(contentsOf: header.name.utf8)
            bytes.append(0)
            bytes.append(contentsOf: header.value)
        }
        return bytes.withUnsafeBytes { bytes in
            var list: [tkf_header] = []
            var place = 0
            for header in headers {
                let (name, value) = (header.name.utf8.count, header.value.count)
                list.append(
                    tkf_header(
                        name: bytes.baseAddress?.advanced(by: place).assumingMemoryBound(to: CChar.self),
                        name_length: name, value: bytes.baseAddress?.advanced(by: place + name + 1),
                        value_length: value))
                place += name + 1 + value
            }
            return list.withUnsafeBufferPointer(body)
        }
    }
}

internal import CKafka
internal import Synchronization
public import TocsinCore

/// Sends records: idempotent (none twice, none out of order, as far as the brokers reach), acknowledged by all replicas in
/// step, compressed.
///
/// ```swift
/// let producer = try KafkaProducer(KafkaSettings(brokers: ["localhost:9092"]))
/// try await producer.produce([KafkaRecord(topic: "anomalies", key: Array("s1".utf8), value: json)])
/// await producer.close()
/// ```
/// About 1 µs a record of 200 bytes. Records are copied; at most `limit` of them, or 64 MiB, wait for an answer, and
/// `send` suspends beyond that.
public final class KafkaProducer: Sendable {
    private let client: ProducerClient
    private let settings: KafkaSettings
    private let limit: Int
    private let inFlight = Atomic<Int>(0)
    private static let chunk = 256
    /// How long the end of the library's threads is waited for.
    private static let endPatience = Span64.seconds(2)

    /// - Parameters:
    ///   - limit: records that wait for an answer at most.
    ///   - observer: told when the brokers cannot be reached, or refuse the login.
    /// - Throws: `TocsinError` for a property that does not exist or a bad value, or without the library.
    public init(_ settings: KafkaSettings, limit: Int = 100_000, observer: KafkaObserver = KafkaObserver()) throws {
        self.settings = settings
        self.limit = max(1, limit)
        client = try ProducerClient(settings, limit: self.limit, observer: observer)
        client.start()
    }

    deinit { client.stop() }

    /// Records without an answer so far.
    public var pending: Int { inFlight.load(ordering: .relaxed) }

    /// Returns when the brokers have all of them safe.
    /// - Throws: `TocsinError`; with `isRetriable` true sending them again can help (the brokers were away for
    ///   `message.timeout.ms`).
    public func produce(_ records: [KafkaRecord]) async throws {
        try await send(records).wait()
    }

    /// Returns when all of them are taken, with their receipt; suspends while too many wait for an answer.
    public func send(_ records: [KafkaRecord]) async throws -> KafkaDelivery {
        let delivery = makeDelivery()
        defer { delivery.answered(1, nil) }
        var place = 0
        while place < records.count {
            try Task.checkCancellation()
            if inFlight.load(ordering: .relaxed) < limit {
                let end = min(records.count, place + Self.chunk)
                let taken = try client.send(records[place..<end], delivery) { inFlight.add($0, ordering: .relaxed) }
                place += taken
                if taken > 0 { continue }
            }
            try await Task.sleep(for: .milliseconds(1))
        }
        return delivery
    }

    /// As `send`, for many records of one topic without headers: keys and values are parts of `bytes`.
    public func send(topic: String, bytes: [UInt8], keys: [ByteRange], values: [ByteRange]) async throws
        -> KafkaDelivery
    {
        let delivery = makeDelivery()
        defer { delivery.answered(1, nil) }
        var place = 0
        while place < values.count {
            try Task.checkCancellation()
            if inFlight.load(ordering: .relaxed) < limit {
                let taken = try client.send(
                    topic: topic, bytes, keys, values, place..<min(values.count, place + Self.chunk), delivery
                ) { inFlight.add($0, ordering: .relaxed) }
                place += taken
                if taken > 0 { continue }
            }
            try await Task.sleep(for: .milliseconds(1))
        }
        return delivery
    }

    /// Returns when nothing waits for an answer any more, or after `timeout`: then false.
    public func flush(timeout: Span64 = .seconds(30)) async -> Bool {
        let deadline = SystemClock.monotonicNanoseconds &+ timeout.nanoseconds
        while pending > 0 {
            guard SystemClock.monotonicNanoseconds < deadline else { return false }
            try? await Task.sleep(for: .milliseconds(2))
        }
        return true
    }

    /// Sends what is left, within `timeout`, and ends. What is left then fails.
    public func close(timeout: Span64 = .seconds(10)) async {
        _ = await flush(timeout: timeout)
        client.stop()
        let deadline = SystemClock.monotonicNanoseconds &+ Self.endPatience.nanoseconds
        while !client.hasEnded, SystemClock.monotonicNanoseconds < deadline {
            // Also in a task that is cancelled.
            await Task { try? await Task.sleep(for: .milliseconds(2)) }.value
        }
    }

    // The delivery keeps the producer while records are under way.
    private func makeDelivery() -> KafkaDelivery {
        KafkaDelivery(place: settings.place, secrets: settings.secrets) { count in
            self.inFlight.subtract(count, ordering: .relaxed)
        }
    }
}

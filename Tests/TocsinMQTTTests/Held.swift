import Synchronization
import TocsinCore

/// Takes every message as one reading; `bad` makes a reject.
struct PlainDecoder: MessageDecoding {
    mutating func decode(_ messages: MessageBatch, origin: Origin, table: SeriesTable) -> Batch {
        var batch = Batch(origin: origin)
        batch.bytes = messages.bytes
        for (number, payload) in messages.payloads.enumerated() {
            batch.messageStarts.append(payload.offset)
            if payload.length == 0 {
                batch.rejects.append(Reject(reason: .malformed, detail: "empty", payload: payload))
                continue
            }
            let envelope = messages.envelopes[Int(messages.envelopeOfMessage[number])]
            let sensor = table.withIndex { $0.sensor((envelope.sensor ?? "none").utf8.span) } ?? SensorID(0)
            batch.series.append(SeriesID(sensor.index))
            batch.values.append(1)
            batch.appendEvent(sensor: sensor, time: messages.times[number], key: 0, payload: payload, label: .none)
        }
        return batch
    }
}

/// An engine whose batches become durable when the test says so.
final class HeldDelivery: BatchDelivery, Sendable {
    private struct State {
        var payloads: [String] = []
        var lengths: [Int] = []
        var times: [Timestamp] = []
        var rejects = 0
        var batches = 0
        var positions: [Int64] = []
        var isOpen: Bool
        var held: [CheckedContinuation<DeliverySummary, any Error>] = []
        var failure: (any Error)?
    }

    private struct Receipt: DeliveryReceipt {
        let delivery: HeldDelivery
        func wait() async throws -> DeliverySummary { try await delivery.wait() }
    }

    private let state: Mutex<State>

    init(isOpen: Bool) { state = Mutex(State(isOpen: isOpen)) }

    var payloads: [String] { state.withLock { $0.payloads } }
    var lengths: [Int] { state.withLock { $0.lengths } }
    var times: [Timestamp] { state.withLock { $0.times } }
    var rejects: Int { state.withLock { $0.rejects } }
    var batches: Int { state.withLock { $0.batches } }
    var positions: [Int64] { state.withLock { $0.positions } }

    func enqueue(_ batch: Batch) async throws -> any DeliveryReceipt {
        state.withLock { state in
            state.batches += 1
            state.positions.append(batch.origin.position)
            state.rejects += batch.rejects.count
            state.times += batch.times
            for payload in batch.payloads {
                state.payloads.append(String(decoding: batch.bytes[payload.range].prefix(100), as: UTF8.self))
                state.lengths.append(Int(payload.length))
            }
        }
        return Receipt(delivery: self)
    }

    private func wait() async throws -> DeliverySummary {
        try await withCheckedThrowingContinuation { continuation in
            let failure: (any Error)?? = state.withLock { state in
                if let failure = state.failure { return .some(failure) }
                if state.isOpen { return .some(nil) }
                state.held.append(continuation)
                return nil
            }
            if case .some(let failure) = failure {
                if let failure {
                    continuation.resume(throwing: failure)
                } else {
                    continuation.resume(returning: .init())
                }
            }
        }
    }

    /// Everything is durable, now and from now on.
    func release() {
        let held = state.withLock { state in
            state.isOpen = true
            defer { state.held = [] }
            return state.held
        }
        for continuation in held { continuation.resume(returning: .init()) }
    }

    func fail(_ error: any Error) {
        let held = state.withLock { state in
            state.failure = error
            defer { state.held = [] }
            return state.held
        }
        for continuation in held { continuation.resume(throwing: error) }
    }

    /// Until so many messages, rejects included, have been handed over.
    func waitFor(_ count: Int) async throws {
        try await eventually("\(count) messages are handed over") {
            state.withLock { $0.payloads.count + $0.rejects >= count }
        }
    }
}

/// Waits, without holding up anything, until a condition holds.
/// - Throws: what was waited for, when it did not come.
func eventually(_ what: String, within time: Duration = .seconds(90), _ condition: () -> Bool) async throws {
    let deadline = ContinuousClock.now + time
    while !condition() {
        guard ContinuousClock.now < deadline else { throw NotInTime(description: "not within \(time): \(what)") }
        try await Task.sleep(for: .milliseconds(1))
    }
}

struct NotInTime: Error, CustomStringConvertible {
    var description: String
}

/// A clock that the test sets.
final class HandClock: WallClock {
    private let seconds: Mutex<Int64>

    init(seconds: Int64) { self.seconds = Mutex(seconds) }

    func set(seconds: Int64) { self.seconds.withLock { $0 = seconds } }

    func now() -> Timestamp { Timestamp(nanoseconds: seconds.withLock { $0 } * 1_000_000_000) }
}

internal import Synchronization
public import TocsinCore

/// How the sending of results stands.
public struct KafkaOutputStatus: Sendable {
    /// Messages not acknowledged yet, and the bytes of their keys and values.
    public var waiting = 0
    public var waitingBytes: Int64 = 0
    /// Messages acknowledged by the brokers, and messages that they refused for good, by this process.
    public var sent = 0
    public var refused = 0
    /// Why messages wait longer than they should; nil = they do not.
    public var failure: String?
    /// Since when.
    public var since: Timestamp?
    /// More waits, or is kept on disk for what waits, than is allowed: the program takes nothing in until there is room.
    public var isFull = false

    public var isHealthy: Bool { failure == nil && !isFull }

    /// For a person.
    public var sentence: String {
        var parts: [String] = []
        if let failure {
            parts.append("\(waiting) results wait\(since.map { " since \($0.toTheSecond)" } ?? ""): \(failure)")
        }
        if isFull { parts.append("no more can wait; processing waits for Kafka, nothing is lost") }
        if refused > 0 { parts.append("the brokers refused \(refused) results for good") }
        return parts.isEmpty
            ? (waiting == 0 ? "all results are sent" : "results are being sent") : parts.joined(separator: "; ")
    }
}

extension KafkaOutput {
    /// About 1 µs.
    public var status: KafkaOutputStatus {
        let book = bookCopy()
        let now = SystemClock.monotonicNanoseconds
        var status = KafkaOutputStatus()
        var longest: Int64 = 0
        for (kind, lane) in zip(OutputKind.allCases, book.lanes) {
            status.waiting = status.waiting &+ Int(clamping: lane.waiting)
            status.sent = status.sent &+ Int(clamping: lane.sent)
            status.refused = status.refused &+ Int(clamping: lane.refused)
            guard !lane.isIdle else { continue }
            let quiet = now &- lane.lastProgress
            guard lane.failure != nil || book.problem != nil || quiet > settings.quietLimit.nanoseconds else {
                continue
            }
            guard quiet >= longest else { continue }
            longest = quiet
            status.failure =
                lane.failure.map { "\(name(kind)): \($0)" } ?? book.problem ?? "no broker has answered"
        }
        status.waitingBytes = Int64(clamping: book.waitingBytes)
        if status.failure != nil { status.since = clock.now().advanced(by: .nanoseconds(-longest)) }
        status.isFull = obstacle != nil
        return status
    }
}

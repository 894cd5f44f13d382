internal import TocsinCore

/// Gathers what is refused of a batch into dead letters: one for each message and reason, however many of its readings
/// failed, so that a message is kept once and not once for each of its faults.
struct Refusals {
    private struct Message: Hashable {
        var payload: ByteRange
        var reason: DeadLetterReason
    }

    private struct Entry {
        let message: Message
        var readings = 0
        var faults: [String] = []
        /// Readings whose fault is not among `faults`.
        var unnamed = 0
    }

    private var entries: [Entry] = []
    private var places: [Message: Int] = [:]
    private static let namedFaults = 3
    /// A batch of short rows under a very long header must not become many times its own size.
    private static let headerBudget = 64 << 20

    /// - Parameter fault: one sentence; asked for only while it may be named.
    mutating func add(
        _ reason: DeadLetterReason, of payload: ByteRange, readings: Int = 1, fault: @autoclosure () -> String
    ) {
        let message = Message(payload: payload, reason: reason)
        let place = places[message] ?? entries.count
        if place == entries.count {
            entries.append(Entry(message: message))
            places[message] = place
        }
        entries[place].readings += readings
        guard entries[place].faults.count < Self.namedFaults else {
            entries[place].unnamed += readings
            return
        }
        let fault = fault()
        if !entries[place].faults.contains(fault) { entries[place].faults.append(fault) }
    }

    /// In the order in which the first fault of each was added. Their `readings` add up to those added.
    func letters(of batch: Batch) -> [DeadLetter] {
        var headers = 0
        return entries.map { entry in
            headers += batch.header.count
            let keepsHeader = headers <= Self.headerBudget
            let payload = entry.message.payload
            let note = keepsHeader ? "" : " (the header is kept with the letters before this one only)"
            return DeadLetter(
                reason: entry.message.reason, detail: Self.detail(entry) + note, source: batch.origin.sourceName,
                position: batch.origin.position &+ Int64(payload.offset), received: batch.origin.received,
                payload: (keepsHeader ? batch.header : []) + batch.bytes[payload.range], readings: entry.readings)
        }
    }

    private static func detail(_ entry: Entry) -> String {
        guard entry.faults.count > 1 || entry.unnamed > 0 else { return entry.faults.first ?? "" }
        let sentences = entry.faults.map { $0.hasSuffix(".") ? String($0.dropLast()) : $0 }
        let rest = entry.unnamed > 0 ? ["and \(grouped(entry.unnamed)) more"] : []
        return (sentences + rest).joined(separator: "; ")
    }

    /// 29997 as "29,997".
    private static func grouped(_ number: Int) -> String {
        var text = ""
        let digits = String(number)
        for (position, digit) in digits.enumerated() {
            if position > 0, (digits.utf8.count - position).isMultiple(of: 3) { text.append(",") }
            text.append(digit)
        }
        return text
    }
}

internal import TocsinCore

/// Gathers what is refused of a batch into dead letters: one for each message and reason, however many of its readings
/// failed, so that a message is kept once and not once for each of its faults. Of a text with very many bad messages those
/// that stand close together share a letter, so that a body of nonsense does not become many times its own size.
struct Refusals {
    private struct Message: Hashable {
        var payload: ByteRange
        var reason: DeadLetterReason
    }

    private struct Entry {
        var message: Message
        var readings = 0
        var faults: [String] = []
        /// Readings whose fault is not among `faults`.
        var unnamed = 0
        /// Stands for several messages.
        var isShared = false

        mutating func take(_ other: Entry) {
            readings += other.readings
            isShared = isShared || other.isShared
            guard faults.count < Refusals.namedFaults else {
                unnamed += other.readings
                return
            }
            unnamed += other.unnamed
            for fault in other.faults where !faults.contains(fault) {
                if faults.count < Refusals.namedFaults { faults.append(fault) } else { unnamed += 1 }
            }
        }
    }

    private var entries: [Entry] = []
    private var places: [Message: Int] = [:]
    private let joinsMessages: Bool
    private static let namedFaults = 3
    /// Beyond so many letters of a batch messages share one;
    private static let singleLetters = 1000
    /// with one of the last so many, since reasons may take turns.
    private static let openLetters = DeadLetterReason.allCases.count
    /// A batch of short rows under a very long header must not become many times its own size;
    private static let headerBudget = 64 << 20
    /// nor one of short parts that take their names from long ones.
    private static let excerptBudget = 16 << 20

    init(of batch: Batch) { joinsMessages = batch.isOneText }

    /// - Parameters:
    ///   - isShared: the payload is of several messages.
    ///   - fault: one sentence; asked for only while it may be named.
    mutating func add(
        _ reason: DeadLetterReason, of payload: ByteRange, readings: Int = 1, isShared: Bool = false,
        fault: @autoclosure () -> String
    ) {
        let place = place(of: Message(payload: payload, reason: reason))
        entries[place].readings += readings
        if isShared { entries[place].isShared = true }
        guard entries[place].faults.count < Self.namedFaults else {
            entries[place].unnamed += readings
            return
        }
        let fault = fault()
        if !entries[place].faults.contains(fault) { entries[place].faults.append(fault) }
    }

    private mutating func place(of message: Message) -> Int {
        if let known = places[message] { return known }
        if joinsMessages, entries.count >= Self.singleLetters, message.reason.isOfWhole {
            for place in entries.indices.suffix(Self.openLetters).reversed()
            where entries[place].message.reason == message.reason {
                guard let joined = entries[place].message.payload.joined(with: message.payload) else { continue }
                entries[place].message.payload = joined
                entries[place].isShared = true
                return place
            }
        }
        places[message] = entries.count
        entries.append(Entry(message: message))
        return entries.count - 1
    }

    /// In the order in which the first fault of each was added. Their `readings` add up to those added.
    /// - Parameter excerpt: see `ValidationSettings.excerpt`.
    func letters(of batch: Batch, excerpt: LetterExcerpt?) -> [DeadLetter] {
        guard !entries.isEmpty else { return [] }
        var headers = 0
        let excerpts = excerpt?(batch, entries.map(\.message.payload), Self.excerptBudget) ?? []
        return kept(excerpts, of: batch).map { entry, excerpt in
            let part = entry.message.payload
            var note = ""
            let payload: [UInt8]
            switch excerpt {
            case .own(let bytes): payload = bytes
            case .whole: payload = Array(batch.bytes[part.range])
            case .itself:
                headers += batch.header.count
                let keepsHeader = headers <= Self.headerBudget
                if !keepsHeader { note = " (the header is kept with the letters before this one only)" }
                payload = (keepsHeader ? batch.header : []) + batch.bytes[part.range]
            }
            return DeadLetter(
                reason: entry.message.reason, detail: Self.detail(entry) + note, source: batch.letterSource(of: part),
                position: batch.place(of: part, in: batch.origin), received: batch.letterTime(of: part),
                payload: payload, readings: entry.readings)
        }
    }

    /// One entry for all parts of a message that are kept as the whole of it.
    private func kept(_ excerpts: [PartExcerpt], of batch: Batch) -> [(entry: Entry, excerpt: PartExcerpt)] {
        var kept: [(entry: Entry, excerpt: PartExcerpt)] = []
        var places: [Message: Int] = [:]
        for (number, entry) in entries.enumerated() {
            let excerpt = number < excerpts.count ? excerpts[number] : .itself
            guard case .whole = excerpt, let message = batch.messageRange(of: entry.message.payload) else {
                kept.append((entry, excerpt))
                continue
            }
            let whole = Message(payload: message, reason: entry.message.reason)
            if let place = places[whole] {
                kept[place].entry.take(entry)
                continue
            }
            places[whole] = kept.count
            kept.append((entry, excerpt))
            kept[kept.count - 1].entry.message = whole
        }
        return kept
    }

    private static func detail(_ entry: Entry) -> String {
        guard entry.faults.count > 1 || entry.unnamed > 0 || entry.isShared else { return entry.faults.first ?? "" }
        let sentences = entry.faults.map { $0.hasSuffix(".") ? String($0.dropLast()) : $0 }
        if entry.isShared {
            return sentences.joined(separator: "; ") + "; one letter for \(grouped(entry.readings)) that were refused"
        }
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

extension Batch {
    /// Lines of a file or of a posted body. Messages of a broker have envelopes of their own and stay apart.
    fileprivate var isOneText: Bool {
        guard let messages else { return messageStarts.isEmpty && originOfEvent.isEmpty }
        return messages.count == 1 && origin.sourceName == "http"
    }

    /// nil where there are no messages.
    fileprivate func messageRange(of payload: ByteRange) -> ByteRange? {
        let message = message(of: payload)
        guard let messages, message < messages.count, messages.payloads[message].range.upperBound <= bytes.count else {
            return nil
        }
        return messages.payloads[message]
    }

    /// See `DeadLetter.received`: what decoding took for the time of readings without one.
    fileprivate func letterTime(of payload: ByteRange) -> Timestamp {
        backlogTime(of: payload) == nil ? messageTime(of: payload) ?? origin.received : origin.received
    }

    private func messageTime(of payload: ByteRange) -> Timestamp? {
        let message = message(of: payload)
        guard let times = messages?.times, message < times.count, times[message].nanoseconds > 0 else { return nil }
        return times[message]
    }

    /// The time of a broker's message that came long after it was sent. It is none of the letter's own, which retention
    /// goes by: a letter of an old backlog is as new as any.
    private func backlogTime(of payload: ByteRange) -> Timestamp? {
        guard let time = messageTime(of: payload), isOfPartition(payload),
            abs(origin.received.since(time).nanoseconds) > 60_000_000_000
        else { return nil }
        return time
    }

    /// A partition's batches are named by their topic.
    private func isOfPartition(_ payload: ByteRange) -> Bool {
        guard let envelope = messages?.envelope(of: message(of: payload)), !envelope.topic.isEmpty else { return false }
        return origin.sourceName.contains(":\(envelope.topic)/")
    }

    /// See `DeadLetter.source`.
    fileprivate func letterSource(of payload: ByteRange) -> String {
        guard let messages else { return fileSource }
        guard let envelope = messages.envelope(of: message(of: payload)), !envelope.topic.isEmpty else {
            return origin.sourceName
        }
        guard isOfPartition(payload) else { return "\(origin.sourceName):\(envelope.topic)" }
        let time = backlogTime(of: payload).map { "@\($0.nanoseconds / 1_000_000)" } ?? ""
        return origin.sourceName + time + (envelope.sensor.map { "#\($0)" } ?? "")
    }

    /// The file may name the sensor; a batch that is named by its path tells it already.
    private var fileSource: String {
        guard let path = origin.resume?.path, path != "-", path != origin.sourceName,
            let file = path.split(separator: "/").last
        else { return origin.sourceName }
        return "\(origin.sourceName):\(file)"
    }
}

internal import TocsinCore

/// What is known of requests by their `Idempotency-Key`, oldest first; forgotten after a day, or beyond 100,000 keys or
/// 64 MiB of answers.
struct IdempotencyBook {
    /// As a request was taken the first time: its readings without an id or a time of their own are found by these when
    /// it is sent again.
    struct Admission: Equatable {
        /// Of the body.
        var hash: UInt64
        var position: Int64
        var received: Timestamp
    }

    struct Entry {
        var admission: Admission
        var answer: IngestAnswer?
        var isUnderWay: Bool
        fileprivate var number: UInt64
    }

    enum Record: Equatable {
        case begin(String, Admission)
        case end(String, IngestAnswer)
    }

    private(set) var entries: [String: Entry] = [:]
    /// Keys by age; one whose number is not its entry's has been forgotten.
    private var order: [(key: String, number: UInt64)] = []
    private var first = 0
    private var numbers: UInt64 = 0
    private var answerBytes = 0
    private static let capacity = 100_000
    private static let mostAnswerBytes = 64 << 20
    static let lifetime = Span64.hours(24)

    /// The entry of a key that still counts.
    mutating func entry(_ key: String, now: Timestamp) -> Entry? {
        while first < order.count {
            let (oldest, number) = order[first]
            if let entry = entries[oldest], entry.number == number,
                now.since(entry.admission.received) <= Self.lifetime
            {
                break
            }
            forgetFirst()
        }
        return entries[key]
    }

    private var isFull: Bool { entries.count > Self.capacity || answerBytes > Self.mostAnswerBytes }

    mutating func apply(_ record: Record, isUnderWay: Bool = false) {
        switch record {
        case .begin(let key, let admission):
            forget(key)
            numbers += 1
            entries[key] = Entry(admission: admission, answer: nil, isUnderWay: isUnderWay, number: numbers)
            order.append((key, numbers))
        case .end(let key, let answer):
            guard entries[key] != nil else { return }
            answerBytes += answer.body.count - (entries[key]?.answer?.body.count ?? 0)
            entries[key]?.answer = answer
            entries[key]?.isUnderWay = false
        }
        while first < order.count, isFull { forgetFirst() }
    }

    mutating func setUnderWay(_ key: String, _ isUnderWay: Bool) { entries[key]?.isUnderWay = isUnderWay }

    mutating func forget(_ key: String) {
        guard let entry = entries.removeValue(forKey: key) else { return }
        answerBytes -= entry.answer?.body.count ?? 0
    }

    private mutating func forgetFirst() {
        let (key, number) = order[first]
        if entries[key]?.number == number { forget(key) }
        first += 1
        guard first > 1000, first > order.count / 2 else { return }
        order.removeFirst(first)
        first = 0
    }

    /// What a new file begins with.
    var records: [Record] {
        order[first...].flatMap { key, number -> [Record] in
            guard let entry = entries[key], entry.number == number else { return [] }
            return [.begin(key, entry.admission)] + (entry.answer.map { [.end(key, $0)] } ?? [])
        }
    }
}

extension IdempotencyBook.Record {
    var bytes: [UInt8] {
        var writer = StateWriter()
        switch self {
        case .begin(let key, let admission):
            writer.write(UInt8(1))
            writer.write(text: key)
            writer.write(admission.hash)
            writer.write(admission.position)
            writer.write(admission.received)
        case .end(let key, let answer):
            writer.write(UInt8(2))
            writer.write(text: key)
            answer.save(to: &writer)
        }
        return writer.bytes
    }

    /// nil for nonsense, and for what only a newer program knows.
    init?(_ bytes: ArraySlice<UInt8>) {
        var reader = StateReader(bytes)
        guard let kind = reader.read(UInt8.self), let key = reader.readText() else { return nil }
        switch kind {
        case 1:
            guard let hash = reader.read(UInt64.self), let position = reader.read(Int64.self),
                let received = reader.readTimestamp()
            else { return nil }
            self = .begin(key, .init(hash: hash, position: position, received: received))
        case 2:
            guard let answer = IngestAnswer(restoring: &reader) else { return nil }
            self = .end(key, answer)
        default: return nil
        }
    }
}

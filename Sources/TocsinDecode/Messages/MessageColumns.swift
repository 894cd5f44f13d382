internal import TocsinCore

/// A text in the bytes of the messages, or in `MessageColumns.side`.
struct TextRef: Equatable {
    private static let sideBit: UInt32 = 0x8000_0000
    private var offset: UInt32
    private var length: UInt32

    static let none = TextRef(offset: 0, length: 0)

    private init(offset: UInt32, length: UInt32) {
        self.offset = offset
        self.length = length
    }

    /// Bytes of the messages; none where they lie beyond 2 GiB.
    init(_ range: Range<Int>) {
        guard range.upperBound < Int(Self.sideBit) else { self = .none; return }
        offset = UInt32(truncatingIfNeeded: range.lowerBound)
        length = UInt32(truncatingIfNeeded: range.count)
    }

    static func side(_ range: Range<Int>) -> TextRef {
        var text = TextRef(range)
        text.offset |= sideBit
        return text
    }

    var isEmpty: Bool { length == 0 }
    var count: Int { Int(length) }
    var isAside: Bool { offset & Self.sideBit != 0 }
    var range: Range<Int> {
        let start = Int(offset & ~Self.sideBit)
        return start..<start + Int(length)
    }

    /// The first bytes, at most as many as there are.
    func prefix(_ count: Int) -> TextRef {
        TextRef(offset: offset, length: min(length, UInt32(clamping: count)))
    }

    /// `bytes` are those of the messages, `side` those kept aside.
    @inline(__always)
    func with<Result>(_ bytes: Span<UInt8>, _ side: Span<UInt8>, _ body: (Span<UInt8>) -> Result) -> Result {
        isAside ? body(side.extracting(range)) : body(bytes.extracting(range))
    }

    func string(_ bytes: Span<UInt8>, _ side: Span<UInt8>) -> String {
        with(bytes, side) { String(copying: $0) }
    }
}

extension String {
    /// UTF-8; what is none becomes U+FFFD.
    init(copying text: Span<UInt8>) {
        self = unsafe text.withUnsafeBufferPointer { unsafe String(decoding: $0, as: UTF8.self) }
    }
}

/// What the decoders of single messages find, before names are looked up: filled without the lock of the series table.
struct MessageColumns {
    /// The sensor goes away, where an event does not give readings.
    enum Departure {
        case alone
        /// With all whose names are its own, a slash and one more level, in its zone.
        case withDevices
    }

    struct Event {
        var message: Int
        var firstReading: Int
        var sensor: TextRef
        var zone: TextRef
        /// Nil: the broker's time.
        var time: Timestamp?
        var key: UInt64
        var label: EventLabel
        /// The part of the message that it came from; nil = all of it.
        var payload: ByteRange?
        var departure: Departure?
    }

    struct Reading {
        /// Empty: what the topic says, or "value".
        var metric: TextRef
        var unit: TextRef
        var value: Double
    }

    struct Refusal {
        var message: Int
        var fault: DecodeFault
        /// The part of the message at fault; nil = all of it.
        var payload: ByteRange?
        var count = 1
    }

    struct Mark {
        var events: Int
        var readings: Int
        var refusals: Int
    }

    var events: [Event] = []
    var readings: [Reading] = []
    var refusals: [Refusal] = []
    /// Texts that do not stand in the messages as they are.
    var side: [UInt8] = []
    /// The message being decoded.
    var message = 0
    /// See `DecodeLimits.singleRejects`.
    var singleRefusals = Int.max
    private static let openRefusals = DeadLetterReason.allCases.count

    var mark: Mark { Mark(events: events.count, readings: readings.count, refusals: refusals.count) }

    mutating func removeAll() {
        events.removeAll(keepingCapacity: true)
        readings.removeAll(keepingCapacity: true)
        refusals.removeAll(keepingCapacity: true)
        side.removeAll(keepingCapacity: true)
    }

    /// Takes back what a message gave before it turned out to be broken: what was refused of it, too, which is counted
    /// with the whole.
    mutating func roll(back mark: Mark) {
        events.removeSubrange(mark.events...)
        readings.removeSubrange(mark.readings...)
        refusals.removeSubrange(mark.refusals...)
    }

    /// Opens an event; one of the same message, sensor and time goes on instead.
    /// - Returns: whether it is a new one.
    @inline(__always)
    @discardableResult
    mutating func open(
        sensor: TextRef, zone: TextRef = .none, time: Timestamp?, key: UInt64 = 0, label: EventLabel = .none
    ) -> Bool {
        if let last = events.last, last.message == message, last.sensor == sensor, last.time == time, key == last.key {
            return false
        }
        events.append(
            Event(
                message: message, firstReading: readings.count, sensor: sensor, zone: zone, time: time, key: key,
                label: label))
        return true
    }

    mutating func leave(sensor: TextRef, zone: TextRef, time: Timestamp, _ departure: Departure) {
        events.append(
            Event(
                message: message, firstReading: readings.count, sensor: sensor, zone: zone, time: time, key: 0,
                label: .none, departure: departure))
    }

    @inline(__always)
    mutating func add(_ value: Double, metric: TextRef, unit: TextRef = .none) {
        readings.append(Reading(metric: metric, unit: unit, value: value))
    }

    /// - Parameter payload: the part of the message at fault, nil = all of it.
    mutating func refuse(_ fault: DecodeFault, _ payload: Range<Int>? = nil) {
        let payload = payload.flatMap(ByteRange.init(checking:))
        if refusals.count >= singleRefusals, let payload, fault.reason.isOfWhole, join(payload, fault.reason) { return }
        refusals.append(Refusal(message: message, fault: fault, payload: payload))
    }

    /// Puts a refused part of the message together with one of the last of its reason; see `Batch.add`.
    private mutating func join(_ payload: ByteRange, _ reason: DeadLetterReason) -> Bool {
        for place in refusals.indices.suffix(Self.openRefusals).reversed()
        where refusals[place].message == message && refusals[place].fault.reason == reason {
            guard let joined = refusals[place].payload?.joined(with: payload) else { continue }
            refusals[place].payload = joined
            refusals[place].count += 1
            return true
        }
        return false
    }

    /// Says which part of the message the last event came from; one that has gone on has all from its first to its last.
    mutating func narrow(to payload: Range<Int>) {
        guard let last = events.indices.last else { return }
        let start = min(events[last].payload?.range.lowerBound ?? .max, payload.lowerBound)
        let end = max(events[last].payload?.range.upperBound ?? 0, payload.upperBound)
        events[last].payload = ByteRange(checking: start..<end)
    }

    /// The last event has not been narrowed, or no more.
    var isLastWhole: Bool { events.last.map { $0.payload == nil } ?? true }

    /// The last event needs its whole message.
    mutating func widen() {
        guard let last = events.indices.last else { return }
        events[last].payload = nil
    }

    /// Keeps a text aside.
    mutating func keep(_ text: some Sequence<UInt8>) -> TextRef {
        let start = side.count
        side.append(contentsOf: text)
        return .side(start..<side.count)
    }

    mutating func keep(_ text: Span<UInt8>) -> TextRef {
        let start = side.count
        for position in text.indices { side.append(text[position]) }
        return .side(start..<side.count)
    }
}

extension ByteRange {
    /// nil beyond 4 GiB.
    init?(checking range: Range<Int>) {
        guard range.upperBound <= Int(UInt32.max) else { return nil }
        self.init(offset: range.lowerBound, length: range.count)
    }
}

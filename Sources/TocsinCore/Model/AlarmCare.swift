/// What people have done with an alarm, in the words of ANSI/ISA-18.2 (IEC 62682).
public struct AlarmCare: Sendable, Equatable {
    /// Event time of the stream when it was acknowledged; nil while nobody has.
    public var acknowledged: Timestamp?
    public var acknowledgedBy: String?
    public var assignee: String?
    /// Nobody is told until then.
    public var shelvedUntil: Timestamp?
    /// The sensor is being worked on: nobody is told until somebody says that it is back.
    public var isOutOfService = false
    /// It stays open when its condition is over, until it is acknowledged.
    public var isLatched = false

    public init() {}

    public static let none = AlarmCare()
}

extension Alarm {
    /// The states of ISA-18.2: condition active or not, acknowledged or not, and what keeps it from being told.
    public enum LifeState: String, Sendable, CaseIterable {
        case unacknowledged, acknowledged
        /// It has cleared before anybody acknowledged it.
        case returnedUnacknowledged = "returned_unacknowledged"
        /// Its condition is over, and it is kept open until somebody acknowledges it.
        case latched
        case normal
        case shelved
        /// Told in a summary, nobody hears of it singly: suppressed by design.
        case suppressed
        case outOfService = "out_of_service"
    }

    public var lifeState: LifeState {
        if care.isOutOfService { return .outOfService }
        if care.shelvedUntil != nil { return .shelved }
        let isAcknowledged = care.acknowledged != nil
        switch state {
        case .open where cleared != nil: return .latched
        case .open where isAcknowledged: return .acknowledged
        case .open: return summary == nil ? .unacknowledged : .suppressed
        case .cleared: return isAcknowledged ? .normal : .returnedUnacknowledged
        }
    }
}

/// What a person does with an alarm: one line of the audit trail.
public struct AlarmAction: Sendable, Equatable {
    public enum Verb: String, Sendable, CaseIterable {
        case acknowledge, comment, assign, shelve, unshelve
        case outOfService = "out_of_service"
        case inService = "in_service"
    }

    /// Derived from what is done, by whom and when: a replay writes it over itself. 16 hex digits.
    public var id: String
    public var alarmID: String
    public var sensor: String
    public var kind: AnomalyKind
    public var verb: Verb
    public var person: String
    /// What the person wrote; who is to look after it, for `assign`.
    public var text: String?
    /// For `shelve`: event time of its end.
    public var until: Timestamp?
    /// Event time of the stream from which it counts, and the wall clock's time.
    public var given: Timestamp
    public var wallTime: Timestamp

    public init(
        _ verb: Verb, on alarm: Alarm, person: String, text: String? = nil, until: Timestamp? = nil, given: Timestamp,
        wallTime: Timestamp
    ) {
        var hash = StableHash()
        for part in [alarm.id, verb.rawValue, person, text ?? ""] { hash.combine(part) }
        hash.combine(UInt64(bitPattern: wallTime.nanoseconds))
        self.init(
            id: hash.hex, alarmID: alarm.id, sensor: alarm.sensor, kind: alarm.kind, verb: verb,
            person: person, text: text, until: until, given: given, wallTime: wallTime)
    }

    public init(
        id: String, alarmID: String, sensor: String, kind: AnomalyKind, verb: Verb, person: String, text: String?,
        until: Timestamp?, given: Timestamp, wallTime: Timestamp
    ) {
        self.id = id
        self.alarmID = alarmID
        self.sensor = sensor
        self.kind = kind
        self.verb = verb
        self.person = person
        self.text = text
        self.until = until
        self.given = given
        self.wallTime = wallTime
    }
}

extension AlarmCare {
    public func save(to writer: inout StateWriter) {
        let flags =
            (acknowledged == nil ? 0 : 1) | (shelvedUntil == nil ? 0 : 2) | (isOutOfService ? 4 : 0)
            | (isLatched ? 8 : 0)
        writer.write(UInt8(flags))
        if let acknowledged { writer.write(acknowledged) }
        if let shelvedUntil { writer.write(shelvedUntil) }
        writer.write(text: acknowledgedBy ?? "")
        writer.write(text: assignee ?? "")
    }

    /// nil for nonsense.
    public init?(_ reader: inout StateReader) {
        guard let flags = reader.read(UInt8.self), flags < 16 else { return nil }
        if flags & 1 != 0 {
            guard let time = reader.readTimestamp() else { return nil }
            acknowledged = time
        }
        if flags & 2 != 0 {
            guard let time = reader.readTimestamp() else { return nil }
            shelvedUntil = time
        }
        isOutOfService = flags & 4 != 0
        isLatched = flags & 8 != 0
        guard let by = reader.readText(), let to = reader.readText() else { return nil }
        acknowledgedBy = by.isEmpty ? nil : by
        assignee = to.isEmpty ? nil : to
    }
}

extension AlarmAction {
    public func save(to writer: inout StateWriter) {
        writer.write(name: id)
        writer.write(name: alarmID)
        writer.write(text: sensor)
        writer.write(kind.rawValue)
        writer.write(name: verb.rawValue)
        writer.write(text: person)
        writer.write(text != nil)
        if let text { writer.write(text: text) }
        writer.write(until != nil)
        if let until { writer.write(until) }
        writer.write(given)
        writer.write(wallTime)
    }

    /// nil for nonsense.
    public init?(_ reader: inout StateReader) {
        guard let id = reader.readName(), let alarmID = reader.readName(), let sensor = reader.readText(),
            let kind = reader.read(UInt8.self).flatMap(AnomalyKind.init(rawValue:)),
            let verb = reader.readName().flatMap(Verb.init(rawValue:)), let person = reader.readText(),
            let hasText = reader.readFlag()
        else { return nil }
        let text = hasText ? reader.readText() : nil
        guard !hasText || text != nil, let hasEnd = reader.readFlag() else { return nil }
        let until = hasEnd ? reader.readTimestamp() : nil
        guard !hasEnd || until != nil, let given = reader.readTimestamp(), let wallTime = reader.readTimestamp() else {
            return nil
        }
        self.init(
            id: id, alarmID: alarmID, sensor: sensor, kind: kind, verb: verb, person: person, text: text, until: until,
            given: given, wallTime: wallTime)
    }
}

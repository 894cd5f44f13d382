public import TocsinCore

/// What people have done with the alarms that are open or have just been cleared, and with their sensors: the life cycle
/// of ANSI/ISA-18.2 on top of raising and clearing.
///
/// Pure and deterministic: everything comes in the order of the stream, and time is its progress. Every notice passes
/// through `annotate` before it is stored or told.
public struct CareBook: Sendable {
    /// Alarms of these kinds stay on the list until they are acknowledged.
    private let latched: Set<AnomalyKind>
    /// For how long what was done with a cleared alarm is remembered: it may come back.
    private let memory: Span64
    private var entries: [String: Entry] = [:]
    private var shelves: [Shelf: Timestamp] = [:]
    private var sensorsOutOfService: Set<String> = []
    /// When something in here is due: the end of a shelf, or of the memory of a cleared alarm.
    public private(set) var nextDeadline = Timestamp(nanoseconds: .max)

    struct Entry: Sendable {
        var care: AlarmCare
        /// As it was last: for what is told without a notice of the desk.
        var alarm: Alarm
        var isMember: Bool
    }

    /// What is shelved: one kind of alarm of one sensor.
    struct Shelf: Hashable, Sendable {
        var sensor: String
        var kind: AnomalyKind
    }

    public init(latched: Set<AnomalyKind>, memory: Span64) {
        self.latched = latched
        self.memory = memory
    }

    public var isEmpty: Bool { entries.isEmpty && shelves.isEmpty && sensorsOutOfService.isEmpty }

    /// Writes into a notice what people have done, and keeps those from being told of which nobody wants to hear.
    public mutating func annotate(_ change: inout AlarmChange) {
        let alarm = change.alarm
        let known = entries[alarm.id]
        var care = known?.care ?? AlarmCare()
        care.shelvedUntil = shelves[Shelf(sensor: alarm.sensor, kind: alarm.kind)]
        care.isOutOfService = sensorsOutOfService.contains(alarm.sensor)
        care.isLatched = care.isLatched || latched.contains(alarm.kind)
        switch change.step {
        case .raised, .reopened, .escalated:
            // It is news again, whoever has seen it before.
            care.acknowledged = nil
            care.acknowledgedBy = nil
        case .cleared where care.isLatched && care.acknowledged == nil:
            change.step = .updated
            change.alarm.state = .open
            change.isTold = false
        default: break
        }
        let isMember = alarm.summary != nil
        if care.shelvedUntil != nil || care.isOutOfService { change.isTold = false }
        change.alarm.care = care
        // Most alarms are raised and cleared and never touched: those are not kept.
        if change.alarm.state == .open || care != .none || known != nil {
            entries[alarm.id] = Entry(care: care, alarm: change.alarm, isMember: isMember)
            if change.alarm.state == .cleared { nextDeadline = min(nextDeadline, forgetting(change.alarm)) }
        }
    }

    /// For screens: an alarm as it is, with what people have done.
    public func annotated(_ alarm: Alarm) -> Alarm {
        guard let entry = entries[alarm.id] else { return alarm }
        var alarm = alarm
        alarm.care = entry.care
        return alarm
    }

    /// Alarms whose condition is over and that wait for somebody to acknowledge them.
    public var latchedAlarms: [Alarm] {
        entries.values.filter(\.alarm.isWaiting).map(\.alarm)
            .sorted { ($0.raised, $0.id) < ($1.raised, $1.id) }
    }

    /// Takes up an alarm of which the store alone tells.
    public mutating func restore(_ alarm: Alarm) {
        entries[alarm.id] = Entry(care: alarm.care, alarm: alarm, isMember: alarm.summary != nil)
        if let until = alarm.care.shelvedUntil {
            shelves[Shelf(sensor: alarm.sensor, kind: alarm.kind)] = until
            nextDeadline = min(nextDeadline, until)
        }
        if alarm.care.isOutOfService { sensorsOutOfService.insert(alarm.sensor) }
    }

    /// What a person does.
    /// - Parameters:
    ///   - known: the alarm as the desk has it; nil where only `stored`, what the caller saw, tells of it.
    ///   - members: of a summary, which share what is done with it.
    public mutating func take(
        _ action: AlarmAction, known: Alarm?, stored: Alarm, members: [Alarm] = []
    ) -> [AlarmChange] {
        // The desk knows nothing of what waits here.
        let waiting = entries[stored.id].map(\.alarm).flatMap { $0.isWaiting ? $0 : nil }
        var alarm = waiting ?? known ?? stored
        if entries[alarm.id] == nil {
            entries[alarm.id] = Entry(care: stored.care, alarm: alarm, isMember: alarm.summary != nil)
        }
        alarm.care = entries[alarm.id]?.care ?? stored.care
        switch action.verb {
        case .acknowledge: return acknowledge([alarm] + members, action)
        case .assign: return [touch(alarm, .assigned) { $0.assignee = action.text }]
        case .comment: return [touch(alarm, .commented) { _ in }]
        case .shelve:
            guard let until = action.until else { return [] }
            return shelve([alarm] + members, until: until)
        case .unshelve:
            let ended = shelves.removeValue(forKey: Shelf(sensor: alarm.sensor, kind: alarm.kind)) != nil
            return ended || alarm.care.shelvedUntil != nil ? unshelve { $0.id == alarm.id || $0.isLike(alarm) } : []
        case .outOfService:
            sensorsOutOfService.insert(alarm.sensor)
            return all { $0.sensor == alarm.sensor }.map { touch($0, .outOfService) { $0.isOutOfService = true } }
        case .inService:
            sensorsOutOfService.remove(alarm.sensor)
            return all { $0.sensor == alarm.sensor }.map { alarm in
                // Whoever was not told while it was being worked on is told now that it still holds.
                touch(alarm, .inService, isTold: alarm.state == .open) { $0.isOutOfService = false }
            }
        }
    }

    /// Ends shelves whose time is over, and forgets what is long past.
    public mutating func advance(to progress: Timestamp) -> [AlarmChange] {
        guard progress >= nextDeadline else { return [] }
        let over = Set(shelves.filter { $0.value <= progress }.keys)
        for shelf in over { shelves[shelf] = nil }
        let changes = unshelve { alarm in over.contains(Shelf(sensor: alarm.sensor, kind: alarm.kind)) }
        for (id, entry) in entries
        where entry.alarm.state == .cleared && forgetting(entry.alarm) <= progress {
            entries[id] = nil
        }
        findDeadline()
        return changes
    }

    private mutating func acknowledge(_ alarms: [Alarm], _ action: AlarmAction) -> [AlarmChange] {
        var changes: [AlarmChange] = []
        for (number, alarm) in alarms.enumerated() {
            let wasWaiting = alarm.isWaiting
            let change = touch(alarm, .acknowledged, isTold: number == 0) {
                $0.acknowledged = action.given
                $0.acknowledgedBy = action.person
            }
            changes.append(change)
            if wasWaiting {
                var over = change.alarm
                over.state = .cleared
                changes.append(touch(over, .cleared, isTold: number == 0) { _ in })
            }
        }
        return changes
    }

    private mutating func shelve(_ alarms: [Alarm], until: Timestamp) -> [AlarmChange] {
        nextDeadline = min(nextDeadline, until)
        for alarm in alarms { shelves[Shelf(sensor: alarm.sensor, kind: alarm.kind)] = until }
        return alarms.map { touch($0, .shelved, isTold: false) { $0.shelvedUntil = until } }
    }

    private mutating func unshelve(_ isMeant: (Alarm) -> Bool) -> [AlarmChange] {
        all { isMeant($0) && $0.care.shelvedUntil != nil }.map { alarm in
            touch(alarm, .unshelved, isTold: alarm.state == .open && alarm.care.acknowledged == nil) {
                $0.shelvedUntil = nil
            }
        }
    }

    /// In the order in which they were raised: the same in every run.
    private func all(_ isMeant: (Alarm) -> Bool) -> [Alarm] {
        entries.values.map(\.alarm).filter(isMeant).sorted { ($0.raised, $0.id) < ($1.raised, $1.id) }
    }

    private mutating func touch(
        _ alarm: Alarm, _ step: AlarmChange.Step, isTold: Bool = false, _ edit: (inout AlarmCare) -> Void
    ) -> AlarmChange {
        var entry = entries[alarm.id] ?? Entry(care: alarm.care, alarm: alarm, isMember: alarm.summary != nil)
        edit(&entry.care)
        entry.alarm = alarm
        entry.alarm.care = entry.care
        entries[alarm.id] = entry
        if alarm.state == .cleared { nextDeadline = min(nextDeadline, forgetting(alarm)) }
        let isQuiet = entry.isMember || entry.care.isOutOfService || entry.care.shelvedUntil != nil
        // That somebody looks after it is told to whoever was told of it, shelved or not.
        return AlarmChange(step: step, alarm: entry.alarm, isTold: isTold && (step == .acknowledged || !isQuiet))
    }

    private func forgetting(_ alarm: Alarm) -> Timestamp { (alarm.cleared ?? alarm.lastSeen).advanced(by: memory) }

    private mutating func findDeadline() {
        nextDeadline = shelves.values.min() ?? Timestamp(nanoseconds: .max)
        for entry in entries.values where entry.alarm.state == .cleared {
            nextDeadline = min(nextDeadline, forgetting(entry.alarm))
        }
    }
}

extension Alarm {
    /// Latched, and its condition is over.
    fileprivate var isWaiting: Bool { state == .open && cleared != nil }
    fileprivate func isLike(_ other: Alarm) -> Bool { sensor == other.sensor && kind == other.kind }
}

extension CareBook {
    private static let version: UInt8 = 1

    public func save(to writer: inout StateWriter) { save(to: &writer) { _ in true } }

    /// What concerns some sensors alone, to be taken up by another process.
    public func save(to writer: inout StateWriter, sensors isMeant: (String) -> Bool) {
        writer.write(Self.version)
        let alarms = entries.filter { isMeant($0.value.alarm.sensor) }.sorted { $0.key < $1.key }
        writer.write(varint: UInt64(alarms.count))
        for (_, entry) in alarms {
            entry.alarm.save(to: &writer)
            writer.write(entry.isMember)
        }
        let shelves = shelves.filter { isMeant($0.key.sensor) }.sorted {
            ($0.key.sensor, $0.key.kind.rawValue) < ($1.key.sensor, $1.key.kind.rawValue)
        }
        writer.write(varint: UInt64(shelves.count))
        for (shelf, until) in shelves {
            writer.write(text: shelf.sensor)
            writer.write(shelf.kind.rawValue)
            writer.write(until)
        }
        let sensors = sensorsOutOfService.filter(isMeant).sorted()
        writer.write(varint: UInt64(sensors.count))
        for sensor in sensors { writer.write(text: sensor) }
    }

    /// Adds what was saved to what is here.
    /// - Returns: false for nonsense; then the book is as it was.
    public mutating func restore(from reader: inout StateReader) -> Bool {
        var book = self
        guard reader.read(UInt8.self) == Self.version, let alarms = reader.readCount(of: 8) else { return false }
        for _ in 0..<alarms {
            guard let alarm = Alarm(&reader), let isMember = reader.readFlag() else { return false }
            book.entries[alarm.id] = Entry(care: alarm.care, alarm: alarm, isMember: isMember)
        }
        guard let shelves = reader.readCount(of: 8) else { return false }
        for _ in 0..<shelves {
            guard let sensor = reader.readText(),
                let kind = reader.read(UInt8.self).flatMap(AnomalyKind.init(rawValue:)),
                let until = reader.readTimestamp()
            else { return false }
            book.shelves[Shelf(sensor: sensor, kind: kind)] = until
        }
        guard let sensors = reader.readCount(of: 1) else { return false }
        for _ in 0..<sensors {
            guard let sensor = reader.readText() else { return false }
            book.sensorsOutOfService.insert(sensor)
        }
        book.findDeadline()
        self = book
        return true
    }

    /// Forgets sensors that another process has taken up.
    public mutating func forget(sensors isMeant: (String) -> Bool) {
        entries = entries.filter { !isMeant($0.value.alarm.sensor) }
        shelves = shelves.filter { !isMeant($0.key.sensor) }
        sensorsOutOfService = sensorsOutOfService.filter { !isMeant($0) }
        findDeadline()
    }
}

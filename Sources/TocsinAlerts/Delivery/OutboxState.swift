internal import TocsinCore

/// What waits for whom: the outbox as a value, moved on record by record.
struct OutboxState: Sendable {
    private(set) var lanes: [String] = []
    private(set) var lastMark = AlarmMark.none
    private(set) var nextNumber: UInt64 = 1
    private var items: [UInt64: (item: AlertItem, lanes: Set<String>)] = [:]
    private var open: [String: [String: Alarm]] = [:]
    private(set) var dead: [DeadAlert] = []
    /// The oldest dead letters go beyond this many.
    static let deadLimit = 10_000

    var isIdle: Bool { items.isEmpty }

    func waiting(in lane: String) -> [AlertItem] {
        items.values.filter { $0.lanes.contains(lane) }.map(\.item).sorted { $0.number < $1.number }
    }

    func openAlarms(in lane: String) -> [Alarm] {
        (open[lane] ?? [:]).values.sorted { ($0.raised, $0.id) < ($1.raised, $1.id) }
    }

    var deadCounts: [String: Int] { dead.reduce(into: [:]) { $0[$1.lane, default: 0] += 1 } }

    func deadNumbers(_ numbers: Set<UInt64>?, in lane: String) -> [UInt64] {
        dead.filter { $0.lane == lane && numbers?.contains($0.item.number) != false }.map(\.item.number)
    }

    /// The marks are those of one spool: with another one they mean nothing.
    mutating func forgetMark() { lastMark = .none }

    mutating func apply(_ record: OutboxRecord) {
        switch record {
        case .begin(let next, let mark): (nextNumber, lastMark) = (max(nextNumber, next), mark)
        case .lanes(let names): set(names)
        case .put(let changes, let first, let mark, let recorded):
            for (offset, change) in changes.enumerated() {
                let number = first &+ UInt64(offset)
                nextNumber = max(nextNumber, number &+ 1)
                guard !lanes.isEmpty else { continue }
                items[number] = (AlertItem(number: number, change: change, recorded: recorded), Set(lanes))
            }
            lastMark = max(lastMark, mark)
        case .settle(let numbers, let lane, let settlement):
            for number in numbers { settle(number, lane, settlement) }
        case .requeue(let numbers, let lane, let first, let recorded):
            for (offset, letter) in taken(numbers, lane).enumerated() {
                let number = first &+ UInt64(offset)
                let item = AlertItem(number: number, change: letter.item.change, recorded: recorded, isAgain: true)
                items[number] = (item, [lane])
                nextNumber = max(nextNumber, number &+ 1)
            }
        case .discard(let numbers, let lane): _ = taken(numbers, lane)
        case .item(let item, let names):
            items[item.number] = (item, Set(names))
            nextNumber = max(nextNumber, item.number &+ 1)
        case .open(let alarm, let lane): open[lane, default: [:]][alarm.id] = alarm
        case .dead(let letter): dead.append(letter)
        }
    }

    /// The shortest list of records that makes this state.
    var records: [OutboxRecord] {
        var records: [OutboxRecord] = [.begin(next: nextNumber, mark: lastMark), .lanes(lanes)]
        records += items.values.sorted { $0.item.number < $1.item.number }.map {
            .item($0.item, lanes: $0.lanes.sorted())
        }
        for lane in lanes { records += openAlarms(in: lane).map { .open($0, lane: lane) } }
        return records + dead.map { .dead($0) }
    }

    private mutating func set(_ names: [String]) {
        for lane in lanes where !names.contains(lane) && !Self.isEscalation(lane) { strand(lane) }
        lanes = names
        open = open.filter { names.contains($0.key) }
        for (number, entry) in items {
            let left = entry.lanes.intersection(names)
            if left.isEmpty { items[number] = nil } else { items[number]?.lanes = left }
        }
    }

    /// What waited for a channel that is no longer configured: the name may be a slip, or come back.
    private mutating func strand(_ lane: String) {
        let isOpen = open[lane] ?? [:]
        for item in waiting(in: lane) {
            let (step, alarm) = (item.change.step, item.change.alarm)
            guard item.change.isTold, step.isBeginning || (step == .cleared && isOpen[alarm.id] != nil) else {
                continue
            }
            bury(
                DeadAlert(
                    lane: lane, item: item, reason: "this channel is no longer configured", attempts: 0,
                    time: item.recorded))
        }
    }

    /// What waits there waits for nobody to acknowledge it; its own channel has been told.
    private static func isEscalation(_ lane: String) -> Bool { lane.contains(">") }

    private mutating func bury(_ letter: DeadAlert) {
        dead.append(letter)
        if dead.count > Self.deadLimit { dead.removeFirst(dead.count - Self.deadLimit) }
    }

    private mutating func settle(_ number: UInt64, _ lane: String, _ settlement: AlertSettlement) {
        guard let entry = items[number], entry.lanes.contains(lane) else { return }
        if entry.lanes.count == 1 { items[number] = nil } else { items[number]?.lanes.remove(lane) }
        let (alarm, step) = (entry.item.change.alarm, entry.item.change.step)
        // Of a summary the first that a lane tells may be an update, and of what it is not engaged in it tells none.
        let isOpening = step.isBeginning || step == .updated || step == .takenOver
        switch settlement {
        case .passedOver: break
        case .told:
            switch step {
            case _ where isOpening:
                // What is sent again may be over since.
                if !entry.item.isAgain || open[lane]?[alarm.id] != nil { open[lane, default: [:]][alarm.id] = alarm }
            case .cleared, .handedOver: open[lane]?[alarm.id] = nil
            default: if open[lane]?[alarm.id] != nil { open[lane]?[alarm.id] = alarm }
            }
        case .dead(let reason, let attempts, let time):
            if step == .cleared || step == .handedOver { open[lane]?[alarm.id] = nil }
            // That it has come back says nothing that the letter before does not.
            let isSaid = step == .takenOver && dead.last?.isAlso(of: alarm, in: lane, at: time) == true
            // It may be sent again, and then its end belongs here too.
            if isOpening, !entry.item.isAgain { open[lane, default: [:]][alarm.id] = alarm }
            guard step != .handedOver, !isSaid else { break }
            bury(DeadAlert(lane: lane, item: entry.item, reason: reason, attempts: attempts, time: time))
        }
    }

    private mutating func taken(_ numbers: [UInt64], _ lane: String) -> [DeadAlert] {
        let wanted = Set(numbers)
        let found = dead.filter { $0.lane == lane && wanted.contains($0.item.number) }
        dead.removeAll { $0.lane == lane && wanted.contains($0.item.number) }
        return found
    }
}

extension DeadAlert {
    fileprivate func isAlso(of alarm: Alarm, in lane: String, at time: Timestamp) -> Bool {
        item.change.alarm.id == alarm.id && self.lane == lane && self.time == time
    }
}

extension AlarmChange.Step {
    /// After it somebody must be told who has not been.
    var isBeginning: Bool {
        switch self {
        case .raised, .reopened, .escalated, .unshelved, .inService: true
        case .cleared, .updated, .acknowledged, .assigned, .commented, .shelved, .outOfService, .handedOver,
            .takenOver:
            false
        }
    }
}

internal import TocsinCore

/// One thing that happens to the outbox: what is appended to its file, and what the file is read as.
enum OutboxRecord: Sendable {
    /// Sets the counters: the first record of a file.
    case begin(next: UInt64, mark: AlarmMark)
    case lanes([String])
    case put([AlarmChange], first: UInt64, lastMark: AlarmMark, recorded: Timestamp)
    case settle([UInt64], lane: String, AlertSettlement)
    /// Dead letters become items of this lane with numbers from `first` on.
    case requeue([UInt64], lane: String, first: UInt64, recorded: Timestamp)
    case discard([UInt64], lane: String)
    /// Parts of a file that was written anew.
    case item(AlertItem, lanes: [String])
    case open(Alarm, lane: String)
    case dead(DeadAlert)

    var bytes: [UInt8] {
        var writer = StateWriter()
        switch self {
        case .begin(let next, let mark):
            writer.write(UInt8(1))
            writer.write(next)
            Self.write(mark, to: &writer)
        case .lanes(let names):
            writer.write(UInt8(2))
            Self.write(names, to: &writer)
        case .put(let changes, let first, let mark, let recorded):
            writer.write(UInt8(3))
            writer.write(first)
            Self.write(mark, to: &writer)
            writer.write(recorded)
            writer.write(varint: UInt64(changes.count))
            for change in changes { change.save(to: &writer) }
        case .settle(let numbers, let lane, let settlement):
            writer.write(UInt8(4))
            writer.write(name: lane)
            writer.write(column: numbers)
            switch settlement {
            case .told: writer.write(UInt8(1))
            case .passedOver: writer.write(UInt8(2))
            case .dead(let reason, let attempts, let time):
                writer.write(UInt8(3))
                Self.write(reason, attempts, time, to: &writer)
            }
        case .requeue(let numbers, let lane, let first, let recorded):
            writer.write(UInt8(5))
            writer.write(name: lane)
            writer.write(column: numbers)
            writer.write(first)
            writer.write(recorded)
        case .discard(let numbers, let lane):
            writer.write(UInt8(6))
            writer.write(name: lane)
            writer.write(column: numbers)
        case .item(let item, let lanes):
            writer.write(UInt8(7))
            Self.write(item, to: &writer)
            Self.write(lanes, to: &writer)
            writer.write(item.isAgain)
        case .open(let alarm, let lane):
            writer.write(UInt8(8))
            writer.write(name: lane)
            alarm.save(to: &writer)
        case .dead(let dead):
            writer.write(UInt8(9))
            writer.write(name: dead.lane)
            Self.write(dead.item, to: &writer)
            Self.write(dead.reason, dead.attempts, dead.time, to: &writer)
        }
        return writer.bytes
    }

    /// nil for nonsense.
    init?(_ bytes: ArraySlice<UInt8>) {
        var reader = StateReader(bytes)
        guard let kind = reader.read(UInt8.self), let record = Self.read(kind, &reader) else { return nil }
        self = record
    }

    private static func read(_ kind: UInt8, _ reader: inout StateReader) -> OutboxRecord? {
        switch kind {
        case 1:
            guard let next = reader.read(UInt64.self), let mark = readMark(&reader) else { return nil }
            return .begin(next: next, mark: mark)
        case 2: return readNames(&reader).map { .lanes($0) }
        case 3:
            guard let first = reader.read(UInt64.self), let mark = readMark(&reader),
                let recorded = reader.readTimestamp(), let count = reader.readCount(of: 8)
            else { return nil }
            var changes: [AlarmChange] = []
            for _ in 0..<count {
                guard let change = AlarmChange(&reader) else { return nil }
                changes.append(change)
            }
            return .put(changes, first: first, lastMark: mark, recorded: recorded)
        case 4:
            guard let lane = reader.readName(), let numbers = reader.readColumn(of: UInt64.self),
                let settlement = readSettlement(&reader)
            else { return nil }
            return .settle(numbers, lane: lane, settlement)
        case 5:
            guard let lane = reader.readName(), let numbers = reader.readColumn(of: UInt64.self),
                let first = reader.read(UInt64.self), let recorded = reader.readTimestamp()
            else { return nil }
            return .requeue(numbers, lane: lane, first: first, recorded: recorded)
        case 6:
            guard let lane = reader.readName(), let numbers = reader.readColumn(of: UInt64.self) else { return nil }
            return .discard(numbers, lane: lane)
        case 7:
            guard var item = readItem(&reader), let lanes = readNames(&reader) else { return nil }
            item.isAgain = reader.readFlag() ?? false
            return .item(item, lanes: lanes)
        case 8:
            guard let lane = reader.readName(), let alarm = Alarm(&reader) else { return nil }
            return .open(alarm, lane: lane)
        case 9:
            guard let lane = reader.readName(), let item = readItem(&reader),
                let (reason, attempts, time) = readReason(&reader)
            else { return nil }
            return .dead(DeadAlert(lane: lane, item: item, reason: reason, attempts: attempts, time: time))
        default: return nil
        }
    }

    private static func write(_ mark: AlarmMark, to writer: inout StateWriter) {
        writer.write(mark.sequence)
        writer.write(mark.change)
    }

    private static func readMark(_ reader: inout StateReader) -> AlarmMark? {
        guard let sequence = reader.read(UInt64.self), let change = reader.read(UInt32.self) else { return nil }
        return AlarmMark(sequence: sequence, change: change)
    }

    private static func write(_ names: [String], to writer: inout StateWriter) {
        writer.write(varint: UInt64(names.count))
        for name in names { writer.write(name: name) }
    }

    private static func readNames(_ reader: inout StateReader) -> [String]? {
        guard let count = reader.readCount(of: 2) else { return nil }
        var names: [String] = []
        for _ in 0..<count {
            guard let name = reader.readName() else { return nil }
            names.append(name)
        }
        return names
    }

    private static func write(_ item: AlertItem, to writer: inout StateWriter) {
        writer.write(item.number)
        writer.write(item.recorded)
        item.change.save(to: &writer)
    }

    private static func readItem(_ reader: inout StateReader) -> AlertItem? {
        guard let number = reader.read(UInt64.self), let recorded = reader.readTimestamp(),
            let change = AlarmChange(&reader)
        else { return nil }
        return AlertItem(number: number, change: change, recorded: recorded)
    }

    private static func write(_ reason: String, _ attempts: Int, _ time: Timestamp, to writer: inout StateWriter) {
        writer.write(text: reason)
        writer.write(Int64(attempts))
        writer.write(time)
    }

    private static func readReason(_ reader: inout StateReader) -> (String, Int, Timestamp)? {
        guard let reason = reader.readText(), let attempts = reader.read(Int64.self), let time = reader.readTimestamp()
        else { return nil }
        return (reason, Int(attempts), time)
    }

    private static func readSettlement(_ reader: inout StateReader) -> AlertSettlement? {
        switch reader.read(UInt8.self) {
        case 1: return .told
        case 2: return .passedOver
        case 3:
            guard let (reason, attempts, time) = readReason(&reader) else { return nil }
            return .dead(reason: reason, attempts: attempts, time: time)
        default: return nil
        }
    }
}

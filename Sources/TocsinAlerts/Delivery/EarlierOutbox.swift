internal import TocsinCore

/// The form that the file had before there were dead letters: changes with their marks, and how far each channel had come.
/// Read once, when it is opened; what it says is kept in today's form.
enum EarlierOutbox {
    static let magic: UInt64 = 0x5452_454c_4153_4354

    /// False where nothing could be read.
    static func read(_ reader: inout StateReader, into state: inout OutboxState) -> Bool {
        var through: [String: AlarmMark] = [:]
        var entries: [(changes: [AlarmChange], first: AlarmMark)] = []
        var last = AlarmMark.none
        while let body = reader.readBlob() {
            var record = StateReader(body)
            guard let kind = record.read(UInt8.self), let sequence = record.read(UInt64.self),
                let place = record.read(UInt32.self)
            else { break }
            let mark = AlarmMark(sequence: sequence, change: place)
            if kind == 2, let channel = record.readText() {
                through[channel] = max(through[channel] ?? .none, mark)
                last = max(last, mark)
            } else if kind == 1, let changes = Self.changes(&record) {
                entries.append((changes, mark))
                last = max(last, mark.advanced(by: changes.count - 1))
            } else {
                break
            }
        }
        state.apply(.lanes(through.keys.sorted()))
        let now = SystemClock().now()
        for entry in entries {
            let first = state.nextNumber
            state.apply(.put(entry.changes, first: first, lastMark: .none, recorded: now))
            for (channel, done) in through {
                let count = entry.changes.indices.prefix { entry.first.advanced(by: $0) <= done }.count
                state.apply(.settle((0..<count).map { first &+ UInt64($0) }, lane: channel, .told))
            }
        }
        state.apply(.begin(next: state.nextNumber, mark: last))
        return last != .none
    }

    private static func changes(_ record: inout StateReader) -> [AlarmChange]? {
        guard let count = record.readCount(of: 8), count > 0 else { return nil }
        var changes: [AlarmChange] = []
        for _ in 0..<count {
            guard let change = AlarmChange(&record) else { return nil }
            changes.append(change)
        }
        return changes
    }
}

internal import TocsinCore

extension AlarmBook {
    func save(to writer: inout StateWriter) {
        writer.write(nextDeadline)
        writer.write(varint: UInt64(entries.count))
        // Dictionaries have no order, a checkpoint has one.
        for (key, entry) in entries.sorted(by: { Self.order($0.key) < Self.order($1.key) }) {
            writer.write(key.sensor.index)
            entry.alarm.save(to: &writer)
            writer.write(entry.lastProgress)
            writer.write(Int64(entry.nextUpdate))
        }
        writer.write(varint: UInt64(restored.count))
        for (key, alarm) in restored.sorted(by: { Self.order($0.key) < Self.order($1.key) }) {
            writer.write(key.sensor.index)
            alarm.save(to: &writer)
        }
    }

    /// - Returns: false for nonsense; then some incidents may have been taken up.
    mutating func restore(from reader: inout StateReader) -> Bool {
        guard let deadline = reader.readTimestamp(), let count = reader.readCount(of: 8) else { return false }
        for _ in 0..<count {
            guard let sensor = reader.read(UInt32.self), let alarm = Alarm(&reader),
                let lastProgress = reader.readTimestamp(), let nextUpdate = reader.read(Int64.self)
            else { return false }
            entries[Key(sensor: SensorID(sensor), kind: alarm.kind)] = Entry(
                alarm: alarm, lastProgress: lastProgress, nextUpdate: Int(nextUpdate))
        }
        guard let waiting = reader.readCount(of: 8) else { return false }
        for _ in 0..<waiting {
            guard let sensor = reader.read(UInt32.self), let alarm = Alarm(&reader) else { return false }
            restored[Key(sensor: SensorID(sensor), kind: alarm.kind)] = alarm
        }
        nextDeadline = deadline
        return true
    }

    /// For screens after a restart.
    var openAlarms: [Alarm] {
        (entries.values.map(\.alarm) + restored.values).filter { $0.state == .open }
    }

    private static func order(_ key: Key) -> (UInt32, UInt8) { (key.sensor.index, key.kind.rawValue) }
}

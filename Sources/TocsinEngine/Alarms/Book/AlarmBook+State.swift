public import TocsinCore

extension AlarmBook {
    public func save(to writer: inout StateWriter) {
        writer.write(varint: UInt64(entries.count))
        // Dictionaries have no order, a checkpoint has one.
        for (key, entry) in entries.sorted(by: { Self.order($0.key) < Self.order($1.key) }) {
            writer.write(key.sensor.index)
            entry.save(to: &writer)
        }
        writer.write(varint: UInt64(restored.count))
        for (key, alarm) in restored.sorted(by: { Self.order($0.key) < Self.order($1.key) }) {
            writer.write(key.sensor.index)
            alarm.save(to: &writer)
        }
        writer.write(varint: UInt64(pending.count))
        for (condition, waiting) in pending.sorted(by: { $0.key < $1.key }) {
            condition.save(to: &writer)
            waiting.entry.save(to: &writer)
            writer.write(waiting.patience.nanoseconds)
        }
        writer.write(varint: UInt64(accepted.count))
        for (condition, level) in accepted.sorted(by: { $0.key < $1.key }) {
            condition.save(to: &writer)
            writer.write(level.value)
            writer.write(level.tolerance)
            writer.write(level.lastProgress)
        }
    }

    /// - Returns: false for nonsense; then some incidents may have been taken up.
    public mutating func restore(from reader: inout StateReader) -> Bool {
        guard let count = reader.readCount(of: 8) else { return false }
        for _ in 0..<count {
            guard let sensor = reader.read(UInt32.self), let entry = Entry(&reader) else { return false }
            entries[Key(sensor: SensorID(sensor), kind: entry.alarm.kind)] = entry
        }
        guard let left = reader.readCount(of: 8) else { return false }
        for _ in 0..<left {
            guard let sensor = reader.read(UInt32.self), let alarm = Alarm(&reader) else { return false }
            restored[Key(sensor: SensorID(sensor), kind: alarm.kind)] = alarm
        }
        guard let waiting = reader.readCount(of: 8) else { return false }
        for _ in 0..<waiting {
            guard let condition = SeriesKind(&reader), let entry = Entry(&reader),
                let patience = reader.read(Int64.self)
            else { return false }
            pending[condition] = Pending(entry: entry, patience: Span64(nanoseconds: patience))
        }
        guard let levels = reader.readCount(of: 8) else { return false }
        for _ in 0..<levels {
            guard let condition = SeriesKind(&reader), let value = reader.readDouble(),
                let tolerance = reader.readDouble(), let lastProgress = reader.readTimestamp()
            else { return false }
            accepted[condition] = AcceptedLevel(value: value, tolerance: tolerance, lastProgress: lastProgress)
        }
        index()
        return true
    }

    /// Watches and deadlines follow from the rest.
    private mutating func index() {
        watched = [:]
        queue = DeadlineQueue()
        keys = [:]
        for (key, entry) in entries {
            keys[entry.alarm.id] = key
            watch(entry.watch)
            enqueue(key)
        }
        for (key, alarm) in restored {
            queue.insert(.restored(key), at: alarm.lastSeen.advanced(by: settings.clearAfter))
        }
        for (condition, waiting) in pending { addPending(condition, waiting) }
        for (condition, level) in accepted {
            queue.insert(.accepted(condition), at: level.lastProgress.advanced(by: settings.newNormalAfter ?? .days(0)))
        }
    }

    private static func order(_ key: Key) -> (UInt32, UInt8) { (key.sensor.index, key.kind.rawValue) }
}

extension AlarmBook.SeriesKind: Comparable {
    static func < (left: Self, right: Self) -> Bool { left.order < right.order }

    private var order: (UInt32, UInt64, UInt8) {
        (sensor.index, series.map { UInt64($0.index) } ?? .max, kind.rawValue)
    }

    func save(to writer: inout StateWriter) {
        writer.write(sensor.index)
        writer.write(series)
        writer.write(kind.rawValue)
    }

    init?(_ reader: inout StateReader) {
        guard let sensor = reader.read(UInt32.self), let series = reader.readSeries(),
            let kind = reader.read(UInt8.self).flatMap(AnomalyKind.init(rawValue:))
        else { return nil }
        self.init(sensor: SensorID(sensor), series: series, kind: kind)
    }
}

extension AlarmBook.Entry {
    func save(to writer: inout StateWriter) {
        alarm.save(to: &writer)
        writer.write(lastProgress)
        writer.write(Int64(nextUpdate))
        writer.write(clearAfter.nanoseconds)
        writer.write(lastHeld != nil)
        if let lastHeld { writer.write(lastHeld) }
        writer.write(watch != nil)
        if let watch {
            writer.write(watch.series.index)
            for number in [watch.low, watch.high, watch.deadBand] { writer.write(number) }
        }
        writer.write(varint: UInt64(levels.count))
        for level in levels {
            writer.write(level.series)
            writer.write(level.value)
            writer.write(level.tolerance)
            writer.write(level.since)
        }
    }

    init?(_ reader: inout StateReader) {
        guard let alarm = Alarm(&reader), let lastProgress = reader.readTimestamp(),
            let nextUpdate = reader.read(Int64.self), let clearAfter = reader.read(Int64.self),
            let isHeld = reader.readFlag()
        else { return nil }
        self.init(
            alarm: alarm, lastProgress: lastProgress, nextUpdate: Int(nextUpdate),
            clearAfter: Span64(nanoseconds: clearAfter))
        if isHeld {
            guard let held = reader.readTimestamp() else { return nil }
            lastHeld = held
        }
        guard let hasWatch = reader.readFlag() else { return nil }
        if hasWatch {
            guard let series = reader.read(UInt32.self), let low = reader.readDouble(), let high = reader.readDouble(),
                let deadBand = reader.readDouble()
            else { return nil }
            watch = .init(series: SeriesID(series), low: low, high: high, deadBand: deadBand)
        }
        guard let count = reader.readCount(of: 8) else { return nil }
        for _ in 0..<count {
            guard let series = reader.readSeries(), let value = reader.readDouble(),
                let tolerance = reader.readDouble(), let since = reader.readTimestamp()
            else { return nil }
            levels.append(.init(series: series, value: value, tolerance: tolerance, since: since))
        }
    }
}

extension StateWriter {
    mutating func write(_ series: SeriesID?) {
        write(series != nil)
        if let series { write(series.index) }
    }
}

extension StateReader {
    /// nil for nonsense, `.some(nil)` for no series.
    mutating func readSeries() -> SeriesID?? {
        guard let isThere = readFlag() else { return nil }
        guard isThere else { return .some(nil) }
        guard let index = read(UInt32.self) else { return nil }
        return .some(SeriesID(index))
    }
}

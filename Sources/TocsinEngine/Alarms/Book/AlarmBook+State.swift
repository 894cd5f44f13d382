public import TocsinCore

extension AlarmBook {
    public func save(to writer: inout StateWriter) { save(to: &writer, nil) }

    /// - Parameter selection: whose; nil = all.
    func save(to writer: inout StateWriter, _ selection: SensorSelection?) {
        let isWanted = { (sensor: SensorID) in selection?.contains(sensor) ?? true }
        let entries = entries.filter { isWanted($0.key.sensor) }
        let restored = restored.filter { isWanted($0.key.sensor) }
        let pending = pending.filter { isWanted($0.key.sensor) }
        let accepted = accepted.filter { isWanted($0.key.sensor) }
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
            writer.write(level.source)
            writer.write(level.lastProgress)
        }
    }

    /// - Returns: false for nonsense; then some incidents may have been taken up.
    public mutating func restore(from reader: inout StateReader) -> Bool {
        restore(from: &reader, .any, source: nil, shift: .seconds(0))
    }

    /// Takes up incidents beside those that are here.
    /// - Parameters:
    ///   - source: whose all are; nil: as saved.
    ///   - shift: by how much that source's clock is ahead of what it was where they were saved.
    /// - Returns: false for nonsense; then some incidents may have been taken up.
    mutating func restore(
        from reader: inout StateReader, _ ids: SavedIDs, source: SourceID?, shift: Span64
    ) -> Bool {
        defer { index() }
        guard let count = reader.readCount(of: 8) else { return false }
        for _ in 0..<count {
            guard let sensor = reader.readSensor(ids), let entry = Entry(&reader, ids, source, shift) else {
                return false
            }
            entries[Key(sensor: sensor, kind: entry.alarm.kind)] = entry
        }
        guard let left = reader.readCount(of: 8) else { return false }
        for _ in 0..<left {
            guard let sensor = reader.readSensor(ids), let alarm = Alarm(&reader) else { return false }
            restored[Key(sensor: sensor, kind: alarm.kind)] = alarm
        }
        guard let waiting = reader.readCount(of: 8) else { return false }
        for _ in 0..<waiting {
            guard let condition = SeriesKind(&reader, ids), let entry = Entry(&reader, ids, source, shift),
                let patience = reader.read(Int64.self)
            else { return false }
            pending[condition] = Pending(entry: entry, patience: Span64(nanoseconds: patience))
        }
        guard let levels = reader.readCount(of: 8) else { return false }
        for _ in 0..<levels {
            guard let condition = SeriesKind(&reader, ids), let value = reader.readDouble(),
                let tolerance = reader.readDouble(), let saved = reader.readOptionalSource(),
                let lastProgress = reader.readTimestamp()
            else { return false }
            accepted[condition] = AcceptedLevel(
                value: value, tolerance: tolerance, source: source ?? saved,
                lastProgress: lastProgress.advanced(by: shift))
        }
        return true
    }

    /// Watches and deadlines follow from the rest.
    mutating func index() {
        watched = [:]
        queue.removeElements()
        keys = [:]
        for (key, entry) in entries {
            keys[entry.alarm.id] = key
            watch(entry.watch)
            entries[key]?.queued = Timestamp(nanoseconds: .max)
            enqueue(key)
        }
        for (key, alarm) in restored {
            queue.insert(.restored(key), at: alarm.lastSeen.advanced(by: settings.clearAfter), of: nil)
        }
        for (condition, waiting) in pending {
            pending[condition]?.entry.queued = waiting.end
            queue.insert(.pending(condition), at: waiting.end, of: waiting.entry.source)
            watch(waiting.entry.watch)
        }
        for (condition, level) in accepted {
            let end = level.lastProgress.advanced(by: settings.newNormalAfter ?? .days(0))
            queue.insert(.accepted(condition), at: end, of: level.source)
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

    init?(_ reader: inout StateReader, _ ids: SavedIDs) {
        guard let sensor = reader.readSensor(ids), let series = reader.readOptionalSeries(ids),
            let kind = reader.read(UInt8.self).flatMap(AnomalyKind.init(rawValue:))
        else { return nil }
        self.init(sensor: sensor, series: series, kind: kind)
    }
}

extension AlarmBook.Entry {
    func save(to writer: inout StateWriter) {
        alarm.save(to: &writer)
        writer.write(source)
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

    init?(_ reader: inout StateReader, _ ids: SavedIDs, _ source: SourceID?, _ shift: Span64) {
        guard let alarm = Alarm(&reader), let saved = reader.readOptionalSource(),
            let lastProgress = reader.readTimestamp(),
            let nextUpdate = reader.read(Int64.self), let clearAfter = reader.read(Int64.self),
            let isHeld = reader.readFlag()
        else { return nil }
        self.init(
            alarm: alarm, source: source ?? saved, lastProgress: lastProgress.advanced(by: shift),
            nextUpdate: Int(nextUpdate), clearAfter: Span64(nanoseconds: clearAfter))
        if isHeld {
            guard let held = reader.readTimestamp() else { return nil }
            lastHeld = held
        }
        guard let hasWatch = reader.readFlag() else { return nil }
        if hasWatch {
            guard let series = reader.readSeries(ids), let low = reader.readDouble(), let high = reader.readDouble(),
                let deadBand = reader.readDouble()
            else { return nil }
            watch = .init(series: series, low: low, high: high, deadBand: deadBand)
        }
        guard let count = reader.readCount(of: 8) else { return nil }
        for _ in 0..<count {
            guard let series = reader.readOptionalSeries(ids), let value = reader.readDouble(),
                let tolerance = reader.readDouble(), let since = reader.readTimestamp()
            else { return nil }
            levels.append(
                .init(series: series, value: value, tolerance: tolerance, since: since.advanced(by: shift)))
        }
    }
}

extension StateWriter {
    mutating func write(_ series: SeriesID?) {
        write(series != nil)
        if let series { write(series.index) }
    }

    fileprivate mutating func write(_ source: SourceID?) {
        write(source != nil)
        if let source { write(source.index) }
    }
}

extension StateReader {
    /// nil for nonsense, `.some(nil)` for no series.
    mutating func readOptionalSeries(_ ids: SavedIDs) -> SeriesID?? {
        guard let isThere = readFlag() else { return nil }
        guard isThere else { return .some(nil) }
        return readSeries(ids).map { .some($0) }
    }

    /// nil for nonsense, `.some(nil)` for no source.
    fileprivate mutating func readOptionalSource() -> SourceID?? {
        guard let isThere = readFlag() else { return nil }
        guard isThere else { return .some(nil) }
        return read(UInt16.self).map { .some(SourceID($0)) }
    }
}

internal import TocsinCore

extension RaiseLimiter {
    func save(to writer: inout StateWriter) {
        writer.write(nextDeadline)
        writer.write(text: floodID ?? "")
        writer.write(varint: UInt64(recent.count))
        for raise in recent {
            writer.write(raise.progress)
            raise.onset.save(to: &writer)
        }
        writer.write(varint: UInt64(summaries.count))
        for (_, summary) in summaries.sorted(by: { $0.key < $1.key }) { summary.save(to: &writer) }
        Self.save(memberships, days, to: &writer)
    }

    private static func save(
        _ memberships: [String: String], _ days: [String: Day], to writer: inout StateWriter
    ) {
        writer.write(varint: UInt64(memberships.count))
        for (alarm, summary) in memberships.sorted(by: { $0.key < $1.key }) {
            writer.write(text: alarm)
            writer.write(text: summary)
        }
        writer.write(varint: UInt64(days.count))
        for (asset, day) in days.sorted(by: { $0.key < $1.key }) {
            writer.write(text: asset)
            writer.write(day.number)
            writer.write(varint: UInt64(day.told))
            writer.write(text: day.summaryID ?? "")
        }
    }

    /// - Returns: false for nonsense.
    mutating func restore(from reader: inout StateReader) -> Bool {
        guard let deadline = reader.readTimestamp(), let id = reader.readText(), let raises = reader.readCount(of: 8)
        else { return false }
        for _ in 0..<raises {
            guard let progress = reader.readTimestamp(), let onset = Summary.Onset(&reader) else { return false }
            recent.append(Raise(progress: progress, onset: onset))
        }
        guard let count = reader.readCount(of: 8) else { return false }
        for _ in 0..<count {
            guard let summary = Summary(&reader) else { return false }
            summaries[summary.alarm.id] = summary
        }
        guard restoreMembers(&reader) else { return false }
        floodID = summaries[id] == nil ? nil : id
        nextDeadline = deadline
        return true
    }

    // MARK: Handover

    /// Of some incidents, which summary they belong to; of some assets, what was told of them today.
    func saveMembers(to writer: inout StateWriter, of alarms: Set<String>, assets: Set<String>) {
        Self.save(
            memberships.filter { alarms.contains($0.key) }, days.filter { assets.contains($0.key) }, to: &writer)
    }

    /// Takes them up beside what is here: of a day the greater count holds.
    mutating func adoptMembers(from reader: inout StateReader) -> Bool {
        var other = RaiseLimiter(flood: flood)
        guard other.restoreMembers(&reader) else { return false }
        memberships.merge(other.memberships) { _, new in new }
        for (asset, day) in other.days {
            var sum = days[asset] ?? day
            if day.number > sum.number { sum = day }
            if day.number == sum.number { sum.told = max(sum.told, day.told) }
            days[asset] = sum
            nextDeadline = min(nextDeadline, Self.end(ofDay: sum.number))
        }
        return true
    }

    /// Incidents leave without a word. A summary that has no other open one ends by time.
    mutating func forget(_ alarms: Set<String>) {
        for alarm in alarms {
            guard let id = memberships.removeValue(forKey: alarm), var summary = summaries[id] else { continue }
            summaries[id] = nil
            summary.open.remove(alarm)
            if summary.isEnded, summary.open.isEmpty {
                summary.isEnded = false
                nextDeadline = min(nextDeadline, summary.end)
            }
            summaries[id] = summary
        }
    }

    private mutating func restoreMembers(_ reader: inout StateReader) -> Bool {
        guard let members = reader.readCount(of: 2) else { return false }
        for _ in 0..<members {
            guard let alarm = reader.readText(), let summary = reader.readText() else { return false }
            memberships[alarm] = summary
        }
        guard let count = reader.readCount(of: 8) else { return false }
        for _ in 0..<count {
            guard let asset = reader.readText(), let number = reader.read(Int64.self),
                let told = reader.readVarint().flatMap(Int.init(exactly:)), let summary = reader.readText(),
                number.magnitude < 1_000_000
            else { return false }
            days[asset] = Day(number: number, told: told, summaryID: summary.isEmpty ? nil : summary)
        }
        return true
    }
}

extension Summary.Onset {
    func save(to writer: inout StateWriter) {
        writer.write(time)
        writer.write(text: id)
        writer.write(text: sensor)
        writer.write((metric == nil ? 0 : Self.metricFlag) | (isCritical ? Self.criticalFlag : 0))
        if let metric { writer.write(text: metric) }
        writer.write(kind.rawValue)
    }

    init?(_ reader: inout StateReader) {
        guard let time = reader.readTimestamp(), let id = reader.readText(), let sensor = reader.readText(),
            let flags = reader.read(UInt8.self), flags <= Self.metricFlag | Self.criticalFlag
        else { return nil }
        let hasMetric = flags & Self.metricFlag != 0
        let metric = hasMetric ? reader.readText() : nil
        guard !hasMetric || metric != nil, let kind = reader.read(UInt8.self).flatMap(AnomalyKind.init(rawValue:))
        else { return nil }
        self.init(
            time: time, id: id, sensor: sensor, metric: metric, kind: kind,
            isCritical: flags & Self.criticalFlag != 0)
    }

    private static let metricFlag: UInt8 = 1
    private static let criticalFlag: UInt8 = 2
}

extension Summary {
    func save(to writer: inout StateWriter) {
        alarm.save(to: &writer)
        switch cause {
        case .flood:
            writer.write(Self.countedFlood)
            writer.write(varint: UInt64(criticals))
            writer.write(varint: UInt64(criticalsTold))
        case .budget(let budget, let asset):
            writer.write(Self.budget)
            writer.write(Int64(budget))
            writer.write(text: asset)
        }
        writer.write(end)
        writer.write(isEnded)
        writer.write(varint: UInt64(toldBefore))
        writer.write(varint: UInt64(nextUpdate))
        for list in [members, open.sorted(), sensors.sorted()] {
            writer.write(varint: UInt64(list.count))
            for text in list { writer.write(text: text) }
        }
        writer.write(varint: UInt64(first.count))
        for onset in first { onset.save(to: &writer) }
    }

    init?(_ reader: inout StateReader) {
        guard let alarm = Alarm(&reader), let kind = reader.read(UInt8.self) else { return nil }
        var cause = Cause.flood
        var (criticals, criticalsTold) = (0, 0)
        switch kind {
        case Self.flood: break
        case Self.countedFlood:
            guard let all = reader.readVarint().flatMap(Int.init(exactly:)), all < 1 << 40,
                let told = reader.readVarint().flatMap(Int.init(exactly:)), told <= all
            else { return nil }
            (criticals, criticalsTold) = (all, told)
        case Self.budget:
            guard let budget = reader.read(Int64.self), let asset = reader.readText() else { return nil }
            cause = .budget(Int(budget), asset: asset)
        default: return nil
        }
        guard let end = reader.readTimestamp(), let isEnded = reader.readFlag(),
            let toldBefore = reader.readVarint().flatMap(Int.init(exactly:)), toldBefore < 1 << 40,
            let nextUpdate = reader.readVarint().flatMap(Int.init(exactly:)),
            let members = Self.texts(&reader), let open = Self.texts(&reader), let sensors = Self.texts(&reader),
            let onsets = reader.readCount(of: 8)
        else { return nil }
        self.init(cause: cause, first: alarm, end: end)
        self.alarm = alarm
        self.isEnded = isEnded
        self.toldBefore = toldBefore
        self.criticals = criticals
        self.criticalsTold = criticalsTold
        self.nextUpdate = nextUpdate
        self.members = members
        self.open = Set(open)
        self.sensors = Set(sensors)
        for _ in 0..<onsets {
            guard let onset = Onset(&reader) else { return nil }
            first.append(onset)
        }
    }

    /// What a summary is of; a flood without the counts of critical incidents is an earlier program's.
    private static let flood: UInt8 = 0
    private static let budget: UInt8 = 1
    private static let countedFlood: UInt8 = 2

    private static func texts(_ reader: inout StateReader) -> [String]? {
        guard let count = reader.readCount() else { return nil }
        var texts: [String] = []
        for _ in 0..<count {
            guard let text = reader.readText() else { return nil }
            texts.append(text)
        }
        return texts
    }
}

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
        writer.write(metric != nil)
        if let metric { writer.write(text: metric) }
        writer.write(kind.rawValue)
    }

    init?(_ reader: inout StateReader) {
        guard let time = reader.readTimestamp(), let id = reader.readText(), let sensor = reader.readText(),
            let hasMetric = reader.readFlag()
        else { return nil }
        let metric = hasMetric ? reader.readText() : nil
        guard !hasMetric || metric != nil, let kind = reader.read(UInt8.self).flatMap(AnomalyKind.init(rawValue:))
        else { return nil }
        self.init(time: time, id: id, sensor: sensor, metric: metric, kind: kind)
    }
}

extension Summary {
    func save(to writer: inout StateWriter) {
        alarm.save(to: &writer)
        switch cause {
        case .flood: writer.write(false)
        case .budget(let budget, let asset):
            writer.write(true)
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
        guard let alarm = Alarm(&reader), let isBudget = reader.readFlag() else { return nil }
        var cause = Cause.flood
        if isBudget {
            guard let budget = reader.read(Int64.self), let asset = reader.readText() else { return nil }
            cause = .budget(Int(budget), asset: asset)
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
        self.nextUpdate = nextUpdate
        self.members = members
        self.open = Set(open)
        self.sensors = Set(sensors)
        for _ in 0..<onsets {
            guard let onset = Onset(&reader) else { return nil }
            first.append(onset)
        }
    }

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

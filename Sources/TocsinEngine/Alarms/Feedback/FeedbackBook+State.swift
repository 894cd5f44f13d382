public import TocsinCore

extension FeedbackBook {
    public func save(to writer: inout StateWriter) {
        for word in FeedbackWord.allCases { writer.write(varint: UInt64(counts[word] ?? 0)) }
        saveWords(to: &writer, of: nil)
    }

    /// - Parameter sensors: whose; nil = all.
    func saveWords(to writer: inout StateWriter, of sensors: Set<String>?) {
        let margins = margins.filter { sensors?.contains($0.key.sensor) ?? true }
        let expectations = expectations.filter { sensors?.contains($0.key.sensor) ?? true }
        writer.write(varint: UInt64(margins.count))
        for (key, margin) in margins.sorted(by: { $0.key < $1.key }) {
            key.save(to: &writer)
            writer.write(margin.odds)
            writer.write(margin.factor)
            writer.write(margin.since)
        }
        writer.write(varint: UInt64(expectations.count))
        for (key, list) in expectations.sorted(by: { $0.key < $1.key }) {
            key.save(to: &writer)
            writer.write(varint: UInt64(list.count))
            for expectation in list {
                writer.write(name: expectation.recurrence.rawValue)
                writer.write(expectation.place)
                writer.write(expectation.length)
                writer.write(expectation.odds)
                writer.write(expectation.lastSeen)
            }
        }
    }

    /// - Returns: false for nonsense; then some of it may have been taken up.
    public mutating func restore(from reader: inout StateReader) -> Bool {
        for word in FeedbackWord.allCases {
            guard let count = reader.readVarint().flatMap(Int.init(exactly:)), count < 1 << 40 else { return false }
            counts[word] = count == 0 ? nil : count
        }
        return restoreWords(from: &reader)
    }

    /// Takes up words beside those that are here.
    mutating func restoreWords(from reader: inout StateReader) -> Bool {
        guard let count = reader.readCount(of: 8) else { return false }
        for _ in 0..<count {
            guard let key = Key(&reader), let odds = reader.readDouble(), let factor = reader.readDouble(),
                let since = reader.readTimestamp()
            else { return false }
            margins[key] = Margin(odds: odds, factor: factor, since: since)
        }
        guard let keys = reader.readCount(of: 8) else { return false }
        for _ in 0..<keys {
            guard let key = Key(&reader), let length = reader.readCount(of: 8) else { return false }
            for _ in 0..<length {
                guard let expectation = Expectation(&reader) else { return false }
                expectations[key, default: []].append(expectation)
            }
        }
        return true
    }

    mutating func forget(_ sensors: Set<String>) {
        margins = margins.filter { !sensors.contains($0.key.sensor) }
        expectations = expectations.filter { !sensors.contains($0.key.sensor) }
    }
}

extension FeedbackBook.Key: Comparable {
    static func < (left: Self, right: Self) -> Bool {
        (left.sensor, left.metric ?? "", left.metric == nil ? 0 : 1, left.kind.rawValue)
            < (right.sensor, right.metric ?? "", right.metric == nil ? 0 : 1, right.kind.rawValue)
    }

    func save(to writer: inout StateWriter) {
        writer.write(text: sensor)
        writer.write(metric != nil)
        if let metric { writer.write(text: metric) }
        writer.write(kind.rawValue)
    }

    init?(_ reader: inout StateReader) {
        guard let sensor = reader.readText(), let hasMetric = reader.readFlag() else { return nil }
        let metric = hasMetric ? reader.readText() : nil
        guard !hasMetric || metric != nil, let kind = reader.read(UInt8.self).flatMap(AnomalyKind.init(rawValue:))
        else { return nil }
        self.init(sensor: sensor, metric: metric, kind: kind)
    }
}

extension FeedbackBook.Expectation {
    init?(_ reader: inout StateReader) {
        guard let recurrence = reader.readName().flatMap(Recurrence.init(rawValue:)),
            let place = reader.read(Int64.self), let length = reader.read(Int64.self), let odds = reader.readDouble(),
            let lastSeen = reader.readTimestamp(), (0..<WeeklySpan.week.nanoseconds).contains(place)
        else { return nil }
        self.init(recurrence: recurrence, place: place, length: length, odds: odds, lastSeen: lastSeen)
    }
}

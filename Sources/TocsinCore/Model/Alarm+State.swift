extension Alarm {
    public func save(to writer: inout StateWriter) {
        writer.write(name: id)
        writer.write(text: sensor)
        writer.write(metric != nil)
        if let metric { writer.write(text: metric) }
        writer.write(kind.rawValue)
        // Two bytes that were flags once: what has been added stands in their higher bits.
        let hasCare = care != .none
        writer.write(UInt8(state == .open ? 1 : 0) | (hasCare ? 2 : 0))
        writer.write(Self.severities[Int(severity.rank)])
        writer.write(raised)
        writer.write(lastSeen)
        writer.write(cleared != nil)
        if let cleared { writer.write(cleared) }
        writer.write(Int64(verdicts))
        writer.write(score)
        writer.write(pValue)
        writer.write(text: sentence)
        writer.write(text: summary ?? "")
        writer.write(text: cause ?? "")
        if hasCare { care.save(to: &writer) }
    }

    /// By rank: how each severity is written.
    private static let severities: [UInt8] = [2, 0, 1]

    /// nil for nonsense.
    public init?(_ reader: inout StateReader) {
        guard let id = reader.readName(), let sensor = reader.readText(), let hasMetric = reader.readFlag() else {
            return nil
        }
        let metric = hasMetric ? reader.readText() : nil
        guard !hasMetric || metric != nil, let kind = reader.read(UInt8.self).flatMap(AnomalyKind.init(rawValue:)),
            let state = reader.read(UInt8.self), state < 4, let written = reader.read(UInt8.self),
            let severity = Severity.allCases.first(where: { Self.severities[Int($0.rank)] == written }),
            let raised = reader.readTimestamp(),
            let lastSeen = reader.readTimestamp(), let isCleared = reader.readFlag()
        else { return nil }
        let cleared = isCleared ? reader.readTimestamp() : nil
        guard !isCleared || cleared != nil, let verdicts = reader.read(Int64.self), let score = reader.readDouble(),
            let pValue = reader.readDouble(), let sentence = reader.readText(), let summary = reader.readText(),
            let cause = reader.readText()
        else { return nil }
        self.init(
            id: id, sensor: sensor, metric: metric, kind: kind, state: state & 1 != 0 ? .open : .cleared,
            severity: severity, raised: raised, lastSeen: lastSeen, cleared: cleared,
            verdicts: Int(verdicts), score: score, pValue: pValue, sentence: sentence,
            summary: summary.isEmpty ? nil : summary, cause: cause.isEmpty ? nil : cause)
        if state & 2 != 0 {
            guard let care = AlarmCare(&reader) else { return nil }
            self.care = care
        }
    }
}

extension AlarmChange {
    public func save(to writer: inout StateWriter) {
        writer.write(name: step.rawValue)
        writer.write(isTold)
        alarm.save(to: &writer)
    }

    /// nil for nonsense.
    public init?(_ reader: inout StateReader) {
        guard let step = reader.readName().flatMap(Step.init(rawValue:)), let isTold = reader.readFlag(),
            let alarm = Alarm(&reader)
        else { return nil }
        self.init(step: step, alarm: alarm, isTold: isTold)
    }
}

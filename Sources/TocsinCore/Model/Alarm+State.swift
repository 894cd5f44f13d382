extension Alarm {
    public func save(to writer: inout StateWriter) {
        writer.write(name: id)
        writer.write(text: sensor)
        writer.write(metric != nil)
        if let metric { writer.write(text: metric) }
        writer.write(kind.rawValue)
        writer.write(state == .open)
        writer.write(severity == .critical)
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
    }

    /// nil for nonsense.
    public init?(_ reader: inout StateReader) {
        guard let id = reader.readName(), let sensor = reader.readText(), let hasMetric = reader.readFlag() else {
            return nil
        }
        let metric = hasMetric ? reader.readText() : nil
        guard !hasMetric || metric != nil, let kind = reader.read(UInt8.self).flatMap(AnomalyKind.init(rawValue:)),
            let isOpen = reader.readFlag(), let isCritical = reader.readFlag(), let raised = reader.readTimestamp(),
            let lastSeen = reader.readTimestamp(), let isCleared = reader.readFlag()
        else { return nil }
        let cleared = isCleared ? reader.readTimestamp() : nil
        guard !isCleared || cleared != nil, let verdicts = reader.read(Int64.self), let score = reader.readDouble(),
            let pValue = reader.readDouble(), let sentence = reader.readText(), let summary = reader.readText(),
            let cause = reader.readText()
        else { return nil }
        self.init(
            id: id, sensor: sensor, metric: metric, kind: kind, state: isOpen ? .open : .cleared,
            severity: isCritical ? .critical : .warning, raised: raised, lastSeen: lastSeen, cleared: cleared,
            verdicts: Int(verdicts), score: score, pValue: pValue, sentence: sentence,
            summary: summary.isEmpty ? nil : summary, cause: cause.isEmpty ? nil : cause)
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

extension Feedback {
    public func save(to writer: inout StateWriter) {
        writer.write(name: word.rawValue)
        writer.write(name: recurrence?.rawValue ?? "")
        writer.write(name: alarmID)
        writer.write(text: sensor)
        writer.write(metric != nil)
        if let metric { writer.write(text: metric) }
        writer.write(kind.rawValue)
        writer.write(score)
        writer.write(start)
        writer.write(end)
        writer.write(given)
        writer.write(text: note ?? "")
    }

    /// nil for nonsense.
    public init?(_ reader: inout StateReader) {
        guard let word = reader.readName().flatMap(FeedbackWord.init(rawValue:)), let again = reader.readName(),
            let alarmID = reader.readName(), let sensor = reader.readText(), let hasMetric = reader.readFlag()
        else { return nil }
        let metric = hasMetric ? reader.readText() : nil
        guard !hasMetric || metric != nil, let kind = reader.read(UInt8.self).flatMap(AnomalyKind.init(rawValue:)),
            let score = reader.readDouble(), let start = reader.readTimestamp(), let end = reader.readTimestamp(),
            let given = reader.readTimestamp(), let note = reader.readText()
        else { return nil }
        self.init(
            word: word, recurrence: Recurrence(rawValue: again), alarmID: alarmID, sensor: sensor, metric: metric,
            kind: kind, score: score, start: start, end: end, given: given, note: note.isEmpty ? nil : note)
    }
}

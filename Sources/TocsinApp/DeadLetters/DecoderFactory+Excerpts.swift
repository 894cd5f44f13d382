internal import TocsinConfiguration
internal import TocsinCore
internal import TocsinDecode
internal import TocsinServer

extension DecoderFactory {
    /// See `LetterExcerpt`.
    func excerpts(
        _ batch: Batch, _ parts: [ByteRange], _ budget: Int, table: SeriesTable
    ) -> [PartExcerpt] {
        guard let messages = batch.messages else { return [] }
        var excerpts = [PartExcerpt](repeating: .itself, count: parts.count)
        let source = source(of: batch.origin.sourceName)
        let longest = longestMessage(of: source)
        var left = budget
        var events: [ByteRange: [Int]]?
        func readings(_ part: ByteRange) -> [NamedReading] {
            let all = events ?? Dictionary(grouping: 0..<batch.eventCount) { batch.payloads[$0] }
            events = all
            return table.withIndex { index in
                all[part, default: []].flatMap { event in
                    batch.readings(of: event).map { reading in
                        NamedReading(
                            metric: index.name(index.metric(of: batch.series[reading])), time: batch.times[event],
                            value: batch.values[reading])
                    }
                }
            }
        }
        let byMessage = Dictionary(grouping: parts.indices) { batch.message(of: parts[$0]) }
        for (message, numbers) in byMessage.sorted(by: { $0.key < $1.key }) {
            // One that is too long is kept in part, and is not to be had from there.
            guard message < messages.count, Int(messages.payloads[message].length) <= longest else { continue }
            let topic = messages.envelope(of: message)?.topic ?? ""
            let form =
                source.map { PayloadForm(rawValue: $0.format.rawValue) ?? .auto }
                ?? IngestFormat(topic: topic).flatMap(PayloadForm.init) ?? .auto
            let found = MessageExcerpt.of(
                numbers.map { parts[$0] }, in: messages.payloads[message], batch.bytes, form: form, topic: topic,
                hasHeader: !batch.header.isEmpty, readings: readings, left: &left)
            for (number, excerpt) in zip(numbers, found) { excerpts[number] = excerpt }
        }
        return excerpts
    }
}

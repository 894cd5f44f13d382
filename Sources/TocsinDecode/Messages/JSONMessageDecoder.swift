internal import CSimdJSON
internal import TocsinCore

/// Decodes JSON messages, a whole batch in one pass of the parser.
struct JSONMessageDecoder {
    private let columns: JSONColumns
    private let plan: FieldPlan
    private let limits: DecodeLimits
    private var keys = JSONKeys()

    init(_ plan: FieldPlan, limits: DecodeLimits) {
        self.plan = plan
        self.limits = limits
        columns = JSONColumns(plan)
    }

    /// Appends to `batch` what the messages of `range` give. No message crosses the borders of its content.
    mutating func decode(
        _ messages: MessageBatch, _ contents: [ByteRange], _ range: Range<Int>, _ table: SeriesTable,
        _ batch: inout Batch
    ) {
        guard columns.parse(messages.bytes, messages: contents[range], longest: limits.maximumMessageBytes) else {
            let fault = DecodeFault(.tooLong, "does not fit into memory with those around it")
            for message in range {
                batch.reject(message: message, payload: messages.payloads[message], fault, limits: limits)
            }
            return
        }
        keys.follow(columns, table)
        var book = EnvelopeBook(messages, defaultSensor: plan.mapping.defaultSensor, limits: limits)
        book.move(toMessage: range.lowerBound)
        // The parse above ran without the lock; only the names are looked up under it.
        unsafe messages.bytes.withUnsafeBufferPointer { raw in
            let parsed = unsafe columns.parsed(raw)
            table.withIndex { index in
                var collector = unsafe JSONCollector(
                    parsed: parsed, plan: plan, limits: limits, batch: batch, book: book)
                batch = Batch(origin: collector.batch.origin)
                collector.collect(&keys, &index)
                swap(&batch, &collector.batch)
            }
            let begins = unsafe parsed.events.map { $0.begin }
            rejectEmpty(messages, contents, range, begins, &batch)
        }
    }

    /// Brackets alone say nothing: but for an empty array they are what is left of something.
    private func rejectEmpty(
        _ messages: MessageBatch, _ contents: [ByteRange], _ range: Range<Int>, _ begins: [UInt32], _ batch: inout Batch
    ) {
        let bytes = messages.bytes.span
        var event = 0
        for message in range {
            let content = contents[message].range
            var isSeen = false
            while event < begins.count, Int(begins[event]) < content.upperBound {
                isSeen = true
                event += 1
            }
            if isSeen || Self.isEmptyArray(bytes, content) { continue }
            let fault = DecodeFault.malformed("is not valid JSON: it holds brackets and no message")
            batch.reject(message: message, payload: messages.payloads[message], fault, limits: limits)
        }
    }

    private static func isEmptyArray(_ bytes: Span<UInt8>, _ content: Range<Int>) -> Bool {
        let text = Text.trim(bytes, content)
        guard text.count >= 2, bytes[text.lowerBound] == UInt8(ascii: "[") else { return false }
        guard bytes[text.upperBound - 1] == UInt8(ascii: "]") else { return false }
        return Text.trim(bytes, text.lowerBound + 1..<text.upperBound - 1).isEmpty
    }
}

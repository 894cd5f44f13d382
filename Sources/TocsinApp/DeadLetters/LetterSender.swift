internal import TocsinConfiguration
internal import TocsinCore
internal import TocsinDecode
internal import TocsinEngine
internal import TocsinStore

/// Sends dead letters through an engine, and tells whether everything that they stand for is in.
struct LetterSender {
    let pipeline: Pipeline
    private let decoders: DecoderFactory
    /// From here on a letter may hold the start of its message only.
    private let clippedBytes: Int
    /// Of these a message is refused whole, before its values are looked at.
    private static let ofWholeMessages: Set<DeadLetterReason> = [
        .malformed, .missingField, .badTime, .tooLong, .cardinality,
    ]

    init(configuration: TocsinConfiguration, pipeline: Pipeline) {
        self.pipeline = pipeline
        decoders = DecoderFactory(configuration: configuration)
        clippedBytes = decoders.settings().limits.clippedBytes
    }

    /// - Returns: true when every reading of the letter is accepted now, or was known already; false when not, and
    ///   when that cannot be told: then the letter must stay.
    func send(_ letter: DeadLetter) async throws -> Bool {
        // The start of a message that was too long is no message, even where it reads like one.
        if letter.reason == .tooLong, letter.payload.count >= clippedBytes { return false }
        let decoder = try LetterDecoder(letter, decoders)
        let batch = try await decoder.decode(now: pipeline.clock.now(), table: pipeline.table)
        let summary = try await pipeline.engine.enqueue(batch).wait()
        let taken = summary.stored + summary.late + summary.duplicate
        guard summary.deadLettered == 0, taken >= max(1, letter.readings) else { return false }
        if letter.reason == .notANumber, !decoder.refusesTextAgain { return areIn(letter, batch, decoder.mapping) }
        if Self.ofWholeMessages.contains(letter.reason) { return try await !hidesText(decoder, batch) }
        return true
    }

    /// Whether each field that the letter names is a reading now, or no metric by today's configuration. Text that
    /// stands alone passes for metadata, so that no new refusal proves nothing.
    private func areIn(_ letter: DeadLetter, _ batch: Batch, _ mapping: InputMapping) -> Bool {
        let fields = Self.namedFields(letter.detail)
        let ignored = Set(mapping.ignore.map { $0.lowercased() })
        let metrics = pipeline.table.withIndex { index in
            Set(batch.series.map { index.name(index.metric(of: $0)) })
        }
        return fields.count >= letter.readings
            && fields.allSatisfy { metrics.contains($0) || ignored.contains($0.lowercased()) }
    }

    /// What stands between backticks: how the decoders name a field.
    private static func namedFields(_ detail: String) -> [String] {
        let parts = detail.split(separator: "`", omittingEmptySubsequences: false)
        return parts.indices.filter { $0 % 2 == 1 }.map { String(parts[$0]) }
    }

    /// Whether the message has text where its sensor has sent numbers lately.
    private func hidesText(_ decoder: LetterDecoder, _ batch: Batch) async throws -> Bool {
        // Where the configuration names the values, text among them is refused without our help.
        guard decoder.mapping.values.isEmpty, decoder.mapping.metric == nil else { return false }
        let sensors = pipeline.table.withIndex { index in Set(batch.sensors.map { index.name($0) }) }
        for sensor in sensors.sorted() {
            let events = try await pipeline.store.events(RecordQuery(sensor: sensor, limit: 10))
            let values = Set(events.flatMap { $0.readings.map(\.metric) }).sorted()
            let probed = try await decoder.decode(values: values, now: batch.origin.received, table: SeriesTable())
            if probed.rejects.contains(where: { $0.reason == .notANumber }) { return true }
        }
        return false
    }
}

internal import Synchronization
internal import TocsinConfiguration
internal import TocsinConnectors
internal import TocsinCore
internal import TocsinLake

/// Plain files decoded as a file source decodes them.
struct FilePlainReader: PlainReader {
    let configuration: TocsinConfiguration

    func read(
        _ path: String, source: String, into table: SeriesTable, _ body: @Sendable (Batch) async throws -> Void
    ) async throws {
        let file = try FileSource(
            name: source, paths: [path], follows: false,
            decoding: DecoderFactory(configuration: configuration).settings(), table: table, identity: SourceID(1),
            clock: SystemClock())
        try await withoutActuallyEscaping(body) { body in
            try await file.run(delivery: ImmediateDelivery(body))
        }
    }
}

/// Hands each batch on and is done with it.
private struct ImmediateDelivery: BatchDelivery {
    private struct Done: DeliveryReceipt {
        func wait() async throws -> DeliverySummary { DeliverySummary() }
    }

    private let body: @Sendable (Batch) async throws -> Void
    init(_ body: @escaping @Sendable (Batch) async throws -> Void) { self.body = body }

    func enqueue(_ batch: Batch) async throws -> any DeliveryReceipt {
        try await body(batch)
        return Done()
    }
}

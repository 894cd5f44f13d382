import Testing
import TocsinConnectors

struct HTTPSinkTests {
    /// Nobody listens there: it pauses, for longer than the test lasts.
    @Test func closingEndsAPause() async throws {
        let (pauses, paused) = AsyncStream.makeStream(of: Void.self)
        let sink = HTTPSink(url: "http://127.0.0.1:1/ingest", client: OutgoingHTTP.client) { _ in
            paused.yield()
            try await Task.sleep(for: .seconds(3600))
        }
        let sending = Task { _ = try await sink.send(ReadingChunk(text: Array("{}\n".utf8), count: 1)) }
        for await _ in pauses { break }
        #expect(sink.trouble?.contains("cannot be reached") == true)
        await sink.close()
        await #expect(throws: CancellationError.self) { try await sending.value }
        // Nor is anything sent afterwards.
        await #expect(throws: CancellationError.self) {
            _ = try await sink.send(ReadingChunk(text: Array("{}\n".utf8), count: 1))
        }
    }
}

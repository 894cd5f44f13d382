public import AsyncHTTPClient
internal import NIOCore
internal import NIOHTTP1
internal import Synchronization
internal import TocsinCore

/// Posts chunks to a `POST /ingest` address, one after the other, and waits for each acknowledgement.
///
/// A server that goes away, or answers 429 or 503, is tried again for ever with growing pauses (its own, where it names
/// one); ingest knows what it has stored already, so nothing is doubled. One that was never reached is given up after
/// some tries: then the address is wrong. `close` ends a request and a pause at once.
public final class HTTPSink: ReadingSink {
    public let name: String
    public let wants = SinkWants(messages: false, chunkMessages: 1000)
    private let url: String
    private let key: String?
    private let client: HTTPClient
    private let sleep: @Sendable (Duration) async throws -> Void
    private let state = Mutex(State())
    private static let longestPause = Duration.seconds(10)
    private static let firstTries = 5

    private struct State {
        var trouble: String?
        var wasReached = false
        var isClosed = false
        /// The chunk under way.
        var work: Task<Void, any Error>?
    }

    /// - Parameter key: sent as `X-API-Key`.
    public init(
        url: String, key: String? = nil, client: HTTPClient,
        sleep: @escaping @Sendable (Duration) async throws -> Void = { try await Task.sleep(for: $0) }
    ) {
        self.url = url
        self.key = key
        self.client = client
        self.sleep = sleep
        name = url
    }

    public var trouble: String? { state.withLock { $0.trouble } }

    public func send(_ chunk: ReadingChunk) async throws -> any SendReceipt {
        // A task of its own, so that `close` can end it.
        let work = Task { try await deliver(chunk) }
        let isClosed = state.withLock { state in
            state.work = work
            return state.isClosed
        }
        if isClosed { work.cancel() }
        try await withTaskCancellationHandler {
            try await work.value
        } onCancel: {
            work.cancel()
        }
        return SentReceipt()
    }

    private func deliver(_ chunk: ReadingChunk) async throws {
        var body = ByteBuffer()
        body.reserveCapacity(chunk.header.count + chunk.textLength)
        body.writeBytes(chunk.header)
        body.writeBytes(chunk.bytes.prefix(chunk.textLength))
        let type = chunk.isCSV ? "text/csv" : "application/x-ndjson"
        var delay = Duration.milliseconds(200)
        var tries = 0
        while let failure = try await post(body, type) {
            tries += 1
            let state = state.withLock { state in
                state.trouble = failure.error.message
                return state
            }
            guard failure.error.isRetriable, state.wasReached || tries <= Self.firstTries else { throw failure.error }
            try await sleep(failure.pause ?? delay)
            delay = min(delay * 2, Self.longestPause)
        }
        state.withLock { $0.trouble = nil }
    }

    public func finish() async throws {}

    public func close() async {
        let work = state.withLock { state in
            state.isClosed = true
            return state.work
        }
        work?.cancel()
    }

    /// nil = acknowledged.
    private func post(_ body: ByteBuffer, _ type: String) async throws -> (error: TocsinError, pause: Duration?)? {
        var request = HTTPClientRequest(url: url)
        request.method = .POST
        request.headers.add(name: "Content-Type", value: type)
        request.headers.add(name: "User-Agent", value: "tocsin/\(tocsinVersion)")
        if let key { request.headers.add(name: "X-API-Key", value: key) }
        request.body = .bytes(body)
        let response: HTTPClientResponse
        let answer: String
        do {
            response = try await client.execute(request, timeout: .seconds(60))
            answer = String(buffer: try await response.body.collect(upTo: 1 << 20))
        } catch {
            try Task.checkCancellation()
            return (
                TocsinError(
                    .network, "the address cannot be reached", place: url,
                    remedy: "is the server running there? the path is usually /ingest",
                    isRetriable: !Self.isWrongAddress(error), cause: error), nil
            )
        }
        state.withLock { $0.wasReached = true }
        let status = response.status.code
        guard !(200..<300).contains(status) else { return nil }
        let pause = response.headers.first(name: "Retry-After").flatMap { Int($0) }.map {
            Duration.seconds(min(max($0, 0), 60))
        }
        let remedy = status == 401 || status == 403 ? "give the key by --api-key-file or TOCSIN_API_KEY" : nil
        return (
            TocsinError(
                .network, "the server answered \(status): \(answer.prefix(300))", place: url, remedy: remedy,
                isRetriable: status == 429 || status == 502 || status == 503 || status == 504), pause
        )
    }

    private static func isWrongAddress(_ error: any Error) -> Bool {
        guard let error = error as? HTTPClientError else { return false }
        return error == .invalidURL || error == .emptyHost || error == .emptyScheme
    }
}

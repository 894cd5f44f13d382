public import AsyncHTTPClient
internal import NIOCore
internal import NIOHTTP1
internal import TocsinCore

/// Posts chunks of JSON lines or CSV to a `POST /ingest` address and waits for each acknowledgement.
///
/// 429 and 503 and broken connections are tried again with growing pauses; ingest is idempotent, so nothing is doubled.
public struct HTTPReadingSink: Sendable {
    private let url: String
    private let contentType: String
    private let client: HTTPClient
    private let retries: Int

    public init(url: String, contentType: String, client: HTTPClient, retries: Int = 5) {
        self.url = url
        self.contentType = contentType
        self.client = client
        self.retries = retries
    }

    /// - Throws: `TocsinError(.network)` when the receiver refuses, or is away for all retries.
    public func send(_ bytes: [UInt8]) async throws {
        var delay = Duration.milliseconds(200)
        var attempt = 0
        while let failure = await post(bytes) {
            guard failure.isRetriable, attempt < retries else { throw failure }
            try await Task.sleep(for: delay)
            delay = delay * 2
            attempt += 1
        }
    }

    /// nil = acknowledged.
    private func post(_ bytes: [UInt8]) async -> TocsinError? {
        var request = HTTPClientRequest(url: url)
        request.method = .POST
        request.headers.add(name: "Content-Type", value: contentType)
        request.headers.add(name: "User-Agent", value: "tocsin/\(tocsinVersion)")
        request.body = .bytes(ByteBuffer(bytes: bytes))
        let response: HTTPClientResponse
        let answer: String
        do {
            response = try await client.execute(request, timeout: .seconds(60))
            answer = String(buffer: try await response.body.collect(upTo: 1 << 20))
        } catch {
            return TocsinError(
                .network, "the address cannot be reached", place: url,
                remedy: "is the server running there? the path is usually /ingest", isRetriable: true, cause: error)
        }
        let status = response.status.code
        guard !(200..<300).contains(status) else { return nil }
        return TocsinError(
            .network, "the server answered \(status): \(answer.prefix(300))", place: url,
            isRetriable: status == 429 || status == 503)
    }
}

internal import HTTPTypes
internal import Hummingbird
internal import NIOCore
public import TocsinCore
internal import TocsinEngine

/// The form of a posted body.
public enum IngestFormat: Sendable { case automatic, json, csv }

/// Turns one posted body into a batch; `sequence` numbers the requests and becomes the batch's position.
public typealias IngestDecoder = @Sendable (_ body: [UInt8], _ format: IngestFormat, _ sequence: Int64) -> Batch

/// `POST /ingest`: JSON lines, a JSON array or CSV; answered with 202 only when every reading in it is durable.
final class IngestRoute: Sendable {
    private let engine: Engine
    private let decode: IngestDecoder
    private let maxBodyBytes: Int
    private let sequence: SequenceNumber
    /// How long a request waits for the store before it is told to come back. The batch itself is not given up.
    private static let patience = Duration.seconds(30)
    /// How long a body may take to arrive.
    private static let bodyPatience = Duration.seconds(60)

    init(engine: Engine, maxBodyBytes: Int, started: Timestamp, decode: @escaping IngestDecoder) {
        // Microseconds: requests of a later process have higher numbers, whatever this one gets.
        sequence = SequenceNumber(startingAt: started.nanoseconds / 1000)
        self.engine = engine
        self.maxBodyBytes = maxBodyBytes
        self.decode = decode
    }

    func add(to router: Router<BasicRequestContext>) {
        router.post("ingest") { [self] request, _ in try await ingest(request) }
    }

    private func ingest(_ request: Request) async throws -> Response {
        try CrossSite.refuse(request, "readings are not taken from pages of other sites")
        let format = try Self.format(of: request)
        if case .stalled(let reason) = engine.condition {
            throw Problem(.serviceUnavailable, "nothing can be stored at the moment: \(reason)", retryAfter: 2)
        }
        let received = try await Self.first(
            { try await self.collect(request) }, unless: { try await Task.sleep(for: Self.bodyPatience) })
        guard let body = received else {
            throw Problem(.requestTimeout, "the body did not come within \(Self.bodyPatience.components.seconds) s")
        }
        let batch = decode(body, format, sequence.next())
        guard batch.inputCount > 0 else {
            throw Problem(
                .badRequest, "the body holds no readings; send JSON lines, a JSON array, or CSV with a header")
        }
        let summary = try await deliverOrRefuse(batch)
        if batch.eventCount == 0, let first = batch.rejects.first {
            throw Problem(
                .badRequest,
                "nothing in the body could be read: \(first.detail); \(summary.deadLettered) dead letter(s) were kept")
        }
        return Self.answer(summary)
    }

    private func collect(_ request: Request) async throws -> [UInt8] {
        let tooLarge = Problem(
            .contentTooLarge, "the body is larger than \(maxBodyBytes) bytes; send it in parts (server.maxBodyBytes)")
        if let length = request.headers[.contentLength].flatMap(Int.init), length > maxBodyBytes { throw tooLarge }
        var bytes: [UInt8] = []
        for try await part in request.body {
            guard bytes.count + part.readableBytes <= maxBodyBytes else { throw tooLarge }
            bytes.append(contentsOf: part.readableBytesView)
        }
        guard !bytes.isEmpty else {
            throw Problem(.badRequest, "the body is empty; send JSON lines, a JSON array, or CSV with a header")
        }
        return bytes
    }

    private func deliverOrRefuse(_ batch: Batch) async throws -> DeliverySummary {
        do {
            return try await deliver(batch)
        } catch let error as TocsinError where error.isRetriable {
            throw Problem(.serviceUnavailable, "the readings were not taken: \(error.message)", retryAfter: 2)
        }
    }

    private func deliver(_ batch: Batch) async throws -> DeliverySummary {
        let engine = engine
        let summary = try await Self.first(
            { try await engine.accept(batch).wait() },
            unless: {
                let end = ContinuousClock.now + Self.patience
                while ContinuousClock.now < end {
                    try await Task.sleep(for: .seconds(1))
                    // Nobody should hold a connection open for a store that refuses.
                    if case .stalled = engine.condition { return }
                }
            })
        guard let summary else {
            throw Problem(
                .serviceUnavailable,
                "the store has not confirmed the readings yet; sending them again is safe, they are stored once",
                retryAfter: 5)
        }
        return summary
    }

    /// The work's result, or nil when `limit` comes to its end before; the other one is cancelled.
    private static func first<Result: Sendable>(
        _ work: @escaping @Sendable () async throws -> Result, unless limit: @escaping @Sendable () async throws -> Void
    ) async throws -> Result? {
        try await withThrowingTaskGroup(of: Result?.self) { group in
            group.addTask { try await work() }
            group.addTask {
                try await limit()
                return nil
            }
            defer { group.cancelAll() }
            return try await group.next() ?? nil
        }
    }

    private static func format(of request: Request) throws -> IngestFormat {
        if let encoding = request.headers[.contentEncoding], encoding != "identity" {
            throw Problem(.unsupportedMediaType, "Content-Encoding '\(encoding)' is not understood; send it plain")
        }
        guard let type = request.headers[.contentType] else { return .automatic }
        let essence = type.prefix { $0 != ";" }.lowercased().filter { !$0.isWhitespace }
        switch essence {
        case "application/json", "application/x-ndjson", "application/jsonl", "application/ndjson",
            "application/json-lines", "text/json":
            return .json
        case "text/csv", "application/csv": return .csv
        // What curl sends with --data-binary when nobody says otherwise.
        case "application/x-www-form-urlencoded", "application/octet-stream", "text/plain": return .automatic
        default:
            throw Problem(
                .unsupportedMediaType,
                "Content-Type '\(essence)' is not understood; use application/json, application/x-ndjson or text/csv")
        }
    }

    private static func answer(_ summary: DeliverySummary) -> Response {
        Response.json(status: .accepted) {
            $0.object {
                $0.field("accepted", summary.stored + summary.late + summary.spooled)
                $0.field("late", summary.late)
                $0.field("duplicate", summary.duplicate)
                $0.field("dead_lettered", summary.deadLettered)
                if summary.spooled > 0 { $0.field("spooled", summary.spooled) }
                guard !summary.refusals.isEmpty else { return }
                $0.key("problems")
                $0.array { list in
                    for refusal in summary.refusals {
                        list.object {
                            $0.field("reason", refusal.reason.rawValue)
                            $0.field("detail", refusal.detail)
                        }
                    }
                }
            }
        }
    }
}

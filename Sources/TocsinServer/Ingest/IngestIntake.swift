internal import HTTPTypes
internal import Hummingbird
internal import Logging
internal import NIOCore
internal import TocsinCompression
public import TocsinCore
internal import TocsinEngine

/// The form of a posted body.
public enum IngestFormat: Sendable, Equatable {
    case automatic, json, csv
    /// InfluxDB's line protocol; its time stamps are in `ns`, `us`, `ms`, `s`, `m` or `h`.
    case lineProtocol(precision: String)
    /// ExportMetricsServiceRequest of OpenTelemetry.
    case openTelemetryJSON, openTelemetryProtobuf
}

/// Turns one posted body into a batch; `sequence` numbers the requests and becomes the batch's position, `received` is when
/// it arrived.
public typealias IngestDecoder =
    @Sendable (_ body: [UInt8], _ format: IngestFormat, _ sequence: Int64, _ received: Timestamp) -> Batch

/// What every way of posting readings shares: keys and quotas, unpacking, idempotency, and the answer only when every
/// reading is durable.
final class IngestIntake: Sendable {
    private let engine: Engine
    private let decode: IngestDecoder
    private let maxBodyBytes: Int
    private let sequence: SequenceNumber
    private let clock: any WallClock
    private let keys: IngestKeys
    private let idempotency: IdempotencyKeys
    private let budget: BodyBudget
    private static let bodiesUnderWay = 256 << 20
    /// How long a request waits for the store before it is told to come back. The batch itself is not given up.
    private static let patience = Duration.seconds(30)
    /// How long a body may take to arrive.
    private static let bodyPatience = Duration.seconds(60)
    private static let idempotencyKey = HTTPField.Name("Idempotency-Key")

    init(
        engine: Engine, maxBodyBytes: Int, keys: [IngestKey], idempotencyFile: String?, clock: any WallClock,
        logger: Logger, decode: @escaping IngestDecoder
    ) {
        // Microseconds: requests of a later process have higher numbers, whatever this one gets.
        sequence = SequenceNumber(startingAt: clock.now().nanoseconds / 1000)
        self.engine = engine
        self.maxBodyBytes = maxBodyBytes
        budget = BodyBudget(bytes: max(Self.bodiesUnderWay, maxBodyBytes))
        self.clock = clock
        self.keys = IngestKeys(keys)
        self.decode = decode
        do {
            idempotency = try IdempotencyKeys(path: idempotencyFile)
        } catch {
            logger.warning("idempotency keys are not kept over a restart", metadata: ["error": "\(error)"])
            idempotency = IdempotencyKeys()
        }
    }

    /// How a way of posting reads its requests.
    struct Manner: Sendable {
        var format: IngestFormat
        /// A key in the query.
        var keyParameter: String?
        /// Whether a body of no bytes is a request that holds nothing.
        var takesEmptyBody = false
    }

    /// - Parameter answer: made of what became of the body's readings; a request that is sent again under its
    ///   `Idempotency-Key` gets it once more.
    /// - Throws: `Problem`, and what the engine throws.
    func take(
        _ request: Request, _ manner: Manner, answer: @Sendable (Batch, DeliverySummary) -> IngestAnswer
    ) async throws -> IngestAnswer {
        try CrossSite.refuse(request, "readings are not taken from pages of other sites")
        let client = try keys.identify(request, orBy: manner.keyParameter)
        let coding = try Self.coding(of: request)
        if case .stalled(let reason) = engine.condition {
            throw Problem(.serviceUnavailable, "nothing can be stored at the moment: \(reason)", retryAfter: 2)
        }
        let share = budget.share()
        defer { share.end() }
        let body = try await self.body(of: request, coding, manner, share)
        guard !body.isEmpty else {
            let origin = Origin(source: SourceID(0), sourceName: "http", position: 0, received: clock.now())
            return answer(Batch(origin: origin), DeliverySummary())
        }
        guard let given = Self.idempotencyKey.flatMap({ request.headers[$0] }) else {
            let batch = decode(body, manner.format, sequence.next(), clock.now())
            return answer(batch, try await deliver(batch, client))
        }
        guard (1...IdempotencyKeys.longest).contains(given.utf8.count) else {
            throw Problem(.badRequest, "'Idempotency-Key' has 1 to \(IdempotencyKeys.longest) characters")
        }
        var hash = StableHash()
        hash.combine(body)
        // Another client's key, or that of another address, is another key.
        let key = "\(keys.name(client))\n\(request.uri.path)\n\(given)"
        let admission = IdempotencyKeys.Admission(
            hash: hash.value, position: sequence.next(), received: clock.now())
        switch await idempotency.begin(key, admission) {
        case .answered(let answer): return answer
        case .otherBody:
            throw Problem(.unprocessableContent, "this 'Idempotency-Key' was sent with another body")
        case .underWay:
            throw Problem(.conflict, "a request with this 'Idempotency-Key' is still under way", retryAfter: 1)
        case .unwritable:
            throw Problem(.serviceUnavailable, "the 'Idempotency-Key' cannot be written down", retryAfter: 2)
        case .open(let admission):
            do {
                let batch = decode(body, manner.format, admission.position, admission.received)
                let made = answer(batch, try await deliver(batch, client))
                await idempotency.end(key, made)
                return made
            } catch {
                await idempotency.end(key, nil)
                throw error
            }
        }
    }

    private func body(
        of request: Request, _ coding: ContentCoding, _ manner: Manner, _ share: BodyBudget.Share
    ) async throws -> [UInt8] {
        let received = try await Self.first(
            { try await self.collect(request, coding, share) }, unless: { try await Task.sleep(for: Self.bodyPatience) }
        )
        guard let received else {
            throw Problem(.requestTimeout, "the body did not come within \(Self.bodyPatience.components.seconds) s")
        }
        guard !received.isEmpty || manner.takesEmptyBody else {
            throw Problem(.badRequest, "the body is empty; send readings in it")
        }
        return received
    }

    private func deliver(_ batch: Batch, _ client: Int?) async throws -> DeliverySummary {
        guard batch.inputCount > 0 else { return DeliverySummary() }
        try keys.charge(client, readings: batch.inputCount)
        return try await deliverOrRefuse(batch)
    }

    private func collect(
        _ request: Request, _ coding: ContentCoding, _ share: BodyBudget.Share
    ) async throws -> [UInt8] {
        let tooLarge = Problem(
            .contentTooLarge, "the body is larger than \(maxBodyBytes) bytes; send it in parts (server.maxBodyBytes)")
        if let length = request.declaredBytes, length > maxBodyBytes { throw tooLarge }
        guard var body = BodyDecompression(coding, limit: maxBodyBytes) else {
            throw Problem(.serviceUnavailable, "there is no memory to unpack the body", retryAfter: 2)
        }
        // Nothing at all is nothing in every coding.
        var isEmpty = true
        do {
            for try await part in request.body {
                isEmpty = isEmpty && part.readableBytes == 0
                try body.add(Array(part.readableBytesView))
                guard share.grow(to: body.bytes.count) else {
                    throw Problem(
                        .serviceUnavailable, "too many bodies are under way at once; send it again", retryAfter: 2)
                }
            }
            return isEmpty ? [] : try body.finish()
        } catch BodyDecompression.Failure.tooLarge {
            throw tooLarge
        } catch BodyDecompression.Failure.damaged(let reason) {
            throw Problem(.badRequest, "the body is no sound \(coding.rawValue): \(reason)")
        } catch  where !(error is CancellationError) && !(error is Problem) {
            // The client has gone away: nobody reads this.
            throw Problem(.badRequest, "the body broke off: \(error)")
        }
    }

    private func deliverOrRefuse(_ batch: Batch) async throws -> DeliverySummary {
        do {
            return try await delivered(batch)
        } catch let error as TocsinError where error.isRetriable {
            throw Problem(.serviceUnavailable, "the readings were not taken: \(error.message)", retryAfter: 2)
        }
    }

    private func delivered(_ batch: Batch) async throws -> DeliverySummary {
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

    private static func coding(of request: Request) throws -> ContentCoding {
        let header = request.headers[.contentEncoding]
        guard let coding = ContentCoding(header: header) else {
            let known = ContentCoding.allCases.map(\.rawValue).joined(separator: ", ")
            throw Problem(
                .unsupportedMediaType, "Content-Encoding '\(header ?? "")' is not understood; known are \(known)")
        }
        return coding
    }
}

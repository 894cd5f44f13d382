internal import AsyncHTTPClient
internal import NIOCore
internal import NIOHTTP1
internal import NIOSSL
internal import Synchronization
internal import TocsinCore

/// Signs, sends, judges, and sends again what waiting or a correction can help.
final class S3Client: Sendable {
    private struct State {
        /// The service's clock less ours.
        var clockOffset = Span64.seconds(0)
        var toldOffset = Span64.seconds(0)
        var region: String
        var statistics = S3Statistics()
    }

    /// What an attempt goes out with.
    struct Situation {
        var credentials: S3Credentials
        var region: String
        var time: Timestamp
    }

    /// Each helps at most once in a call: a second refusal of the same kind has another cause.
    private struct Corrections {
        var clock = false
        var region = false
        var keys = false
    }

    let settings: S3Settings
    let address: S3Address
    private let source: CredentialSource
    private let clock: any WallClock
    private let notice: @Sendable (String) -> Void
    private let http: HTTPClient
    private let state: Mutex<State>

    init(_ settings: S3Settings, clock: any WallClock, notice: @escaping @Sendable (String) -> Void) throws {
        try settings.check()
        self.settings = settings
        address = try S3Address(settings)
        source = CredentialSource(settings)
        self.clock = clock
        self.notice = notice
        http = HTTPClient(eventLoopGroupProvider: .singleton, configuration: try Self.configuration(settings))
        state = Mutex(State(region: settings.region))
    }

    deinit {
        // Nothing is under way: every call holds the client. The connections close behind our back.
        http.shutdown { _ in }
    }

    var statistics: S3Statistics { state.withLock { $0.statistics } }
    var region: String { state.withLock { $0.region } }
    func credentials() throws -> S3Credentials { try source.current() }
    /// As the service's clock says, as far as known.
    var time: Timestamp { clock.now().advanced(by: state.withLock { $0.clockOffset }) }

    /// - Parameter read: makes a value of a reply with a status of 2xx; an `S3ErrorReply` or `XMLError` it throws is
    ///   judged as a failure of the attempt.
    func send<Value>(_ request: S3Request, read: (S3Reply) throws -> Value) async throws -> Value {
        let attempts = request.attempts ?? settings.retry.attempts
        var corrections = Corrections()
        var attempt = 1
        while true {
            try Task.checkCancellation()
            let situation = Situation(credentials: try source.current(), region: region, time: time)
            do {
                return try read(try await exchange(request, situation))
            } catch {
                switch try judge(error, request, situation) {
                case .clock(let offset, _) where !corrections.clock:
                    corrections.clock = true
                    take(clockOffset: offset)
                case .region(let region, _) where !corrections.region:
                    corrections.region = true
                    take(region: region)
                case .keys where !corrections.keys && (try? source.current()) != situation.credentials:
                    corrections.keys = true
                case .again(let failure, let asked):
                    guard attempt < attempts else { throw given(up: failure, after: attempt) }
                    state.withLock { $0.statistics.retries += 1 }
                    try await settings.retry.sleep(settings.retry.pause(after: attempt, asked: asked))
                    attempt += 1
                case .fail(let failure), .clock(_, let failure), .region(_, let failure), .keys(let failure):
                    throw given(up: failure, after: attempt)
                }
            }
        }
    }

    /// One request, one reply of 2xx; any other is thrown as `S3ErrorReply`.
    private func exchange(_ request: S3Request, _ situation: Situation) async throws -> S3Reply {
        let outgoing = signed(request, situation)
        let size = Int64(request.body.readableBytes)
        // 64 KiB/s at least: a peer that takes a byte now and then must not hold an upload for ever.
        let patience = settings.connectTimeout + settings.readTimeout + .milliseconds(size * 1000 / (64 << 10))
        let response = try await http.execute(outgoing, deadline: .now() + TimeAmount(patience))
        let isSuccess = 200..<300 ~= response.status.code
        var bytes: [UInt8] = []
        let expected = response.headers.first(name: "content-length").flatMap { Int($0) }
        if isSuccess, request.method != .HEAD, let expected, expected > 0 {
            bytes.reserveCapacity(min(expected, 64 << 20))
        }
        for try await piece in response.body where isSuccess || bytes.count < 1 << 20 {
            bytes.append(contentsOf: piece.readableBytesView)
        }
        state.withLock { state in
            state.statistics.requests += 1
            state.statistics.bytesSent += size
            state.statistics.bytesReceived += Int64(bytes.count)
        }
        let reply = S3Reply(status: Int(response.status.code), headers: response.headers, body: bytes)
        guard isSuccess else { throw S3ErrorReply(reply) }
        if let expected, request.method != .HEAD, bytes.count != expected { throw ShortReply() }
        return reply
    }

    private func signed(_ request: S3Request, _ situation: Situation) -> HTTPClientRequest {
        let target = address.target(request.key, region: situation.region)
        let headers = [(name: "Host", value: target.host)] + request.headers
        let signature = S3Signature(credentials: situation.credentials, region: situation.region)
            .sign(
                method: request.method.rawValue, path: target.path, query: request.query, headers: headers,
                bodyHash: request.bodyHash, at: situation.time)
        var url = "\(address.scheme)://\(target.host)\(PercentEncoding.encode(target.path, keepsSlash: true))"
        if !request.query.isEmpty { url += "?" + S3Signature.canonicalQuery(request.query) }
        var outgoing = HTTPClientRequest(url: url)
        outgoing.method = request.method
        for header in headers + signature.headers { outgoing.headers.add(name: header.name, value: header.value) }
        outgoing.headers.add(name: "User-Agent", value: "tocsin/\(tocsinVersion)")
        if request.body.readableBytes > 0 {
            outgoing.body = .stream(
                BodyPieces(body: request.body), length: .known(Int64(request.body.readableBytes)))
        } else if request.method == .PUT || request.method == .POST {
            outgoing.body = .bytes(ByteBuffer())
        }
        return outgoing
    }

    private func judge(_ error: any Error, _ request: S3Request, _ situation: Situation) throws -> S3Verdict {
        if Task.isCancelled || error is CancellationError { throw CancellationError() }
        let judge = S3Judge(
            request: request, situation: situation, settings: settings, address: address, now: clock.now())
        switch error {
        case let reply as S3ErrorReply: return judge.verdict(on: reply)
        case let error as XMLError: return judge.verdict(on: error)
        case let error as TocsinError: throw error
        default:
            state.withLock { $0.statistics.requests += 1 }
            return judge.verdict(onNetwork: error)
        }
    }

    private func given(up failure: TocsinError, after attempts: Int) -> TocsinError {
        state.withLock { $0.statistics.failures += 1 }
        guard attempts > 1 else { return failure }
        var failure = failure
        failure.message += ", \(attempts) times"
        return failure
    }

    private func take(clockOffset: Span64) {
        let isNew = state.withLock { state in
            state.clockOffset = clockOffset
            let isNew = abs(clockOffset.seconds - state.toldOffset.seconds) > 60
            if isNew { state.toldOffset = clockOffset }
            return isNew
        }
        guard isNew else { return }
        notice(
            "\(address.service(region: region)): \(S3Judge.clockText(clockOffset)); requests are signed with its time "
                + "from now on; set the clock (NTP)")
    }

    private func take(region: String) {
        let former = state.withLock { state in
            let former = state.region
            state.region = region
            return former
        }
        guard former != region else { return }
        notice(
            "s3://\(settings.bucket) is in region \(region), not \(former); it is used from now on; "
                + "set lake.s3.region (AWS_REGION)")
    }

    private static func configuration(_ settings: S3Settings) throws -> HTTPClient.Configuration {
        var configuration = HTTPClient.Configuration()
        configuration.connectionPool.retryConnectionEstablishment = false
        configuration.timeout.connect = TimeAmount(settings.connectTimeout)
        configuration.timeout.read = TimeAmount(settings.readTimeout)
        configuration.timeout.write = TimeAmount(settings.readTimeout)
        // Only the region of a redirect is taken: requests are signed for one host.
        configuration.redirectConfiguration = .disallow
        configuration.httpVersion = .http1Only
        guard let path = settings.certificateFile else { return configuration }
        do {
            var tls = TLSConfiguration.makeClientConfiguration()
            tls.additionalTrustRoots = [.certificates(try NIOSSLCertificate.fromPEMFile(path))]
            configuration.tlsConfiguration = tls
        } catch {
            throw TocsinError(
                .configuration, "the authorities' certificates cannot be read", place: path,
                remedy: "a PEM file of one or more certificates is needed", cause: error)
        }
        return configuration
    }
}

/// A body shorter than was announced.
struct ShortReply: Error {}

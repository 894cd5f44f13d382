internal import AsyncHTTPClient
#if canImport(Glibc)
internal import Glibc
#elseif canImport(Darwin)
internal import Darwin
#endif
internal import NIOCore
internal import NIOHTTP1
internal import NIOPosix
internal import NIOSSL
internal import Synchronization
public import TocsinCore

/// One request as a channel makes it.
struct OutgoingRequest: Sendable {
    var method = "POST"
    /// Checked when the channel was made.
    var url: WebAddress
    var headers: [(name: String, value: String)]
    var body: [UInt8]
    var timeout: Duration
    /// A file of further certificate authorities (PEM).
    var authorities: String?
}

/// The way of all alerts that go out by HTTP: names are resolved and checked here, the connection goes to the address
/// that was checked (with the right name in TLS and `Host`), and redirects are not followed.
///
/// Lives as long as the dispatcher; `close` ends its connections.
public final class AlertHTTP: Sendable {
    private struct Entry {
        let client: HTTPClient
        let address: IPAddress
        var users = 0
        var isRetired = false
    }
    private struct Key: Hashable {
        var host: String
        var authorities: String?
    }

    private let targets: TargetGuard
    private let resolver: HostResolver
    private let clock: any WallClock
    private let entries = Mutex<[Key: [Entry]]>([:])
    /// Enough of an answer to say what was wrong.
    private static let answerBytes = 2048

    public init(targets: TargetGuard, resolver: HostResolver = .system, clock: any WallClock = SystemClock()) {
        self.targets = targets
        self.resolver = resolver
        self.clock = clock
    }

    deinit {
        let clients = entries.withLock { $0.values.flatMap { $0.map(\.client) } }
        guard !clients.isEmpty else { return }
        // Nobody waits for it: it only ends idle connections.
        Task { for client in clients { try? await client.shutdown() } }
    }

    /// Any 2xx is taken; 408, 425, 429 and 5xx, timeouts and broken connections can be tried again; the rest is final.
    func send(_ request: OutgoingRequest) async throws(AlertFailure) -> AlertAnswer {
        let place = request.url.origin
        let addresses = try await resolver.permitted(request.url.host, by: targets, place: place)
        let key = Key(host: request.url.host, authorities: request.authorities)
        var failure: (any Error)?
        for address in order(addresses, key) {
            let client = try client(key, address, among: addresses, place)
            do {
                let reply = try await withTimeLimit(request.timeout) { try await Self.execute(request, by: client) }
                await giveBack(client, key)
                return try judged(reply, request.url, place)
            } catch let error as AlertFailure {
                throw error
            } catch {
                failure = error
                // Nothing was sent: the name's next address may be the one that listens.
                let isUnreached = Self.isConnectionFailure(error)
                await giveBack(client, key, isUseless: isUnreached)
                guard isUnreached else { break }
            }
        }
        throw AlertFailure(
            TocsinError(
                .network, "the receiver cannot be reached, or broke off", place: place,
                remedy: "check the address in alerts.channels, and that the receiver runs", isRetriable: true,
                cause: failure.map(Self.withoutSecrets)))
    }

    /// More would keep a message waiting for the time limits of all.
    private static let addressesTried = 4

    /// First those that have been reached before.
    private func order(_ addresses: [IPAddress], _ key: Key) -> [IPAddress] {
        let known = entries.withLock { ($0[key] ?? []).filter { !$0.isRetired }.map(\.address) }
        let ordered = addresses.filter { known.contains($0) } + addresses.filter { !known.contains($0) }
        return Array(ordered.prefix(Self.addressesTried))
    }

    private static func isConnectionFailure(_ error: any Error) -> Bool {
        switch error {
        case is NIOConnectionError: true
        case let error as HTTPClientError: error == .connectTimeout
        case let error as ChannelError: if case .connectTimeout = error { true } else { false }
        case let error as IOError: [ECONNREFUSED, ENETUNREACH, EHOSTUNREACH].contains(error.errnoCode)
        default: false
        }
    }

    /// The client's own words quote headers, and a header may be the credential.
    private static func withoutSecrets(_ error: any Error) -> any Error {
        guard let error = error as? HTTPClientError else { return error }
        return TocsinError(.network, error.shortDescription)
    }

    /// Ends all connections.
    public func close() async {
        let clients = entries.withLock { entries in
            defer { entries = [:] }
            return entries.values.flatMap { $0.map(\.client) }
        }
        for client in clients { try? await client.shutdown() }
    }

    private struct Reply: Sendable {
        var status: Int
        var retryAfter: String?
        var text: String
    }

    private func judged(_ reply: Reply, _ url: WebAddress, _ place: String) throws(AlertFailure) -> AlertAnswer {
        // Some answer with the address they were asked at, and a webhook's path is its credential.
        let text = (url.path.utf8.count > 1 ? reply.text.replacing(url.path, with: "/…") : reply.text).printable
        if (200..<300).contains(reply.status) { return AlertAnswer(status: reply.status, text: text) }
        let isRetriable = reply.status >= 500 || [408, 425, 429].contains(reply.status)
        let message =
            (300..<400).contains(reply.status)
            ? "the receiver answered \(reply.status): redirects are not followed"
            : "the receiver answered \(reply.status)" + (text.isEmpty ? "" : ": \(text.prefix(300))")
        throw AlertFailure(
            TocsinError(
                .network, message, place: place,
                remedy: isRetriable ? nil : "the receiver refuses this message: check address and credentials",
                isRetriable: isRetriable),
            status: reply.status, retryAfter: reply.retryAfter.flatMap { RetryAfter.duration($0, now: clock.now()) })
    }

    private static func execute(_ request: OutgoingRequest, by client: HTTPClient) async throws -> Reply {
        var outgoing = HTTPClientRequest(url: request.url.text)
        outgoing.method = HTTPMethod(rawValue: request.method)
        outgoing.headers.add(name: "User-Agent", value: "tocsin/\(tocsinVersion)")
        if let credentials = request.url.credentials {
            outgoing.headers.add(name: "Authorization", value: "Basic " + Base64.text(Array(credentials.utf8)))
        }
        for header in request.headers { outgoing.headers.replaceOrAdd(name: header.name, value: header.value) }
        outgoing.body = .bytes(ByteBuffer(bytes: request.body))
        let response = try await client.execute(outgoing, timeout: TimeAmount(request.timeout))
        var bytes: [UInt8] = []
        for try await part in response.body {
            bytes += part.readableBytesView.prefix(answerBytes - bytes.count)
            if bytes.count >= answerBytes { break }
        }
        return Reply(
            status: Int(response.status.code), retryAfter: response.headers.first(name: "Retry-After"),
            text: String(decoding: bytes, as: UTF8.self))
    }

    /// One client for each host and checked address: the client is told that address and asks no name service itself.
    private func client(
        _ key: Key, _ address: IPAddress, among addresses: [IPAddress], _ place: String
    ) throws(AlertFailure) -> HTTPClient {
        let made: Result<HTTPClient, AlertFailure> = entries.withLock { entries in
            var list = entries[key] ?? []
            for index in list.indices where !addresses.contains(list[index].address) { list[index].isRetired = true }
            if let index = list.firstIndex(where: { !$0.isRetired && $0.address == address }) {
                list[index].users += 1
                entries[key] = list
                return .success(list[index].client)
            }
            let client: HTTPClient
            do {
                client = try Self.make(key.host, address, authorities: key.authorities)
            } catch {
                return .failure(
                    AlertFailure(
                        TocsinError(
                            .file, "the certificate authorities cannot be read", place: key.authorities,
                            remedy: "check alerts.channels authorities", isRetriable: true, cause: error)))
            }
            list.append(Entry(client: client, address: address, users: 1))
            entries[key] = list
            return .success(client)
        }
        return try made.get()
    }

    /// Shuts down a client whose address is no longer current, or leads nowhere, when its last request has ended.
    private func giveBack(_ client: HTTPClient, _ key: Key, isUseless: Bool = false) async {
        let ended: [HTTPClient] = entries.withLock { entries in
            guard var list = entries[key] else { return [] }
            if let index = list.firstIndex(where: { $0.client === client }) {
                list[index].users -= 1
                list[index].isRetired = list[index].isRetired || isUseless
            }
            let ended = list.filter { $0.isRetired && $0.users <= 0 }.map(\.client)
            list.removeAll { $0.isRetired && $0.users <= 0 }
            entries[key] = list
            return ended
        }
        for client in ended { try? await client.shutdown() }
    }

    private static func make(_ host: String, _ address: IPAddress, authorities: String?) throws -> HTTPClient {
        var configuration = HTTPClient.Configuration()
        // A refused connection is an answer: the lane retries at its own pace, so the client must not wait on its own.
        configuration.connectionPool.retryConnectionEstablishment = false
        // Shorter than what an answer may take: where that ends the attempt, no other address is tried.
        configuration.timeout.connect = .seconds(5)
        configuration.redirectConfiguration = .disallow
        if host != address.description { configuration.dnsOverride = [host: address.description] }
        if let authorities {
            configuration.tlsConfiguration = try TLSConfiguration.trusting(authorities)
        }
        return HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
    }
}

extension TLSConfiguration {
    /// The machine's authorities and those of a file (PEM).
    static func trusting(_ authorities: String?) throws -> TLSConfiguration {
        var configuration = TLSConfiguration.makeClientConfiguration()
        if let authorities {
            configuration.additionalTrustRoots = [.certificates(try NIOSSLCertificate.fromPEMFile(authorities))]
        }
        return configuration
    }
}

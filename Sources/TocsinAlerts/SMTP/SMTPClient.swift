internal import NIOCore
internal import NIOPosix
internal import NIOSSL
public import TocsinCore

/// How to reach a mail server.
public struct SMTPSettings: Sendable {
    public enum Security: String, Sendable, CaseIterable {
        /// TLS from the first byte (port 465).
        case implicit = "tls"
        /// Plain until STARTTLS, which must succeed (port 587).
        case startTLS = "starttls"
        /// Unencrypted; no login is sent.
        case none
    }

    public var host: String
    public var port: Int
    public var security: Security
    public var user: String?
    public var password: String?
    /// A file of further certificate authorities (PEM).
    public var authorities: String?
    public var timeout: Duration

    /// - Throws: `TocsinError(.configuration)` where a password would go over the wire unencrypted.
    public init(
        host: String, port: Int? = nil, security: Security = .startTLS, user: String? = nil, password: String? = nil,
        authorities: String? = nil, timeout: Duration = .seconds(30)
    ) throws(TocsinError) {
        guard security != .none || user == nil else {
            throw TocsinError(
                .configuration, "a password is not sent unencrypted", place: "alerts.channels security",
                remedy: "use starttls or tls, or leave user and password out")
        }
        self.host = host
        self.port =
            port
            ?? {
                switch security {
                case .implicit: 465
                case .startTLS: 587
                case .none: 25
                }
            }()
        self.security = security
        self.user = user
        self.password = password
        self.authorities = authorities
        self.timeout = timeout
    }
}

/// Takes one message to a mail server: a connection of its own, to an address that was checked.
struct SMTPClient: Sendable {
    struct Outcome: Sendable {
        var accepted: [String]
        var later: [(recipient: String, reply: String)]
        var refused: [(recipient: String, reply: String)]
        var reply: String
    }

    let settings: SMTPSettings
    let targets: TargetGuard
    let resolver: HostResolver
    private var place: String { "smtp://\(settings.host):\(settings.port)" }

    init(settings: SMTPSettings, targets: TargetGuard, resolver: HostResolver) {
        self.settings = settings
        self.targets = targets
        self.resolver = resolver
    }

    func deliver(_ mail: MailMessage, to recipients: [String]) async throws(AlertFailure) -> Outcome {
        let addresses = try await resolver.permitted(settings.host, by: targets, place: place)
        do {
            return try await withTimeLimit(settings.timeout) {
                try await talk(mail, recipients, addresses)
            }
        } catch let failure as AlertFailure {
            throw failure
        } catch {
            throw AlertFailure(
                TocsinError(
                    .network, "the mail server cannot be reached, or broke off", place: place,
                    remedy: "check host, port and security in alerts.channels", isRetriable: true, cause: error))
        }
    }

    private func talk(_ mail: MailMessage, _ recipients: [String], _ addresses: [IPAddress]) async throws -> Outcome {
        let tls = settings.security == .none ? nil : try NIOSSLContext(configuration: .trusting(settings.authorities))
        let connection = try await connect(addresses, tls)
        let credentials = settings.user.map { ($0, settings.password ?? "") }
        var conversation = SMTPConversation(
            mail: mail, recipients: recipients, helloName: Self.helloName(connection.channel.localAddress),
            credentials: credentials, needsTLS: settings.security == .startTLS)
        return try await connection.executeThenClose { inbound, outbound in
            var replies = SMTPReplyReader()
            for try await part in inbound {
                try replies.add(part.readableBytesView)
                while let reply = try replies.next() {
                    var action = conversation.receive(reply)
                    if action == .startTLS {
                        guard let tls, !replies.hasMore else { throw SMTPReplyReader.Nonsense() }
                        try await Self.secure(connection.channel, tls, settings.host)
                        action = conversation.securedByTLS()
                    }
                    switch action {
                    case .send(let bytes): try await outbound.write(ByteBuffer(bytes: bytes))
                    case .startTLS: throw SMTPReplyReader.Nonsense()
                    case .done:
                        try? await outbound.write(ByteBuffer(string: "QUIT\r\n"))
                        return Outcome(
                            accepted: conversation.accepted, later: conversation.later,
                            refused: conversation.refused, reply: conversation.lastReply)
                    case .fail(let message, let code, let isRetriable):
                        try? await outbound.write(ByteBuffer(string: "QUIT\r\n"))
                        throw AlertFailure(
                            TocsinError(.network, message, place: place, isRetriable: isRetriable), status: code)
                    }
                }
            }
            throw SMTPClosed(last: conversation.lastReply)
        }
    }

    private func connect(
        _ addresses: [IPAddress], _ tls: NIOSSLContext?
    ) async throws -> NIOAsyncChannel<ByteBuffer, ByteBuffer> {
        var failure: any Error = SMTPClosed(last: "")
        for address in addresses {
            do {
                let (isImplicit, host) = (settings.security == .implicit, settings.host)
                let target = try SocketAddress(ipAddress: address.description, port: settings.port)
                return try await ClientBootstrap(group: .singletonMultiThreadedEventLoopGroup)
                    .connectTimeout(.seconds(10))
                    .connect(to: target) { channel in
                        channel.eventLoop.makeCompletedFuture {
                            if isImplicit, let tls {
                                try channel.pipeline.syncOperations.addHandler(Self.handler(tls, host))
                            }
                            return try NIOAsyncChannel(wrappingChannelSynchronously: channel)
                        }
                    }
            } catch {
                failure = error
            }
        }
        throw failure
    }

    private static func secure(_ channel: any Channel, _ tls: NIOSSLContext, _ host: String) async throws {
        try await channel.eventLoop.submit {
            try channel.pipeline.syncOperations.addHandler(handler(tls, host), position: .first)
        }.get()
    }

    private static func handler(_ tls: NIOSSLContext, _ host: String) throws -> NIOSSLClientHandler {
        try NIOSSLClientHandler(context: tls, serverHostname: IPAddress(host) == nil ? host : nil)
    }

    /// An address literal (RFC 5321, 4.1.3): this machine's name may not be one that the server could look up.
    private static func helloName(_ address: SocketAddress?) -> String {
        guard let text = address?.ipAddress else { return "[127.0.0.1]" }
        return text.contains(":") ? "[IPv6:\(text)]" : "[\(text)]"
    }
}

struct SMTPClosed: Error, CustomStringConvertible {
    let last: String
    var description: String { "the connection was closed" + (last.isEmpty ? "" : " after \"\(last)\"") }
}

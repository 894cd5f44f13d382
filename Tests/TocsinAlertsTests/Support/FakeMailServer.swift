import NIOCore
import NIOPosix
import NIOSSL
import Synchronization

/// A mail server on a free port of this machine: EHLO, STARTTLS, AUTH PLAIN and LOGIN, MAIL, RCPT, DATA.
final class FakeMailServer: Sendable {
    struct Options: Sendable {
        var behaviour = Behaviour.taken
        var isImplicit = false
        var offersTLS = true
        var ways = "PLAIN LOGIN"
        /// By recipient: another reply than 250.
        var recipients: [String: String] = [:]
        /// Said behind the reply to STARTTLS, before TLS: an injection.
        var injected = ""
        /// What MAIL is answered with, first; then 250.
        var mailReplies: [String] = []
    }
    struct Mail: Sendable {
        var from = ""
        var to: [String] = []
        /// Dots unstuffed.
        var lines: [String] = []
        var isEncrypted = false
        var user = ""
        var password = ""
    }
    private let state: Mutex<(mails: [Mail], commands: [String], options: Options)>
    private let channel: Mutex<(any Channel)?> = Mutex(nil)

    init(_ options: Options = Options()) async throws {
        state = Mutex(([], [], options))
        let context = try TestTLS.server()
        let channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    if options.isImplicit {
                        try channel.pipeline.syncOperations.addHandler(NIOSSLServerHandler(context: context))
                    }
                    try channel.pipeline.syncOperations.addHandler(MailHandler(self, context, options))
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        self.channel.withLock { $0 = channel }
    }

    deinit { channel.withLock { $0?.close(promise: nil) } }

    var port: Int { channel.withLock { $0?.localAddress?.port } ?? 0 }
    var mails: [Mail] { state.withLock { $0.mails } }
    var commands: [String] { state.withLock { $0.commands } }
    func set(recipients: [String: String]) { state.withLock { $0.options.recipients = recipients } }
    fileprivate func note(_ command: String) { state.withLock { $0.commands.append(command) } }
    fileprivate func take(_ mail: Mail) { state.withLock { $0.mails.append(mail) } }
    fileprivate func reply(to recipient: String) -> String {
        state.withLock { $0.options.recipients[recipient] } ?? "250 ok"
    }
    fileprivate func mailReply() -> String {
        state.withLock { $0.options.mailReplies.isEmpty ? "250 ok" : $0.options.mailReplies.removeFirst() }
    }
}

private final class MailHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer
    private let server: FakeMailServer
    private let tls: NIOSSLContext
    private let options: FakeMailServer.Options
    private var waiting: [UInt8] = []
    private var mail = FakeMailServer.Mail()
    private var isInData = false
    private var expectsLogin = 0
    private var isEncrypted: Bool

    init(_ server: FakeMailServer, _ tls: NIOSSLContext, _ options: FakeMailServer.Options) {
        (self.server, self.tls, self.options) = (server, tls, options)
        isEncrypted = options.isImplicit
    }

    func channelActive(context: ChannelHandlerContext) {
        switch options.behaviour {
        case .slow: break
        case .closing: context.close(promise: nil)
        case .garbage: say("\u{1}\u{2}nonsense", context)
        case .busySeconds, .busyDate: say("421 4.3.2 too many connections", context)
        default: say("220 mail.test ESMTP", context)
        }
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        waiting += unwrapInboundIn(data).readableBytesView
        while let end = waiting.firstIndex(of: 10) {
            let line = String(decoding: waiting[..<end].filter { $0 != 13 }, as: UTF8.self)
            waiting.removeSubrange(...end)
            if isInData { takeData(line, context) } else { obey(line, context) }
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }

    private func takeData(_ line: String, _ context: ChannelHandlerContext) {
        guard line != "." else {
            isInData = false
            server.take(mail)
            return say("250 2.0.0 queued as 1", context)
        }
        mail.lines.append(line.hasPrefix(".") ? String(line.dropFirst()) : line)
    }

    private func obey(_ line: String, _ context: ChannelHandlerContext) {
        server.note(line)
        if expectsLogin > 0 { return takeLogin(line, context) }
        let word = line.prefix { $0 != " " && $0 != ":" }.uppercased()
        switch word {
        case "EHLO":
            let offers = (options.offersTLS && !isEncrypted ? ["STARTTLS"] : []) + ["AUTH \(options.ways)"]
            say(
                (["mail.test"] + offers + ["8BITMIME"]).enumerated().map {
                    "250\($0.offset == offers.count + 1 ? " " : "-")\($0.element)"
                }.joined(separator: "\r\n"), context)
        case "STARTTLS":
            say("220 go ahead" + options.injected, context)
            guard options.injected.isEmpty else { return }
            try? context.pipeline.syncOperations.addHandler(NIOSSLServerHandler(context: tls), position: .first)
            isEncrypted = true
        case "AUTH" where line.hasPrefix("AUTH PLAIN "):
            mail.user = String(line.dropFirst(11))
            say("235 welcome", context)
        case "AUTH":
            expectsLogin = 2
            say("334 VXNlcm5hbWU6", context)
        case "MAIL":
            let reply =
                options.behaviour == .failing
                ? "451 4.3.0 try later"
                : options.behaviour == .refusing
                    ? "550 5.7.1 no" : options.behaviour == .redirecting ? "551 user not local" : server.mailReply()
            mail.from = Self.address(line)
            say(reply, context)
        case "RCPT":
            let address = Self.address(line)
            let reply = server.reply(to: address)
            if reply.hasPrefix("2") { mail.to.append(address) }
            say(reply, context)
        case "DATA":
            isInData = true
            mail.isEncrypted = isEncrypted
            say("354 go on", context)
        case "QUIT":
            say("221 bye", context)
            context.close(promise: nil)
        default: say("500 what?", context)
        }
    }

    private func takeLogin(_ line: String, _ context: ChannelHandlerContext) {
        if expectsLogin == 2 { mail.user = line } else { mail.password = line }
        expectsLogin -= 1
        say(expectsLogin == 1 ? "334 UGFzc3dvcmQ6" : "235 welcome", context)
    }

    private static func address(_ line: String) -> String {
        String(line.drop { $0 != "<" }.dropFirst().prefix { $0 != ">" })
    }

    private func say(_ text: String, _ context: ChannelHandlerContext) {
        context.writeAndFlush(wrapOutboundOut(ByteBuffer(string: text + "\r\n")), promise: nil)
    }
}

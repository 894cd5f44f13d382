import NIOCore
import NIOHTTP1
import NIOPosix
import NIOSSL
import Synchronization
import Testing

/// How a receiver behaves.
enum Behaviour: Sendable, CaseIterable, CustomTestStringConvertible {
    case taken, slow, busySeconds, busyDate, failing, refusing, redirecting, closing, garbage

    var testDescription: String { "\(self)" }
}

struct ReceivedRequest: Sendable {
    var method: String
    var target: String
    var headers: HTTPHeaders
    var body: [UInt8]

    var text: String { String(decoding: body, as: UTF8.self) }
}

/// A receiver of webhooks on a free port of this machine that behaves as a test says, and keeps what it got.
final class FakeReceiver: Sendable {
    /// What a `busyDate` receiver says.
    static let date = "Sun, 06 Nov 1994 08:49:37 GMT"
    private struct State {
        var requests: [ReceivedRequest] = []
        var behaviours: [Behaviour]
        var names: [String] = []
    }
    private let state: Mutex<State>
    private let channel: Mutex<(any Channel)?> = Mutex(nil)
    private let answer: (status: Int, body: String)
    private let other: String

    /// - Parameters:
    ///   - behaviours: of the first requests, one each; the last one stays.
    ///   - tls: whether it speaks TLS, with the tests' certificate.
    ///   - other: where a redirect leads.
    init(
        _ behaviours: [Behaviour] = [.taken], tls: Bool = false, answer: (status: Int, body: String) = (200, "ok"),
        other: String = "http://127.0.0.1:9/elsewhere"
    ) async throws {
        state = Mutex(State(behaviours: behaviours))
        self.answer = answer
        self.other = other
        let context = tls ? try TestTLS.server() : nil
        let channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    if let context {
                        try channel.pipeline.syncOperations.addHandler(NIOSSLServerHandler(context: context))
                    }
                    if self.first == .garbage {
                        try channel.pipeline.syncOperations.addHandler(GarbageHandler())
                    } else {
                        try channel.pipeline.syncOperations.configureHTTPServerPipeline()
                        try channel.pipeline.syncOperations.addHandler(ReceiverHandler(self))
                    }
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        self.channel.withLock { $0 = channel }
    }

    deinit { channel.withLock { $0?.close(promise: nil) } }

    var port: Int { channel.withLock { $0?.localAddress?.port } ?? 0 }
    var requests: [ReceivedRequest] { state.withLock { $0.requests } }
    fileprivate var first: Behaviour { state.withLock { $0.behaviours[0] } }

    fileprivate func take(_ request: ReceivedRequest) -> Behaviour {
        state.withLock { state in
            state.requests.append(request)
            return state.behaviours.count > 1 ? state.behaviours.removeFirst() : state.behaviours[0]
        }
    }

    fileprivate func reply(_ behaviour: Behaviour) -> (status: Int, headers: [(String, String)], body: String)? {
        switch behaviour {
        case .taken: (answer.status, [], answer.body)
        case .busySeconds: (429, [("Retry-After", "17")], "slow down")
        case .busyDate: (503, [("Retry-After", Self.date)], "away")
        case .failing: (500, [], "broken")
        case .refusing: (400, [], "no such thing")
        case .redirecting: (302, [("Location", other)], "")
        case .slow, .closing, .garbage: nil
        }
    }
}

private final class ReceiverHandler: ChannelInboundHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias OutboundOut = HTTPServerResponsePart
    private let receiver: FakeReceiver
    private var head: HTTPRequestHead?
    private var body: [UInt8] = []

    init(_ receiver: FakeReceiver) { self.receiver = receiver }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head(let head):
            self.head = head
            body = []
        case .body(let part): body += part.readableBytesView
        case .end:
            guard let head else { return }
            let behaviour = receiver.take(
                ReceivedRequest(method: head.method.rawValue, target: head.uri, headers: head.headers, body: body))
            if let reply = receiver.reply(behaviour) {
                answer(reply, context)
            } else if behaviour == .closing {
                context.close(promise: nil)
            }
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }

    private func answer(
        _ reply: (status: Int, headers: [(String, String)], body: String), _ context: ChannelHandlerContext
    ) {
        var headers = HTTPHeaders(reply.headers)
        headers.add(name: "Content-Length", value: "\(reply.body.utf8.count)")
        let head = HTTPResponseHead(version: .http1_1, status: .init(statusCode: reply.status), headers: headers)
        context.write(wrapOutboundOut(.head(head)), promise: nil)
        context.write(wrapOutboundOut(.body(.byteBuffer(ByteBuffer(string: reply.body)))), promise: nil)
        context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
    }
}

/// Says something that is neither HTTP nor SMTP.
private final class GarbageHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        context.writeAndFlush(wrapOutboundOut(ByteBuffer(string: "\u{1}\u{2}nonsense\r\n\r\n")), promise: nil)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
}

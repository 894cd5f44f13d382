import Foundation
import NIOCore
import NIOHTTP1
import NIOPosix
import Synchronization
import TocsinCore
import TocsinS3

struct FakeRequest: Sendable {
    var method: String
    /// As it was sent.
    var target: String
    var headers: HTTPHeaders
    var body: [UInt8]

    var path: String { String(target.prefix { $0 != "?" }) }
    func has(_ parameter: String) -> Bool { target.contains("?\(parameter)") || target.contains("&\(parameter)") }
    var partNumber: Int? {
        target.firstRange(of: "partNumber=").flatMap { Int(target[$0.upperBound...].prefix { $0 != "&" }) }
    }
}

enum FakeReply: Sendable {
    case answer(Int, [(String, String)] = [], String = "")
    /// Announces more than it sends, and closes.
    case cutOff(announced: Int, String)
    /// Closes with a reset, without a word.
    case reset
    /// Never answers.
    case silence
    /// A byte every few milliseconds.
    case slow(String)

    static func error(_ status: Int, _ code: String, headers: [(String, String)] = [], more: String = "") -> FakeReply {
        .answer(
            status, headers,
            "<?xml version=\"1.0\"?>\n<Error><Code>\(code)</Code><Message>as the test wants</Message>\(more)</Error>")
    }
}

/// A small service of objects on a free port that misbehaves as a test says; it checks no signatures.
final class FakeService: Sendable {
    typealias Script = @Sendable (FakeRequest, _ count: Int) -> FakeReply?
    private struct State {
        var requests: [FakeRequest] = []
        var objects: [String: [UInt8]] = [:]
        var uploads: [String: [Int: [UInt8]]] = [:]
    }

    private let state = Mutex(State())
    private let script: Script
    private let channel: Mutex<(any Channel)?> = Mutex(nil)

    /// - Parameter script: nil for an orderly answer; `count` is how many requests there were before.
    init(_ script: @escaping Script = { _, _ in nil }) async throws {
        self.script = script
        let channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.configureHTTPServerPipeline()
                    try channel.pipeline.syncOperations.addHandler(FakeHandler(self))
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        self.channel.withLock { $0 = channel }
    }

    deinit { channel.withLock { $0?.close(promise: nil) } }

    var endpoint: String { "http://127.0.0.1:\(channel.withLock { $0?.localAddress?.port } ?? 0)" }
    var requests: [FakeRequest] { state.withLock { $0.requests } }
    var objects: [String: [UInt8]] { state.withLock { $0.objects } }
    var openUploads: Int { state.withLock { $0.uploads.count } }

    func reply(to request: FakeRequest) -> FakeReply {
        let count = state.withLock { state in
            state.requests.append(request)
            return state.requests.count - 1
        }
        return script(request, count) ?? state.withLock { Self.orderly(request, &$0) }
    }

    private static func orderly(_ request: FakeRequest, _ state: inout State) -> FakeReply {
        let path = request.path
        switch request.method {
        case "POST" where request.has("uploads"):
            state.uploads["id-\(state.requests.count)"] = [:]
            return .answer(200, [], "<R><UploadId>id-\(state.requests.count)</UploadId></R>")
        case "POST":
            guard let id = id(request), let parts = state.uploads.removeValue(forKey: id) else {
                return .error(404, "NoSuchUpload")
            }
            state.objects[path] = parts.sorted { $0.key < $1.key }.flatMap(\.value)
            return .answer(200, [], "<CompleteMultipartUploadResult><ETag>x</ETag></CompleteMultipartUploadResult>")
        case "PUT":
            if let number = request.partNumber {
                guard let id = id(request), state.uploads[id] != nil else { return .error(404, "NoSuchUpload") }
                state.uploads[id]?[number] = request.body
            } else {
                state.objects[path] = request.body
            }
            return .answer(200, [("ETag", "\"tag\"")])
        case "DELETE":
            if let id = id(request) { state.uploads[id] = nil } else { state.objects[path] = nil }
            return .answer(204)
        case "GET" where request.has("list-type"):
            return .answer(200, [], "<ListBucketResult></ListBucketResult>")
        case "GET" where request.has("uploads"):
            return .answer(200, [], "<ListMultipartUploadsResult/>")
        default:
            guard let object = state.objects[path] else { return .error(404, "NoSuchKey") }
            let date = ("Last-Modified", "Sat, 21 Nov 2026 12:00:00 GMT")
            return .answer(200, [date], String(decoding: object, as: UTF8.self))
        }
    }

    private static func id(_ request: FakeRequest) -> String? {
        request.target.firstRange(of: "uploadId=").map { String(request.target[$0.upperBound...].prefix { $0 != "&" }) }
    }
}

private final class FakeHandler: ChannelInboundHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias OutboundOut = HTTPServerResponsePart

    private let service: FakeService
    private var head: HTTPRequestHead?
    private var body: [UInt8] = []

    init(_ service: FakeService) { self.service = service }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head(let head):
            self.head = head
            body = []
        case .body(let buffer): body.append(contentsOf: buffer.readableBytesView)
        case .end:
            guard let head else { return }
            let request = FakeRequest(
                method: head.method.rawValue, target: head.uri, headers: head.headers, body: body)
            send(service.reply(to: request), isHead: head.method == .HEAD, context)
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }

    private func send(_ reply: FakeReply, isHead: Bool, _ context: ChannelHandlerContext) {
        switch reply {
        case .answer(let status, let headers, let text):
            sendHead(status, headers, length: text.utf8.count, context)
            if !isHead { context.write(wrapOutboundOut(.body(.byteBuffer(ByteBuffer(string: text)))), promise: nil) }
            context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
        case .cutOff(let announced, let text):
            sendHead(200, [], length: announced, context)
            context.writeAndFlush(wrapOutboundOut(.body(.byteBuffer(ByteBuffer(string: text)))), promise: nil)
            context.close(promise: nil)
        case .reset:
            guard let socket = context.channel as? any SocketOptionProvider else { return context.close(promise: nil) }
            socket.setSoLinger(linger(l_onoff: 1, l_linger: 0))
                .assumeIsolated().whenComplete { _ in context.close(promise: nil) }
        case .silence: break
        case .slow(let text):
            sendHead(200, [], length: text.utf8.count, context)
            trickle(text[...].utf8, context)
        }
    }

    private func sendHead(_ status: Int, _ headers: [(String, String)], length: Int, _ context: ChannelHandlerContext) {
        var all = HTTPHeaders(headers)
        all.replaceOrAdd(name: "Content-Length", value: String(length))
        let head = HTTPResponseHead(version: .http1_1, status: .init(statusCode: status), headers: all)
        context.writeAndFlush(wrapOutboundOut(.head(head)), promise: nil)
    }

    private func trickle(_ rest: Substring.UTF8View, _ context: ChannelHandlerContext) {
        guard let byte = rest.first else {
            return context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
        }
        context.writeAndFlush(wrapOutboundOut(.body(.byteBuffer(ByteBuffer(bytes: [byte])))), promise: nil)
        context.eventLoop.assumeIsolated().scheduleTask(in: .milliseconds(5)) {
            self.trickle(rest.dropFirst(), context)
        }
    }
}

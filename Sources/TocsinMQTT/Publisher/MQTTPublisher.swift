internal import NIOCore
internal import NIOPosix
internal import Synchronization
public import TocsinCore

/// How a publisher stands.
public struct PublisherStatus: Sendable, Equatable {
    public var isConnected = false
    public var connects = 0
    /// Handed to the network, repetitions not counted.
    public var published = 0
    /// At QoS 1 and 2, by the broker.
    public var acknowledged = 0
    /// Messages that the broker took and will not pass on (version 5 only: an ACL, a quota).
    public var refused = 0
    public var unacknowledged = 0
    public var lastError: String?

    public init() {}
}

/// Sends messages to a broker, many at a time.
///
/// A lost connection is made anew for ever, and what the broker has not acknowledged is sent again: at QoS 1 and 2 each
/// message arrives at least once. Give it hundreds of messages a call: one call of one message costs some µs, one of
/// a thousand about 0.3 µs a message.
public final class MQTTPublisher: Sendable {
    private let core: PublisherCore
    private let loop: any EventLoop
    private let tokens = Mutex<UInt64>(0)

    /// Throws what is wrong with the TLS files; connects with the first message.
    /// - Parameter window: most messages of QoS 1 and 2 that are not acknowledged.
    public init(settings: MQTTSettings, window: Int = 2000, clock: any WallClock = SystemClock()) throws(TocsinError) {
        loop = MultiThreadedEventLoopGroup.singleton.next()
        core = PublisherCore(
            settings, clientID: settings.clientID ?? "tocsin-" + StableHash.hex(.random(in: 0 ... .max)),
            window: window, connector: try BrokerConnector(settings, loop: loop), clock: clock)
    }

    public var status: PublisherStatus { core.status.withLock { $0 } }

    /// Returns when all have been handed to the network; suspends while the window is full or the broker is away.
    public func publish(_ messages: [MQTTMessage]) async throws {
        let token = tokens.withLock { token in
            token += 1
            return token
        }
        let promise = loop.makePromise(of: Void.self)
        try await withTaskCancellationHandler {
            loop.execute { self.core.submit(messages, token, promise) }
            try await promise.futureResult.get()
        } onCancel: {
            loop.execute { self.core.cancel(token) }
        }
    }

    /// Returns when the broker has acknowledged everything of QoS 1 and 2; what was sent at QoS 0 is on its way.
    public func flush() async throws {
        let promise = loop.makePromise(of: Void.self)
        loop.execute { self.core.flush(promise) }
        try await promise.futureResult.get()
    }

    /// Ends the connection; what was not acknowledged may be lost, so `flush` first.
    public func close() async {
        let left = loop.makePromise(of: Void.self)
        loop.execute { self.core.close(left) }
        try? await left.futureResult.get()
    }
}

import NIOCore
import NIOPosix
import Synchronization

/// Takes connections and never says a word: what half-open TCP looks like from the other side.
final class SilentReceiver: Sendable {
    private let channel: any Channel

    init() async throws {
        channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .bind(host: "127.0.0.1", port: 0).get()
    }

    deinit { channel.close(promise: nil) }

    var port: Int { channel.localAddress?.port ?? 0 }
}

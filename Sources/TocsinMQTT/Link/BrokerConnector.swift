internal import NIOCore
internal import NIOPosix
internal import NIOSSL
internal import TocsinCore

/// Opens connections on one event loop.
struct BrokerConnector: Sendable {
    let settings: MQTTSettings
    let loop: any EventLoop
    private let tls: NIOSSLContext?

    init(_ settings: MQTTSettings, loop: any EventLoop) throws(TocsinError) {
        self.settings = settings
        self.loop = loop
        tls = settings.address.usesTLS ? try settings.tls.makeContext() : nil
    }

    /// On the loop. The link tells its user of everything but a failure to connect, which `failed` gets.
    func open(
        _ request: ConnectRequest, payloadLimit: Int, user: any BrokerLinkUser & Sendable,
        failed: @escaping @Sendable (LinkClosure) -> Void
    ) {
        let (settings, tls) = (settings, tls)
        ClientBootstrap(group: loop)
            .connectTimeout(.nanoseconds(settings.connectTimeout.nanoseconds))
            .channelOption(.autoRead, value: false)
            .channelOption(.tcpOption(.tcp_nodelay), value: 1)
            .channelOption(.socketOption(.so_keepalive), value: 1)
            .channelOption(.maxMessagesPerRead, value: 2)
            .channelOption(.recvAllocator, value: FixedSizeRecvByteBufferAllocator(capacity: 128 << 10))
            .channelOption(.writeBufferWaterMark, value: .init(low: 256 << 10, high: 1 << 20))
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    if let tls {
                        let isAddress = (try? SocketAddress(ipAddress: settings.address.host, port: 0)) != nil
                        let name = settings.tls.serverName ?? (isAddress ? nil : settings.address.host)
                        try channel.pipeline.syncOperations.addHandler(
                            try NIOSSLClientHandler(context: tls, serverHostname: name))
                    }
                    try channel.pipeline.syncOperations.addHandler(
                        BrokerLink(request, settings, payloadLimit: payloadLimit, user: user))
                }
            }
            .connect(host: settings.address.host, port: settings.address.port)
            .whenFailure { error in
                failed(LinkClosure(text: FailureWords.describe(error, settings.address.description)))
            }
    }
}

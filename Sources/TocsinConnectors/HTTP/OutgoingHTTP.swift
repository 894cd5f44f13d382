public import AsyncHTTPClient
internal import NIOCore

/// The one client for everything that goes out by HTTP; lives as long as the process.
public enum OutgoingHTTP {
    /// A refused connection is an answer: callers retry at their own pace, so the client must not wait on its own.
    public static let client: HTTPClient = {
        var configuration = HTTPClient.Configuration()
        configuration.connectionPool.retryConnectionEstablishment = false
        configuration.timeout.connect = .seconds(10)
        // A webhook that redirects may lead anywhere, also inwards.
        configuration.redirectConfiguration = .disallow
        return HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
    }()
}

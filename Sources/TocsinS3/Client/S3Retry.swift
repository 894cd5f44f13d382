/// How often one request is sent again, and how long it waits between.
public struct S3Retry: Sendable {
    /// The first one counted.
    public var attempts: Int
    /// Before the second attempt; then twice as long each time.
    public var firstPause: Duration
    public var longestPause: Duration
    /// Waits; injected so that tests need no time.
    public var sleep: @Sendable (Duration) async throws -> Void
    /// 0 ..< 1; spreads the pauses of many clients.
    public var random: @Sendable () -> Double

    public init(
        attempts: Int = 6, firstPause: Duration = .milliseconds(200), longestPause: Duration = .seconds(10),
        sleep: @escaping @Sendable (Duration) async throws -> Void = { try await Task.sleep(for: $0) },
        random: @escaping @Sendable () -> Double = { Double.random(in: 0..<1) }
    ) {
        self.attempts = attempts
        self.firstPause = firstPause
        self.longestPause = longestPause
        self.sleep = sleep
        self.random = random
    }

    /// Half of the growing pause and a random part of the other half ("equal jitter"); not below what the service asks.
    /// - Parameter attempt: how many have failed, from 1.
    func pause(after attempt: Int, asked: Duration?) -> Duration {
        var pause = firstPause
        for _ in 1..<max(1, min(attempt, 30)) where pause < longestPause { pause *= 2 }
        pause = min(pause, longestPause)
        let jittered = pause / 2 + (pause / 2) * random()
        return asked.map { max(jittered, min($0, longestPause)) } ?? jittered
    }
}

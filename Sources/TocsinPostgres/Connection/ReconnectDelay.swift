internal import TocsinCore

/// When a server that refused may be asked again: doubling from 0.1 s to 5 s, each with up to a half taken off by chance,
/// so that many clients of one server do not come back all at once.
struct ReconnectDelay {
    private var failures = 0
    private var next: ContinuousClock.Instant?
    private(set) var lastError: TocsinError?

    private static let first = Duration.milliseconds(100)
    private static let longest = Duration.seconds(5)

    /// What the server said last, while it must not be asked again yet.
    func refusal(at now: ContinuousClock.Instant) -> TocsinError? {
        guard let next, now < next else { return nil }
        return lastError
    }

    /// - Parameter chance: 0 to 1.
    mutating func fail(_ error: TocsinError, at now: ContinuousClock.Instant, chance: Double) {
        let delay = min(Self.first * (1 << min(failures, 6)), Self.longest)
        failures += 1
        lastError = error
        next = now + delay * (1 - chance / 2)
    }

    mutating func succeed() { self = ReconnectDelay() }
}

internal import Synchronization
public import TocsinCore

/// A clock that stands still until a test moves it.
public final class HandClock: WallClock {
    private let time: Mutex<Timestamp>

    public init(_ start: Timestamp = Timestamp(seconds: 1_760_000_000)) { time = Mutex(start) }

    public func now() -> Timestamp { time.withLock { $0 } }
    public func advance(by span: Span64) { time.withLock { $0 = $0.advanced(by: span) } }
    public func set(_ now: Timestamp) { time.withLock { $0 = now } }
}

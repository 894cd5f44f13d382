/// Wall-clock time, injected so that tests drive it by hand.
public protocol WallClock: Sendable {
    func now() -> Timestamp
}

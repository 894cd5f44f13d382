internal import Synchronization

/// A wall clock that a step of the machine's clock does not upset: corrections by hand, by NTP or by a hypervisor that go
/// away again are not seen, and time goes back only where it is clear that it had gone wrong.
///
/// Between two readings it goes on by the monotonic clock. Differences of up to a second are taken over at once, unless
/// that would go back; a greater one is taken over when it has lasted for a minute: then it is the clock's new truth.
/// About 80 ns a call: once a batch.
public final class SteadyClock: WallClock {
    private struct State {
        /// Wall time less monotonic time.
        var offset: Int64
        /// When (monotonic) the machine's clock was first seen elsewhere, and by how much.
        var stepSeen: Int64?
        var step: Int64 = 0
        var latest: Int64
    }

    private static let slew: Int64 = 1_000_000_000
    private static let patience: Int64 = 60_000_000_000
    private let state: Mutex<State>
    private let wall: @Sendable () -> Int64
    private let monotonic: @Sendable () -> Int64
    private let onStep: @Sendable (_ seconds: Double) -> Void

    /// - Parameters:
    ///   - wall: nanoseconds since 1970, as the machine says.
    ///   - monotonic: nanoseconds since some moment; never goes back.
    ///   - onStep: told when a step is taken over.
    public init(
        wall: @escaping @Sendable () -> Int64 = { SystemClock().now().nanoseconds },
        monotonic: @escaping @Sendable () -> Int64 = { SystemClock.monotonicNanoseconds },
        onStep: @escaping @Sendable (_ seconds: Double) -> Void = { _ in }
    ) {
        self.wall = wall
        self.monotonic = monotonic
        self.onStep = onStep
        let now = wall()
        state = Mutex(State(offset: now &- monotonic(), latest: now))
    }

    public func now() -> Timestamp {
        let (wall, monotonic) = (wall(), monotonic())
        let (time, step): (Int64, Double?) = state.withLock { state in
            let expected = monotonic &+ state.offset
            let difference = wall &- expected
            var taken: Double?
            if abs(difference) <= Self.slew {
                state.offset &+= difference
                state.stepSeen = nil
            } else if let seen = state.stepSeen, abs(difference &- state.step) <= Self.slew {
                if monotonic &- seen >= Self.patience {
                    state.offset &+= difference
                    state.stepSeen = nil
                    state.latest = wall
                    taken = Double(difference) * 1e-9
                }
            } else {
                state.stepSeen = monotonic
                state.step = difference
            }
            state.latest = max(state.latest, monotonic &+ state.offset)
            return (state.latest, taken)
        }
        if let step { onStep(step) }
        return Timestamp(nanoseconds: time)
    }
}

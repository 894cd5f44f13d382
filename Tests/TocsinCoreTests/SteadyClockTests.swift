import Synchronization
import Testing
import TocsinCore

@Suite struct SteadyClockTests {
    /// The machine's two clocks, moved by hand, in seconds.
    private final class Machine: Sendable {
        private let state = Mutex((wall: Int64(1_760_000_000), monotonic: Int64(5)))
        let steps = Mutex<[Double]>([])

        func pass(_ seconds: Int64) { state.withLock { $0 = ($0.wall + seconds, $0.monotonic + seconds) } }
        func set(by seconds: Int64) { state.withLock { $0.wall += seconds } }

        func clock() -> SteadyClock {
            SteadyClock(
                wall: { self.state.withLock { $0.wall } * 1_000_000_000 },
                monotonic: { self.state.withLock { $0.monotonic } * 1_000_000_000 },
                onStep: { step in self.steps.withLock { $0.append(step) } })
        }
    }

    private func seconds(_ clock: SteadyClock) -> Int64 { clock.now().nanoseconds / 1_000_000_000 - 1_760_000_000 }

    @Test func aStepThatGoesAwayIsNotSeen() {
        let machine = Machine()
        let clock = machine.clock()
        machine.pass(10)
        #expect(seconds(clock) == 10)
        for step: Int64 in [3600, -3600, -7200, 86_400] {
            machine.set(by: step)
            let before = seconds(clock)
            machine.pass(30)
            #expect(seconds(clock) == before + 30)
            machine.set(by: -step)
            machine.pass(1)
            #expect(seconds(clock) == before + 31)
        }
        #expect(machine.steps.withLock { $0 } == [])
    }

    @Test(arguments: [3600, -3600])
    func aStepThatStaysIsTakenOverAfterAMinute(step: Int64) {
        let machine = Machine()
        let clock = machine.clock()
        machine.set(by: step)
        #expect(seconds(clock) == 0)
        machine.pass(59)
        #expect(seconds(clock) == 59)
        machine.pass(1)
        #expect(seconds(clock) == 60 + step)
        machine.pass(5)
        #expect(seconds(clock) == 65 + step)
        #expect(machine.steps.withLock { $0 } == [Double(step)])
    }

    @Test func timeNeverGoesBackForSmallCorrections() {
        let machine = Machine()
        let clock = machine.clock()
        machine.pass(10)
        #expect(seconds(clock) == 10)
        machine.set(by: -1)
        #expect(seconds(clock) == 10)
        machine.pass(1)
        #expect(seconds(clock) == 10)
        machine.pass(1)
        #expect(seconds(clock) == 11)
    }
}

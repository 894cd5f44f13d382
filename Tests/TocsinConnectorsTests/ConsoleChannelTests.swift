import Synchronization
import Testing
import TocsinConnectors
import TocsinCore

@Suite struct ConsoleChannelTests {
    /// Sensors name themselves: what they say must not reach the terminal as a command.
    @Test func namesCannotDriveTheTerminal() {
        let lines = Mutex<[String]>([])
        let channel = ConsoleChannel { line in lines.withLock { $0.append(line) } }
        let time = Timestamp(seconds: 1_760_000_000)
        let name = "p\u{1B}]0;owned\u{7}\nALARM"
        for (step, state) in [(AlarmChange.Step.raised, Alarm.State.open), (.cleared, .cleared)] {
            channel.deliver(
                AlarmChange(
                    step: step,
                    alarm: Alarm(
                        id: "1", sensor: name, metric: "t", kind: .spike, state: state, severity: .warning,
                        raised: time,
                        lastSeen: time, verdicts: 1, score: 0.9, pValue: 1e-9, sentence: "\(name) jumped")))
        }
        let shown = lines.withLock { $0 }
        #expect(shown.count == 2)
        #expect(shown.allSatisfy { $0.contains("p\u{FFFD}]0;owned\u{FFFD}\u{FFFD}ALARM") })
        #expect(shown.allSatisfy { line in !line.unicodeScalars.contains { $0.value < 32 } })
    }
}

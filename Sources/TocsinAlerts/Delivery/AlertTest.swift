public import TocsinCore

/// What came of a test message.
public struct AlertTestResult: Sendable {
    public var channel: String
    public var isDelivered: Bool
    /// HTTP or SMTP, where there is one.
    public var status: Int?
    /// What the receiver said, or what went wrong and what to do.
    public var text: String
    public var duration: Duration
}

/// Sends a message that says it is a test through one channel: past all rules, once, without outbox.
public enum AlertTest {
    /// A receiver that keeps a state (pagers) is told at once that it is over.
    public static func run(
        _ channel: any AlertChannel, context: AlertContext = AlertContext(), clock: any WallClock
    ) async -> AlertTestResult {
        let start = ContinuousClock.now
        var last = AlertAnswer()
        do throws(AlertFailure) {
            for step in [AlarmChange.Step.raised, .cleared] {
                last = try await channel.send(message(step, channel, context, clock.now()))
                // People are told once; machines must not stay alarmed.
                if channel.traits.takesDigests { break }
            }
            return AlertTestResult(
                channel: channel.name, isDelivered: true, status: last.status, text: last.text,
                duration: ContinuousClock.now - start)
        } catch {
            return AlertTestResult(
                channel: channel.name, isDelivered: false, status: error.status, text: error.description,
                duration: ContinuousClock.now - start)
        }
    }

    private static func message(
        _ step: AlarmChange.Step, _ channel: any AlertChannel, _ context: AlertContext, _ now: Timestamp
    ) -> AlertMessage {
        var hash = StableHash()
        hash.combine("test")
        hash.combine(channel.name)
        hash.combine(UInt64(bitPattern: now.nanoseconds / 60_000_000_000))
        let alarm = Alarm(
            id: hash.hex, sensor: "tocsin-test", metric: nil, kind: .range, state: step == .cleared ? .cleared : .open,
            severity: .warning, raised: now, lastSeen: now, cleared: step == .cleared ? now : nil, verdicts: 1,
            score: 0,
            pValue: 1, sentence: "this is a test of the alert channel \(channel.name): nothing is wrong")
        return AlertMessage(
            content: .change(AlarmChange(step: step, alarm: alarm)),
            key: "test-\(hash.hex)-\(step.rawValue)-\(now.nanoseconds)", incident: alarm.id, time: now,
            link: context.link(alarm), isTest: true)
    }
}

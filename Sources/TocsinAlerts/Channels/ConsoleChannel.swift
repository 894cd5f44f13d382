internal import TocsinCore

/// One line on standard output for each alarm raised or cleared.
public struct ConsoleChannel: AlertChannel {
    public let name: String
    public let traits = AlertChannelTraits(takesDigests: false)
    private let wording: AlertWording
    private let write: @Sendable (String) -> Void

    public init(
        name: String = "console", wording: AlertWording = AlertWording(),
        write: @escaping @Sendable (String) -> Void = { print($0) }
    ) {
        self.name = name
        self.wording = wording
        self.write = write
    }

    public func send(_ message: AlertMessage) async throws(AlertFailure) -> AlertAnswer {
        if let text = wording.ownText(message) {
            write(text.printable)
            return AlertAnswer()
        }
        for change in message.changes { write(Self.line(change, message)) }
        return AlertAnswer()
    }

    private static func line(_ change: AlarmChange, _ message: AlertMessage) -> String {
        let alarm = change.alarm
        let severity = AlertSeverity(alarm.severity).name
        switch change.step {
        case .raised, .reopened, .escalated:
            return "ALARM  \(severity)  \(alarm.sentence.printable)"
                + (message.note.map { " (\($0))" } ?? "")
        case .cleared:
            let end = alarm.cleared ?? alarm.lastSeen
            return
                "clear  \(alarm.kind.name) of \(alarm.sensor.printable) ended \(end.iso8601) after \(alarm.verdicts) "
                + "verdict(s)"
        default: return "note   \(message.title): \(message.lead)"
        }
    }
}

public import TocsinCore

/// One line on standard output for each alarm raised or cleared.
public struct ConsoleChannel: AlertChannel {
    public let name = "console"
    private let write: @Sendable (String) -> Void

    public init(write: @escaping @Sendable (String) -> Void = { print($0) }) { self.write = write }

    public func deliver(_ change: AlarmChange) {
        let alarm = change.alarm
        switch change.step {
        case .raised, .reopened, .escalated, .updated:
            write("ALARM  \(alarm.severity.rawValue)  \(alarm.sentence.printable)")
        case .cleared:
            let end = alarm.cleared ?? alarm.lastSeen
            write(
                "clear  \(alarm.kind.name) of \(alarm.sensor.printable) ended \(end.iso8601) after \(alarm.verdicts) "
                    + "verdict(s)")
        }
    }
}

public import TocsinCore

/// One way to reach people: console, file, webhook.
public protocol AlertChannel: Sendable {
    /// As in the configuration and the log.
    var name: String { get }

    /// Whether this step is worth telling here at all.
    func wants(_ change: AlarmChange) -> Bool

    /// Tells it. Throws `TocsinError` with `isRetriable` true when trying again can help.
    func deliver(_ change: AlarmChange) async throws
}

extension AlertChannel {
    public func wants(_ change: AlarmChange) -> Bool { change.step != .updated }
}

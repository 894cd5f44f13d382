internal import Logging
internal import TocsinAlerts
public import TocsinConfiguration
internal import TocsinCore

/// `tocsin alert test`: a message through one channel.
public struct AlertTestRun: Sendable {
    public struct Result: Sendable {
        public var isDelivered: Bool
        /// What came back and how long it took, for people.
        public var text: String
    }

    private let configuration: TocsinConfiguration

    public init(configuration: TocsinConfiguration) { self.configuration = configuration }

    /// - Throws: `TocsinError(.configuration)` for a channel that does not exist, or lacks what its kind needs.
    public func run(channel name: String) async throws -> Result {
        let clock = SystemClock()
        let channels = AlertChannels(
            configuration: configuration, clock: clock,
            logger: Logger(label: "tocsin") { _ in SwiftLogNoOpLogHandler() })
        let link = configuration.alerts.link
        let result = await AlertTest.run(
            try channels.channel(name), context: AlertContext(link: { _ in link }), clock: clock)
        let milliseconds = Int((result.duration.inSeconds * 1000).rounded())
        let status = result.status.map { " (\($0))" } ?? ""
        let words = result.text.split(whereSeparator: \.isNewline).joined(separator: "\n")
        let answer = words.isEmpty ? "" : ": \(words.printableLines)"
        return Result(
            isDelivered: result.isDelivered,
            text: result.isDelivered
                ? "\(name) took the test message in \(milliseconds) ms\(status)\(answer)"
                : "\(name) did not take the test message after \(milliseconds) ms\(status)\(answer)")
    }
}

internal import TocsinApp
internal import TocsinCore
public import TocsinMeasure

/// `tocsin bench mqtt`: messages a second from a broker on this machine into scored and stored readings, beside a
/// subscriber that only counts.
public struct MQTTBench: Sendable {
    private let settings: MQTTBenchSettings
    private let progress: ProgressLine?

    public init(settings: MQTTBenchSettings, progress: ProgressLine?) {
        self.settings = settings
        self.progress = progress
    }

    /// - Throws: `TocsinError` when there is no broker, or messages are missing at the end.
    public func run() throws -> MQTTReport {
        try settings.validate()
        let folder = try DataFolder.temporary()
        defer { DataFolder.removeTemporary(folder) }
        let given = try settings.address()
        let process = try given == nil ? BrokerProcess(folder: folder) : nil
        var report = MQTTReport(isOwnBroker: process != nil)
        guard let broker = given ?? process?.address else { return report }
        try withExtendedLifetime(process) {
            for qos in settings.qos {
                report.figures.append(try measure(qos, broker, process, folder))
            }
        }
        return report
    }

    /// In turn, the other first every second time: what else the machine does meets both.
    private func measure(
        _ qos: Int, _ broker: HTTPAddress, _ process: BrokerProcess?, _ folder: String
    ) throws -> MQTTFigure {
        progress?("QoS \(qos), making messages")
        let count = settings.messages(qos: qos)
        let stream = MQTTStream(count: count, qos: qos, end: MachineClock.wall() / 1_000_000_000 - 60)
        var figure = MQTTFigure(qos: qos, messages: count, payloadBytes: stream.payloadBytes)
        for number in 0..<settings.repeats {
            var (ours, limit) = (MQTTRun(), MQTTRun())
            for isOurs in number % 2 == 0 ? [true, false] : [false, true] {
                let words = isOurs ? "scored and stored" : "only counted"
                progress?("QoS \(qos), \(words), run \(number + 1) of \(settings.repeats)")
                if isOurs {
                    ours = try MQTTRun.scored(
                        stream, qos: qos, settings: settings, broker: broker, process: process, folder: folder)
                } else {
                    limit = try MQTTRun.counted(stream, qos: qos, broker: broker, process: process)
                }
            }
            figure.add(ours, limit: limit)
        }
        return figure
    }
}

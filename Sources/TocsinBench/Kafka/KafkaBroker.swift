internal import TocsinApp
internal import TocsinCore
internal import TocsinMeasure

/// Brokers for a measurement: those that were named, or librdkafka's cluster in a process of its own, whose CPU time is
/// then known.
struct KafkaBroker {
    let place: KafkaMeasurement.Place
    private let child: ChildProcess?

    init(_ settings: KafkaBenchSettings, topics: [String]) throws {
        guard settings.brokers.isEmpty else {
            place = KafkaMeasurement.Place(brokers: settings.brokers, library: settings.library)
            child = nil
            return
        }
        var arguments = ["bench", "kafka", "--serve", topics.joined(separator: ",")]
        arguments += ["--partitions", "\(settings.partitions)"]
        if let library = settings.library { arguments += ["--library", library] }
        let child = try ChildProcess(arguments: arguments)
        guard let line = child.readLine(), line.hasPrefix(Self.mark) else {
            throw TocsinError(
                .network, "the cluster ended with \(child.wait().status)", remedy: "its own message stands above")
        }
        place = KafkaMeasurement.Place(
            brokers: line.dropFirst(Self.mark.count).split(separator: ",").map(String.init), library: settings.library)
        self.child = child
    }

    static let mark = "brokers "

    var isOwn: Bool { child != nil }
    /// 0 of brokers that somebody else has started.
    var cpuSeconds: Double { child?.runningUsage().cpuSeconds ?? 0 }

    func stop() {
        child?.terminate()
        _ = child?.wait()
    }
}

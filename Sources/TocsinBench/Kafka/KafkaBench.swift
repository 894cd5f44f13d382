#if canImport(Glibc)
internal import Glibc
#elseif canImport(Darwin)
internal import Darwin
#endif
internal import TocsinApp
internal import TocsinCore
public import TocsinMeasure

/// `tocsin bench kafka`: how fast the whole program takes readings out of Kafka, beside a consumer that only reads.
public struct KafkaBench: Sendable {
    private let settings: KafkaBenchSettings
    private let progress: ProgressLine?

    public init(settings: KafkaBenchSettings, progress: ProgressLine?) {
        self.settings = settings
        self.progress = progress
    }

    /// The process behind `--serve`: librdkafka's cluster, until whoever started it is gone.
    public static func serve(topics: [String], partitions: Int, library: String?) async throws {
        let parent = getppid()
        try await KafkaMeasurement.serve(
            topics: Dictionary(topics.map { ($0, partitions) }) { first, _ in first }, library: library,
            announce: { brokers in
                print(KafkaBroker.mark + brokers)
                fflush(nil)
            }, until: { getppid() != parent })
    }

    /// - Throws: `TocsinError` when the settings make no sense, or brokers or program do not do what they should.
    public func run() async throws -> KafkaReport {
        try settings.validate()
        let folder = try DataFolder.temporary(in: settings.folder)
        defer { DataFolder.removeTemporary(folder) }
        let topics = settings.perMessage.map { "tocsin-bench-\(getpid())-\($0)" }
        let broker = try KafkaBroker(settings, topics: topics)
        defer { broker.stop() }
        var report = KafkaReport(settings: settings, hasOwnBroker: broker.isOwn)
        for (perMessage, topic) in zip(settings.perMessage, topics) {
            report.forms.append(try await measure(perMessage, topic, broker, folder))
        }
        return report
    }

    private func measure(
        _ perMessage: Int, _ topic: String, _ broker: KafkaBroker, _ folder: String
    ) async throws -> KafkaFigure {
        let messages = settings.messages
        var figure = KafkaFigure(perMessage: perMessage, messages: messages)
        try await produce(topic, broker, &figure)
        for number in 0..<settings.repeats {
            let name = "\(perMessage) a message, run \(number + 1) of \(settings.repeats)"
            progress?("\(name): a consumer that only reads")
            let single = try await read(topic, broker, 1, into: \.single, &figure)
            let plain = try await read(topic, broker, Self.batch, into: \.plain, &figure)
            // Every second time in the other order: what else the machine does meets both.
            for storesEvents in number % 2 == 0 ? [true, false] : [false, true] {
                progress?("\(name): the whole program\(storesEvents ? ", every event stored" : "")")
                let line = KafkaLine(
                    settings: settings, place: broker.place, topic: topic, messages: messages,
                    readings: messages * perMessage, storesEvents: storesEvents)
                let run = try line.run(in: folder, brokerCPU: { broker.cpuSeconds })
                figure.add(run, storesEvents: storesEvents, plain: plain, single: single)
            }
        }
        return figure
    }

    private func produce(_ topic: String, _ broker: KafkaBroker, _ figure: inout KafkaFigure) async throws {
        progress?("sending \(Figure.grouped(figure.messages)) messages")
        var fleet = KafkaFleet(
            messages: figure.messages, sensors: settings.sensors, perMessage: figure.perMessage,
            now: SystemClock().now())
        var bytes = 0
        let started = MachineClock.monotonic()
        try await KafkaMeasurement.send(to: broker.place, topic: topic) {
            guard let chunk = fleet.chunk(4096) else { return nil }
            bytes += chunk.bytes.count
            return chunk
        }
        let seconds = Double(MachineClock.monotonic() - started) / 1e9
        figure.sentPerSecond = seconds > 0 ? Double(figure.messages) / seconds : 0
        figure.bytesPerMessage = Double(bytes) / Double(figure.messages)
    }

    /// Messages by call of the faster way to read.
    private static let batch = 10_000

    /// - Returns: readings per second.
    private func read(
        _ topic: String, _ broker: KafkaBroker, _ batch: Int, into way: WritableKeyPath<KafkaFigure, KafkaSpeed>,
        _ figure: inout KafkaFigure
    ) async throws -> Double {
        let (cpu, brokerCPU) = (MachineClock.processCPU(), broker.cpuSeconds)
        let read = try await KafkaMeasurement.read(
            from: broker.place, topic: topic, group: "tocsin-bench-plain-\(getpid())-\(MachineClock.monotonic())",
            messages: figure.messages, batch: batch)
        guard read.messages == figure.messages else {
            throw TocsinError(
                .network, "only \(read.messages) of \(figure.messages) messages are still at the broker", place: topic,
                remedy: "librdkafka's cluster keeps 5 MiB of a partition: take fewer --messages, or more --partitions")
        }
        let readings = Double(figure.messages * figure.perMessage)
        let speed = read.seconds > 0 ? readings / read.seconds : 0
        figure[keyPath: way].speed.add(speed)
        figure[keyPath: way].cores.add(Double(MachineClock.processCPU() - cpu) / 1e9 / max(read.seconds, 1e-9))
        figure[keyPath: way].brokerCores.add((broker.cpuSeconds - brokerCPU) / max(read.seconds, 1e-9))
        return speed
    }
}

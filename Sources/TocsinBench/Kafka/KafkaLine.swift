#if canImport(Glibc)
internal import Glibc
#elseif canImport(Darwin)
internal import Darwin
#endif
internal import TocsinApp
internal import TocsinCore
internal import TocsinMeasure

/// The whole program on a topic: `tocsin run` in a process of its own, its data in a new folder.
struct KafkaLine {
    let settings: KafkaBenchSettings
    let place: KafkaMeasurement.Place
    let topic: String
    let messages: Int
    let readings: Int
    let storesEvents: Bool
    private static let patience: Int64 = 60_000_000_000

    struct Run {
        /// From before the first message until everything is stored.
        var seconds = 0.0
        var cpuSeconds = 0.0
        var brokerCPUSeconds = 0.0
        var peakResidentBytes: Int64 = 0
        var late = 0
    }

    /// - Throws: `TocsinError` when not everything is stored at the end, each once.
    func run(in parent: String, brokerCPU: () -> Double) throws -> Run {
        let folder = try DataFolder.temporary(in: parent)
        defer { DataFolder.removeTemporary(folder) }
        let file = folder + "/tocsin.yaml"
        try ReportFile.write(configuration, to: file)
        let server = try ServerProcess(
            folder: folder + "/data",
            flags: ["--config", file, "--set", "store.storeEvents=\(storesEvents)"] + settings.flags)
        defer { server.stop() }
        let probe = MetricsProbe(address: server.address)
        var begin = (time: MachineClock.monotonic(), usage: server.usage(), broker: brokerCPU())
        var moved = (messages: 0, stored: 0, time: begin.time)
        while true {
            let (now, usage, broker) = (MachineClock.monotonic(), server.usage(), brokerCPU())
            let metrics = try probe.read()
            try check(metrics)
            let (taken, stored) = (
                metrics.sum("kafka_consumer_messages_total"), metrics.sum("tocsin_readings_stored_total")
            )
            // The moment before the look that saw the first ones.
            if taken == 0 { begin = (now, usage, broker) }
            let late = metrics.sum("tocsin_readings_late_total")
            if stored + late >= readings, metrics.sum("tocsin_readings_spooled") == 0 {
                let (end, used) = (MachineClock.monotonic(), server.usage())
                return Run(
                    seconds: Double(end - begin.time) / 1e9, cpuSeconds: used.cpuSeconds - begin.usage.cpuSeconds,
                    brokerCPUSeconds: brokerCPU() - begin.broker, peakResidentBytes: used.peakResidentBytes, late: late)
            }
            if taken > moved.messages || stored > moved.stored { moved = (taken, stored, now) }
            guard now - moved.time < Self.patience else {
                throw TocsinError(
                    .network, "after \(stored) of \(readings) readings nothing moves any more", place: topic,
                    remedy: "its own messages stand above")
            }
            usleep(taken == 0 ? 5_000 : 20_000)
        }
    }

    private func check(_ metrics: Metrics) throws(TocsinError) {
        let others = ["duplicate", "dead_lettered"].map { ($0, metrics.sum("tocsin_readings_\($0)_total")) }
        for (name, count) in others where count > 0 {
            throw TocsinError(.format, "\(count) readings are \(name), and none should be", place: topic)
        }
    }

    /// JSON is YAML.
    private var configuration: [UInt8] {
        var json = JSONWriter()
        json.object {
            $0.key("kafka")
            $0.object { kafka in
                kafka.key("bootstrapServers")
                kafka.array { list in for broker in place.brokers { list.value(broker) } }
                if let library = place.library { kafka.field("library", library) }
            }
            $0.key("sources")
            $0.array { list in
                list.object { source in
                    source.field("kind", "kafka")
                    source.field("name", "bench")
                    source.key("topics")
                    source.array { $0.value(topic) }
                    source.field("group", "tocsin-bench-\(getpid())-\(MachineClock.monotonic())")
                }
            }
        }
        return json.bytes
    }
}

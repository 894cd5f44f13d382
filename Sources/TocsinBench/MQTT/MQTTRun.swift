internal import TocsinApp
internal import TocsinCore
internal import TocsinMeasure

#if canImport(Glibc)
internal import Glibc
#elseif canImport(Darwin)
internal import Darwin
#endif

/// One way of a stream through the broker: from the first byte published until the last message was stored, or counted.
struct MQTTRun {
    var seconds = 0.0
    /// Of the program; 0 for the counting subscriber.
    var cpuSeconds = 0.0
    /// 0 where the broker is somebody else's.
    var brokerCPUSeconds = 0.0
    private static let patience: Int64 = 30_000_000_000
    /// Between two looks of publisher and counter. Brokers send each message by itself: whoever wakes up for each takes
    /// the broker's time away.
    private static let pace: UInt32 = 500

    /// Into a program of its own: decoded, made durable in the spool, scored, stored.
    static func scored(
        _ stream: MQTTStream, qos: Int, settings: MQTTBenchSettings, broker: HTTPAddress, process: BrokerProcess?,
        folder: String
    ) throws(TocsinError) -> MQTTRun {
        let place = try DataFolder.temporary(in: folder)
        defer { DataFolder.removeTemporary(place) }
        let file = place + "/tocsin.yaml"
        // A session that lasts would have the broker keep the messages of the runs in between.
        let source = """
            {"sources": [{"kind": "mqtt", "name": "bench", "url": "mqtt://\(broker.authority)", "qos": \(qos), \
            "topics": ["bench/{sensor_id}"], "clientID": "tocsin-bench-\(getpid())", "session": "clean"}]}
            """
        try ReportFile.write(Array(source.utf8), to: file)
        let server = try ServerProcess(folder: place, flags: ["--config", file] + settings.flags)
        defer { server.stop() }
        var probe = try FiguresProbe(server.address)
        try wait("the program does not subscribe", &probe) { $0["tocsin_mqtt_subscription_alive"] == 1 }
        let before = (server.usage().cpuSeconds, process?.cpuSeconds ?? 0)
        var publisher = try StreamPublisher(broker, stream, qos: qos)
        var run = MQTTRun()
        var readiness = Readiness()
        let begun = MachineClock.monotonic()
        var (stored, progress) = (0.0, begun)
        while stored < Double(stream.count) {
            try probe.ask()
            readiness.removeAll()
            readiness.add(publisher.socket, isWriting: publisher.wantsToWrite)
            readiness.add(probe.socket, isWriting: false)
            usleep(pace)
            readiness.wait(nanoseconds: 5_000_000)
            if readiness.canWrite(0) { try publisher.push() }
            if readiness.canRead(0) { try publisher.receive() }
            if readiness.canRead(1) { try probe.receive() }
            let now = MachineClock.monotonic()
            let seen = probe.figures["tocsin_readings_stored_total"] ?? 0
            if seen > stored { (stored, progress) = (seen, now) }
            guard now - progress < patience else { throw incomplete("stored", stored, stream) }
        }
        run.seconds = Double(MachineClock.monotonic() - begun) / 1e9
        run.cpuSeconds = server.usage().cpuSeconds - before.0
        run.brokerCPUSeconds = (process?.cpuSeconds ?? 0) - before.1
        return run
    }

    /// Into a subscriber that only counts.
    static func counted(
        _ stream: MQTTStream, qos: Int, broker: HTTPAddress, process: BrokerProcess?
    ) throws(TocsinError) -> MQTTRun {
        var subscriber = try CountingSubscriber(broker, qos: qos)
        let before = process?.cpuSeconds ?? 0
        var publisher = try StreamPublisher(broker, stream, qos: qos)
        var run = MQTTRun()
        var readiness = Readiness()
        let begun = MachineClock.monotonic()
        var (count, progress) = (0, begun)
        while count < stream.count {
            readiness.removeAll()
            readiness.add(publisher.socket, isWriting: publisher.wantsToWrite)
            readiness.add(subscriber.socket, isWriting: subscriber.wantsToWrite)
            usleep(pace)
            readiness.wait(nanoseconds: 5_000_000)
            if readiness.canWrite(0) { try publisher.push() }
            if readiness.canRead(0) { try publisher.receive() }
            if readiness.canWrite(1) { try subscriber.push() }
            if readiness.canRead(1) { try subscriber.receive() }
            let now = MachineClock.monotonic()
            if subscriber.count > count { (count, progress) = (subscriber.count, now) }
            guard now - progress < patience else { throw incomplete("counted", Double(count), stream) }
        }
        run.seconds = Double(MachineClock.monotonic() - begun) / 1e9
        run.brokerCPUSeconds = (process?.cpuSeconds ?? 0) - before
        return run
    }

    private static func wait(
        _ failure: String, _ probe: inout FiguresProbe, until condition: ([String: Double]) -> Bool
    ) throws(TocsinError) {
        let deadline = MachineClock.monotonic() + patience
        var readiness = Readiness()
        while !condition(probe.figures) {
            guard MachineClock.monotonic() < deadline else {
                throw TocsinError(.network, "\(failure) within 30 s", remedy: "its own message stands above")
            }
            try probe.ask()
            readiness.removeAll()
            readiness.add(probe.socket, isWriting: false)
            readiness.wait(nanoseconds: 20_000_000)
            if readiness.canRead(0) { try probe.receive() }
        }
    }

    private static func incomplete(_ word: String, _ count: Double, _ stream: MQTTStream) -> TocsinError {
        TocsinError(
            .network, "\(Figure.grouped(Int(count))) of \(Figure.grouped(stream.count)) messages were \(word)",
            remedy: "a broker may drop messages of QoS 0: Mosquitto does not with max_queued_messages 0")
    }
}

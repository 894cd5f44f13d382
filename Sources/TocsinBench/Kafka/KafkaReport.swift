internal import TocsinCore
internal import TocsinMeasure

/// The same way of reading in several runs.
struct KafkaSpeed: Sendable {
    /// Readings per second.
    var speed = Spread()
    /// CPU seconds per second, of whoever reads and of the broker.
    var cores = Spread()
    var brokerCores = Spread()
}

/// What was measured with one form of messages.
struct KafkaFigure: Sendable {
    let perMessage: Int
    let messages: Int
    var bytesPerMessage = 0.0
    /// Made and sent, messages per second.
    var sentPerSecond = 0.0
    /// A consumer that only reads: thousands by a call, and one.
    var plain = KafkaSpeed()
    var single = KafkaSpeed()
    var withEvents = KafkaLineFigure()
    var withoutEvents = KafkaLineFigure()

    init(perMessage: Int, messages: Int) {
        self.perMessage = perMessage
        self.messages = messages
    }

    mutating func add(_ run: KafkaLine.Run, storesEvents: Bool, plain: Double, single: Double) {
        let speed = run.seconds > 0 ? Double(messages * perMessage) / run.seconds : 0
        if storesEvents {
            withEvents.add(run, speed, plain: plain, single: single)
        } else {
            withoutEvents.add(run, speed, plain: plain, single: single)
        }
    }
}

/// The whole program in several runs.
struct KafkaLineFigure: Sendable {
    var runs = KafkaSpeed()
    /// To the plain consumers of the same turn.
    var ratio = Spread()
    var singleRatio = Spread()
    var peakResidentBytes: Int64 = 0
    var late = 0

    mutating func add(_ run: KafkaLine.Run, _ speed: Double, plain: Double, single: Double) {
        runs.speed.add(speed)
        runs.cores.add(run.cpuSeconds / max(run.seconds, 1e-9))
        runs.brokerCores.add(run.brokerCPUSeconds / max(run.seconds, 1e-9))
        ratio.add(plain > 0 ? speed / plain : 0)
        singleRatio.add(single > 0 ? speed / single : 0)
        peakResidentBytes = max(peakResidentBytes, run.peakResidentBytes)
        late = max(late, run.late)
    }
}

/// What `KafkaBench` found.
public struct KafkaReport: Sendable {
    let settings: KafkaBenchSettings
    let hasOwnBroker: Bool
    var forms: [KafkaFigure] = []

    init(settings: KafkaBenchSettings, hasOwnBroker: Bool) {
        self.settings = settings
        self.hasOwnBroker = hasOwnBroker
    }

    /// For people.
    public var text: String {
        var lines = [
            Machine.current().line,
            "Kafka: \(Figure.grouped(settings.messages)) messages of \(Figure.grouped(settings.sensors)) sensors, keyed; "
                + (hasOwnBroker
                    ? "librdkafka's own cluster on this machine, \(settings.partitions) partitions" : "given brokers")
                + "; median of \(settings.repeats)",
        ]
        for form in forms {
            let size =
                "\(form.perMessage == 1 ? "1 reading" : "\(form.perMessage) readings") a message of "
                + "\(Figure.decimal(form.bytesPerMessage, digits: 0)) bytes"
            var table = TextTable(
                ["\(size)", "readings/s", "of one by one", "of batches", "cores"]
                    + (hasOwnBroker ? ["broker's cores"] : []))
            table.add(cells("only read, one message a call", form.single, nil))
            table.add(cells("only read, batches of thousands", form.plain, nil))
            table.add(cells("scored, every event stored", form.withEvents.runs, form.withEvents))
            table.add(cells("scored, windows and anomalies stored", form.withoutEvents.runs, form.withoutEvents))
            lines += [
                "", "Sent: \(Figure.decimal(form.sentPerSecond, digits: 0)) messages/s, made and acknowledged",
                table.text,
                "Peak memory \(Figure.bytes(max(form.withEvents.peakResidentBytes, form.withoutEvents.peakResidentBytes)))"
                    + "; late readings, at most: \(Figure.grouped(max(form.withEvents.late, form.withoutEvents.late)))",
            ]
        }
        lines += [
            "",
            "The whole program is `tocsin run`: source, decoder, spool (durable), detectors, windows, forests, SQLite; "
                + "measured from the first message to the last one stored.",
        ]
        return lines.joined(separator: "\n")
    }

    private func cells(_ name: String, _ figure: KafkaSpeed, _ line: KafkaLineFigure?) -> [String] {
        [
            name, figure.speed.text(), line?.singleRatio.text(digits: 2) ?? "", line?.ratio.text(digits: 2) ?? "",
            Figure.decimal(figure.cores.median, digits: 2),
        ] + (hasOwnBroker ? [Figure.decimal(figure.brokerCores.median, digits: 2)] : [])
    }

    /// One JSON object and an end of line.
    public var json: [UInt8] {
        var json = JSONWriter()
        json.object {
            ReportFile.begin("kafka", &$0)
            $0.field("messages", settings.messages)
            $0.field("sensors", settings.sensors)
            $0.field("own_broker", hasOwnBroker)
            $0.key("forms")
            $0.array { list in for form in forms { Self.write(form, to: &list) } }
        }
        json.newline()
        return json.bytes
    }

    private static func write(_ form: KafkaFigure, to json: inout JSONWriter) {
        json.object {
            $0.field("readings_per_message", form.perMessage)
            $0.field("messages", form.messages)
            $0.field("bytes_per_message", form.bytesPerMessage)
            $0.field("sent_messages_per_second", form.sentPerSecond)
            $0.key("consumer_of_batches")
            $0.object { write(form.plain, to: &$0) }
            $0.key("consumer_of_single_messages")
            $0.object { write(form.single, to: &$0) }
            for (name, line) in [("events_stored", form.withEvents), ("windows_stored", form.withoutEvents)] {
                $0.key(name)
                $0.object { object in
                    write(line.runs, to: &object)
                    line.ratio.write("ratio_to_batches", to: &object)
                    line.singleRatio.write("ratio_to_single_messages", to: &object)
                    object.field("peak_resident_bytes", line.peakResidentBytes)
                    object.field("late", line.late)
                }
            }
        }
    }

    private static func write(_ speed: KafkaSpeed, to json: inout JSONWriter) {
        speed.speed.write("readings_per_second", to: &json)
        speed.cores.write("cores", to: &json)
        speed.brokerCores.write("broker_cores", to: &json)
    }
}
